"""The oracle's answers inside a bundle, so that `verify` needs neither the model nor the oracle."""

import json
import zipfile
from pathlib import Path

import numpy as np

from optimum_compile.backends.base import Call, Case
from optimum_compile.compiler.errors import InputError

CASES = "conformance.npz"
MAX_CASES_BYTES = 1 << 30
DAMAGE = (
    ValueError,
    KeyError,
    OSError,
    EOFError,
    TypeError,
    RecursionError,
    zipfile.BadZipFile,
)


def save_cases(path: Path, cases: tuple[Case, ...]) -> None:
    """Write cases: one array a tensor, and an index of which call has which."""
    arrays: dict[str, np.ndarray] = {}
    index = []
    for i, case in enumerate(cases):
        calls = []
        for j, call in enumerate(case.calls):
            key = f"c{i}_{j}"
            arrays |= {f"{key}_in_{name}": data for name, data in call.inputs.items()}
            arrays |= {f"{key}_out_{k}": data for k, data in enumerate(call.expected)}
            calls.append([call.function, list(call.inputs), len(call.expected)])
        index.append(calls)
    text = np.frombuffer(json.dumps(index).encode(), np.uint8)
    np.savez(path, allow_pickle=False, index=text, **arrays)


def load_cases(path: Path) -> tuple[Case, ...]:
    """Read what `save_cases` wrote. Raises InputError when it is missing or damaged."""
    if not path.is_file() or path.stat().st_size > MAX_CASES_BYTES:
        raise InputError(f"{path}: no recorded answers here; compile again without --no-verify")
    try:
        with np.load(path, allow_pickle=False) as data:
            index = json.loads(bytes(data["index"]))
            return tuple(
                Case(tuple(_call(data, f"c{i}_{j}", call) for j, call in enumerate(calls)))
                for i, calls in enumerate(index)
            )
    except DAMAGE as error:
        raise InputError(f"{path}: damaged: {error}") from error


def _call(data: "np.lib.npyio.NpzFile", key: str, entry: list) -> Call:
    function, names, outputs = entry
    inputs = {name: data[f"{key}_in_{name}"] for name in names}
    return Call(str(function), inputs, tuple(data[f"{key}_out_{k}"] for k in range(int(outputs))))
