"""Child process that answers token windows with the logits of an `.onnx`.

python -m optimum_compile.backends.onnxruntime.logits ARTIFACT FOLDER PIPE
"""

import sys
from pathlib import Path

import numpy as np

from optimum_compile.backends.logits import Predict, serve
from optimum_compile.backends.onnxruntime.emit import PREFILL_KEY
from optimum_compile.backends.onnxruntime.session import Model


def load(artifact: Path) -> Predict:
    """Open the model once.

    A window that starts at position 0 overwrites the cache, and what lies behind it is not read.
    """
    model = Model(artifact)
    longest = int(model.facts[PREFILL_KEY])

    def predict(tokens: np.ndarray) -> np.ndarray:
        parts = []
        for at in range(0, len(tokens), longest):
            piece = {"tokens": tokens[None, at : at + longest], "past": np.array([at], np.int64)}
            parts.append(model.call(piece)[0][0])
        return np.concatenate(parts)

    return predict


if __name__ == "__main__":
    serve(load, sys.argv[1:])
