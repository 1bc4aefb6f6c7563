"""Child process that runs cases on an NNAPI package: the first half on its `.onnx`, the second on its `.ort`.

python -m optimum_compile.backends.nnapi.runner ARTIFACT CASES OUT
"""

import sys
from pathlib import Path

import numpy as np

from optimum_compile.backends.base import Case
from optimum_compile.backends.child import answer
from optimum_compile.backends.nnapi.program import FORMS
from optimum_compile.backends.nnapi.session import Session
from optimum_compile.compiler.package.cases import load_cases


def run_case(session: Session, case: Case) -> list[list[np.ndarray]]:
    """Outputs by call, on empty caches."""
    session.reset()
    return [[session.feed(call.inputs["tokens"][0])[None]] for call in case.calls]


def main(artifact: str, given: str, out: str) -> None:
    """Both halves are the same cases."""
    cases, outputs = load_cases(Path(given)), []
    half = len(cases) // len(FORMS)
    for at, form in enumerate(FORMS):
        session = Session(Path(artifact), form)
        outputs += [run_case(session, case) for case in cases[at * half : (at + 1) * half]]
    answer(cases, outputs, Path(out))


if __name__ == "__main__":
    main(*sys.argv[1:4])
