"""Packed weights on disk, one file a tensor, named by content: memory holds one at a time."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.quant.packed import Outliers, PackedWeight
from optimum_compile.compiler.quant.scheme_text import parse_scheme

_FIELDS = ("codes", "scales", "zeros", "table", "supers", "offsets")
_OUTLIERS = ("starts", "columns", "values", "scales")


def digest(weight: PackedWeight) -> str:
    """SHA-256 over scheme, shape and every array."""
    h = hashlib.sha256(f"{weight.scheme} {weight.shape}".encode())
    for data in _arrays(weight).values():
        h.update(np.ascontiguousarray(data).tobytes())
    return h.hexdigest()


def write_packed(store: Path, weight: PackedWeight) -> str:
    """Write `weight` and return its digest. Does nothing if it is there already."""
    name = digest(weight)
    path = store / f"{name}.npz"
    if path.exists():
        return name
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.savez(file, scheme=np.array(str(weight.scheme)), **_arrays(weight))
    part.replace(path)
    return name


def read_packed(store: Path, name: str) -> PackedWeight:
    """Read what `write_packed` wrote."""
    path = store / f"{name}.npz"
    if not path.exists():
        raise InternalError(f"packed weight {name} is not in the store {store}")
    with np.load(path, allow_pickle=False) as data:
        arrays = {f: data[f] for f in _FIELDS if f in data}
        sparse = {f: data[f"outlier_{f}"] for f in _OUTLIERS if f"outlier_{f}" in data}
        outliers = Outliers(**sparse) if sparse else None
        return PackedWeight(parse_scheme(str(data["scheme"])), **arrays, outliers=outliers)


def _arrays(weight: PackedWeight) -> dict[str, Any]:
    found = {f: getattr(weight, f) for f in _FIELDS}
    if weight.outliers is not None:
        found |= {f"outlier_{f}": getattr(weight.outliers, f) for f in _OUTLIERS}
    return {name: data for name, data in found.items() if data is not None}
