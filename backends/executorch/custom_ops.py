"""The packed operators as torch sees them: schemas for export, with shapes but no computation here.

Their kernels are C++ (`runtime_stub/executorch/`); the eager forms below exist only so
that torch.export can trace and ExecuTorch can find the out variants.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

NAMESPACE = "optimum_compile_rt"
DELEGATE = "delegate"  # stands where a delegate will be; never reaches the artifact
_LIBRARY: list[torch.library.Library] = []

# Outliers, None where a matrix has none: counts by run, places, what is added.
_OUTLIERS = "int run, Tensor? counts, Tensor? places, Tensor? values"
_LUT = (
    f"Tensor codes, Tensor table, int bits, int rows, int columns, int rows_per_table, {_OUTLIERS}"
)
_AFFINE = (
    "Tensor codes, Tensor scales, Tensor zeros, int bits, int rows, int columns, "
    f"int group, bool symmetric, int zero_bits, int scale_bits, Tensor? supers, {_OUTLIERS}, "
    "Tensor? outlier_scales"
)
_E0M4 = (
    f"Tensor codes, Tensor scales, Tensor offsets, int rows, int columns, int group, {_OUTLIERS}"
)
# `width` chooses how many bits are read: one int64, of which 0 means all of them, as None does.
_NESTED = (
    "Tensor planes, Tensor tables, Tensor? width, int seed_bits, int bits, int rows, int columns, "
    "int rows_per_table"
)
_VECTORS = (
    "Tensor indices, Tensor codebook, Tensor scales, int bits, int width, int rows, int columns, "
    "int group, int scale_bits, Tensor? supers"
)
_F16 = "Tensor weight"
_PACKED = {
    "lut": _LUT,
    "affine": _AFFINE,
    "e0m4": _E0M4,
    "nested": _NESTED,
    "vec": _VECTORS,
    "f16": _F16,
}
ARGUMENTS = {
    f"{use}_{form}": f"Tensor {first}, {arguments}"
    for use, first in (("linear", "x"), ("embedding", "ids"))
    for form, arguments in _PACKED.items()
}
# New keys and values go into the caches, which are bytes; then the queries attend to what is there.
KV_ATTENTION = "kv_attention"
_KV_SCHEME = "int {0}_bits, int {0}_group, int {0}_window, int {0}_sinks"
_KV_ARGUMENTS = (
    "Tensor q, Tensor k, Tensor v, Tensor past, Tensor(a!) keys, Tensor(b!) values, int context, "
    f"{_KV_SCHEME.format('key')}, {_KV_SCHEME.format('value')}, float scale, int sliding"
)
# Where rows and columns stand behind the first two tensors.
_SIZES_AT = {"lut": 2, "affine": 3, "e0m4": 2, "nested": 4, "vec": 4}


def load() -> None:
    """Register the operators once; calling it again does nothing."""
    if _LIBRARY:
        return
    library = torch.library.Library(NAMESPACE, "DEF")
    for name, arguments in ARGUMENTS.items():
        library.define(f"{name}({arguments}) -> Tensor")
        library.define(f"{name}.out({arguments}, *, Tensor(a!) out) -> Tensor(a!)")
        fake = _fake(name)
        torch.library.register_fake(f"{NAMESPACE}::{name}", fake, lib=library)
        library.impl(name, fake, "CompositeExplicitAutograd")
        library.impl(f"{name}.out", _out(fake), "CompositeExplicitAutograd")
    library.define(f"{KV_ATTENTION}({_KV_ARGUMENTS}) -> Tensor")
    library.define(f"{KV_ATTENTION}.out({_KV_ARGUMENTS}, *, Tensor(c!) out) -> Tensor(c!)")
    torch.library.register_fake(f"{NAMESPACE}::{KV_ATTENTION}", _kv_attention, lib=library)
    library.impl(KV_ATTENTION, _kv_attention, "CompositeExplicitAutograd")
    library.impl(f"{KV_ATTENTION}.out", _out(_kv_attention), "CompositeExplicitAutograd")
    library.define(f"{DELEGATE}(Tensor x, int index, int[] widths) -> Tensor[]")
    torch.library.register_fake(f"{NAMESPACE}::{DELEGATE}", _delegate, lib=library)
    library.impl(DELEGATE, _delegate, "CompositeExplicitAutograd")
    _LIBRARY.append(library)


def _kv_attention(q: Tensor, k: Tensor, v: Tensor, *rest: object) -> Tensor:
    return q.new_empty((*q.shape[:-1], v.shape[-1]))


def _delegate(x: Tensor, index: int, widths: Sequence[int]) -> list[Tensor]:
    return [x.new_empty((*x.shape[:-1], width)) for width in widths]


def _fake(name: str) -> Callable[..., Tensor]:
    linear = name.startswith("linear")
    packed = not name.endswith("f16")

    def shape_only(first: Tensor, second: Tensor, *rest: object) -> Tensor:
        rows, columns = _sizes(name, rest) if packed else second.shape
        shape = (*first.shape[:-1], rows) if linear else (*first.shape, columns)
        return first.new_empty(shape, dtype=torch.float32)

    return shape_only


def _sizes(name: str, rest: tuple[object, ...]) -> tuple[int, int]:
    at = _SIZES_AT[name.rpartition("_")[2]]
    return int(str(rest[at])), int(str(rest[at + 1]))


def _out(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def run(*args: object, out: Tensor) -> Tensor:
        found: Tensor = function(*args)
        return out.resize_(found.shape)

    return run
