"""Names of what goes in and out of every graph of a package."""

TOKENS = "tokens"  # int32 (1, tokens)
POSITIONS = "positions"  # int32 (tokens,): past, past + 1, ..
PAST = "past"  # float32 (1,): tokens in the cache
NEW = "new."  # before the name of a cache: what the app writes into it
LOGITS = "logits"  # float32 (1, tokens, vocabulary)
