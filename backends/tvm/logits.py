"""Child process that answers token windows with the logits of a `NAME.tvm`.

python -m optimum_compile.backends.tvm.logits ARTIFACT FOLDER PIPE
"""

import sys
from pathlib import Path

import numpy as np

from optimum_compile.backends.logits import Predict, serve
from optimum_compile.backends.tvm.session import Model
from optimum_compile.passes.symbolic_shape.lengths import SEQ


def load(artifact: Path) -> Predict:
    """Open the model once; every window begins with empty states."""
    model = Model(artifact)
    span = model.graph.symbols.get(SEQ)
    longest = 1 if span is None else span.high

    def predict(tokens: np.ndarray) -> np.ndarray:
        model.reset()
        parts = []
        for at in range(0, len(tokens), longest):
            piece = {"tokens": tokens[None, at : at + longest], "past": np.array([at], np.int64)}
            parts.append(model.call(piece)[0][0])
        return np.concatenate(parts)

    return predict


if __name__ == "__main__":
    serve(load, sys.argv[1:])
