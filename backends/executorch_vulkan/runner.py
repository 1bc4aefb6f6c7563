"""Child process that computes cases with the interpreter.

python -m optimum_compile.backends.executorch_vulkan.runner ARTIFACT CASES OUT
"""

import sys
from pathlib import Path

import numpy as np

from optimum_compile.backends.base import Call
from optimum_compile.backends.child import answer
from optimum_compile.backends.executorch_vulkan.interpret import Interpreter
from optimum_compile.compiler.package.cases import load_cases


def main(artifact: str, given: str, out: str) -> None:
    """Every case begins with empty caches."""
    cases = load_cases(Path(given))
    outputs = []
    for case in cases:
        program = Interpreter(Path(artifact))
        outputs.append([program.call(ordered(call)) for call in case.calls])
    answer(cases, outputs, Path(out))


def ordered(call: Call) -> list[np.ndarray]:
    """The arrays of a call in the order of the function's inputs; prompts and single tokens share one."""
    names = ["tokens", "past"] if call.function in ("prefill", "decode") else list(call.inputs)
    return [call.inputs[name] for name in names]


if __name__ == "__main__":
    main(*sys.argv[1:4])
