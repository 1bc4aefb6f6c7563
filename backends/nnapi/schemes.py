"""What an NNAPI package stores, and in how many bytes. No SDK is needed to ask.

Every matrix is int8 with one float32 scale a row, whatever scheme it was given: NNAPI has no fewer bits. A
scheme of fewer bits is rounded once more, one of int8 a channel is taken as it is.
"""

from collections.abc import Iterator

from optimum_compile.backends.base import SUPPORTED, Support, WeightUse
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.quant.scheme import Scheme
from optimum_compile.passes.stages.blocks import is_quantizable

LADDER = ("int8:channel",)
TABLE_CENTRE = 128  # codes of tables are unsigned, for NNAPI gathers these
ROW_BYTES = 5  # scale and zero point of a row of a convolution
TABLE_ROW_BYTES = 4  # scale of a row of a table
BIAS_BYTES = 12  # code, scale and zero point, four bytes each
# What has a form in NNAPI's operators; everything else is refused by name.
OPS = frozenset(
    "embedding linear rms_norm layer_norm hadamard rope kv_write cache_attention silu gelu relu tanh sigmoid "
    "add sub mul reshape permute slice concat".split()
)
REASONS = {
    "route": "NNAPI has no sorting and no comparison: mixtures of experts cannot be chosen from",
    "attention": "attention without a cache is not lowered: the package is for decoders",
    "aten": "NNAPI has no ATen operators",
}


def supports_scheme(scheme: Scheme, use: WeightUse) -> Support:
    """Every scheme: it is stored as int8."""
    return SUPPORTED


def supports_node(node: Node) -> Support:
    """Whether a node has a form in NNAPI's operators."""
    if node.op == "gelu" and str(node.attrs["approximate"]) != "tanh":
        return Support(False, "NNAPI has no Erf: only the tanh form of GELU can be lowered")
    if node.op in OPS:
        return SUPPORTED
    return Support(False, REASONS.get(node.op, f"NNAPI has no form of {node.op} in a decoder"))


def stored_bytes(scheme: Scheme, use: WeightUse) -> int:
    """Bytes of a weight in one function; that of a table that is a head too is stored as both."""
    codes = use.rows * use.columns
    total = codes + ROW_BYTES * use.rows if use.as_linear else 0
    return total + (codes + TABLE_ROW_BYTES * use.rows if use.as_table else 0)


def fixed_bytes(graph: Graph) -> int:
    """Bytes of all other weights in one function: gains and biases."""
    sizes: dict[str, int] = {}
    for node in graph.nodes:
        for index, value in plain_inputs(node):
            is_bias = node.op == "linear" and index == 2
            sizes[value.name] = value.type.elements() * (BIAS_BYTES if is_bias else 4)
    return sum(sizes.values())


def plain_inputs(node: Node) -> Iterator[tuple[int, Value]]:
    """Weights of a node that are stored beside the matrices; angles become tables instead."""
    for index, value in enumerate(node.inputs):
        if value is None or value.weight is None or node.op == "rope":
            continue
        if not is_quantizable(value):
            yield index, value
