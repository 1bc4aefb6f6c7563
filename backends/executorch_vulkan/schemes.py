"""What ExecuTorch's Vulkan delegate has fused matrices for, and in how many bytes it stores them.

Three operators of executorch 1.4.1 keep codes on the GPU: `et_vk.linear_q4gsw` (4 bits, groups, float
inputs), `et_vk.linear_dq8ca_q4gsw` (the same behind int8 inputs) and `aten._weight_int8pack_mm` (8 bits, one
scale a row). Whatever else is quantised would be unpacked to floats there, and so is refused.
"""

from optimum_compile.backends.base import SUPPORTED, Support, WeightUse
from optimum_compile.backends.executorch.schemes import aligned
from optimum_compile.compiler.quant.scheme import (
    E0M4,
    Affine,
    Float,
    Lut,
    Nested,
    PerChannel,
    Scheme,
    Sparse,
    Vector,
)

LADDER = ("int4:g32", "int8:channel")
HAS = "fused matrices have 4 or 8 bits around zero"
SCALE_BYTES = 4  # float32, like all floats of the delegate
SUM_ROWS = 8  # rows of the sums of codes are padded to a multiple
REST = {
    Lut: "no tables",
    Nested: "no tables",
    Vector: "no vectors",
    E0M4: "no E0M4 grid",
    Sparse: "no outliers",
    Float: "floats would take 32 bits there",
}


def supports_scheme(scheme: Scheme, use: WeightUse) -> Support:
    """Whether a matrix of this shape stays packed on the GPU."""
    reason = _refusal(scheme, use)
    return SUPPORTED if reason is None else Support(False, reason)


def _refusal(scheme: Scheme, use: WeightUse) -> str | None:
    if not isinstance(scheme, Affine):
        return f"{HAS}; {REST[type(scheme)]}"
    if scheme.bits not in (4, 8):
        return f"{HAS}, not of {scheme.bits}"
    if not scheme.symmetric:
        return f"{HAS}; no zero points"
    if scheme.bits == 8 and not isinstance(scheme.group, PerChannel):
        return "the delegate has 8 bits with one scale a row only: use int8:channel"
    return _misfit(scheme, use)


def _misfit(scheme: Affine, use: WeightUse) -> str | None:
    """Sizes that its kernels cannot read: they load four or eight numbers at once."""
    size = scheme.group_size(use.columns)
    if use.as_linear and use.rows % 4:
        return (
            f"{use.rows} rows: the Vulkan delegate writes four at once, so it needs a multiple of 4"
        )
    step = 8 if scheme.bits == 4 else 4
    if use.as_linear and use.columns % step:
        return f"{use.columns} columns: the Vulkan delegate needs a multiple of {step} at {scheme.bits} bits"
    if use.columns % size:
        return f"groups of {size} do not divide {use.columns} columns"
    if size % 4:
        return f"groups of {size}: the Vulkan delegate reads four columns at once, so it needs a multiple of 4"
    if use.as_table and scheme.bits == 4 and use.columns % 32:
        return (
            f"a 4-bit table with {use.columns} columns: the Vulkan delegate needs a multiple of 32"
        )
    return None


def stored_bytes(scheme: Scheme, use: WeightUse, *, int8_inputs: bool = False) -> int:
    """Bytes in the artifact; a scheme that is refused counts what its codes would take.

    4-bit codes serve a matrix and a table at once, their scales lie transposed for the matrix. An 8-bit
    table is looked up on the CPU, outside of the delegate, so that a tied head stores it twice.
    """
    rows, columns = use.rows, use.columns
    if not isinstance(scheme, Affine):
        return scheme.stored_bytes(rows, columns)
    uses = max(1, use.as_linear + use.as_table)
    codes = aligned(rows * columns * scheme.bits // 8)
    groups = scheme.groups(columns)
    scales = aligned(rows * groups * SCALE_BYTES)
    if scheme.bits == 8:
        return codes * uses + scales  # of equal bytes one copy is stored: scales have the same form
    sums = 0
    if use.as_linear and int8_inputs:
        sums = aligned(-(-rows // SUM_ROWS) * SUM_ROWS * groups * 4)
    shared = groups == 1 or uses == 1  # a single row of scales is its own transpose
    return codes + scales * (1 if shared else 2) + sums
