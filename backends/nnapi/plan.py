"""What an NNAPI package is made of: functions of fixed lengths, each cut into one graph a precision stage."""

from collections.abc import Mapping
from dataclasses import dataclass

from optimum_compile.backends.base import SUPPORTED, Support
from optimum_compile.backends.nnapi.schemes import fixed_bytes, stored_bytes
from optimum_compile.compiler.decoder import is_decoder
from optimum_compile.compiler.errors import UnsupportedError
from optimum_compile.compiler.ir.graph import Graph, Node, State, Value
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.passes.precision.units import units_of
from optimum_compile.passes.stages.notes import InStage, StagePlan
from optimum_compile.passes.symbolic_shape.lengths import (
    DECODE,
    PREFILL,
    SEQ,
    lengths_of,
    prefill_name,
)
from optimum_compile.passes.symbolic_shape.specialize import specialize

MOST_WEIGHT_BYTES = (1 << 31) - (1 << 26)  # the rest is for angles, masks and nodes
PREFILL_TOKENS = 64  # of the function that stands for prompts of any length


@dataclass(frozen=True)
class CacheUse:
    """An attention with its caches: states that only it reads, after one node each wrote new rows."""

    keys: State
    key_write: Node
    values: State
    value_write: Node


@dataclass(frozen=True)
class Piece:
    """The nodes of one stage, in order.

    takes: computed by earlier pieces. gives: read by later ones, or outputs of the graph. caches: by
    the attention that reads them.
    """

    index: int
    name: str
    nodes: tuple[Node, ...]
    takes: tuple[Value, ...]
    gives: tuple[Value, ...]
    caches: Mapping[Node, CacheUse]

    @property
    def states(self) -> tuple[State, ...]:
        """The states that this piece reads."""
        return tuple(s for use in self.caches.values() for s in (use.keys, use.values))


def supports_graph(graph: Graph) -> Support:
    """Whether the graph is a decoder that can be cut into graphs of fixed shapes.

    Weights count as if all were in one stage, since nothing is cut yet when this is asked.
    """
    if not is_decoder(graph):
        return Support(
            False,
            f"{graph.name} is no decoder of tokens with a KV cache; use android:executorch or "
            "android:onnxruntime",
        )
    others = ", ".join(sorted(set(graph.symbols) - {SEQ}))
    if others:
        return Support(False, f"shapes are fixed, but {others} is a symbol; give it a value")
    if len(graph.outputs) != 1:
        return Support(False, f"one output is expected, {graph.name} has {len(graph.outputs)}")
    if weight_bytes(graph) > MOST_WEIGHT_BYTES:
        return Support(
            False,
            f"{weight_bytes(graph)} bytes of int8 weights, and a graph holds less than 2 GiB, for NNAPI "
            "takes none from other files; use android:executorch or android:onnxruntime",
        )
    try:
        pieces_of(function_graph(graph, 1))
    except UnsupportedError as error:
        return Support(False, str(error))
    return SUPPORTED


def check_decoder(graph: Graph) -> None:
    """Raise UnsupportedError with the reason of `supports_graph`."""
    verdict = supports_graph(graph)
    if not verdict.ok:
        raise UnsupportedError(f"nnapi: {verdict.reason}")


def weight_bytes(graph: Graph) -> int:
    """Bytes of the weights of one function in one form."""
    return fixed_bytes(graph) + sum(stored_bytes(Float(16), u.use) for u in units_of(graph))


def functions_of(graph: Graph) -> dict[str, int]:
    """Tokens of every function; prompts of any length become padded chunks of a fixed one."""
    if SEQ not in graph.symbols:
        length = graph.inputs[0].type.shape[-1]
        return {DECODE: int(length)}
    lengths, out = lengths_of(graph), {}
    if lengths.symbolic is not None and lengths.symbolic > 1:
        out[PREFILL] = min(PREFILL_TOKENS, lengths.symbolic)
    for length in lengths.fixed:
        out[prefill_name(length)] = length
    return out | {DECODE: 1}


def function_graph(graph: Graph, tokens: int) -> Graph:
    """The graph for exactly so many tokens."""
    return specialize(graph, {SEQ: tokens} if SEQ in graph.symbols else {})


def pieces_of(graph: Graph) -> tuple[Piece, ...]:
    """Cut a graph of fixed shapes into its stages.

    Raises UnsupportedError for a cache whose attention cannot be told apart from other uses.
    """
    plan = graph.notes.get(StagePlan)
    names = ["stage0"] if plan is None else [s.name for s in plan.stages]
    where: dict[Node, int] = {}
    for node in graph.nodes:
        note = node.notes.get(InStage)
        where[node] = 0 if note is None else note.index
    caches = {n: cache_use(graph, n) for n in graph.nodes if n.op == "cache_attention"}
    held = {w for use in caches.values() for w in (use.key_write, use.value_write)}
    for node in graph.nodes:
        if node.op == "kv_write" and node not in held:
            raise UnsupportedError(f"{node.origin}: nothing attends to this cache")
    pieces = []
    for index in sorted(set(where.values())):
        nodes = tuple(n for n in graph.nodes if where[n] == index and n not in held)
        used = [v for n in nodes for v in _reads(n, caches.get(n))]
        used = [v for v in dict.fromkeys(used) if v.producer is not None]
        takes = tuple(v for v in used if where[_producer(v)] < index)
        made = [v for n in nodes for v in n.outputs]
        gives = tuple(v for v in made if v in graph.outputs or _read_after(v, index, where, caches))
        mine = {n: use for n, use in caches.items() if where[n] == index}
        pieces.append(Piece(index, names[index], nodes, takes, gives, mine))
    return tuple(pieces)


def _reads(node: Node, caches: CacheUse | None) -> list[Value]:
    if caches is None:
        return [v for v in node.inputs if v is not None]
    return [node.input(0), caches.key_write.input(1), caches.value_write.input(1), node.input(3)]


def _producer(value: Value) -> Node:
    if value.producer is None:
        raise UnsupportedError(f"%{value.name} is computed by nothing")
    return value.producer


def _read_after(
    value: Value, index: int, where: Mapping[Node, int], caches: Mapping[Node, CacheUse]
) -> bool:
    readers = list(value.users)
    for attention, use in caches.items():
        if use.key_write in readers or use.value_write in readers:
            readers.append(attention)
    return any(where[n] > index for n in readers if n.op != "kv_write")


def cache_use(graph: Graph, node: Node) -> CacheUse:
    """The caches of an attention. Raises UnsupportedError where they are used otherwise too."""
    keys, key_write = _written(graph, node, node.input(1))
    values, value_write = _written(graph, node, node.input(2))
    return CacheUse(keys, key_write, values, value_write)


def _written(graph: Graph, node: Node, value: Value) -> tuple[State, Node]:
    state = next((s for s in graph.states if s.written is value), None)
    write = value.producer
    reason = f"{node.origin}: the app writes new rows behind past, so each cache must have "
    reason += "one writer and one reader; use android:executorch or android:onnxruntime"
    if state is None or write is None or write.op != "kv_write":
        raise UnsupportedError(reason)
    query, new = node.input(0).type.shape, write.input(1).type.shape
    alone = len(state.read.uses) == 1 and len(value.uses) == 1 and write.input(0) is state.read
    aligned = write.input(2) is node.input(3) and new[2] == query[2] and new[0] == query[0] == 1
    along = int(str(write.attrs["axis"])) == 2
    if not (alone and aligned and along):
        raise UnsupportedError(reason)
    return state, write
