"""The runtime of this machine as what generates and scores at any width (`passes.phase.engine.Engine`)."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from optimum_compile.backends.native.session import Logits, Model, Session
from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.schedule import MOST_BITS

# What a program without nested weights calls its only width.
ONLY_WIDTH = MOST_BITS


class NativeEngine:
    """`Engine` of an `.ocm`: a session a text, one after another, with the arithmetic of the phone."""

    def __init__(self, model: Model | Path) -> None:
        """Open the program. Raises what `Model` raises."""
        self._model = Model(model) if isinstance(model, Path) else model
        self._sessions: list[Session] = []

    @property
    def widths(self) -> Sequence[int]:
        """See `Engine`."""
        return self._model.widths or (ONLY_WIDTH,)

    def start(self, count: int) -> None:
        """See `Engine`. Sessions that exist serve again."""
        for session in self._sessions[:count]:
            session.reset()
        for session in self._sessions[count:]:
            session.close()
        missing = count - len(self._sessions)
        self._sessions = self._sessions[:count]
        self._sessions += [self._model.session() for _ in range(missing)]

    def feed(self, tokens: np.ndarray, width: int) -> np.ndarray:
        """See `Engine`. Raises InputError for a width that no weight has, or another count of texts."""
        if tokens.ndim != 2 or len(tokens) != len(self._sessions):
            raise InputError(
                f"tokens {tokens.shape}: expected {len(self._sessions)} rows, as at the start"
            )
        rows = []
        for session, row in zip(self._sessions, tokens, strict=True):
            if self._model.widths:
                session.set_width(width)
            rows.append(session.run(row, Logits.ALL))
        return np.stack(rows)
