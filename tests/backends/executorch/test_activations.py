"""The oracle rounds activations as XNNPACK does: what is left are single codes next to a tie."""

from pathlib import Path

import numpy as np
import pytest
from support.emission import Emitted, emitted, quantised, run_cases, with_schemes
from support.graphs import Builder, decoder

from optimum_compile.backends.base import Backend, BackendOptions, Case, WeightUse
from optimum_compile.backends.compare import Distance, distance
from optimum_compile.backends.coreml.backend import BACKEND as COREML
from optimum_compile.backends.executorch.backend import BACKEND
from optimum_compile.compiler.conformance import CaseOptions, caches_at, make_cases, rounding_of
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.activations import ActivationKind
from optimum_compile.compiler.quant.scheme import Scheme
from optimum_compile.compiler.quant.scheme_text import parse_scheme

PACKED = BACKEND.configured(BackendOptions("packed", "float"))
LINEAR = WeightUse("w", 64, 64, as_linear=True, as_table=False)


def simulated(graph: Graph) -> tuple[Case, ...]:
    rounding, kv = rounding_of(graph, BACKEND), caches_at(graph, BACKEND)
    return make_cases(graph, None, None, None, CaseOptions(), rounding, kv)


def distances(made: Emitted) -> tuple[Distance, Distance]:
    """Of the artifact from the oracle that rounds activations, and from the one that does not."""
    got = run_cases(made.result.artifact, made.cases)
    return distance(got, simulated(made.graph)), distance(got, made.cases)


@pytest.mark.parametrize(
    ("scheme", "backend", "expected"),
    [
        ("int8", BACKEND, ActivationKind.ASYMMETRIC_INT8),
        ("int4", BACKEND, ActivationKind.ASYMMETRIC_INT8),
        ("int4:g32@bf16", BACKEND, ActivationKind.ASYMMETRIC_INT8),
        ("int4:g32", BACKEND, None),
        ("lut2:r1", BACKEND, None),
        ("int8", PACKED, None),
        ("int8", COREML, None),
    ],
)
def test_only_delegates_round_activations(
    scheme: str, backend: Backend, expected: ActivationKind | None
) -> None:
    assert backend.activation_kind(parse_scheme(scheme), LINEAR) is expected


@pytest.mark.parametrize(("linear", "table"), [(False, True), (True, True), (False, False)])
def test_tables_and_lone_weights_round_nothing(linear: bool, table: bool) -> None:
    use = WeightUse("w", 64, 64, as_linear=linear, as_table=table)
    assert BACKEND.activation_kind(parse_scheme("int8"), use) is None


def test_a_graph_names_the_weights_whose_inputs_are_rounded(tmp_path: Path) -> None:
    graph = quantised(decoder(layers=4, tied=True), tmp_path, BACKEND, "cascade")
    found = rounding_of(graph, BACKEND)
    linears = {n.input(1).name for n in graph.nodes if n.op == "linear"}
    low = {n for n in linears if n.startswith("model.layers.3.")}  # INT2: tables, packed
    assert low
    assert set(found) == linears - low - {"model.embed_tokens.weight"}
    assert rounding_of(graph, COREML) == {}
    assert rounding_of(graph, PACKED) == {}


@pytest.mark.executorch
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("text", ["int8", "int4"])
def test_a_linear_with_one_scale_a_row_gives_the_same_bits(
    text: str, bias: bool, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    b = Builder("one", n=(1, 64))
    w = b.weight("w", rng.standard_normal((64, 256)).astype("f4"))
    added = b.weight("bias", rng.standard_normal(64).astype("f4")) if bias else None
    graph = b.returns(b.op("linear", b.input("x", "f32", "n", 256), w, added))
    made = emitted(with_schemes(graph, {"": parse_scheme(text)}, tmp_path), tmp_path, BACKEND)
    got = np.stack([case[0][0] for case in run_cases(made.result.artifact, made.cases)])
    expected = np.stack([case.calls[0].expected[0] for case in simulated(graph)])
    # Whether the bias is added in one fused step is up to the processor.
    least = 0.6 if bias else 1.0
    assert (got == expected).mean() >= least
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.executorch
@pytest.mark.parametrize("text", ["int8", "int4", "int4:g32@bf16"])
def test_a_delegate_computes_the_simulated_numbers(text: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    b = Builder("gated", n=(1, 64))
    x = b.input("x", "f32", "n", 64)
    names = ("gate", "up", "down")
    gate, up, down = (b.weight(n, rng.standard_normal((64, 64)).astype("f4") / 8) for n in names)
    bias = b.weight("bias", rng.standard_normal(64).astype("f4"))
    hidden = b.op("mul", b.op("silu", b.op("linear", x, gate)), b.op("linear", x, up, bias))
    graph = b.returns(b.op("linear", hidden, down))
    schemes: dict[str, Scheme] = {"": parse_scheme(text)}
    made = emitted(with_schemes(graph, schemes, tmp_path), tmp_path, BACKEND)
    assert made.result.remarks == ("forward: 1 XNNPACK delegates (stage 0: 1)",)
    rounds, floats = distances(made)
    # Of 12,288 hidden numbers a few lie next to a tie, and there the last bit of the sums decides.
    assert rounds.max_rel_err < 1e-4
    assert floats.max_rel_err > 30 * rounds.max_rel_err


@pytest.mark.slow
@pytest.mark.executorch
def test_a_deep_decoder_is_near_the_simulation_and_not_near_floats(tmp_path: Path) -> None:
    graph = decoder(layers=8, width=64, hidden=128, tied=False, bias=True, context=40)
    made = emitted(quantised(graph, tmp_path, BACKEND, "uniform", 8), tmp_path, BACKEND)
    rounds, floats = distances(made)
    assert floats.cosine < 0.9995
    assert 1 - rounds.cosine < (1 - floats.cosine) / 4
    assert rounds.max_rel_err < floats.max_rel_err / 2
    assert rounds.top1_agreement >= floats.top1_agreement
