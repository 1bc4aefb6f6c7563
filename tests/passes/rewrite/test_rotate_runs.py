"""A rotated model with a tied head, through both backends: the online transforms run."""

from pathlib import Path

import numpy as np
import pytest
from support.emission import compared, emitted, with_schemes
from support.graphs import Builder, decoder

from optimum_compile.backends.base import Backend, BackendOptions, Tolerance
from optimum_compile.backends.catalog import load_backend
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.package.describe import predicted_bytes
from optimum_compile.compiler.pass_manager import PassManager
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.passes.rewrite.rotate import RotateResidual

BACKENDS = [
    pytest.param("coreml", Tolerance(max_rel_err=3e-3), marks=pytest.mark.coreml),
    pytest.param("executorch", Tolerance(max_rel_err=2e-5), marks=pytest.mark.executorch),
]


def backend_named(name: str) -> Backend:
    return load_backend(name).configured(BackendOptions("packed", "float"))


def transforms(*blocks: int) -> Graph:
    """One hadamard after the other on x f32[1, n, 48]."""
    b = Builder("transforms", n=(1, 16))
    x = b.input("x", "f32", 1, "n", 48)
    for block in blocks:
        x = b.op("hadamard", b.op("relu", x), block=block)
    return b.returns(x)


@pytest.mark.parametrize(("name", "tolerance"), BACKENDS)
def test_the_op_runs_with_every_block(name: str, tolerance: Tolerance, tmp_path: Path) -> None:
    made = emitted(transforms(1, 2, 8, 16), tmp_path, backend_named(name))
    verdict = compared(made, tolerance)
    assert verdict.ok, verdict.reason


@pytest.mark.parametrize(("name", "tolerance"), BACKENDS)
def test_a_rotated_tied_decoder_agrees_with_the_one_that_was_not(
    name: str, tolerance: Tolerance, tmp_path: Path
) -> None:
    backend = backend_named(name)
    plain, graph = (decoder(layers=1, tied=True, bias=True, seed=1) for _ in range(2))
    PassManager([RotateResidual(seed=5, gated=True)]).run(graph)
    assert sum(n.op == "hadamard" for n in graph.nodes) == 2 + 1
    made = emitted(with_schemes(graph, {"": Float(16)}, tmp_path), tmp_path, backend)
    verdict = compared(made, tolerance)
    assert verdict.ok, verdict.reason
    difference = predicted_bytes(made.graph, backend) - made.result.weight_bytes
    assert abs(difference) < (64 if name == "coreml" else 256)
    # The oracle itself is the program before the rotation, but for fp16 weights.
    for call in made.cases[0].calls[:1]:
        expected = run(plain, call.inputs).outputs[0].numpy()
        error = np.linalg.norm(call.expected[0] - expected) / np.linalg.norm(expected)
        assert error < 2e-3
