"""Which activations of a function lie in fp16: all that do not grow from layer to layer."""

from collections.abc import Iterable

from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.passes.subtensor.kernels import UNARY, VIEW_OPS
from optimum_compile.passes.subtensor.notes import StoredAs

# What leaves these is fp16. Sums of the residual stream grow past fp16, and stay float32.
HALF_OPS = UNARY | frozenset(
    "rms_norm layer_norm linear linears rope_table rope cache_attention gated hadamard".split()
)
SUMMED = "add_rms_norm"  # its sum is the stream, its norm is not
ROUTING = ("route", "softmax")  # a rounded number may choose another expert
TOGETHER = VIEW_OPS | {"concat"}


def store_halves(graph: Graph) -> None:
    """Note `StoredAs` fp16 on every value that leaves a norm, a projection, rotary, attention or a gate.

    Values that may become views of one another are decided together: they stay float32 where one of them
    is an output, is routed by, has an odd number of columns, or begins at an odd one.
    """
    groups = _Groups()
    for node in graph.nodes:
        if node.op in TOGETHER:
            for value in node.inputs:
                if value is not None:
                    groups.join(node.output, value)
    kept = {groups.root(v) for v in _kept(graph)}
    wanted = {groups.root(v) for node in graph.nodes for v in _halves(node)}
    for node in graph.nodes:
        for value in node.outputs:
            root = groups.root(value)
            if root in wanted and root not in kept:
                value.notes.put(StoredAs(DType.F16))


def _halves(node: Node) -> tuple[Value, ...]:
    if node.op == SUMMED:
        return node.outputs[1:]
    return tuple(node.outputs) if node.op in HALF_OPS else ()


def _kept(graph: Graph) -> Iterable[Value]:
    """Values that have to stay as they are."""
    yield from graph.outputs
    yield from graph.inputs
    yield from graph.weights.values()
    for state in graph.states:
        yield from (state.read, state.written)
    for node in graph.nodes:
        if node.op in ROUTING:
            yield from (v for v in (*node.inputs, *node.outputs) if v is not None)
        elif node.op not in HALF_OPS | TOGETHER:
            yield from node.outputs[:1]
        yield from (v for v in node.outputs if _is_uneven(node, v))


def _is_uneven(node: Node, value: Value) -> bool:
    shape = value.type.shape
    if not shape or not isinstance(shape[-1], int) or shape[-1] % 2:
        return True
    if node.op != "slice":
        return False
    last = int(str(node.attrs["axis"])) == len(shape) - 1
    even = node.attrs["step"] == 1 and isinstance(at := node.attrs["start"], int) and at % 2 == 0
    return last and not even


class _Groups:
    """Values that are decided together."""

    def __init__(self) -> None:
        self._parent: dict[Value, Value] = {}

    def root(self, value: Value) -> Value:
        while value in self._parent:
            value = self._parent[value]
        return value

    def join(self, left: Value, right: Value) -> None:
        first, second = self.root(left), self.root(right)
        if first is not second:
            self._parent[first] = second
