"""Pass: the angles of rotary embeddings come from a table that is made once."""

import hashlib
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.ir.types import TensorType
from optimum_compile.compiler.ir.weights import WeightRef
from optimum_compile.compiler.pass_manager import PassContext, PassResult
from optimum_compile.passes.fuse.joined import described
from optimum_compile.passes.fuse.places import remark, take_place

FREQUENCIES = "inv_freq"
TABLE = "rope_table"


@dataclass(frozen=True)
class RopeTables:
    """Look up cosines and sines instead of computing them in every layer and call.

    Before:  %r = rope(%q, %past, @inv_freq) {scale = 1.0} : f32[1, 4, seq, 16]
    After:   %r = rope_table(%q, %past, @rope_table) : f32[1, 4, seq, 16]
             with @rope_table : f32[512, 16]

    The table has a row for each position of the context: cosines in the first half, sines in the
    second, times the scale. It is computed in float64 and rounded to float32, so that far positions
    have no error of their angle (a float32 product of position and frequency is off by 1e-4 at 4096).
    All layers that share frequencies and scale share it. The longest cache of the graph is the context;
    without a cache there is no such number and `rope` stays.
    """

    name: ClassVar[str] = "rope-tables"
    needs: ClassVar[tuple[type[Note], ...]] = ()
    writes: ClassVar[tuple[type[Note], ...]] = ()

    def run(self, graph: Graph, ctx: PassContext) -> PassResult:
        """See the class."""
        context = _context(graph)
        tables: dict[tuple[Value, float], Value] = {}
        remarks: list[str] = []
        for node in graph.nodes:
            if node.op != "rope":
                continue
            reason = _refusal(node, context)
            if reason:
                remarks.append(remark(node, "its angles are computed in every call", reason))
                continue
            key = (node.input(2), float(str(node.attrs["scale"])))
            if key not in tables:
                tables[key] = _table(graph, *key, context)
            _look_up(graph, node, tables[key])
        graph.prune_weights()
        return PassResult(bool(tables), tuple(remarks))


class RopeTable:
    """Computes a table (context, 2 * frequencies) f32 when it is asked for."""

    def __init__(self, frequencies: WeightRef, scale: float, context: int) -> None:
        self.frequencies, self.scale, self.context = frequencies, scale, context

    def __call__(self) -> np.ndarray:
        """The table; exact but for one rounding."""
        positions = np.arange(self.context, dtype=np.float64)
        angles = positions[:, None] * self.frequencies.load_f64()[None, :]
        both = np.concatenate((np.cos(angles), np.sin(angles)), 1) * self.scale
        return both.astype(np.float32)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RopeTable) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[object, ...]:
        return (self.frequencies, self.frequencies.inline, self.scale, self.context)

    @property
    def sha256(self) -> str:
        """Names what the table is made of."""
        text = f"rope table {described(self.frequencies)} {self.scale!r} {self.context}"
        return hashlib.sha256(text.encode()).hexdigest()


def _context(graph: Graph) -> int:
    """Rows of the longest cache; 0 without one."""
    writes = [node for node in graph.nodes if node.op == "kv_write"]
    sizes = [node.input(0).type.shape[int(str(node.attrs["axis"]))] for node in writes]
    return max((size for size in sizes if isinstance(size, int)), default=0)


def _refusal(node: Node, context: int) -> str:
    if not context:
        return "the graph has no cache, whose length would be that of the table"
    frequencies = node.input(2)
    return "" if frequencies.weight is not None else f"%{frequencies.name} is computed, no weight"


def _table(graph: Graph, frequencies: Value, scale: float, context: int) -> Value:
    ref = frequencies.weight
    if ref is None:
        raise ValueError(f"%{frequencies.name} is no weight")
    half = ref.type.static_shape()[0]
    parent, _, last = ref.name.rpartition(".")
    wanted = f"{parent}." * bool(parent) + (TABLE if last == FREQUENCIES else f"{last}.{TABLE}")
    name, number = wanted, 0
    while name in graph.weights:
        number += 1
        name = f"{wanted}_{number}"
    kind = TensorType(DType.F32, (context, 2 * half))
    return graph.add_weight(WeightRef(name, kind, inline=RopeTable(ref, scale, context)))


def _look_up(graph: Graph, node: Node, table: Value) -> None:
    made = graph.add_node(
        "rope_table",
        [node.input(0), node.input(1), table],
        [node.output.type],
        origin=node.origin,
        names=["rope"],
        before=node,
    )
    take_place(graph, made, node, [node.output])
    graph.remove(node)
