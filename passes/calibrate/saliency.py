"""How much each token's output error costs: squared gradients of the loss, block by block.

The loss of the whole model is sum over tokens of (e_t^T G_t e_t) near its optimum, and the Fisher
information gives G's diagonal: the squared gradient at each output. GuidedQuant (arXiv 2505.07004)
weighs the tokens of a layer's Hessian with its mean over groups of output rows; so do we.

The backward pass goes one block at a time from checkpoints on disk: the float activations at every
boundary. Labels are sampled from the model's own distribution, which makes the squared gradients
those of the true Fisher information.
"""

from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor

from optimum_compile.compiler.interpret import WeightCache
from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.passes.calibrate.backward import pull_back, sampled_loss
from optimum_compile.passes.calibrate.propagate import Propagation
from optimum_compile.passes.calibrate.segments import Segment, readings_of
from optimum_compile.passes.calibrate.spill import Spill

FLOOR = 1e-3  # of the mean: a token that costs nothing still counts a little


@dataclass(frozen=True)
class Saliency:
    """Weights of tokens for each linear, on disk: (tokens, groups) float32, mean one."""

    spill: Spill
    groups: int

    def of(self, segment: Segment, sample: int, linear: Node) -> Tensor:
        """(tokens, groups) of one sample."""
        return self.spill.read(segment.index, sample)[linear.output.name]


def measure_saliency(
    graph: Graph,
    segments: tuple[Segment, ...],
    way: Propagation,
    folder: Path,
    groups: int,
    seed: int,
) -> Saliency:
    """Run the float program forward, keeping every boundary, then backward block by block.

    `way` ends with no boundary on disk. The first output must be logits (1, tokens, vocabulary).
    """
    way.start()
    for segment in segments[:-1]:
        way.advance(segment)
    out = Saliency(Spill(folder), groups)
    pulled = Spill(folder / "gradients")
    for segment in reversed(segments):
        cache = WeightCache()
        for at in range(len(way.samples)):
            loss = partial(sampled_loss, generator=torch.Generator().manual_seed(seed + at))
            found = pull_back(
                graph,
                segment,
                way.values(segment, at),
                way.samples[at].symbols,
                loss if segment is segments[-1] else pulled.read(segment.index + 1, at),
                [n.output for r in readings_of(segment) for n in r.linears],
                cache=cache,
            )
            squares = {v.name: g.reshape(-1, g.shape[-1]) ** 2 for v, g in found.outputs.items()}
            out.spill.write(segment.index, at, _weights(squares, groups))
            pulled.write(segment.index, at, found.entering)
        way.forget(segment)
        pulled.drop(segment.index + 1)
    pulled.drop(0)
    return out


def _weights(squares: dict[str, Tensor], groups: int) -> dict[str, Tensor]:
    """Means over runs of rows (tokens, groups), each column with the mean one."""
    out = {}
    for name, square in squares.items():
        parts = [square[:, rows].mean(1) for rows in row_groups(square.shape[1], groups)]
        found = torch.stack(parts, 1)
        mean = found.mean(0).clamp_min(1e-30)
        out[name] = (found / mean).clamp_min(FLOOR)
    return out


def row_groups(rows: int, groups: int, multiple: int = 1) -> list[slice]:
    """Runs of rows of nearly equal length, each beginning at a multiple of `multiple`."""
    units = -(-rows // multiple)
    edges = [round(k * units / groups) * multiple for k in range(groups + 1)]
    edges[-1] = rows
    return [slice(a, b) for a, b in pairwise(edges) if b > a]
