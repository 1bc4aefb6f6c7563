"""The float program on every sample, and again from a change on: only what the change reaches runs.

What enters each block is kept on disk, and inside one block, the current one, what its branches read.
A changed `down_proj` of the last block then costs that matrix, the last norm and the head. Changes in
the order of the program are cheapest: going to another block runs it once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.interpret import WeightCache, run_nodes
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.quant.kv import KvStored
from optimum_compile.passes.calibrate.propagate import Propagation, Sample
from optimum_compile.passes.calibrate.segments import Segment, segments_of
from optimum_compile.passes.calibrate.spill import Spill

CACHE_BYTES = 1 << 30
STARTS = ("linear", "embedding", "cache_attention")  # where a change may begin


@dataclass(frozen=True)
class Change:
    """Tensors instead of weights, and schemes by which attention reads states, both by name."""

    weights: Mapping[str, Tensor] = field(default_factory=dict)
    kv: Mapping[str, KvStored] = field(default_factory=dict)


class Onward:
    """The float way of all samples under `folder`.

    `forward_passes` counts what ran, in passes of the whole model over all samples, by the
    multiplications of its linears.
    """

    def __init__(self, graph: Graph, samples: Sequence[Sample], folder: Path) -> None:
        self.graph = graph
        self.samples = tuple(samples)
        self.segments = segments_of(graph)
        self.forward_passes = 0.0
        self._way = Propagation(graph, samples, folder, "float")
        self._inner = Spill(folder / "inner")
        self._current = -1
        self._cache = WeightCache(CACHE_BYTES)
        self._where = {node: s.index for s in self.segments for node in s.nodes}
        self._all = max(1, multiplications(graph.nodes))

    def start(self) -> None:
        """Run the float program; what enters each block, and the outputs, are on disk afterwards."""
        self._way.start()
        for segment in self.segments:
            self._way.advance(segment)
        self.forward_passes += 1

    def entering(self, index: int, sample: int) -> dict[Value, Tensor]:
        """What enters a segment of the float program; past the last one, what leaves that."""
        last = index == len(self.segments)
        found = self._way.spill.read(index, sample)
        values = self.segments[-1].leaves if last else self.segments[index].enters
        return {v: found[v.name] for v in values}

    def output(self, sample: int) -> Tensor:
        """The first output of the float program."""
        return self.entering(len(self.segments), sample)[self.graph.outputs[0]]

    def block_of(self, change: Change) -> int:
        """The segment in which a change begins: ask for changes in that order."""
        return min(self._where[node] for node in self._readers(change))

    def changed(self, change: Change) -> Iterator[Tensor]:
        """The first output with the change, for each sample in turn. Nothing else is kept."""
        begin = self.block_of(change)
        self._go_to(begin)
        segment = self.segments[begin]
        readers = self._readers(change)
        nodes = reached([n for n in segment.nodes if n in readers], segment.nodes)
        after = [n for s in self.segments[begin + 1 :] for n in s.nodes]
        self.forward_passes += multiplications((*nodes, *after)) / self._all
        for at in range(len(self.samples)):
            yield self._run(change, segment, nodes, at)

    def _run(self, change: Change, segment: Segment, nodes: Sequence[Node], at: int) -> Tensor:
        given = self.entering(segment.index, at)
        inside = self._inner.read(segment.index, at)
        needed = {v for n in nodes for v in n.inputs if v is not None}
        made = {v for n in nodes for v in n.outputs}
        values = {v: t for v, t in given.items() if v in needed}
        values |= {v: inside[v.name] for v in needed - made if v.name in inside}
        found = self._execute(change, nodes, values, segment.leaves, at)
        values = self.entering(segment.index + 1, at) | {
            v: t for v, t in found.items() if v in made
        }
        for later in self.segments[segment.index + 1 :]:
            values = self._execute(change, later.nodes, values, later.leaves, at)
        return values[self.graph.outputs[0]]

    def _execute(
        self,
        change: Change,
        nodes: Sequence[Node],
        values: Mapping[Value, Tensor],
        wanted: Sequence[Value],
        at: int,
    ) -> dict[Value, Tensor]:
        return run_nodes(
            self.graph,
            nodes,
            values,
            self.samples[at].symbols,
            wanted,
            cache=self._cache,
            replace={self.graph.weights[n]: t for n, t in change.weights.items()},
            kv=change.kv,
        )

    def _go_to(self, index: int) -> None:
        """Keep what the branches of a segment read, instead of those of another one."""
        if index == self._current:
            return
        self._inner.drop(self._current)
        segment = self.segments[index]
        wanted = branch_values(segment)
        for at in range(len(self.samples)):
            given = self.entering(index, at)
            found = self._execute(Change(), segment.nodes, given, wanted, at)
            self._inner.write(index, at, {v.name: found[v] for v in wanted})
        self.forward_passes += multiplications(segment.nodes) / self._all
        self._current = index

    def _readers(self, change: Change) -> set[Node]:
        found = {n for name in change.weights for n in self.graph.weights[name].users}
        states = {s.written for s in self.graph.states if s.name in change.kv}
        states |= {s.read for s in self.graph.states if s.name in change.kv}
        found |= {n for v in states for n in v.users if n.op == "cache_attention"}
        if not found or not found <= set(self._where):
            raise InternalError(f"nothing reads {', '.join((*change.weights, *change.kv))}")
        return found


def reached(start: Iterable[Node], nodes: Iterable[Node]) -> tuple[Node, ...]:
    """`start` and what depends on it among `nodes`, in their order."""
    found = set(start)
    out = []
    for node in nodes:
        if node in found or any(v is not None and v.producer in found for v in node.inputs):
            found.add(node)
            out.append(node)
    return tuple(out)


def branch_values(segment: Segment) -> tuple[Value, ...]:
    """Values made in a segment that a change inside it reads but does not reach."""
    own, wanted = set(segment.nodes), set()
    for start in segment.nodes:
        if start.op not in STARTS:
            continue
        nodes = reached([start], segment.nodes)
        made = {v for n in nodes for v in n.outputs}
        inputs = {v for n in nodes for v in n.inputs if v is not None and v.producer in own}
        wanted |= inputs - made
    return tuple(v for n in segment.nodes for v in n.outputs if v in wanted)


def multiplications(nodes: Iterable[Node]) -> int:
    """Multiplications of the linears by one token."""
    matrices = (n.input(1) for n in nodes if n.op == "linear")
    return sum(v.type.elements() for v in matrices if v.weight is not None)
