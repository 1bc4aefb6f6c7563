"""Caches that GroupQueryAttention holds: facts of its kernels, the artifact, and its buffers."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from support.emission import METADATA, compared, emitted, quantised
from support.graphs import decoder
from support.models import shared_model

import optimum_compile as oc
from optimum_compile.backends.base import EmitOptions, Tolerance
from optimum_compile.backends.onnxruntime.backend import BACKEND
from optimum_compile.backends.onnxruntime.session import Model, Session
from optimum_compile.compiler.decoder import caches_of
from optimum_compile.compiler.errors import OptionError, UnsupportedError
from optimum_compile.compiler.package.cases import CASES, load_answers
from optimum_compile.compiler.pass_manager import PassManager
from optimum_compile.compiler.quant.granularity import packed_bytes
from optimum_compile.compiler.quant.kv import KvScheme
from optimum_compile.compiler.quant.kv_static import KvStatic, round_static
from optimum_compile.passes.precision.kv import calibrated_bits
from optimum_compile.passes.precision.kv_constants import CalibrateCaches
from optimum_compile.passes.precision.notes import KvConstants, KvPrecision

pytestmark = pytest.mark.onnxruntime
EXACT = Tolerance(max_rel_err=5e-6, min_top1=1.0)
HEADS, KV, WIDTH, ROOM = 4, 2, 16, 40
ROWS = {"q": HEADS, "k": KV, "v": KV}
RNG = np.random.default_rng(7)


def kernel(scheme: KvStatic | None, window: int) -> onnxruntime.InferenceSession:
    """The operator alone, with scales by channel."""
    made, kind, width = helper.make_tensor_value_info, TensorProto.FLOAT, WIDTH
    names, constants = ["q", "k", "v", "pk", "pv", "last", "total"], []
    attrs = {"local_window_size": window} if window else {}
    if scheme is not None:
        kind = TensorProto.INT8 if scheme.bits == 8 else TensorProto.UINT8
        width = WIDTH * scheme.bits // 8
        constants = [numpy_helper.from_array(scheme.numbers(KV, WIDTH)[0][None], "scales")]
        names += ["", "", "", "", "", "scales", "scales"]
        attrs |= {"k_quant_type": "PER_CHANNEL", "v_quant_type": "PER_CHANNEL"}
        attrs["kv_cache_bit_width"] = scheme.bits
    node = helper.make_node(
        "GroupQueryAttention",
        names,
        ["y", "nk", "nv"],
        domain="com.microsoft",
        num_heads=HEADS,
        kv_num_heads=KV,
        **attrs,
    )
    rows = [made(n, TensorProto.FLOAT, [1, "seq", h * WIDTH]) for n, h in ROWS.items()]
    past, after = (
        [made(n, kind, [1, KV, ROOM, width]) for n in names_]
        for names_ in (("pk", "pv"), ("nk", "nv"))
    )
    counts = [made(n, TensorProto.INT32, [1]) for n in ("last", "total")]
    out = made("y", TensorProto.FLOAT, [1, "seq", HEADS * WIDTH])
    graph = helper.make_graph([node], "fact", [*rows, *past, *counts], [out, *after], constants)
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    return onnxruntime.InferenceSession(model.SerializeToString())


def attended(q, k, v, past, window):
    """In float64: q (seq, HEADS, WIDTH) over k and v (KV, tokens, WIDTH)."""
    out = np.zeros(q.shape)
    for head in range(HEADS):
        scores = q[:, head].astype(float) @ k[head * KV // HEADS].T * WIDTH**-0.5
        for row, line in enumerate(scores):
            line[past + row + 1 :] = -np.inf
            if window:
                line[: max(0, past + row + 1 - window)] = -np.inf
            weights = np.exp(line - line.max())
            out[row, head] = weights / weights.sum() @ v[head * KV // HEADS]
    return out


@pytest.mark.parametrize("window", [0, 3])
@pytest.mark.parametrize("bits", [16, 8, 4])
def test_the_operator_reads_all_tokens_from_codes_of_their_channels(bits, window):
    scales = tuple((RNG.random(KV * WIDTH) * 3 / (1 << bits) + 2 / (1 << bits)).tolist())
    scheme = None if bits == 16 else KvStatic(bits, scales, (0.0,) * len(scales))
    session = kernel(scheme, window)
    value = onnxruntime.OrtValue.ortvalue_from_numpy
    kinds = {16: np.float32, 8: np.int8, 4: np.uint8}
    width = WIDTH if scheme is None else WIDTH * bits // 8
    states = {n: value(np.zeros((1, KV, ROOM, width), kinds[bits])) for n in ("pk", "pv")}
    k = v = np.zeros((KV, 0, WIDTH), np.float32)
    for seq in (5, 1, 1, 7, 1):  # a prompt, steps, and a prompt behind them
        past = k.shape[1]
        new = {n: RNG.standard_normal((seq, h, WIDTH)) for n, h in ROWS.items()}
        new = {n: x.astype(np.float32) for n, x in new.items()}
        k, v = (np.concatenate([a, new[n].transpose(1, 0, 2)], 1) for n, a in (("k", k), ("v", v)))
        bound = session.io_binding()
        for name, x in new.items():
            bound.bind_cpu_input(name, x.reshape(1, seq, -1))
        bound.bind_cpu_input("last", np.array([past + seq - 1], np.int32))
        bound.bind_cpu_input("total", np.array([past + seq], np.int32))
        bound.bind_output("y")
        for name, state in states.items():
            bound.bind_ortvalue_input(name, state)
            bound.bind_ortvalue_output(name.replace("p", "n"), state)
        session.run_with_iobinding(bound)
        found = bound.get_outputs()[0].numpy().reshape(seq, HEADS, WIDTH)
        read = [x if scheme is None else round_static(x, scheme) for x in (k, v)]
        wanted = attended(new["q"], *(x.astype(float) for x in read), past, window)
        np.testing.assert_allclose(found, wanted, atol=2e-6)


def test_heads_of_other_widths_are_refused_by_the_operator(monkeypatch):
    monkeypatch.setattr(f"{__name__}.WIDTH", 12)
    with pytest.raises(Exception, match="head_size must be a multiple of 8"):
        test_the_operator_reads_all_tokens_from_codes_of_their_channels(16, 0)


def with_codes(graph, bits, window_count=3):
    """The graph with caches in codes, calibrated on random tokens."""
    for cache in caches_of(graph):
        cache.value.notes.put(KvPrecision(KvScheme(bits)))
    tokens = np.random.default_rng(5).integers(0, 50, (window_count, 20)).tolist()
    PassManager((CalibrateCaches(calibrated_bits(graph, (BACKEND,)), tokens),)).run(graph)
    return graph


@pytest.mark.parametrize(
    "options",
    [{"layers": 2, "bias": True}, {"layers": 1, "window": 3}, {"layers": 1, "kv_heads": 4}],
    ids=["plain", "window", "heads"],
)
@pytest.mark.parametrize("bits", [8, 4])
def test_artifacts_with_codes_agree_with_the_oracle(bits, options, tmp_path):
    graph = quantised(decoder(**options), tmp_path, BACKEND, "uniform", 8)
    made = emitted(with_codes(graph, bits), tmp_path, BACKEND)
    verdict = compared(made, EXACT)
    assert verdict.ok, verdict.reason
    plain = quantised(decoder(**options), tmp_path, BACKEND, "uniform", 8)
    (tmp_path / "float").mkdir()
    floats = emitted(plain, tmp_path / "float", BACKEND)
    one, other = (m.cases[0].calls[0].expected[0] for m in (made, floats))
    assert np.linalg.norm(one - other) > 1e-3 * np.linalg.norm(other)


@pytest.mark.parametrize("bits", [8, 4])
def test_a_step_writes_its_row_of_codes_and_nothing_else(bits, tmp_path):
    graph = with_codes(quantised(decoder(layers=1), tmp_path, BACKEND, "uniform", 8), bits)
    made = emitted(graph, tmp_path, BACKEND)
    ports = onnx.load(str(made.result.artifact)).graph.input[2:]
    kinds = {
        (v.type.tensor_type.elem_type, v.type.tensor_type.shape.dim[3].dim_value) for v in ports
    }
    assert kinds == {(TensorProto.INT8, 8) if bits == 8 else (TensorProto.UINT8, 4)}
    model = Model(made.result.artifact)
    assert model.facts["optimum_compile.in_place"] == "true"
    where = {name: value.data_ptr() for name, value in model.values.items()}
    model.call({"tokens": np.array([[3, 1, 4]]), "past": np.array([0])})
    before = {name: value.numpy().copy() for name, value in model.values.items()}
    model.call({"tokens": np.array([[1]]), "past": np.array([3])})
    for name, value in model.values.items():
        assert value.data_ptr() == where[name]
        rows = np.flatnonzero((value.numpy() != before[name]).any((0, 1, 3)))
        assert rows.tolist() == [3]


@pytest.mark.parametrize("bits", [16, 8])
def test_no_other_node_of_a_step_gives_as_much_as_a_part_of_the_cache(bits, tmp_path):
    """By the runtime's own profile."""
    graph = decoder(layers=2, context=512, max_prefill=256)
    graph = quantised(graph, tmp_path, BACKEND, "uniform", 8)
    made = emitted(graph if bits == 16 else with_codes(graph, bits), tmp_path, BACKEND)
    model = Model(made.result.artifact)
    options = onnxruntime.SessionOptions()
    options.enable_profiling, options.profile_file_prefix = True, str(tmp_path / "profile")
    session = model._session = onnxruntime.InferenceSession(str(made.result.artifact), options)
    model.call({"tokens": np.array([[1]]), "past": np.array([500])})
    events = json.loads(Path(session.end_profiling()).read_text())
    nodes = [e["args"] for e in events if e["name"].endswith("_kernel_time")]
    sizes = {a["op_name"]: int(a["output_size"]) for a in nodes}
    largest = max(int(a["output_size"]) for a in nodes if a["op_name"] != "GroupQueryAttention")
    assert sizes["GroupQueryAttention"] > 2 * 500 * 2 * 8 * bits // 32  # it gives the caches
    assert largest < 1024


def test_it_does_not_matter_where_a_prompt_is_cut(tmp_path):
    graph = with_codes(quantised(decoder(layers=2), tmp_path, BACKEND, "uniform", 8), 4)
    artifact = emitted(graph, tmp_path, BACKEND).result.artifact
    tokens = RNG.integers(0, 50, 22).tolist()
    whole = Session(artifact).prefill(tokens)  # 16 and 6
    for cut in (1, 5, 21):
        session = Session(artifact)
        session.prefill(tokens[:cut])
        np.testing.assert_allclose(session.prefill(tokens[cut:]), whole, atol=1e-5)


def test_float_caches_have_the_operator_too_where_it_takes_the_heads(tmp_path):
    def kinds(name, **options):
        graph = quantised(decoder(layers=2, **options), tmp_path, BACKEND, "uniform", 8)
        made = emitted(graph, tmp_path, BACKEND, name)
        verdict = compared(made, EXACT)
        assert verdict.ok, verdict.reason
        return [n.op_type for n in onnx.load(str(made.result.artifact)).graph.node]

    wide, narrow = kinds("wide"), kinds("narrow", width=24)
    assert wide.count("GroupQueryAttention") == 2
    assert not {"ScatterND", "Softmax"} & set(wide)
    assert narrow.count("ScatterND") == 4
    assert "GroupQueryAttention" not in narrow
    assert len(wide) < 0.95 * len(narrow)


def test_caches_that_the_operator_cannot_hold_in_codes_are_refused_by_name(tmp_path):
    graph = quantised(decoder(layers=1, width=24), tmp_path, BACKEND, "uniform", 8)
    for cache in caches_of(graph):
        count = cache.sizes[0] * cache.sizes[2]
        cache.value.notes.put(KvPrecision(KvScheme(8)))
        cache.value.notes.put(KvConstants(KvStatic(8, (1.0,) * count, (0.0,) * count)))
    options = EmitOptions("model", 24, 16, METADATA, tmp_path)
    with pytest.raises(UnsupportedError, match=r"k_cache\.0: GroupQueryAttention cannot hold"):
        BACKEND.emit(graph, options, tmp_path / "model.onnx")


@pytest.mark.parametrize("bits", ["8", pytest.param("4", marks=pytest.mark.slow)])
def test_a_bundle_is_compiled_compared_and_described(bits, tmp_path):
    values = {"output": str(tmp_path), "policy": "uniform", "kv_bits": bits}
    made = oc.compile(shared_model(), "android:onnxruntime", **values)
    (check,) = made.manifest.checks
    assert (check.ok, check.tolerance.max_rel_err) == (True, {"8": 5e-3, "4": None}[bits])
    assert check.max_rel_err < 1e-4
    artifact = made.manifest.artifacts[0]
    assert abs(artifact.predicted_file_bytes / artifact.file_bytes - 1) < 0.02
    found = json.loads(BACKEND.inspect(made.path / artifact.path))
    size = packed_bytes(2 * 64 * 16, int(bits)) + 2 * 16 * 8
    assert found["kv_cache"] == f"kv{bits}:static"
    assert list(found["kv_caches"].values()) == [[f"kv{bits}:static", size]] * 6
    plain = oc.compile(
        shared_model(), "android:onnxruntime", output=str(tmp_path / "p"), policy="uniform"
    )
    one, other = (
        load_answers(b.path / CASES)["android:onnxruntime"][0].calls[0].expected[0]
        for b in (made, plain)
    )
    assert np.linalg.norm(one - other) > 1e-3 * np.linalg.norm(other)


def test_constant_scales_need_text(tmp_path):
    values = {"output": str(tmp_path), "policy": "uniform", "kv_bits": "8", "calibration": "none"}
    with pytest.raises(
        OptionError, match="kv_bits=8: constant scales are found on text, but there"
    ):
        oc.compile(shared_model(), "android:onnxruntime", **values)
