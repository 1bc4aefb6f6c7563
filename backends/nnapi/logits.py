"""Child process that answers token windows with the logits of an NNAPI package.

python -m optimum_compile.backends.nnapi.logits ARTIFACT FOLDER PIPE
"""

import sys
from pathlib import Path

import numpy as np

from optimum_compile.backends.logits import Predict, serve
from optimum_compile.backends.nnapi.session import Session


def load(artifact: Path) -> Predict:
    """Open the package once."""
    session = Session(artifact)

    def predict(tokens: np.ndarray) -> np.ndarray:
        session.reset()
        return session.feed(tokens)

    return predict


if __name__ == "__main__":
    serve(load, sys.argv[1:])
