"""Child process that runs cases on a `.pte`.

python -m optimum_compile.backends.executorch.runner ARTIFACT CASES OUT
"""

import sys
from pathlib import Path

import numpy as np

from optimum_compile.backends.base import Call
from optimum_compile.backends.child import answer
from optimum_compile.backends.executorch.session import Program
from optimum_compile.compiler.package.cases import load_cases


def main(artifact: str, given: str, out: str) -> None:
    """Every case begins with a freshly loaded program, and so with empty states."""
    cases = load_cases(Path(given))
    outputs = []
    for case in cases:
        program = Program(Path(artifact))
        outputs.append([run_call(program, call) for call in case.calls])
    answer(cases, outputs, Path(out))


def run_call(program: Program, call: Call) -> list[np.ndarray]:
    """One call; a prompt takes the functions that the artifact has for its length."""
    if call.function == "prefill":
        return [program.prompt(*_ordered(call))]
    if call.function == "decode":
        return [program.step("decode", *_ordered(call))]
    return program.call(call.function, *call.inputs.values())


def _ordered(call: Call) -> tuple[np.ndarray, int, int]:
    """Tokens, past, and the bits that nested weights are read with (0: all of them)."""
    width = call.inputs.get("width", np.zeros(1, np.int64))
    return call.inputs["tokens"], int(call.inputs["past"][0]), int(width[0])


if __name__ == "__main__":
    main(*sys.argv[1:4])
