"""What kernels can read and write: which strides, and whether over one of their inputs."""

from optimum_compile.compiler.ir.graph import Node
from optimum_compile.passes.subtensor.notes import View
from optimum_compile.passes.subtensor.strides import dense, has_rows, is_dense, repeats

# Only move numbers: views where the strides allow, steps of the op `copy` otherwise.
VIEW_OPS = frozenset({"reshape", "permute", "expand", "slice"})
MOVES = VIEW_OPS | {"concat"}

UNARY = frozenset(
    "silu relu gelu tanh sigmoid exp log sqrt rsqrt neg abs cos sin erf reciprocal floor".split()
)
BINARY = frozenset("add sub mul div pow maximum minimum".split())
# Read and write whole rows of the last axis, whose elements must be neighbours.
ROWS = frozenset(
    (
        "embedding linear linears linear_add rms_norm layer_norm add_rms_norm hadamard rope rope_table "
        "kv_write cache_attention softmax route gated"
    ).split()
)
# Take an element of the inputs to the element of the output at the same place, whatever the strides.
ELEMENTS = UNARY | BINARY
# Inputs over which an output may be written: each of its elements depends on the same element there, or
# is written after the whole row was read.
OVERWRITES: dict[str, tuple[tuple[int, ...], ...]] = {
    **dict.fromkeys(UNARY, ((0,),)),
    **dict.fromkeys(BINARY, ((0, 1),)),
    "gated": ((0, 1),),
    "linear_add": ((3,),),
    "add_rms_norm": ((0, 1), ()),
}
# Round to fp16 as they write.
WRITES_HALF = frozenset({"rope", "rope_table", "linear", "linears"})
# Where an op reads the number of tokens before this call, which is a symbol and no tensor.
POSITION = {"rope": 1, "rope_table": 1, "kv_write": 2, "cache_attention": 3}
_WEIGHTS = {
    "embedding": (1,),
    "linear": (1, 2),
    "linear_add": (1, 2),
    "rms_norm": (1,),
    "layer_norm": (1, 2),
    "add_rms_norm": (2,),
    "rope": (2,),
    "rope_table": (2,),
}


def reads_as_weight(node: Node, index: int) -> bool:
    """Whether the kernel of `node` takes input `index` as a weight, not as a view."""
    return index > 0 if node.op == "linears" else index in _WEIGHTS.get(node.op, ())


def can_read(node: Node, view: View) -> bool:
    """Whether the kernel of `node` can read an input that lies as `view`."""
    if node.op in MOVES or node.op in BINARY:
        return True
    if repeats(view):
        return False
    if node.op in UNARY:
        return True
    return has_rows(view) if node.op in ROWS else is_dense(view)


def can_write(node: Node, view: View) -> bool:
    """Whether the kernel of `node` can write an output that lies as `view`."""
    if repeats(view):
        return False
    if node.op == "reshape":  # a copy writes it under the shape of its input, so without gaps
        return view.strides == dense(view.shape)
    if node.op in ELEMENTS or node.op in MOVES:
        return True
    return has_rows(view) if node.op in ROWS else is_dense(view)
