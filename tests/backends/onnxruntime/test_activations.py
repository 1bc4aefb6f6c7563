"""With --activations int8 the runtime rounds activations by blocks, and the oracle does so too."""

import numpy as np
import onnx
import onnxruntime
import pytest
from support.emission import METADATA, Emitted, compared, quantised
from support.graphs import decoder, mlp
from support.packed import random_packed, with_packed

from optimum_compile.backends.base import BackendOptions, EmitOptions, Tolerance, WeightUse
from optimum_compile.backends.onnxruntime.backend import BACKEND
from optimum_compile.compiler.conformance import CaseOptions, make_cases, rounding_of
from optimum_compile.compiler.decoder import context_of
from optimum_compile.compiler.package.describe import predicted_bytes
from optimum_compile.compiler.quant.activations import BlockInt8
from optimum_compile.compiler.quant.scheme_text import parse_scheme

pytestmark = pytest.mark.onnxruntime
INT8 = BACKEND.configured(BackendOptions(activations="int8"))
CLOSE = Tolerance(max_rel_err=3e-3)  # a number next to a tie may get the other code


def emitted(graph, work, backend=INT8):
    options = EmitOptions("model", context_of(graph) or 0, 16, METADATA, work)
    result = backend.emit(graph, options, work / "model.onnx")
    rounding = rounding_of(graph, backend)
    return Emitted(graph, result, make_cases(graph, None, None, None, CaseOptions(), rounding))


def levels(made):
    nodes = onnx.load(str(made.result.artifact)).graph.node
    return {a.i for n in nodes for a in n.attribute if a.name == "accuracy_level"}


def test_int8_is_asked_for():
    for choice in ("auto", "float"):
        assert BACKEND.configured(BackendOptions(activations=choice)) == BACKEND
    assert INT8 != BACKEND


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("int4:g32@bf16", 32),
        ("uint4:g16", 16),
        ("int8", 32),
        ("uint8:g64", 64),
        ("int2", 32),
        ("uint2:g32", 32),
        ("int2:g16", None),
        ("uint4:g32@zf16", None),
        ("f16", None),
    ],
)
def test_what_is_rounded_is_said(text, size):
    use = WeightUse("w", 64, 96, as_linear=True, as_table=False)
    scheme = parse_scheme(text)
    expected = None if size is None else BlockInt8(size)
    assert INT8.activation_kind(scheme, use) == expected
    assert BACKEND.activation_kind(scheme, use) is None
    assert INT8.activation_kind(scheme, WeightUse("t", 64, 96, False, True)) is None


@pytest.mark.parametrize("width", [96, 100, 300])
@pytest.mark.parametrize(
    "text",
    """int8 uint8:g64 int8:g32@u8 int4:g32@bf16 uint4:g16 uint4 int4:g96 uint2:g32 int2
    uint2:g64@u6""".split(),
)
def test_the_oracle_rounds_as_the_runtime_does(text, width, tmp_path):
    scheme = parse_scheme(text)
    shapes = {"up.weight": (200, width), "down.weight": (width, 200)}
    weights = {name: random_packed(scheme, *shape) for name, shape in shapes.items()}
    made = emitted(with_packed(mlp(width, 200), weights, tmp_path), tmp_path)
    assert levels(made) == {4}
    assert made.result.weight_bytes == predicted_bytes(made.graph, INT8)
    call = made.cases[0].calls[0]
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    plain = onnxruntime.InferenceSession(str(made.result.artifact), options)
    np.testing.assert_allclose(
        plain.run(None, call.inputs)[0],
        call.expected[0],
        atol=0.02 * np.abs(call.expected[0]).max(),
    )
    floats = make_cases(made.graph, None, None, None, CaseOptions())
    if compared(Emitted(made.graph, made.result, floats), Tolerance(max_rel_err=1e-4)).ok:
        pytest.skip("this processor has no int8 kernel of that width")
    verdict = compared(made, CLOSE)
    assert verdict.ok, verdict.reason


def test_where_there_is_no_kernel_floats_stay(tmp_path):
    scheme = parse_scheme("uint4:g32@zf16")
    shapes = {"up.weight": (64, 32), "down.weight": (32, 64)}
    weights = {name: random_packed(scheme, *shape) for name, shape in shapes.items()}
    made = emitted(with_packed(mlp(32, 64), weights, tmp_path), tmp_path)
    assert levels(made) == {1}
    verdict = compared(made, Tolerance(max_rel_err=2e-6))
    assert verdict.ok, verdict.reason


@pytest.mark.parametrize("tied", [True, False])
def test_a_decoder_agrees_with_the_oracle_that_rounds(tied, tmp_path):
    graph = quantised(decoder(layers=3, tied=tied, bias=True), tmp_path, INT8, "cascade")
    made = emitted(graph, tmp_path)
    assert made.result.weight_bytes == predicted_bytes(made.graph, INT8)
    verdict = compared(made, Tolerance(min_cosine=0.999, min_top1=0.95))
    assert verdict.ok, verdict.reason
