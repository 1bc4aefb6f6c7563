"""Packed weights on disk, one file a tensor, named by content: memory holds one at a time."""

import hashlib
from pathlib import Path

import numpy as np

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import parse_scheme

_FIELDS = ("codes", "scales", "zeros", "table")


def digest(weight: PackedWeight) -> str:
    """SHA-256 over scheme, shape and every array."""
    h = hashlib.sha256(f"{weight.scheme} {weight.shape}".encode())
    for name in _FIELDS:
        data = getattr(weight, name)
        if data is not None:
            h.update(np.ascontiguousarray(data).tobytes())
    return h.hexdigest()


def write_packed(store: Path, weight: PackedWeight) -> str:
    """Write `weight` and return its digest. Does nothing if it is there already."""
    name = digest(weight)
    path = store / f"{name}.npz"
    if path.exists():
        return name
    arrays = {f: getattr(weight, f) for f in _FIELDS if getattr(weight, f) is not None}
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.savez(file, scheme=np.array(str(weight.scheme)), **arrays)
    part.replace(path)
    return name


def read_packed(store: Path, name: str) -> PackedWeight:
    """Read what `write_packed` wrote."""
    path = store / f"{name}.npz"
    if not path.exists():
        raise InternalError(f"packed weight {name} is not in the store {store}")
    with np.load(path, allow_pickle=False) as data:
        arrays = {f: data[f] for f in _FIELDS if f in data}
        return PackedWeight(parse_scheme(str(data["scheme"])), **arrays)
