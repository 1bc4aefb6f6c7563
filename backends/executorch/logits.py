"""Child process that answers token windows with the logits of a `.pte`.

python -m optimum_compile.backends.executorch.logits ARTIFACT FOLDER PIPE [WIDTH]
"""

import sys
from pathlib import Path

import numpy as np

from optimum_compile.backends.executorch.session import Program
from optimum_compile.backends.logits import Predict, serve


def load(artifact: Path, width: int = 0) -> Predict:
    """Open the program once. width 0: all bits.

    A window that starts at position 0 overwrites the cache, and what lies behind it is masked.
    """
    program = Program(artifact)

    def predict(tokens: np.ndarray) -> np.ndarray:
        logits: np.ndarray = program.prompt(tokens[None], 0, width)[0]
        return logits

    return predict


if __name__ == "__main__":
    serve(load, sys.argv[1:])
