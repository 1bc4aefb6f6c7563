"""Child process that runs cases on an `.ocm`.

python -m optimum_compile.backends.native.runner ARTIFACT CASES OUT
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from optimum_compile.backends.base import Call
from optimum_compile.backends.child import answer
from optimum_compile.backends.native.session import Model, Session
from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.package.cases import load_cases

if TYPE_CHECKING:
    from optimum_compile.backends.native.device import Device


def main(artifact: str, given: str, out: str, device: "Device | None" = None) -> None:
    """Every case begins with a session of its own, and so with an empty cache."""
    cases = load_cases(Path(given))
    model = Model(Path(artifact), verify_weights=True)
    outputs = []
    for case in cases:
        session = model.session(device)
        outputs.append([_run(session, call) for call in case.calls])
    answer(cases, outputs, Path(out))


def _run(session: Session, call: Call) -> list[np.ndarray]:
    """One call of `prefill` or `decode`: which function runs follows from the number of tokens."""
    past = int(call.inputs["past"].reshape(-1)[0])
    if past != session.past:
        raise InputError(f"a case goes on at {past}, the cache holds {session.past} tokens")
    session.set_width(int(call.inputs["width"].reshape(-1)[0]) if "width" in call.inputs else 0)
    return [session.run(call.inputs["tokens"].reshape(-1))[None]]


if __name__ == "__main__":
    artifact, cases, out = sys.argv[1:4]
    main(artifact, cases, out)
