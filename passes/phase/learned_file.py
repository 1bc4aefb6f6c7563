"""Schedulers on disk: one small safetensors file, which the native runtime reads as it is."""

import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np

from optimum_compile.compiler.errors import InputError
from optimum_compile.passes.phase.learned import MOST_SIZE, Learned, Plan, half, shapes_of

FORMAT = "optimum-compile schedule 1"
MOST_BYTES = 4 << 20
MOST_HEADER = 1 << 16
_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")


def to_bytes(learned: Learned) -> bytes:
    """The file: the length of a JSON header, the header, fp16 numbers of the tensors without gaps."""
    plan = learned.plan
    said = {
        "format": FORMAT,
        "prefill": str(plan.prefill),
        "high": str(plan.high),
        "low": str(plan.low),
        "steps": " ".join(map(str, plan.steps)),
        "keys": plan.keys,
        "values": plan.values,
        "model": plan.model,
    }
    header: dict[str, Any] = {"__metadata__": said}
    parts, at = [], 0
    heads, width, value_width = learned.sizes
    hidden = len(learned.tensors["hidden.bias"])
    for name, shape in shapes_of(heads, width, value_width, hidden, len(plan.steps)).items():
        data = half(learned.tensors[name]).tobytes()
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [at, at + len(data)]}
        parts.append(data)
        at += len(data)
    text = json.dumps(header, separators=(",", ":")).encode("ascii")
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + b"".join(parts)


def from_bytes(data: bytes) -> Learned:
    """The way back. Raises InputError for what is not such a file, or damaged."""
    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or len(data) > MOST_BYTES or not 2 <= size <= min(MOST_HEADER, len(data) - 8):
        raise InputError(
            f"scheduler: {len(data)} bytes with a header of {size}; expected at most {MOST_BYTES} with a "
            f"header of up to {MOST_HEADER}"
        )
    try:
        header = json.loads(data[8 : 8 + size].decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"scheduler: the header is no JSON: {error}") from None
    if not isinstance(header, dict):
        raise InputError("scheduler: the header is no JSON object")
    said = header.pop("__metadata__", None)
    plan = _plan(said)
    return Learned(plan, _tensors(header, data[8 + size :], len(plan.steps)))


def save(learned: Learned, path: Path) -> None:
    """Write the file, whole or not at all."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(to_bytes(learned))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def load(path: Path) -> Learned:
    """Read a file. Raises InputError as `from_bytes`, or where it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        return from_bytes(data)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _plan(said: Any) -> Plan:
    names = ("format", "prefill", "high", "low", "steps", "keys", "values", "model")
    if not isinstance(said, dict) or set(said) != set(names):
        raise InputError(f"scheduler: metadata {str(said)[:80]}: expected {', '.join(names)}")
    if not all(isinstance(v, str) for v in said.values()) or said["format"] != FORMAT:
        raise InputError(f"scheduler: format {str(said['format'])[:40]}: expected {FORMAT!r}")
    prefill, high, low = (_number(said[k]) for k in ("prefill", "high", "low"))
    steps = tuple(_number(text) for text in said["steps"][:4096].split(" "))
    return Plan(prefill, high, low, steps, said["keys"], said["values"], said["model"])


def _number(text: str) -> int:
    if _NUMBER.fullmatch(text) is None:
        raise InputError(f"scheduler: {text[:20]!r}: expected a whole number")
    return int(text)


def _tensors(header: dict[str, Any], data: bytes, steps: int) -> dict[str, np.ndarray]:
    (heads, width), (hidden, value_width) = _sizes(header, "query"), _sizes(header, "hidden.weight")
    wanted = shapes_of(heads, width, value_width, hidden, steps)
    if set(header) != set(wanted):
        raise InputError(f"scheduler: tensors {sorted(header)}: expected {sorted(wanted)}")
    out, at = {}, 0
    for name, shape in wanted.items():
        count = int(np.prod(shape, dtype=np.int64))
        entry = {"dtype": "F16", "shape": list(shape), "data_offsets": [at, at + 2 * count]}
        if header[name] != entry:
            raise InputError(f"scheduler: {name} is {str(header[name])[:80]}: expected {entry}")
        if at + 2 * count > len(data):
            raise InputError(f"scheduler: the file ends inside {name}; it was cut")
        out[name] = np.frombuffer(data, "<f2", count, at).reshape(shape).astype(np.float32)
        at += 2 * count
    if at != len(data):
        raise InputError(f"scheduler: {len(data)} bytes of numbers; expected {at}")
    return out


def _sizes(header: dict[str, Any], name: str) -> tuple[int, int]:
    """Rows and columns of a matrix."""
    entry = header.get(name)
    shape = entry.get("shape") if isinstance(entry, dict) else None
    if isinstance(shape, list) and len(shape) == 2:
        rows, columns = shape
        if all(type(n) is int and 1 <= n <= MOST_SIZE for n in shape):
            return rows, columns
    raise InputError(
        f"scheduler: {name} has the shape {str(shape)[:40]}: expected two axes of 1 to {MOST_SIZE}"
    )
