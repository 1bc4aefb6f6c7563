"""Child process that answers token windows with the logits of a `.gpu.ocm`.

python -m optimum_compile.backends.gpu.logits ARTIFACT FOLDER PIPE [WIDTH]

On a Vulkan device, or on the CPU where there is none.
"""

import sys
from pathlib import Path

import numpy as np

from optimum_compile.backends.logits import Predict, serve
from optimum_compile.backends.native.device import Device
from optimum_compile.backends.native.session import Model
from optimum_compile.compiler.errors import ResourceError


def load(artifact: Path, width: int = 0) -> Predict:
    """Open the program once; every window begins with an empty cache. width 0: all bits."""
    session = Model(artifact).session(_device())
    session.set_width(width)

    def predict(tokens: np.ndarray) -> np.ndarray:
        session.reset()
        return session.run(tokens)

    return predict


def _device() -> Device | None:
    try:
        return Device()
    except ResourceError:
        return None


if __name__ == "__main__":
    serve(load, sys.argv[1:])
