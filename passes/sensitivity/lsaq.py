"""Importance of a block by how much it changes the decoded words (LSAQ, arXiv 2412.18135).

The hidden state before and after a block goes through the last norm and the head, and the k likeliest
tokens of both are compared as sets. A block that leaves them alike is taken to be unimportant. That
says how much a block does, not how much rounding harms it; it costs little more than a forward pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Literal

import torch
from torch import Tensor

from optimum_compile.compiler.errors import InputError, OptionError, UnsupportedError
from optimum_compile.compiler.interpret import WeightCache, run, run_nodes
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.passes.calibrate.propagate import Sample
from optimum_compile.passes.sensitivity.differences import differences, zero_scores
from optimum_compile.passes.sensitivity.onward import CACHE_BYTES, multiplications
from optimum_compile.passes.sensitivity.setting import Found, Setting
from optimum_compile.passes.stages.blocks import block_index, blocks_of

Positions = Literal["last", "all"]


@dataclass(frozen=True)
class Lsaq:
    """(1 - J) ||W - Q||^2 / ||W||^2 n, where J is the Jaccard overlap of a block's top k tokens.

    The overlap is a mean over samples. The paper ranks whole blocks; to rank units and choices, a
    block's importance is multiplied by the relative squared error of the choice and by the unit's
    n elements. Embedding and head are in no block and get the mean importance of all.
    """

    name: ClassVar[str] = "lsaq"
    quantity: ClassVar[str] = "importance of the block x relative squared error x elements"
    needs_text: ClassVar[bool] = True

    k: int = 10
    positions: Positions = "last"  # which tokens of a sample are decoded

    def __post_init__(self) -> None:
        if self.k < 1:
            raise OptionError(f"k={self.k}: expected 1 or more")
        if self.positions not in ("last", "all"):
            raise OptionError(f"positions={self.positions!r}: expected 'last' or 'all'")

    def measure(self, setting: Setting) -> Found:
        """See the class. Raises InputError without samples, UnsupportedError without a hidden state."""
        importance, passes = block_importance(setting, self.k, self.positions)
        mean = sum(importance) / len(importance)
        scores = zero_scores(setting.trials.problem)
        units = setting.trials.problem.units
        for at, unit in enumerate(units):
            setting.progress("lsaq: errors", at, len(units))
            readers = setting.graph.weights[unit.name].users
            inside = all(block_index(node.origin) is not None for node in readers)
            weight = importance[unit.unit.block] if inside else mean
            energy, errors = 0.0, dict.fromkeys(scores[unit.name], 0.0)
            for rows in differences(setting.trials, unit):
                energy += float(rows.weight.double().square().sum())
                for scheme, change in rows.changes.items():
                    errors[scheme] += float(change.double().square().sum())
            share = weight * unit.unit.elements / energy if energy else 0.0
            scores[unit.name] = {scheme: share * error for scheme, error in errors.items()}
        setting.progress("lsaq: errors", len(units), len(units))
        return Found(scores, passes)


@dataclass(frozen=True)
class Stream:
    """The hidden state before the first block, and after each; and the nodes that decode the last."""

    states: tuple[Value, ...]
    tail: tuple[Node, ...]


def block_importance(
    setting: Setting, k: int = 10, positions: Positions = "last"
) -> tuple[tuple[float, ...], float]:
    """1 - mean overlap of every block, and the cost in forward passes.

    Raises InputError without samples, UnsupportedError where no hidden state is to be found.
    """
    if not setting.samples:
        raise InputError("no text to measure with: give --calibration a file")
    graph = setting.graph
    stream = stream_of(graph)
    cache = WeightCache(CACHE_BYTES)
    overlaps = torch.zeros(len(stream.states) - 1, dtype=torch.float64)
    tokens = decoded = 0
    for at, sample in enumerate(setting.samples):
        setting.progress("lsaq: samples", at, len(setting.samples))
        states = _hidden(graph, stream, sample, cache)
        ends = [x if positions == "all" else x[:, -1:] for x in states]
        likeliest = [_top(graph, stream, hidden, k, cache) for hidden in ends]
        for block, (before, after) in enumerate(pairwise(likeliest)):
            overlaps[block] += overlap(before, after)
        tokens += states[0].shape[1]
        decoded += ends[0].shape[1]
    setting.progress("lsaq: samples", len(setting.samples), len(setting.samples))
    share = multiplications(stream.tail) / max(1, multiplications(graph.nodes))
    found = 1 - overlaps / len(setting.samples)
    return tuple(found.tolist()), 1 + len(stream.states) * share * decoded / tokens


def _hidden(graph: Graph, stream: Stream, sample: Sample, cache: WeightCache) -> list[Tensor]:
    """The hidden states (1, tokens, width) of a sample."""
    seen: dict[Value, Tensor] = {}

    def watch(node: Node, outputs: tuple[Tensor, ...]) -> None:
        pairs = zip(node.outputs, outputs, strict=True)
        seen.update((v, t) for v, t in pairs if v in stream.states)

    run(graph, sample.inputs, observe=watch, cache=cache)
    return [seen[v] for v in stream.states]


def _top(graph: Graph, stream: Stream, hidden: Tensor, k: int, cache: WeightCache) -> Tensor:
    """The k likeliest tokens (positions, k) of a hidden state (1, positions, width)."""
    logits = graph.outputs[0]
    given, symbols = {stream.states[-1]: hidden}, {"seq": hidden.shape[1]}
    found = run_nodes(graph, stream.tail, given, symbols, (logits,), cache=cache)[logits]
    return found[0].topk(min(k, found.shape[-1]), -1).indices


def overlap(first: Tensor, second: Tensor) -> float:
    """Mean over positions of |A and B| / |A or B|; both (positions, k), no token twice."""
    common = (first[:, :, None] == second[:, None, :]).sum((1, 2)).double()
    return float((common / (2 * first.shape[1] - common)).mean())


def stream_of(graph: Graph) -> Stream:
    """The hidden state of a decoder, from block to block.

    Raises UnsupportedError where blocks do not hand on one value of the shape that the head reads.
    """
    where = blocks_of(graph)
    inside = [node for node in graph.nodes if block_index(node.origin) is not None]
    if not inside or not graph.outputs:
        raise UnsupportedError("lsaq: the model has no blocks; use another --method")
    order = {node: at for at, node in enumerate(graph.nodes)}
    first, last = order[inside[0]], order[inside[-1]]
    tail = graph.nodes[last + 1 :]
    ends = _made(graph.nodes[: last + 1], tail)
    if len(ends) != 1:
        raise UnsupportedError(
            f"lsaq: {len(ends)} values go from the last block to the head, expected one hidden state; "
            "use another --method"
        )
    cuts = [first] + [
        next(order[n] for n in graph.nodes if where[n] == block)
        for block in range(1, where[inside[-1]] + 1)
    ]
    states = []
    for block, cut in enumerate(cuts):
        made = _made(graph.nodes[:cut], graph.nodes[cut:])
        found = [v for v in made if v.type == ends[0].type]
        if len(found) != 1:
            raise UnsupportedError(
                f"lsaq: {len(found)} values like a hidden state enter block {block}, expected one; "
                "use another --method"
            )
        states.append(found[0])
    return Stream((*states, ends[0]), tuple(tail))


def _made(before: Sequence[Node], after: Sequence[Node]) -> list[Value]:
    """What nodes make that others read."""
    readers = set(after)
    return [v for n in before for v in n.outputs if any(user in readers for user in v.users)]
