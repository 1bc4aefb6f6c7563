"""The index of an NNAPI package: which files make which function, and what goes in and out of each.

`program.json` in the folder `NAME.nnapi`:

    {"format": 1, "context": 512, "vocabulary": 2048, "metadata": {...},
     "caches": [{"name": "k_cache.0", "shape": [1, 2, 64, 512], "axis": 3}, ..],
     "functions": [{"name": "decode", "tokens": 1, "stages": [
        {"stage": "stage0_int8", "file": "decode.stage0_int8", "inputs": ["tokens", ..],
         "outputs": ["add_11", "new.k_cache.0", ..], "ranges": {"rms_norm": [-3.1, 4.0], ..},
         "nodes": 240, "supported": 240, "partitions": 1, "verdict": "YES"}, ..]}, ..]}

A file is there twice, with the endings .onnx and .ort.
"""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.package.typed import parse_json, typed

INDEX = "program.json"
FORMAT = 1
FORMS = (".onnx", ".ort")
MAX_INDEX_BYTES = 1 << 26
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


@dataclass(frozen=True)
class CachePort:
    """A cache, float32: its shape, and the axis along which new tokens are written."""

    name: str
    shape: tuple[int, ...]
    axis: int


@dataclass(frozen=True)
class StageFile:
    """One graph. ranges: least and greatest value on the calibration text, by the value's name."""

    stage: str
    file: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    ranges: dict[str, tuple[float, float]]
    nodes: int
    supported: int
    partitions: int
    verdict: str


@dataclass(frozen=True)
class FunctionEntry:
    """A function: its stages in order, all for exactly so many tokens."""

    name: str
    tokens: int
    stages: tuple[StageFile, ...]


@dataclass(frozen=True)
class Program:
    """See the module."""

    context: int
    vocabulary: int
    caches: tuple[CachePort, ...]
    functions: tuple[FunctionEntry, ...]
    metadata: dict[str, Any]
    format: int = FORMAT

    def to_json(self) -> str:
        """The text of the index."""
        return json.dumps(asdict(self), sort_keys=True, indent=1) + "\n"


def read_program(folder: Path) -> Program:
    """Read the index of a package. Raises InputError for one that is missing, damaged or names odd files."""
    path = folder / INDEX
    if not path.is_file() or path.stat().st_size > MAX_INDEX_BYTES:
        raise InputError(f"{folder}: no NNAPI package (no {INDEX}); compile again")
    try:
        found: Program = typed(Program, parse_json(path.read_text("utf-8")), "program")
    except (ValueError, RecursionError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: damaged: {error}") from error
    _check(path, found)
    return found


def _check(path: Path, found: Program) -> None:
    if found.format != FORMAT:
        raise InputError(f"{path}: format {found.format}: expected {FORMAT}; compile again")
    for stage in (s for f in found.functions for s in f.stages):
        if not _FILE.fullmatch(stage.file):
            raise InputError(f"{path}: {stage.file!r} is no file name; compile again")
    sizes = [found.context, found.vocabulary, *(f.tokens for f in found.functions)]
    sizes += [size for cache in found.caches for size in cache.shape]
    if not all(1 <= size < 1 << 31 for size in sizes):
        raise InputError(f"{path}: a size is not from 1 to {1 << 31}; compile again")
    if not all(len(c.shape) == 4 and c.axis in (2, 3) for c in found.caches):
        raise InputError(f"{path}: a cache has not four axes, tokens along the third or fourth")


def metadata_text(folder: Path) -> str:
    """The metadata of a package, as JSON text."""
    return json.dumps(read_program(folder).metadata, sort_keys=True, separators=(",", ":"))
