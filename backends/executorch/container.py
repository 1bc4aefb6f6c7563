"""Bytes of a `.pte` beside its weights, counted from the graph. No SDK is needed to ask.

The program is a flatbuffer without names: instructions, and the values that they take. Every number of a
shape or an argument is a value of its own, so one operator costs some 150 bytes, in each function. The
size of each table is that of the format; what a node becomes is a row of operators (executorch 1.4.1).
XNNPACK's graphs are small files of their own, measured by what is in them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from optimum_compile.backends.container import metadata_bytes
from optimum_compile.backends.executorch.caches import packed_caches
from optimum_compile.backends.executorch.regions import Region, regions_of
from optimum_compile.backends.executorch.schemes import aligned
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.ir.ops import ints
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
from optimum_compile.passes.precision.narrow import widths_of
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.symbolic_shape.lengths import lengths_of

# Tables of the format with their entries in vectors, and the mean of their padding.
CALL, ARGUMENT = 33, 4
TENSOR, CONSTANT, DIM = 59, 56, 5  # constants have an offset instead of a plan of their memory
INT, BOOL, NULL, LIST, LIST_INT, LIST_TENSOR = 28, 22, 20, 29, 8, 4
OPERATOR, SEGMENT, NAMED, DELEGATE = 42, 28, 88, 60
FILE = 620  # header, the three constant methods, vtables
FUNCTION = 160  # one more method
OPERATORS = 26  # kinds of operators that a function has

# One XNNPACK graph.
GRAPH, LINEAR, BIAS, ELEMENTWISE, CONVERT, GROUPED = 500, 400, 150, 135, 90, 16


@dataclass(frozen=True)
class Op:
    """One operator: arguments with its result, and those that are new values.

    `tensors` makes a list of so many tensors, `per_dim` a list with a number for every dimension.
    """

    arguments: int
    ints: int = 0
    bools: int = 0
    nulls: int = 0
    tensors: int = 0
    per_dim: bool = False
    makes: int = 1

    def bytes(self, rank: int) -> int:
        """Its instruction and the values that it brings."""
        total = CALL + ARGUMENT * self.arguments + self.makes * (TENSOR + DIM * rank)
        total += INT * self.ints + BOOL * self.bools + NULL * self.nulls
        if self.tensors:
            total += LIST + LIST_TENSOR * self.tensors
        return total + (LIST + (LIST_INT + INT) * rank if self.per_dim else 0)


ADD, MUL, UNARY, COMPARE, BMM = Op(5, 1), Op(4), Op(3), Op(4), Op(4)
COPY, WRITE = Op(4, bools=1, makes=0), Op(6, bools=1, tensors=3)
MEAN = Op(6, 2, bools=1, nulls=1)
SLICE, SELECT, UNSQUEEZE = Op(7, 4), Op(5, 2), Op(4, 1)
SOFTMAX, PERMUTE, CONCAT = Op(5, 1, bools=1), Op(4, per_dim=True), Op(4, 1, tensors=2)
CAST, SUM = Op(5, bools=1, nulls=1), Op(6, 2, bools=1, nulls=1)
OPERATORS_OF: dict[str, tuple[Op, ...]] = {
    "rms_norm": (MUL, MEAN, ADD, UNARY, MUL, MUL),
    "layer_norm": (Op(11, 2, tensors=1, makes=3),),
    "rope": (SLICE, SLICE, MUL, MUL, ADD, MUL, MUL, ADD, CONCAT),
    "kv_write": (WRITE, COPY),  # of a float32 buffer; packed ones are written by their attention
    "index_copy": (WRITE, COPY),
    "attention": (MUL, MUL, PERMUTE, BMM, ADD, SOFTMAX, BMM, ADD, ADD),
    "route": (
        *(UNSQUEEZE, UNSQUEEZE, COMPARE, COMPARE, COMPARE, COMPARE, CAST, SUM),
        *(COMPARE, CAST, SOFTMAX, MUL, SUM, MUL),
    ),
    "silu": (UNARY, MUL),
    "gelu": (Op(4, 1),),
    "permute": (PERMUTE,),
    "slice": (SLICE,),
    "softmax": (SOFTMAX,),
    "mean": (MEAN,),
    "sum": (SUM,),
    "max": (SUM,),
    "cast": (CAST,),
    "concat": (CONCAT,),
    "expand": (Op(5, bools=1, per_dim=True),),
    "gather": (Op(5, 1),),
    "gather_nd": (WRITE,),
    "full": (Op(4, 1, per_dim=True),),
    "arange": (Op(5, 3),),
    "mul": (MUL,),
    "matmul": (BMM,),
    "reshape": (),
}
SCALARS = ("rms_norm", "cache_attention", "attention")  # they keep a number as a tensor
ONCE = {  # what layers share: positions, rotary angles, masks
    "rope": (UNARY, UNARY, MUL, MUL, UNSQUEEZE, UNSQUEEZE, CAST, Op(5, 3), ADD),
    "cache_attention": (UNSQUEEZE, UNSQUEEZE, Op(5, 3), COMPARE, COMPARE, Op(4, 1), Op(4, 1)),
    "route": (UNSQUEEZE, UNSQUEEZE, Op(5, 3), COMPARE),
}
VIEW = Op(3, per_dim=True)  # of a symbolic shape (a value for all), others cost only their tensor
# Packed operators: arguments, ints, bools, nulls; and ranks of the tensors of a weight.
PACKED = {
    "affine": (Op(19, 7, bools=1, nulls=5), (1, 2, 1)),
    "lut": (Op(13, 5, nulls=3), (1, 2)),
    "e0m4": (Op(13, 4, nulls=3), (1, 2, 2)),
    "nested": (Op(11, 5, nulls=1), (1, 2)),
    "vec": (Op(13, 6, nulls=1), (1, 2)),
    "f16": (Op(4), (2,)),
}
KV_ATTENTION = Op(19, 11)  # on a packed cache


def container_bytes(graph: Graph, *, xnnpack: bool = True) -> int:
    """Bytes of the program, XNNPACK's graphs and metadata beyond `stored_bytes` and `fixed_bytes`."""
    regions = regions_of(graph) if xnnpack else ()
    inside = {node for region in regions for node in region.nodes}
    delegated = {name for region in regions for name in region.constants}
    functions: list[int | None] = [None if graph.symbols else 0]
    if graph.states and "seq" in graph.symbols:
        lengths = lengths_of(graph)
        functions = [*([None] if lengths.symbolic is not None else []), *lengths.fixed, 1]
    total = FILE + aligned(metadata_bytes(graph)) + (FUNCTION if _takes_width(graph) else 0)
    for tokens in functions:
        total += _function(graph, inside, delegated, tokens)
        total += sum(_call(region) for region in regions)
    for region in regions:
        constants = sum(1 if _is_bias(region, name) else 2 for name in region.constants)
        total += SEGMENT + constants * (SEGMENT + NAMED) + aligned(_graph(region))
    return total


def _function(graph: Graph, inside: set[Node], delegated: set[str], tokens: int | None) -> int:
    """One function, for a number of tokens or (None) any."""
    total = FUNCTION + OPERATORS * OPERATOR
    packed = packed_caches(graph)
    written = {cache.write for pair in packed.values() for cache in pair}
    bytes_only = {cache.state.read for pair in packed.values() for cache in pair}
    if _takes_width(graph):
        total += TENSOR + DIM
    for value in (*graph.inputs, *(s.read for s in graph.states)):
        total += TENSOR + DIM * (1 if value in bytes_only else value.type.rank)
    for name, value in graph.weights.items():
        if value.uses and name not in delegated:
            total += sum(_constant(rank) for rank in _ranks(value))
    total += sum(_constant(2) for _ in _codebooks(graph))
    seen: set[str] = set()
    for node in graph.nodes:
        if node in inside or node in written:
            continue
        if node in packed:
            total += KV_ATTENTION.bytes(4)
            continue
        total += _node(node, tokens)
        if node.op in ONCE and node.op not in seen:
            seen.add(node.op)
            total += sum(op.bytes(1) for op in ONCE[node.op])
    return total


def _takes_width(graph: Graph) -> bool:
    """Whether calls say with how many bits nested weights are read."""
    return bool(graph.states and widths_of(graph))


def _constant(rank: int) -> int:
    return CONSTANT + DIM * rank


def _node(node: Node, tokens: int | None) -> int:
    rank = node.outputs[0].type.rank
    view = VIEW.bytes(rank) - INT if tokens is None else TENSOR + DIM * rank
    scalar = _constant(0) if node.op in SCALARS else 0
    if node.op in ("linear", "embedding"):
        form, _ = PACKED[_form(_scheme(node.input(1)))]
        has_bias = len(node.inputs) > 2 and node.inputs[2] is not None
        return form.bytes(rank) + (ADD.bytes(rank) if has_bias else 0)
    if node.op == "reshape" or (tokens == 1 and node.op == "permute" and _moves_ones(node)):
        return view
    if node.op == "rope":
        return 2 * view + sum(op.bytes(3) for op in OPERATORS_OF["rope"])
    if node.op == "cache_attention":
        heads, groups = int(node.input(0).type.shape[1]), int(node.input(1).type.shape[1])
        each = (SELECT, BMM, ADD, SOFTMAX, BMM)
        ops = (MUL, PERMUTE, CONCAT, *each * (heads // groups))
        still = 2 * (TENSOR + DIM * 3)  # K and V without the batch axis
        return scalar + view + still + sum(op.bytes(3) for op in ops)
    if node.op == "hadamard":
        steps = int(str(node.attrs["block"])).bit_length() - 1
        ops = (SELECT, SELECT, ADD, ADD, CONCAT)
        return MUL.bytes(rank) + steps * (2 * view + sum(op.bytes(rank) for op in ops))
    return scalar + sum(op.bytes(rank) for op in OPERATORS_OF.get(node.op, (ADD,)))


def _moves_ones(node: Node) -> bool:
    """Whether a permutation moves only axes of size 1 where there is one token."""
    shape = node.input(0).type.shape
    moved = [a for a in ints(node.attrs["perm"]) if isinstance(shape[a], int) and shape[a] != 1]
    return moved == sorted(moved)


def _scheme(weight: Value) -> Scheme | None:
    note = weight.notes.get(Precision)
    return None if note is None else note.scheme


def _form(scheme: Scheme | None) -> str:
    base = scheme.base if isinstance(scheme, Sparse) else scheme
    forms = {Affine: "affine", Lut: "lut", E0M4: "e0m4", Nested: "nested", Vector: "vec"}
    return forms.get(type(base), "f16") if base is not None else "f16"


def _ranks(value: Value) -> Sequence[int]:
    """Ranks of the tensors that hold a weight outside delegates."""
    scheme = _scheme(value)
    if scheme is None or isinstance(scheme, Float):
        return (value.type.rank,)
    _, ranks = PACKED[_form(scheme)]
    if isinstance(scheme, Sparse):
        return (*ranks, 1, 1, 1)
    own_book = isinstance(scheme, Vector) and scheme.codebook == "own"
    coded = isinstance(scheme, Affine | Vector) and scheme.scale_bits
    return (*ranks, *((2,) if own_book else ()), *((1,) if coded else ()))


def _codebooks(graph: Graph) -> set[tuple[int, int]]:
    schemes = (_scheme(value) for value in graph.weights.values() if value.uses)
    return {(s.bits, s.width) for s in schemes if isinstance(s, Vector) and s.codebook == "shared"}


def _call(region: Region) -> int:
    """A call of a delegate in one function."""
    count = len(region.outputs)
    results = sum(TENSOR + DIM * v.type.rank for v in region.outputs)
    return DELEGATE + CALL + ARGUMENT * (1 + count) + results


def _is_bias(region: Region, name: str) -> bool:
    return name not in region.weights


def _graph(region: Region) -> int:
    """The serialised graph of a delegate, without weights."""
    total, inputs, grouped = GRAPH, set(), 0
    for node in region.nodes:
        if node.op != "linear":
            total += ELEMENTWISE
            continue
        total += LINEAR
        inputs.add(node.input(0))
        if len(node.inputs) > 2 and node.inputs[2] is not None:
            total += BIAS
        scheme = _scheme(node.input(1))
        if isinstance(scheme, Affine) and not isinstance(scheme.group, PerChannel):
            grouped = GROUPED
    return total + CONVERT * (len(inputs) - 1) + grouped
