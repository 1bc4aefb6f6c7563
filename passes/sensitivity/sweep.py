"""All samples through the program and back, one block at a time, for methods that look inside.

What a linear y = W x gives for a sample with tokens t is two small matrices, its inputs x_t and the
gradients d_t of the sample's loss at its outputs; the gradient of the weight is the sum of d_t x_t^T.
So no weight's gradient is ever kept: memory holds one block's weights and one sample's activations.
"""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.interpret import WeightCache, run_nodes
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.passes.calibrate.backward import pull_back
from optimum_compile.passes.calibrate.propagate import Sample
from optimum_compile.passes.calibrate.segments import Segment, segments_of
from optimum_compile.passes.calibrate.spill import Spill
from optimum_compile.passes.stages.experts import Expert, experts_of


@dataclass(frozen=True)
class Use:
    """One node that reads a unit, and the expert that it belongs to."""

    node: Node
    expert: Expert | None = None

    @property
    def name(self) -> str:
        """The weight that is read."""
        return self.node.input(1).name

    @property
    def source(self) -> Value:
        """What is multiplied, or the numbers of the rows that are looked up."""
        return self.node.input(0)

    @property
    def looks_up(self) -> bool:
        """Whether rows are looked up."""
        return self.node.op == "embedding"


@dataclass(frozen=True)
class Factors:
    """What one sample shows at one use; the gradient of the weight is their product.

    inputs: float32 (tokens, columns), or int64 (tokens,) where rows are looked up.
    pulls: gradient of the sample's loss at the outputs, float32 (tokens, outputs).
    """

    inputs: Tensor
    pulls: Tensor

    def gradient(self, begin: int, end: int, columns: int) -> Tensor:
        """Rows begin .. end - 1 of the weight's gradient, (rows, columns)."""
        if self.inputs.is_floating_point():
            return self.pulls[:, begin:end].T @ self.inputs
        out = torch.zeros(end - begin, columns)
        here = self._looked_up(begin, end)
        return out.index_add_(0, self.inputs[here] - begin, self.pulls[here])

    def squared(self) -> "Factors":
        """Both squared: the gradient is then the sum over tokens of squares of gradients."""
        inputs = self.inputs.square() if self.inputs.is_floating_point() else self.inputs
        return Factors(inputs, self.pulls.square())

    def pulled_errors(self, begin: int, error: Tensor) -> Tensor:
        """Gradient times the change of the outputs, elementwise, (tokens, rows or columns).

        `error` are rows of W - Q from `begin` on; of a lookup only the tokens that meet them.
        """
        end = begin + len(error)
        if self.inputs.is_floating_point():
            return self.pulls[:, begin:end] * (self.inputs @ error.T)
        here = self._looked_up(begin, end)
        return self.pulls[here] * error[self.inputs[here] - begin]

    def _looked_up(self, begin: int, end: int) -> Tensor:
        return (self.inputs >= begin) & (self.inputs < end)


See = Callable[[Use, Tensor, Tensor | None], None]
Visit = Callable[[Use, Callable[[], Iterator[Factors]]], None]
Progress = Callable[[int, int], None]


class Sweep:
    """Samples on their way through a program, watched where it reads the weights `names`.

    `weights` gives tensors to use instead of these, or None for the original one.
    """

    def __init__(
        self,
        graph: Graph,
        samples: tuple[Sample, ...],
        folder: Path,
        names: Container[str],
        weights: Callable[[str], Tensor | None] = lambda name: None,
    ) -> None:
        if not samples:
            raise InputError("no text to measure with: give --calibration a file")
        self.graph = graph
        self.samples = samples
        self.names = names
        self.weights = weights
        self.segments = segments_of(graph)
        self.values = Spill(folder / "values")
        self.pulled = Spill(folder / "pulled")
        self.factors = Spill(folder / "factors")

    def forward(
        self,
        see: See = lambda use, inputs, gate: None,
        *,
        keep: bool = False,
        progress: Progress = lambda done, total: None,
    ) -> None:
        """Run every block; `keep` leaves the boundaries on disk for `backward`.

        `see` is told of every use what enters it: (tokens, columns) or row numbers (tokens,), and the
        gate of every token (tokens,) where an expert uses it.
        """
        self._start()
        for segment in self.segments:
            replace, cache = self._replaced(segment), WeightCache()
            uses = self.uses(segment)
            wanted = {v for u in uses for v in _asked(u)}
            for at, sample in enumerate(self.samples):
                found = run_nodes(
                    self.graph,
                    segment.nodes,
                    self._entering(segment, at),
                    sample.symbols,
                    (*segment.leaves, *wanted),
                    cache=cache,
                    replace=replace,
                )
                leaving = {v.name: found[v] for v in segment.leaves}
                self.values.write(segment.index + 1, at, leaving)
                for use in uses:
                    see(use, _tokens(found[use.source], use), _gate(found, use))
            if not keep:
                self.values.drop(segment.index)
            progress(segment.index + 1, len(self.segments))

    def output(self, at: int) -> Tensor:
        """The graph's first output for a sample, after `forward`."""
        return self.values.read(len(self.segments), at)[self.graph.outputs[0].name]

    def backward(
        self,
        loss: Callable[[int, Tensor], Tensor],
        visit: Visit,
        progress: Progress = lambda done, total: None,
    ) -> None:
        """From the last block to the first, after `forward(keep=True)`.

        loss: of a sample's number and the first output, a number. visit: is given every use with the
        factors of all samples, which it may go through more than once.
        """
        last = len(self.segments) - 1
        for segment in reversed(self.segments):
            self.values.drop(segment.index + 1)
            self._pull(segment, loss)
            self.pulled.drop(segment.index + 1)
            for number, use in enumerate(self.uses(segment)):
                visit(use, partial(self._factors, number))
                self.factors.drop(number)
            progress(last - segment.index + 1, len(self.segments))
        self.values.drop(0)
        self.pulled.drop(0)

    def uses(self, segment: Segment) -> tuple[Use, ...]:
        """The nodes of a block that read one of the weights."""
        experts = self._experts
        return tuple(
            Use(node, experts.get(node))
            for node in segment.nodes
            if node.op in ("linear", "embedding") and node.input(1).name in self.names
        )

    @cached_property
    def _experts(self) -> dict[Node, Expert]:
        return {
            node: expert
            for segment in self.segments
            for node, expert in experts_of(segment.nodes, segment.leaves).items()
        }

    def _start(self) -> None:
        for at, sample in enumerate(self.samples):
            given = {n: torch.from_numpy(np.array(d)) for n, d in sample.inputs.items()}
            self.values.write(0, at, {v.name: given[v.name] for v in self.graph.inputs})

    def _entering(self, segment: Segment, at: int) -> dict[Value, Tensor]:
        stored = self.values.read(segment.index, at)
        return {v: stored[v.name] for v in segment.enters}

    def _replaced(self, segment: Segment) -> dict[Value, Tensor]:
        found = {u.node.input(1): self.weights(u.name) for u in self.uses(segment)}
        return {value: tensor for value, tensor in found.items() if tensor is not None}

    def _pull(self, segment: Segment, loss: Callable[[int, Tensor], Tensor]) -> None:
        """The factors of every use of a block, and the gradients of what enters it, for all samples."""
        uses, replace, cache = self.uses(segment), self._replaced(segment), WeightCache()
        is_last = segment is self.segments[-1]
        for at, sample in enumerate(self.samples):
            found = pull_back(
                self.graph,
                segment,
                self._entering(segment, at),
                sample.symbols,
                partial(loss, at) if is_last else self.pulled.read(segment.index + 1, at),
                [u.node.output for u in uses],
                wanted=[u.source for u in uses],
                cache=cache,
                replace=replace,
            )
            self.pulled.write(segment.index, at, found.entering)
            for number, use in enumerate(uses):
                inputs = _tokens(found.seen[use.source], use)
                width = int(use.node.output.type.shape[-1])
                pulls = found.outputs.get(use.node.output)
                if pulls is None:  # the loss does not depend on it
                    pulls = torch.zeros(len(inputs), width)
                kept = {"inputs": inputs, "pulls": pulls.reshape(-1, width)}
                self.factors.write(number, at, kept)

    def _factors(self, number: int) -> Iterator[Factors]:
        for at in range(len(self.samples)):
            stored = self.factors.read(number, at)
            yield Factors(stored["inputs"], stored["pulls"])


def _asked(use: Use) -> list[Value]:
    return [use.source] if use.expert is None else [use.source, use.expert.gates]


def _tokens(tensor: Tensor, use: Use) -> Tensor:
    return tensor.reshape(-1) if use.looks_up else tensor.reshape(-1, tensor.shape[-1])


def _gate(found: Mapping[Value, Tensor], use: Use) -> Tensor | None:
    if use.expert is None:
        return None
    gates = found[use.expert.gates]
    return gates.reshape(-1, gates.shape[-1])[:, use.expert.index]


def token_count(samples: Sequence[Sample]) -> int:
    """Tokens of all samples: row numbers of tables, or vectors of floats."""
    total = 0
    for sample in samples:
        first = sample.inputs.get("tokens", next(iter(sample.inputs.values())))
        total += first.size // (first.shape[-1] if first.dtype.kind == "f" else 1)
    return total
