"""Models so small that what a sensitivity method should say has a closed form."""

import numpy as np
from support.graphs import Builder

from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.passes.calibrate.propagate import Sample


def one_linear(vocab: int = 16, width: int = 32, seed: int = 0) -> Graph:
    """x f32[n, width] -> logits f32[n, vocab], one matrix."""
    rng = np.random.default_rng(seed)
    b = Builder("one", n=(1, 4096))
    x = b.input("x", "f32", "n", width)
    data = rng.standard_normal((vocab, width)).astype(np.float32) / np.float32(np.sqrt(width))
    return b.returns(b.op("linear", x, b.weight("head.weight", data), None, origin="head"))


def vectors(x: np.ndarray) -> Sample:
    """A call of `one_linear`."""
    return Sample({"x": x.astype(np.float32)}, {"n": len(x)})
