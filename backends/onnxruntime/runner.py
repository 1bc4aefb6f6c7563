"""Child process that runs cases on an `.onnx`; where there is an `.ort` too, the second half on it.

python -m optimum_compile.backends.onnxruntime.runner ARTIFACT CASES OUT
"""

import sys
from pathlib import Path

from optimum_compile.backends.child import answer
from optimum_compile.backends.onnxruntime.ort_format import forms_of
from optimum_compile.backends.onnxruntime.session import Model
from optimum_compile.compiler.package.cases import load_cases


def main(artifact: str, given: str, out: str) -> None:
    """Every case begins with empty states."""
    cases, outputs = load_cases(Path(given)), []
    forms = forms_of(Path(artifact))
    each = len(cases) // len(forms)
    for at, form in enumerate(forms):
        model = Model(form)
        for case in cases[at * each : (at + 1) * each]:
            model.reset()
            outputs.append([model.call(call.inputs) for call in case.calls])
    answer(cases, outputs, Path(out))


if __name__ == "__main__":
    main(*sys.argv[1:4])
