"""Artifacts that the tests of this folder share; skipped with the reason where TVM is missing."""

import pytest
from support.emission import Emitted, emitted
from support.graphs import decoder
from support.packed import random_packed, with_packed

from optimum_compile.backends.tvm.backend import BACKEND
from optimum_compile.compiler.errors import ResourceError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.precision.units import units_of

SCHEMES = (
    *("int8:channel", "int4:g32@bf16", "uint2:g16", "int3:g16", "lut4:r8", "lut6:r16"),
    *("vec8x4:channel@shared", "vec6x2:channel@shared", "f16", "e0m4:g32", "uint4:g32@zf16"),
    *("uint2:g16@u6,zu4", "int5:g32", "uint6:g32@u8", "lut2:r1", "vec6x4:g32@u4"),
)


@pytest.fixture(scope="session")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Emitted:
    """A decoder with biases, whose matrices have every kind of scheme."""
    return _emitted(tmp_path_factory, decoder(layers=2, width=64, hidden=128, bias=True), SCHEMES)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Emitted:
    """A decoder of one layer in one scheme: few kernels."""
    return _emitted(tmp_path_factory, decoder(layers=1), ("int4:g32",))


def _emitted(factory: pytest.TempPathFactory, graph: Graph, schemes: tuple[str, ...]) -> Emitted:
    try:
        BACKEND.require()
    except ResourceError as error:
        pytest.skip(str(error))
    weights = {}
    for at, unit in enumerate(units_of(graph)):
        scheme = parse_scheme(schemes[at % len(schemes)])
        weights[unit.name] = random_packed(scheme, unit.use.rows, unit.use.columns, at)
    work = factory.mktemp("tvm")
    return emitted(with_packed(graph, weights, work), work, BACKEND)
