"""What a packed operator gets: the tensors of a weight, and the numbers that describe them."""

from collections.abc import Callable

import numpy as np
from torch import Tensor

from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import (
    E0M4,
    Affine,
    Float,
    Lut,
    Nested,
    Scheme,
    Sparse,
    Vector,
)
from optimum_compile.compiler.quant.stored import stored_parts

Part = Callable[[str], Tensor | None]


def part_name(name: str, part: str) -> str:
    """The buffer of a part: the codes have the name of the weight itself."""
    return name if part == "codes" else f"{name}_{part}"


def codebook_name(scheme: Scheme) -> str | None:
    """The buffer of the codebook that a scheme shares with other weights, None without one."""
    if not isinstance(scheme, Vector) or scheme.codebook != "shared":
        return None
    return f"codebook_{scheme.bits}x{scheme.width}"


def parts_of(packed: PackedWeight) -> dict[str, np.ndarray]:
    """The stored parts; ExecuTorch takes no empty tensor, so one byte stands for no zero points."""
    parts = stored_parts(packed)
    scheme = packed.base.scheme
    if isinstance(scheme, Affine) and scheme.symmetric:
        return parts | {"zeros": np.zeros(1, np.uint8)}
    return parts


def call_of(
    scheme: Scheme, shape: tuple[int, ...], part: Part, width: Tensor | None = None
) -> tuple[str, tuple[object, ...]]:
    """The form of the operator ("lut", "nested", "affine", ...) and its arguments after the input.

    `width`, one int64, says at every call with how many bits nested weights are read; None: with all.
    """
    rows, columns = shape
    base = scheme.base if isinstance(scheme, Sparse) else scheme
    if isinstance(base, Float):
        return "f16", (part("codes"),)
    if isinstance(base, Nested):
        described = (base.seed_bits, base.bits, rows, columns, base.rows_per_table)
        return "nested", (part("codes"), part("table"), width, *described)
    if isinstance(base, Vector):
        tensors = (part("codes"), part("table"), part("scales"))
        sizes = (base.bits, base.width, rows, columns, base.group_size(columns), base.scale_bits)
        return "vec", (*tensors, *sizes, part("supers"))
    run = scheme.runs(rows, columns).width if isinstance(scheme, Sparse) else 0
    outliers = (run, part("counts"), part("places"), part("values"))
    if isinstance(base, Lut):
        numbers = (base.bits, rows, columns, base.rows_per_table)
        return "lut", (part("codes"), part("table"), *numbers, *outliers)
    group = base.group_size(columns)
    if isinstance(base, E0M4):
        tensors = (part("codes"), part("scales"), part("offsets"))
        return "e0m4", (*tensors, rows, columns, group, *outliers)
    tensors = (part("codes"), part("scales"), part("zeros"))
    described = (base.bits, rows, columns, group, base.symmetric)
    levels = (base.zero_bits, base.scale_bits)
    return "affine", (
        *tensors,
        *described,
        *levels,
        part("supers"),
        *outliers,
        part("outlier_scales"),
    )
