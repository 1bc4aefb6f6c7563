"""torch.export archives (`.pt2`): a zip that is read by hand; pickled members are never opened."""

import json
import math
import zipfile
from pathlib import Path
from typing import Any

from optimum_compile.compiler.errors import InputError, UnsupportedError
from optimum_compile.compiler.frontend.importer import DTYPES
from optimum_compile.compiler.ir.types import TensorType
from optimum_compile.compiler.ir.weights import FileBytes, WeightRef

MAX_MEMBERS = 200_000
MAX_PROGRAM_BYTES = 512 << 20
LOCAL_HEADER = 30


def read_archive(path: Path) -> tuple[dict[str, Any], dict[str, WeightRef]]:
    """The program's JSON and its weights by reference. Raises InputError for anything malformed."""
    try:
        with zipfile.ZipFile(path) as file:
            members = _members(path, file)
            root = _root(path, members)
            _same_byte_order(path, file, members, root)
            program = _json(path, file, members, f"{root}/models/model.json")
            weights: dict[str, WeightRef] = {}
            for folder, config in (
                ("weights", "model_weights_config"),
                ("constants", "model_constants_config"),
            ):
                name = f"{root}/data/{folder}/{config}.json"
                if name in members:
                    entries = _json(path, file, members, name).get("config", {})
                    weights |= _weights(path, members, f"{root}/data/{folder}", entries)
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError) as error:
        raise InputError(f"{path}: damaged archive: {error}; export the model again") from error
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(f"{path}: malformed archive: {error!r}; export the model again") from error
    return program, weights


def _members(path: Path, file: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    listed = file.infolist()
    if len(listed) > MAX_MEMBERS:
        raise InputError(f"{path}: {len(listed)} members: at most {MAX_MEMBERS} are read")
    out: dict[str, zipfile.ZipInfo] = {}
    for info in listed:
        parts = info.filename.split("/")
        if info.filename.startswith("/") or ".." in parts or "\\" in info.filename:
            raise InputError(f"{path}: member {info.filename!r} leads out of the archive; refused")
        if info.filename in out:
            raise InputError(f"{path}: member {info.filename!r} occurs twice; refused")
        out[info.filename] = info
    return out


def _root(path: Path, members: dict[str, zipfile.ZipInfo]) -> str:
    found = [n for n in members if n.endswith("/models/model.json")]
    if len(found) != 1:
        raise InputError(
            f"{path}: {len(found)} exported programs in the archive, expected one; save it with "
            "torch.export.save(ep, path)"
        )
    return found[0].removesuffix("/models/model.json")


def _same_byte_order(
    path: Path, file: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], root: str
) -> None:
    info = members.get(f"{root}/byteorder")
    if info is not None and _bytes(path, file, info, 16) != b"little":
        raise UnsupportedError(f"{path}: written on a big-endian machine; export it on another")


def _json(
    path: Path, file: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], name: str
) -> dict[str, Any]:
    try:
        data = json.loads(_bytes(path, file, members[name], MAX_PROGRAM_BYTES))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: {name} is not valid JSON: {error}") from error
    if not isinstance(data, dict):
        raise InputError(f"{path}: {name} is not a JSON object")
    return data


def _bytes(path: Path, file: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> bytes:
    """A whole member. A compressed one is refused, as is what could grow while it is read."""
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
        raise InputError(
            f"{path}: {info.filename} is compressed or encrypted; save it with torch.export.save"
        )
    if info.file_size > limit:
        raise InputError(
            f"{path}: {info.filename} has {info.file_size} bytes; at most {limit} are read"
        )
    with file.open(info) as member:
        raw = member.read(info.file_size + 1)  # never more than the size that was checked
    if len(raw) != info.file_size:
        raise InputError(f"{path}: {info.filename} is not as long as it claims")
    return raw


def _weights(
    path: Path, members: dict[str, zipfile.ZipInfo], folder: str, entries: dict[str, Any]
) -> dict[str, WeightRef]:
    out: dict[str, WeightRef] = {}
    for name, entry in entries.items():
        if entry.get("use_pickle"):
            raise InputError(f"{path}: weight {name!r} is pickled; pickles are never opened")
        meta = entry.get("tensor_meta")
        if meta is None:
            raise UnsupportedError(f"{path}: constant {name!r} is no tensor")
        dtype = DTYPES.get(meta["dtype"])
        if dtype is None:
            raise UnsupportedError(f"{path}: weight {name!r} has element type {meta['dtype']}")
        shape = tuple(_whole(path, name, s) for s in meta["sizes"])
        strides = tuple(_whole(path, name, s) for s in meta["strides"])
        start = _whole(path, name, meta["storage_offset"]) * dtype.itemsize
        if not _contiguous(shape, strides):
            raise UnsupportedError(
                f"{path}: weight {name!r} is not contiguous; call .contiguous() on it"
            )
        member = members.get(f"{folder}/{entry['path_name']}")
        if member is None:
            raise InputError(f"{path}: member {entry['path_name']!r} of weight {name!r} is missing")
        if member.compress_type != zipfile.ZIP_STORED:
            raise InputError(
                f"{path}: weight {name!r} is compressed; save it with torch.export.save"
            )
        nbytes = math.prod(shape) * dtype.itemsize
        if start + nbytes > member.file_size:
            raise InputError(
                f"{path}: weight {name!r} {shape} needs {start + nbytes} bytes, "
                f"its member has {member.file_size}"
            )
        at = _data_offset(path, member) + start
        out[name] = WeightRef(name, TensorType(dtype, shape), FileBytes(path, at, nbytes))
    return out


def _whole(path: Path, name: str, size: dict[str, Any]) -> int:
    value = size.get("as_int")
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 40:
        raise InputError(f"{path}: weight {name!r} has a size of {value!r}")
    return value


def _contiguous(shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    expected = 1
    for size, stride in zip(reversed(shape), reversed(strides), strict=True):
        if size != 1 and stride != expected:
            return False
        expected *= size
    return True


def _data_offset(path: Path, info: zipfile.ZipInfo) -> int:
    """Where a stored member's bytes begin: the local header has its own name and extra lengths."""
    with path.open("rb") as file:
        file.seek(info.header_offset)
        head = file.read(LOCAL_HEADER)
    if len(head) < LOCAL_HEADER or head[:4] != b"PK\x03\x04":
        raise InputError(f"{path}: member {info.filename!r} has no local header")
    begin = info.header_offset + LOCAL_HEADER + int.from_bytes(head[26:28], "little")
    begin += int.from_bytes(head[28:30], "little")
    if begin + info.file_size > path.stat().st_size:
        raise InputError(f"{path}: member {info.filename!r} ends after the file; it is truncated")
    return begin
