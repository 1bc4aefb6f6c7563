"""Child process that answers token windows with the logits of an `.ocm`.

python -m optimum_compile.backends.native.logits ARTIFACT FOLDER PIPE [WIDTH]
"""

import sys
from pathlib import Path

import numpy as np

from optimum_compile.backends.logits import Predict, serve
from optimum_compile.backends.native.session import Session


def load(artifact: Path, width: int = 0) -> Predict:
    """Open the program once; every window begins with an empty cache. width 0: all bits."""
    session = Session(artifact)
    session.set_width(width)

    def predict(tokens: np.ndarray) -> np.ndarray:
        session.reset()
        return session.run(tokens)

    return predict


if __name__ == "__main__":
    serve(load, sys.argv[1:])
