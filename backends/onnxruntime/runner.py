"""Child process that runs cases on an `.onnx`.

python -m optimum_compile.backends.onnxruntime.runner ARTIFACT CASES OUT
"""

import sys
from pathlib import Path

from optimum_compile.backends.child import answer
from optimum_compile.backends.onnxruntime.session import Model
from optimum_compile.compiler.package.cases import load_cases


def main(artifact: str, given: str, out: str) -> None:
    """Every case begins with empty states."""
    cases = load_cases(Path(given))
    model, outputs = Model(Path(artifact)), []
    for case in cases:
        model.reset()
        outputs.append([model.call(call.inputs) for call in case.calls])
    answer(cases, outputs, Path(out))


if __name__ == "__main__":
    main(*sys.argv[1:4])
