"""The bits of the KV cache on a graph: notes, what targets take, bytes."""

import re
from dataclasses import dataclass

import numpy as np
import pytest
from support.graphs import decoder, mlp
from support.models import shared_model

import optimum_compile as oc
from optimum_compile.backends.base import SUPPORTED, Support
from optimum_compile.backends.catalog import BACKENDS, load_backend
from optimum_compile.compiler.errors import OptionError, UnsupportedError
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.ir.parser import parse
from optimum_compile.compiler.ir.printer import print_graph
from optimum_compile.compiler.ir.records import note_classes
from optimum_compile.compiler.ir.verify import verify
from optimum_compile.compiler.options import target_name
from optimum_compile.compiler.pass_manager import PassManager
from optimum_compile.compiler.quant.kv import KvBits, KvScheme, parse_kv_bits
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.passes.precision.bytes_read import cache_bytes
from optimum_compile.passes.precision.kv import (
    AssignKv,
    caches_at,
    kv_bytes,
    kv_choices,
    kv_of,
    uniform_kv,
)
from optimum_compile.passes.precision.notes import KvPrecision
from optimum_compile.passes.specs import ASSIGNED
from optimum_compile.passes.symbolic_shape.specialize import specialize

CORE_ML = r"ios \(coreml\): states are fp16 tensors: there are no integer states"
ONNX = r"android:onnxruntime \(onnxruntime\): GroupQueryAttention has 8 and 4 bits with constant scales"


@dataclass(frozen=True)
class Stub:
    """A target whose cache takes some widths."""

    takes: tuple[int, ...]
    name: str = "coreml"
    platform: str = "ios"

    def supports_kv(self, scheme):
        if isinstance(scheme, Float) or scheme.bits in self.takes:
            return SUPPORTED
        return Support(False, f"no {scheme}")


def assign(graph, text, *backends):
    return PassManager((AssignKv(parse_kv_bits(text), backends),)).run(graph)


def test_every_cache_gets_its_note_and_the_text_reads_back() -> None:
    graph = decoder(layers=2)
    assert assign(graph, "4,2", Stub((4, 2))) == ()
    notes = [s.read.notes.get(KvPrecision) for s in graph.states]
    assert notes == [KvPrecision(KvScheme(4)), KvPrecision(KvScheme(2))] * 2
    text = print_graph(graph)
    assert "!KvPrecision{scheme = KvScheme{bits = 4, group = 32, window = 32, sinks = 4}" in text
    back = parse(text, note_classes(KvPrecision))
    assert kv_of(back) == kv_of(graph) == uniform_kv(graph, KvBits(4, 2))
    assert print_graph(back) == text
    assert kv_of(specialize(graph, {"seq": 1})) == kv_of(graph)
    assign(graph, "16", Stub(()))
    assert set(kv_of(graph).values()) == {Float(16)}


def test_notes_are_what_the_executor_reads() -> None:
    graph = decoder(layers=1, context=80, max_prefill=80)
    assign(graph, "2")
    call = {"tokens": np.arange(75)[None] % 50, "past": np.array([0])}
    noted = run(graph, call, kv=kv_of(graph)).outputs[0]
    exact = run(graph, call).outputs[0]
    apart = (noted - exact).abs().amax((0, 2))
    assert (apart[:67] < 2e-3).all()  # fp16
    assert (apart[67:] > 5e-3).all()


def test_a_note_elsewhere_is_a_violation() -> None:
    graph = decoder(layers=1)
    assign(graph, "4")
    assert not any("KvPrecision" in str(v) for v in verify(graph, ASSIGNED))
    graph.inputs[0].notes.put(KvPrecision(KvScheme(4)))
    (found,) = [v for v in verify(graph, ASSIGNED) if "KvPrecision" in v.message]
    assert (found.kind, found.where) == ("note", "%tokens")


@pytest.mark.parametrize("name", ["executorch", "native"])
def test_targets_with_packed_caches_take_every_width(name) -> None:
    backend = load_backend(name)
    assert all(backend.supports_kv(s).ok for s in (Float(16), *map(KvScheme, (8, 4, 2))))
    assert not backend.supports_kv(Float(32)).ok
    graph = decoder(layers=1)
    assert assign(graph, "16,4", backend) == ()
    found = caches_at(graph, backend)
    assert found == {"k_cache.0": Float(16), "v_cache.0": KvScheme(4)}


def test_core_ml_keeps_fp16_and_says_so() -> None:
    coreml, executorch = load_backend("coreml"), load_backend("executorch")
    graph = decoder(layers=1, context=100)
    (remark,) = assign(graph, "4", coreml, executorch)
    assert re.match(f"kv_bits=4: {CORE_ML}.*; there the KV cache is fp16", remark)
    assert set(kv_of(graph).values()) == {KvScheme(4)}
    assert set(caches_at(graph, executorch).values()) == {KvScheme(4)}
    assert set(caches_at(graph, coreml).values()) == {Float(16)}
    assert cache_bytes(graph, coreml) > 1.5 * cache_bytes(graph, executorch)
    # On its own nothing is left to note.
    alone = decoder(layers=1)
    (remark,) = assign(alone, "4,2", coreml)
    assert "there the KV cache is fp16" in remark
    assert kv_of(alone) == {}
    choices, refused = kv_choices((coreml, executorch))
    assert choices == (KvScheme(2), KvScheme(4), KvScheme(8), Float(16))
    assert refused == {}
    (remark,) = assign(decoder(layers=1), "auto", coreml, executorch)
    assert "there the KV cache is fp16" in remark
    (remark,) = assign(decoder(layers=1), "auto", coreml)
    assert remark.startswith("the KV cache stays at 16 bits: ios (coreml)")


def test_nnapi_keeps_float32_and_says_so() -> None:
    nnapi, executorch = load_backend("nnapi"), load_backend("executorch")
    graph = decoder(layers=1)
    (remark,) = assign(graph, "4", nnapi, executorch)
    assert remark.startswith("kv_bits=4: android:nnapi (nnapi): the app hands the caches")
    assert remark.endswith("; there the KV cache is float32")
    assert set(caches_at(graph, nnapi).values()) == {Float(32)}
    assert set(caches_at(graph, executorch).values()) == {KvScheme(4)}


# ONNX Runtime has constant scales, see test_kv_constants.
PACKED = {*("reference", "executorch", "native", "coreml", "onnxruntime", "nnapi", "gpu", "vulkan")}
OTHERS = sorted(set(BACKENDS) - PACKED)


@pytest.mark.parametrize("name", OTHERS)
def test_targets_without_packed_caches_say_why(name) -> None:
    backend = load_backend(name)
    for bits in (8, 4, 2):
        verdict = backend.supports_kv(KvScheme(bits))
        assert not verdict.ok
        assert verdict.reason
    assert backend.supports_kv(Float(16)).ok
    target = target_name(backend.platform, name)
    for text in ("8", "16,4", "2,16"):
        said = f"kv_bits={text}: {target} ({name}): {verdict.reason}; leave the target out"
        with pytest.raises(UnsupportedError, match=re.escape(said)):
            assign(decoder(layers=1), text, Stub((8, 4, 2)), backend)
    graph = decoder(layers=1)
    (remark,) = assign(graph, "auto", backend)
    assert remark.startswith("the KV cache stays at 16 bits: ")
    assert backend.supports_kv(KvScheme(4)).reason in remark
    assert kv_of(graph) == {}


def test_choices_are_those_that_every_target_takes() -> None:
    found, refused = kv_choices((Stub((8, 4)), Stub((4, 2), "executorch", "android")))
    assert found == (KvScheme(4), Float(16))
    assert refused == {
        KvScheme(8): "android (executorch): no kv8:g32",
        KvScheme(2): "ios (coreml): no kv2:g32",
    }
    assert kv_choices(())[0] == (KvScheme(2), KvScheme(4), KvScheme(8), Float(16))
    assert assign(decoder(layers=1), "auto", Stub((4,))) == ()


def test_without_a_cache_there_is_nothing_to_round() -> None:
    with pytest.raises(OptionError, match="kv_bits=4: the model has no KV cache"):
        assign(mlp(), "4")
    assert assign(mlp(), "auto", Stub(())) == ()


def test_bytes_of_a_whole_cache() -> None:
    graph = decoder(layers=3, kv_heads=2, context=100)  # heads are 8 wide
    assert kv_bytes(graph) == 6 * 2 * 100 * 8 * 2
    assert kv_bytes(graph, tokens=10) == 6 * 2 * 10 * 8 * 2
    schemes = uniform_kv(graph, KvBits(16, 4))
    # 64 of 100 tokens in codes: half a byte a number, 4 bytes a token and head.
    values = 2 * (64 * 8 // 2 + 64 * 4 + 36 * 8 * 2)
    assert kv_bytes(graph, schemes) == 3 * (2 * 100 * 8 * 2 + values)
    assign(graph, "16,4")
    assert kv_bytes(graph) == kv_bytes(graph, schemes)


def test_the_plan_refuses_what_targets_cannot_hold() -> None:
    with pytest.raises(UnsupportedError, match=ONNX) as e:
        oc.plan(shared_model(), ["android:onnxruntime"], kv_bits="16,2")
    assert e.value.exit_code == 5
    both = oc.plan(shared_model(), kv_bits="4", policy="uniform")
    assert any(re.match(f"kv_bits=4: {CORE_ML}", r) for r in both.remarks)
    wanted = oc.plan(shared_model(), ["ios:coreml"], kv_bits="auto", policy="uniform")
    remarks = [r for r in wanted.remarks if "KV cache" in r]
    assert len(remarks) == 1
    assert "no integer states" in remarks[0]
    plain = oc.plan(shared_model(), ["ios:coreml"], policy="uniform")
    assert wanted.model.graph.fingerprint() == plain.model.graph.fingerprint()
    assert set(wanted.remarks) - set(plain.remarks) == set(remarks)
