"""Child process that checks the kernels of a `NAME.tvm` and runs cases on it.

python -m optimum_compile.backends.tvm.runner ARTIFACT CASES OUT
"""

import sys
from pathlib import Path

from optimum_compile.backends.child import answer
from optimum_compile.backends.tvm.check import check_kernels
from optimum_compile.backends.tvm.session import Model
from optimum_compile.compiler.package.cases import load_cases


def main(artifact: str, given: str, out: str) -> None:
    """Kernels first, each on all its matrices; then every case, which begins with empty states."""
    cases = load_cases(Path(given))
    model, outputs = Model(Path(artifact)), []
    check_kernels(model.kernels)
    for case in cases:
        model.reset()
        outputs.append([model.call(call.inputs) for call in case.calls])
    answer(cases, outputs, Path(out))


if __name__ == "__main__":
    main(*sys.argv[1:4])
