"""llama.cpp's importance matrix: the mean square of each input column of each linear layer."""

import numpy as np
import torch
from torch import Tensor

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.interpret import WeightCache, run
from optimum_compile.compiler.ir.graph import Graph, Node, Value


def column_squares(graph: Graph, windows: list[list[int]]) -> dict[str, np.ndarray]:
    """Mean of x^2 over all tokens, for each input column x of each weight that a linear reads.

    Args:
        graph: a decoder with inputs `tokens` and `past`.
        windows: token ids that are run, each from an empty cache; not empty.

    Returns:
        float32 arrays (columns,) under the names of the weights.
    """
    if not windows:
        raise InputError("no calibration text: an importance matrix needs two tokens or more")
    readers: dict[Value, list[str]] = {}
    for node in graph.nodes:
        if node.op == "linear" and node.input(1).weight is not None:
            readers.setdefault(node.input(0), []).append(node.input(1).name)
    sums: dict[str, np.ndarray] = {}

    def watch(node: Node, outputs: tuple[Tensor, ...]) -> None:
        for value, data in zip(node.outputs, outputs, strict=True):
            for name in readers.get(value, ()):
                squares = data.double().square().flatten(0, -2).sum(0).numpy()
                sums[name] = sums[name] + squares if name in sums else squares

    cache = WeightCache()
    for ids in windows:
        call = {"tokens": np.array([ids], np.int64), "past": np.array([0], np.int64)}
        with torch.no_grad():
            run(graph, call, observe=watch, cache=cache)
    count = sum(len(ids) for ids in windows)
    return {name: (s / count).astype(np.float32) for name, s in sums.items()}
