"""Bring every calibration sample through the graph, one block at a time.

Two ways run beside each other: "float" with the original weights, and "quantized" with whatever is
quantised by then. What enters the current block is on disk for each sample (`Spill`), so memory holds
one block's weights and one sample's activations, whatever the model's size.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from optimum_compile.compiler.interpret import WeightCache, WeightMode, run_nodes
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.passes.calibrate.segments import Segment, nodes_before
from optimum_compile.passes.calibrate.spill import Spill


@dataclass(frozen=True)
class Sample:
    """One call of the graph: an array for every input, and the symbols that they bind."""

    inputs: Mapping[str, np.ndarray]
    symbols: Mapping[str, int]


def decoder_samples(windows: Sequence[Sequence[int]], longest: int) -> tuple[Sample, ...]:
    """Token windows as prefill calls of a decoder; each is cut at `longest` tokens."""
    out = []
    for window in windows:
        tokens = np.asarray(window[:longest], np.int64)[None]
        inputs = {"tokens": tokens, "past": np.zeros(1, np.int64)}
        out.append(Sample(inputs, {"seq": tokens.shape[1]}))
    return tuple(out)


class Propagation:
    """Where all samples are: at the entrance of one segment."""

    def __init__(
        self, graph: Graph, samples: Sequence[Sample], folder: Path, mode: WeightMode
    ) -> None:
        self.graph = graph
        self.samples = tuple(samples)
        self.mode = mode
        self.spill = Spill(folder)
        self.inner = Spill(folder / "held")
        self.held: tuple[Value, ...] = ()

    def start(self) -> None:
        """Put every sample at the entrance of the first segment."""
        named = {v.name: v for v in self.graph.inputs}
        for at, sample in enumerate(self.samples):
            values = {n: torch.from_numpy(np.array(d)) for n, d in sample.inputs.items()}
            self.spill.write(0, at, {n: values[n] for n in named})

    def values(self, segment: Segment, sample: int) -> dict[Value, Tensor]:
        """What enters a segment for one sample."""
        stored = self.spill.read(segment.index, sample)
        return {v: stored[v.name] for v in segment.enters}

    def advance(
        self,
        segment: Segment,
        observe: Callable[[int, Node, tuple[Tensor, ...]], None] | None = None,
    ) -> None:
        """Run a segment for every sample. What entered it stays on disk until `forget`."""
        cache = WeightCache()
        for at in range(len(self.samples)):
            found = self._run(segment.nodes, segment, at, segment.leaves, cache, observe)
            self.spill.write(segment.index + 1, at, {v.name: t for v, t in found.items()})

    def forget(self, segment: Segment) -> None:
        """Drop what entered a segment, and what was held inside it."""
        self.spill.drop(segment.index)
        self.inner.drop(segment.index)
        self.held = ()

    def hold(self, segment: Segment, values: Sequence[Value]) -> None:
        """Put values inside a segment on disk: `inputs_of` begins from them until `forget`.

        The weights before them must not change any more. Without it every expert of a layer would
        run the attention before it again.
        """
        nodes, cache = nodes_before(segment, values), WeightCache()
        for at in range(len(self.samples)):
            found = self._run(nodes, segment, at, values, cache, None)
            self.inner.write(segment.index, at, {v.name: t for v, t in found.items()})
        self.held = tuple(values)

    def inputs_of(self, segment: Segment, source: Value) -> Iterator[Tensor]:
        """`source` inside a segment, for each sample in turn, as float32 (tokens, columns)."""
        nodes = nodes_before(segment, (source,), self.held)
        cache = WeightCache()
        for at in range(len(self.samples)):
            given = self.inner.read(segment.index, at) if self.held else {}
            inside = {v: given[v.name] for v in self.held}
            found = self._run(nodes, segment, at, (source,), cache, None, inside)[source]
            yield found.reshape(-1, found.shape[-1])

    def _run(
        self,
        nodes: Sequence[Node],
        segment: Segment,
        at: int,
        wanted: Sequence[Value],
        cache: WeightCache,
        observe: Callable[[int, Node, tuple[Tensor, ...]], None] | None,
        inside: Mapping[Value, Tensor] | None = None,
    ) -> dict[Value, Tensor]:
        def tell(node: Node, outputs: tuple[Tensor, ...]) -> None:
            if observe is not None:
                observe(at, node, outputs)

        return run_nodes(
            self.graph,
            nodes,
            self.values(segment, at) | dict(inside or {}),
            self.samples[at].symbols,
            wanted,
            weights=self.mode,
            observe=tell,
            cache=cache,
        )
