"""The oracle's answers inside a bundle, so that `verify` needs neither the model nor the oracle.

They are kept by target ("android", "android:onnxruntime"): where an artifact rounds activations to int8
the oracle has done so as well.
"""

import json
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from optimum_compile.backends.base import Call, Case
from optimum_compile.compiler.errors import InputError

CASES = "conformance.npz"
MAX_CASES_BYTES = 1 << 30
DAMAGE = (
    ValueError,
    LookupError,
    AttributeError,
    OSError,
    EOFError,
    TypeError,
    RecursionError,
    zipfile.BadZipFile,
)


def save_cases(path: Path, cases: tuple[Case, ...]) -> None:
    """Write cases: one array a tensor, and an index of which call has which."""
    save_answers(path, {"": cases})


def load_cases(path: Path) -> tuple[Case, ...]:
    """Read what `save_cases` wrote. Raises InputError when it is missing or damaged."""
    return cases_for("", load_answers(path), path)


def save_answers(path: Path, answers: Mapping[str, tuple[Case, ...]]) -> None:
    """Write the cases of every platform; platforms that share a case share its arrays."""
    arrays: dict[str, np.ndarray] = {}
    numbers: dict[int, int] = {}
    index: list[list] = []
    margins: list[float | None] = []  # of routing; None where it is infinite
    for case in (case for cases in answers.values() for case in cases):
        if id(case) in numbers:
            continue
        numbers[id(case)] = at = len(index)
        calls = []
        for j, call in enumerate(case.calls):
            key = f"c{at}_{j}"
            arrays |= {f"{key}_in_{name}": data for name, data in call.inputs.items()}
            arrays |= {f"{key}_out_{k}": data for k, data in enumerate(call.expected)}
            calls.append([call.function, list(call.inputs), len(call.expected)])
        index.append(calls)
        margins.append(case.margin if math.isfinite(case.margin) else None)
    platforms = {name: [numbers[id(case)] for case in cases] for name, cases in answers.items()}
    content: dict[str, object] = {"cases": index, "platforms": platforms}
    if any(margin is not None for margin in margins):
        content["margins"] = margins
    document = json.dumps(content)
    np.savez(path, allow_pickle=False, index=np.frombuffer(document.encode(), np.uint8), **arrays)


def load_answers(path: Path) -> dict[str, tuple[Case, ...]]:
    """Read what `save_answers` wrote. Raises InputError when it is missing or damaged."""
    if not path.is_file() or path.stat().st_size > MAX_CASES_BYTES:
        raise InputError(f"{path}: no recorded answers here; compile again without --no-verify")
    try:
        with np.load(path, allow_pickle=False) as data:
            index = json.loads(bytes(data["index"]))
            margins = index.get("margins") or [None] * len(index["cases"])
            cases = [
                Case(tuple(_call(data, f"c{i}_{j}", call) for j, call in enumerate(calls)), margin)
                for i, (calls, margin) in enumerate(
                    zip(index["cases"], map(_margin, margins), strict=True)
                )
            ]
            return {
                str(name): tuple(cases[int(number)] for number in numbers)
                for name, numbers in index["platforms"].items()
            }
    except DAMAGE as error:
        raise InputError(f"{path}: damaged: {error}") from error


def cases_for(
    platform: str, answers: Mapping[str, tuple[Case, ...]], path: Path
) -> tuple[Case, ...]:
    """The cases of a platform. Raises InputError where `path` holds none of it."""
    if platform in answers:
        return answers[platform]
    held = ", ".join(name or "cases without a platform" for name in answers) or "nothing"
    raise InputError(f"{path}: no answers for {platform or 'one run'!r}, it holds {held}")


def _margin(found: object) -> float:
    """Infinite where the document has null."""
    if found is None:
        return math.inf
    if not isinstance(found, float):
        raise ValueError(f"margin {found!r}: expected a number or null")
    return found


def _call(data: "np.lib.npyio.NpzFile", key: str, entry: list) -> Call:
    function, names, outputs = entry
    inputs = {name: data[f"{key}_in_{name}"] for name in names}
    return Call(str(function), inputs, tuple(data[f"{key}_out_{k}"] for k in range(int(outputs))))
