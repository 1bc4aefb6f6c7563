"""What kernels cannot do, with the reason."""

from optimum_compile.backends.base import SUPPORTED, Support, WeightUse
from optimum_compile.backends.gpu.attention import MOST_WIDTH
from optimum_compile.backends.gpu.axes import MOST_EXPERTS
from optimum_compile.backends.gpu.rows import MOST_AXES, MOST_BLOCK
from optimum_compile.backends.gpu.weights import MOST_BOUND_BYTES
from optimum_compile.compiler.ir.graph import Node
from optimum_compile.compiler.ir.shape import Dim
from optimum_compile.compiler.quant.granularity import packed_bytes
from optimum_compile.compiler.quant.scheme import Nested, Scheme, Sparse

HEADS = ("rope", "kv_write", "cache_attention")  # whose last axis is a head
FEW_AXES = ("softmax", "mean", "sum", "max")


def supports_scheme(scheme: Scheme, use: WeightUse) -> Support:
    """Everything but look-ups of rows with outliers, and bit planes that a device may not bind at once."""
    if isinstance(scheme, Sparse) and use.as_table:
        return Support(False, "no GPU kernel adds outliers to rows that are looked up")
    if isinstance(scheme, Nested):
        size = scheme.bits * packed_bytes(use.rows * use.columns, 1)
        if size > MOST_BOUND_BYTES:
            reason = f"its bit planes have {size} bytes, and a GPU binds {MOST_BOUND_BYTES} at once"
            return Support(False, reason)
    return SUPPORTED


def supports_node(node: Node) -> Support:
    """Sizes within those of the kernels (runtime_stub/kernels)."""
    if node.op in HEADS:
        index = 1 if node.op == "kv_write" else 0
        return _head(node.input(index).type.shape[-1])
    if node.op == "hadamard" and not 2 <= int(str(node.attrs["block"])) <= MOST_BLOCK:
        return Support(False, f"the GPU kernel turns blocks of 2 to {MOST_BLOCK} channels")
    if node.op == "route":
        experts = node.output.type.shape[-1]
        if not isinstance(experts, int) or experts > MOST_EXPERTS:
            return Support(False, f"the GPU kernel routes among up to {MOST_EXPERTS} experts")
    if node.op in FEW_AXES and node.input(0).type.rank > MOST_AXES:
        return Support(False, f"the GPU kernel takes up to {MOST_AXES} axes")
    return SUPPORTED


def _head(width: Dim) -> Support:
    if isinstance(width, int) and width % 2 == 0 and width <= MOST_WIDTH:
        return SUPPORTED
    return Support(
        False, f"GPU kernels take heads of even numbers of channels up to {MOST_WIDTH}, not {width}"
    )
