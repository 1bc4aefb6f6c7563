"""Measure the range of values at each block's input on the calibration text."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor, no_grad

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.interpret import WeightCache, run
from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.passes.stages.blocks import blocks_of
from optimum_compile.passes.stages.notes import ActivationRange

CACHE_BYTES = 1 << 30


def activation_ranges(
    graph: Graph, windows: Sequence[Sequence[int]]
) -> tuple[ActivationRange, ...]:
    """Least and greatest output of the node before each block, by the float program.

    Raises InputError where they are not finite: nothing downstream could be meant by them.
    """
    where = blocks_of(graph)
    entry = _entries(graph)
    low: dict[int, float] = {}
    high: dict[int, float] = {}

    def observe(node: Node, outputs: tuple[Tensor, ...]) -> None:
        if node not in entry:
            return
        data = outputs[0]
        block = entry[node]
        # numpy's, because Python's forget a NaN.
        low[block] = float(np.minimum(low.get(block, np.inf), float(data.min())))
        high[block] = float(np.maximum(high.get(block, -np.inf), float(data.max())))

    cache = WeightCache(CACHE_BYTES)
    longest = graph.symbols["seq"].high if "seq" in graph.symbols else 1
    with no_grad():
        for window in windows:
            tokens = np.asarray(window[:longest], np.int64)[None]
            inputs = {"tokens": tokens, "past": np.zeros(1, np.int64)}
            run(graph, inputs, observe=observe, cache=cache)
    for block in sorted(low):
        if not np.isfinite([low[block], high[block]]).all():
            raise InputError(
                f"the input of block {block} is NaN or infinite on the calibration text; repair the "
                "model, or give another --calibration"
            )
    return tuple(
        ActivationRange(b, low[b], high[b]) for b in sorted(low) if b in set(where.values())
    )


def _entries(graph: Graph) -> dict[Node, int]:
    """The node whose output enters each block: the producer of the first norm's or op's input."""
    where = blocks_of(graph)
    found: dict[int, Node] = {}
    for node in graph.nodes:
        block = where[node]
        if block in found:
            continue
        source = next(
            (v.producer for v in node.inputs if v is not None and v.producer is not None), None
        )
        if source is not None and (where[source] < block or block == 0):
            found[block] = source
    return {node: block for block, node in found.items()}
