"""Child process that answers token windows with the logits of an `.ocm`.

python -m optimum_compile.backends.native.logits ARTIFACT FOLDER PIPE
"""

import sys
from pathlib import Path

import numpy as np

from optimum_compile.backends.logits import Predict, serve
from optimum_compile.backends.native.session import Session


def load(artifact: Path) -> Predict:
    """Open the program once; every window begins with an empty cache."""
    session = Session(artifact)

    def predict(tokens: np.ndarray) -> np.ndarray:
        session.reset()
        return session.run(tokens)

    return predict


if __name__ == "__main__":
    serve(load, sys.argv[1:])
