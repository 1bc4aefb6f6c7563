"""Everything that is emitted runs in the stock runtime, in a child process."""

import json
import re

import numpy as np
import pytest
from support.emission import METADATA, Emitted, compared, emitted, quantised, with_schemes
from support.graphs import Builder, decoder
from support.packed import random_packed, with_packed

from optimum_compile.backends.base import Backend, BackendOptions, Tolerance
from optimum_compile.backends.executorch.backend import BACKEND
from optimum_compile.backends.executorch.session import Program, Session
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.package.describe import predicted_bytes
from optimum_compile.compiler.quant.scheme import Affine, Float, Lut, PerChannel, PerGroup, Scheme
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.stages.notes import StagePlan

pytestmark = pytest.mark.executorch
EXACT = Tolerance(max_rel_err=2e-5, min_top1=1.0)
CACHED = Tolerance(
    max_rel_err=2e-4, min_top1=1.0
)  # a float next to a tie may get the other fp16 key
INT8 = Tolerance(min_cosine=0.999, min_top1=0.9)  # int8 activations; few and random positions
PACKED = BACKEND.configured(BackendOptions("packed", "float"))
PACKED_SCHEMES = [
    Float(16),
    Affine(8, PerGroup(32)),
    Affine(8, PerChannel(), False),
    Affine(4, PerGroup(16), False),
    Affine(4, PerGroup(32)),
    Affine(3, PerGroup(32)),
    Lut(2, 1),
    Lut(2, 4),
    Lut(3, 4),
    Lut(4, 8),
]
EXTENDED_SCHEMES = [
    "uint4:g32@zf16",
    "int4:g16@u6",
    "uint3:g32@u8",
    "uint2:g16@u4,zu4",
    "uint3:g16@u4,zu6",
    "uint4:g16@u6,zf16",
    "e0m4:g32",
    "e0m4",
    "int4:g32+s0.01",
    "int4:g32+s0.0",
    "uint2:g32@u6+s0.02",
    "lut2:r4+s0.02",
    "e0m4:g32+s0.01",
    "int4:g32+o0.08",
    "int4:g32@bf16+o0.08",
    "int8+o0.04",
]
XNNPACK_SCHEMES = [
    Affine(8, PerChannel()),
    Affine(4, PerChannel()),
    Affine(4, PerGroup(32), True, "bf16"),
]


@pytest.fixture(scope="module")
def cascade(tmp_path_factory: pytest.TempPathFactory) -> Emitted:
    work = tmp_path_factory.mktemp("cascade")
    graph = quantised(decoder(layers=4, tied=False, bias=True), work, BACKEND, "cascade")
    return emitted(graph, work, BACKEND)


def chain(schemes: list[Scheme]) -> tuple[Graph, dict[str, Scheme]]:
    """One linear a scheme, each with a bias."""
    rng = np.random.default_rng(0)
    b = Builder("chain", n=(1, 64))
    x = b.input("x", "f32", "n", 64)
    for at in range(len(schemes)):
        w = b.weight(f"w{at}", rng.standard_normal((64, 64)).astype(np.float32) / 8)
        x = b.op("linear", x, w, b.weight(f"b{at}", rng.standard_normal(64).astype(np.float32)))
    return b.returns(x), {f"w{at}": scheme for at, scheme in enumerate(schemes)}


def assert_predicted(made: Emitted, backend: Backend) -> None:
    # A few numbers of the program itself and the last padding are all that may differ.
    assert abs(made.result.weight_bytes - predicted_bytes(made.graph, backend)) <= 256


def test_packed_operators_compute_exactly(tmp_path):
    made = emitted(with_schemes(*chain(PACKED_SCHEMES), tmp_path), tmp_path, BACKEND)
    verdict = compared(made, EXACT)
    assert verdict.ok, verdict.reason
    assert made.result.remarks == ("forward: 0 XNNPACK delegates",)
    assert_predicted(made, BACKEND)


def test_packed_operators_read_scales_codes_and_outliers_exactly(tmp_path):
    graph, _ = chain([Float(16)] * len(EXTENDED_SCHEMES))
    schemes = [parse_scheme(text) for text in EXTENDED_SCHEMES]
    weights = {f"w{at}": random_packed(s, 64, 64, at) for at, s in enumerate(schemes)}
    made = emitted(with_packed(graph, weights, tmp_path), tmp_path, BACKEND)
    verdict = compared(made, EXACT)
    assert verdict.ok, verdict.reason
    assert made.result.remarks == ("forward: 0 XNNPACK delegates",)
    assert_predicted(made, BACKEND)


@pytest.mark.parametrize("text", ["e0m4:g16+s0.02", "int4:g16+o0.1"])
def test_a_tied_table_may_have_outliers(text, tmp_path):
    name = "model.embed_tokens.weight"
    table = random_packed(parse_scheme(text), 50, 32)
    graph = with_packed(decoder(layers=1, tied=True), {name: table}, tmp_path)
    made = emitted(graph, tmp_path, BACKEND)
    verdict = compared(made, CACHED)
    assert verdict.ok, verdict.reason
    assert_predicted(made, BACKEND)


@pytest.mark.parametrize("scheme", XNNPACK_SCHEMES, ids=str)
def test_delegates_compute_what_int8_activations_allow(scheme, tmp_path):
    made = emitted(with_schemes(*chain([scheme]), tmp_path), tmp_path, BACKEND)
    assert made.result.remarks == ("forward: 1 XNNPACK delegates (stage 0: 1)",)
    verdict = compared(made, Tolerance(min_cosine=0.999))
    assert verdict.ok, verdict.reason
    assert verdict.max_rel_err > 1e-5  # int8 activations: an exact answer would mean no delegate
    assert_predicted(made, BACKEND)


def test_the_packed_executor_has_no_delegate_and_is_exact(tmp_path):
    graph = quantised(decoder(layers=2), tmp_path, PACKED, "uniform", 8)
    made = emitted(graph, tmp_path, PACKED)
    assert all("0 XNNPACK delegates" in r for r in made.result.remarks)
    verdict = compared(made, CACHED)
    assert verdict.ok, verdict.reason
    assert_predicted(made, PACKED)


def test_a_cascade_has_three_stages_and_agrees_with_the_oracle(cascade):
    plan = cascade.graph.notes.get(StagePlan)
    assert [s.precision_class for s in plan.stages] == ["INT8", "INT4", "INT2"]
    verdict = BACKEND.verify(cascade.result.artifact, cascade.cases, INT8)
    assert verdict.ok, verdict.reason
    assert verdict.steps == 3 * 9
    for name, remark in zip(("prefill", "decode"), cascade.result.remarks, strict=True):
        told = re.escape(f"{name}: 9 XNNPACK delegates (stage 0: 3, stage 1: 6); ")
        assert re.fullmatch(told + "[0-9]+ instructions copy [0-9,]+ bytes", remark)
    assert verdict.executed_by.startswith("ExecuTorch runtime 1.4")
    assert_predicted(cascade, BACKEND)


def test_prefill_and_decode_share_their_cache(cascade):
    session = Session(cascade.result.artifact)
    prompt = [1, 2, 3, 4, 5]
    session.prefill(prompt)
    after = session.decode(6)
    whole = Session(cascade.result.artifact)
    expected = whole.prefill([*prompt, 6])
    lonely = Session(cascade.result.artifact).decode(6)
    assert np.linalg.norm(after - expected) < 0.05 * np.linalg.norm(expected)
    assert np.linalg.norm(lonely - expected) > 0.05 * np.linalg.norm(expected)


def test_a_prompt_may_have_any_length(cascade):
    session = Session(cascade.result.artifact)
    for count in (1, 2, session.max_prefill):
        fresh = Session(cascade.result.artifact)
        assert fresh.prefill(list(range(count))).shape == (50,)


def test_metadata_is_read_from_the_artifact_alone(cascade):
    assert json.loads(BACKEND.inspect(cascade.result.artifact)) == json.loads(METADATA)
    program = Program(cascade.result.artifact)
    assert (program.constant("context"), program.constant("max_prefill")) == (24, 16)


@pytest.mark.slow
def test_the_same_model_gives_the_same_bytes(tmp_path):
    contents = []
    for run in ("a", "b"):
        work = tmp_path / run
        work.mkdir()
        graph = quantised(decoder(layers=3, tied=False), work, BACKEND, "cascade")
        contents.append(emitted(graph, work, BACKEND).result.artifact.read_bytes())
    assert contents[0] == contents[1]


def test_a_tied_table_is_stored_once(tmp_path):
    graph = quantised(decoder(layers=1, tied=True), tmp_path, BACKEND, "uniform", 8)
    made = emitted(graph, tmp_path, BACKEND)
    assert_predicted(made, BACKEND)
    verdict = compared(made, INT8)
    assert verdict.ok, verdict.reason


def test_a_window_hides_what_is_older(tmp_path):
    graph = quantised(decoder(layers=1, window=3), tmp_path, PACKED, "uniform", 16)
    made = emitted(graph, tmp_path, PACKED)
    verdict = compared(made, CACHED)
    assert verdict.ok, verdict.reason


@pytest.mark.parametrize("cut", [100, 5000])
def test_a_damaged_program_fails_without_harm(cascade, tmp_path, cut):
    file = tmp_path / "damaged.pte"
    file.write_bytes(cascade.result.artifact.read_bytes()[:-cut])
    verdict = BACKEND.verify(file, cascade.cases, INT8)
    assert not verdict.ok
    assert verdict.reason


def test_flipped_weights_fail_the_comparison(cascade, tmp_path):
    data = bytearray(cascade.result.artifact.read_bytes())
    at = len(data) * 3 // 4
    data[at : at + 4000] = bytes(b ^ 0x55 for b in data[at : at + 4000])
    file = tmp_path / "flipped.pte"
    file.write_bytes(data)
    assert not BACKEND.verify(file, cascade.cases, INT8).ok


def test_any_op_may_write_a_state(tmp_path):
    b = Builder("counter")
    x = b.input("x", "f32", 1, 16)
    total = b.state("total", "f32", 1, 16)
    total.written = b.op("add", total.read, x)
    made = emitted(b.returns(b.op("mul", total.written, x)), tmp_path, BACKEND)
    verdict = compared(made, EXACT)
    assert verdict.ok, verdict.reason


def test_the_old_value_of_a_state_may_still_be_read(tmp_path):
    b = Builder("lag")
    x, ids = b.input("x", "f32", 2, 16), b.input("ids", "i64", 2)
    rows = b.state("rows", "f32", 4, 16)
    rows.written = b.op("index_copy", rows.read, ids, x, axis=0)
    before = b.op("sum", rows.read, axes=(0,), keepdims=True)
    after = b.op("sum", rows.written, axes=(0,), keepdims=True)
    made = emitted(b.returns(before, after), tmp_path, BACKEND)
    verdict = compared(made, EXACT)
    assert verdict.ok, verdict.reason
