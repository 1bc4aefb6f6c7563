"""What MLX stores matrices in, and which of our schemes each form can hold.

A form is 2, 3, 4, 5, 6 or 8 bits in groups of 32, 64 or 128 columns with an fp16 scale and an fp16 bias:
w = scale * code + bias. Every integer grid of whole such groups is one: a zero point is a bias of
-scale * zero, and a scale of a longer group is that of each of its parts. MLX rounds the weights itself.
"""

from dataclasses import dataclass

from optimum_compile.backends.base import Support, WeightUse
from optimum_compile.backends.mlx.names import mlx_path
from optimum_compile.backends.stacks import plain_numbers
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.scheme import Affine, Float, Scheme

GROUPS = (128, 64, 32)
HALF_BYTES = 2
# What assignment considers; the groups of 64 are MLX's own default.
LADDER = (
    "uint2:g64@zf16",
    "uint2:g32@zf16",
    "uint3:g64@zf16",
    "uint3:g32@zf16",
    "uint4:g64@zf16",
    "uint4:g32@zf16",
    "uint5:g64@zf16",
    "uint6:g64@zf16",
    "uint8:g64@zf16",
    "uint8:g32@zf16",
    "f16",
)


@dataclass(frozen=True)
class Form:
    """`bits` a code, `group` columns to a scale and a bias; 16 bits: not quantised."""

    bits: int
    group: int = 0

    def stored_bytes(self, rows: int, columns: int) -> int:
        """Bytes of a matrix: codes without gaps, and two fp16 numbers a group."""
        if self.bits == 16:
            return rows * columns * HALF_BYTES
        return rows * columns * self.bits // 8 + rows * (columns // self.group) * 2 * HALF_BYTES


def form_of(scheme: Scheme, use: WeightUse) -> Form | str:
    """The form that holds a weight in `scheme`, or why there is none."""
    if isinstance(scheme, Float):
        if scheme.bits == 16:
            return Form(16)
        return "mlx_lm.convert has one type for all floats: use f16"
    if not isinstance(scheme, Affine):
        return "MLX has integer grids only: use uint4:g64@zf16"
    if use.columns % 32:
        return f"groups have 32, 64 or 128 columns, which do not divide {use.columns}: use f16"
    size = scheme.group_size(use.columns)
    group = next((g for g in GROUPS if size % g == 0 and use.columns % g == 0), None)
    if group is None:
        return f"groups have 32, 64 or 128 columns, {size} are no whole ones: use g32 or g64"
    return Form(scheme.bits, group)


def supports_scheme(scheme: Scheme, use: WeightUse) -> Support:
    """Whether MLX has a form for `scheme`."""
    found = form_of(scheme, use)
    return Support(False, found) if isinstance(found, str) else Support(True)


def stored_bytes(scheme: Scheme, use: WeightUse) -> int:
    """Bytes of a weight in the safetensors that `mlx_lm.convert` writes."""
    found = form_of(scheme, use)
    if isinstance(found, str):  # refused, see `supports_scheme`
        return scheme.stored_bytes(use.rows, use.columns)
    return found.stored_bytes(use.rows, use.columns)


def fixed_bytes(graph: Graph) -> int:
    """Bytes of everything that is no matrix: norms and biases in fp16."""
    return HALF_BYTES * plain_numbers(graph, mlx_path)
