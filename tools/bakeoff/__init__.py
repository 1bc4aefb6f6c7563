"""Our schemes and other tools' on the same weights and the same text, in one table by file bytes."""
