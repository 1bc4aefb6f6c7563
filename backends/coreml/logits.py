"""Child process that answers token windows with the logits of an `.mlpackage`.

python -m optimum_compile.backends.coreml.logits ARTIFACT FOLDER PIPE
"""

import sys
from pathlib import Path

import numpy as np

from optimum_compile.backends.base import Call
from optimum_compile.backends.coreml.interpreter import Package
from optimum_compile.backends.coreml.runner import run_call
from optimum_compile.backends.logits import Predict, serve


def load(artifact: Path) -> Predict:
    """Open the package; every window begins with empty states."""
    package = Package(artifact)

    def call(function: str, tokens: np.ndarray, past: int) -> np.ndarray:
        inputs = {"tokens": tokens[None], "past": np.array([past], np.int64)}
        logits: np.ndarray = run_call(package, Call(function, inputs, ()))[0][0]
        return logits

    def predict(tokens: np.ndarray) -> np.ndarray:
        package.reset()
        if package.functions != ("decode",):
            return call("prefill", tokens, 0)
        parts = [call("decode", tokens[at : at + 1], at) for at in range(len(tokens))]
        return np.concatenate(parts)

    return predict


if __name__ == "__main__":
    serve(load, sys.argv[1:])
