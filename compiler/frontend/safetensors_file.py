"""Read a safetensors header: by hand, because every length in it is a stranger's claim.

Format: 8 bytes little-endian header length, a JSON object name -> {dtype, shape, data_offsets}, data.
"""

import json
import math
import os
import stat
from pathlib import Path
from typing import Any

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.types import TensorType
from optimum_compile.compiler.ir.weights import FileBytes, WeightRef

MAX_HEADER_BYTES = 100_000_000
MAX_RANK = 8
DTYPES = {
    "F32": DType.F32,
    "F16": DType.F16,
    "BF16": DType.BF16,
    "F64": DType.F64,
    "I64": DType.I64,
    "I32": DType.I32,
    "I16": DType.I16,
    "I8": DType.I8,
    "U8": DType.U8,
    "BOOL": DType.BOOL,
}


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        raise ValueError("a name occurs twice")
    return out


def read_safetensors(path: Path) -> dict[str, WeightRef]:
    """Tensors of a file, by reference. Raises InputError for any claim that does not hold."""
    try:
        status = os.lstat(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(status.st_mode) and not path.resolve().is_file():
        raise InputError(f"{path}: not a regular file")
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(8)
        length = int.from_bytes(head, "little")
        if len(head) < 8 or length < 2 or length > min(MAX_HEADER_BYTES, size - 8):
            raise InputError(
                f"{path}: the header claims {length} bytes, the file has {size}; it is truncated "
                "or not a safetensors file: fetch it again"
            )
        raw = file.read(length)
    try:
        header = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: the header is not valid JSON: {error}") from error
    if not isinstance(header, dict):
        raise InputError(f"{path}: the header is not a JSON object")
    header.pop("__metadata__", None)
    begin = 8 + length
    spans: list[tuple[int, int, str]] = []
    out: dict[str, WeightRef] = {}
    for name, entry in header.items():
        kind, low, high = _entry(path, name, entry, size - begin)
        spans.append((low, high, name))
        out[name] = WeightRef(name, kind, FileBytes(path, begin + low, high - low))
    _refuse_overlap(path, spans)
    return out


def _entry(path: Path, name: str, entry: Any, room: int) -> tuple[TensorType, int, int]:
    where = f"{path}: tensor {name!r}"
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise InputError(f"{where}: expected dtype, shape and data_offsets")
    dtype = DTYPES.get(entry["dtype"]) if isinstance(entry["dtype"], str) else None
    if dtype is None:
        raise InputError(
            f"{where}: dtype {entry['dtype']!r} is not supported; known: {', '.join(DTYPES)}"
        )
    shape, offsets = entry["shape"], entry["data_offsets"]
    if not _naturals(shape) or len(shape) > MAX_RANK:
        raise InputError(f"{where}: shape {shape!r}: expected at most {MAX_RANK} whole numbers")
    if not _naturals(offsets) or len(offsets) != 2:
        raise InputError(f"{where}: data_offsets {offsets!r}: expected two whole numbers")
    low, high = offsets
    if not low <= high <= room:
        raise InputError(
            f"{where}: bytes {low} to {high} lie outside the {room} bytes of data; "
            "the file is truncated: fetch it again"
        )
    needed = math.prod(shape) * dtype.itemsize
    if needed != high - low:
        raise InputError(
            f"{where}: shape {shape} of {entry['dtype']} needs {needed} bytes, the header gives "
            f"{high - low}; the file is damaged: fetch it again"
        )
    return TensorType(dtype, tuple(shape)), low, high


def _naturals(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(v, int) and not isinstance(v, bool) and 0 <= v < 1 << 48 for v in value
    )


def _refuse_overlap(path: Path, spans: list[tuple[int, int, str]]) -> None:
    last_end, last_name = 0, ""
    for low, high, name in sorted(spans):
        if low < last_end:
            raise InputError(
                f"{path}: tensors {last_name!r} and {name!r} overlap at byte {low}; "
                "the file is damaged: fetch it again"
            )
        if high > last_end:
            last_end, last_name = high, name
