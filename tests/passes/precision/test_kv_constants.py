"""Constant scales of caches: who gets them, and what calibration finds."""

import re

import numpy as np
import pytest
from support.graphs import Builder, decoder

from optimum_compile.backends.catalog import load_backend
from optimum_compile.compiler.errors import InputError, UnsupportedError
from optimum_compile.compiler.ir.parser import parse
from optimum_compile.compiler.ir.printer import print_graph
from optimum_compile.compiler.ir.records import note_classes
from optimum_compile.compiler.pass_manager import PassManager
from optimum_compile.compiler.quant.kv import KvScheme, parse_kv_bits
from optimum_compile.compiler.quant.kv_static import KvStatic, round_static
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.passes.precision import kv_constants
from optimum_compile.passes.precision.kv import (
    AssignKv,
    caches_at,
    calibrated_bits,
    kv_choices,
    kv_of,
)
from optimum_compile.passes.precision.kv_constants import CalibrateCaches, fitted
from optimum_compile.passes.precision.notes import KvConstants

ONNX, EXECUTORCH = load_backend("onnxruntime"), load_backend("executorch")
WINDOWS = np.random.default_rng(5).integers(0, 50, (3, 20)).tolist()


def calibrated(graph, bits=8, *backends):
    backends = backends or (ONNX,)
    PassManager((AssignKv(parse_kv_bits(str(bits)), backends),)).run(graph)
    passes = (CalibrateCaches(calibrated_bits(graph, backends), WINDOWS),)
    PassManager(passes).run(graph)
    return graph


def test_each_target_has_its_own_form_of_the_same_bits() -> None:
    graph = calibrated(decoder(layers=2), 4, EXECUTORCH, ONNX)
    assert set(caches_at(graph, EXECUTORCH).values()) == set(kv_of(graph).values()) == {KvScheme(4)}
    found = caches_at(graph, ONNX)
    assert list(map(str, found.values())) == ["kv4:static"] * 4
    assert len(set(found.values())) == 4
    for state in graph.states:
        assert state.read.notes.get(KvConstants) is not None
    text = print_graph(graph)
    assert print_graph(parse(text, note_classes(*_notes(graph)))) == text


def _notes(graph):
    return {type(note) for value in graph.values() for note in value.notes}


def test_without_the_pass_there_are_no_numbers_and_without_bits_no_codes() -> None:
    graph = decoder(layers=1)
    assert set(caches_at(graph, ONNX).values()) == {Float(32)}
    PassManager((AssignKv(parse_kv_bits("8"), (ONNX,)),)).run(graph)
    assert set(caches_at(graph, ONNX).values()) == {KvStatic(8)}
    assert calibrated_bits(graph, (EXECUTORCH,)) == {}


@pytest.mark.parametrize(
    ("bits", "graph", "reason"),
    [
        ("2", decoder(layers=1), "GroupQueryAttention has 8 and 4 bits with constant scales only"),
        ("8,4", decoder(layers=1), "android:onnxruntime (onnxruntime) has one width for keys and"),
        ("16,8", decoder(layers=1), "(onnxruntime) has one width for keys and values"),
        ("8", decoder(layers=1, heads=2, width=40), "multiple of 8 channels; k_cache.0 has 20"),
    ],
)
def test_what_the_operator_has_not_is_refused_before_work(bits, graph, reason) -> None:
    with pytest.raises(UnsupportedError, match=re.escape(reason)):
        PassManager((AssignKv(parse_kv_bits(bits), (ONNX,)),)).run(graph)


def test_assignment_does_not_choose_them() -> None:
    choices, refused = kv_choices((ONNX,))
    assert choices == (Float(16),)
    assert "kv4:static is there with --kv-bits 4" in refused[KvScheme(4)]
    (remark,) = PassManager((AssignKv(parse_kv_bits("auto"), (ONNX,)),)).run(decoder(layers=1))
    assert remark.startswith("the KV cache stays at 16 bits: android:onnxruntime (onnxruntime)")


@pytest.mark.parametrize("bits", [8, 4])
def test_the_range_holds_what_was_seen(bits) -> None:
    rng = np.random.default_rng(0)
    rows = (rng.standard_normal((200, 2, 8)) * rng.random((2, 8)) + 3).astype(np.float32)
    rows[:, 1, 3] = 0.7  # nothing to tell apart
    scheme = fitted(rows, bits)
    scales, offsets = scheme.numbers(2, 8)
    x = rows.transpose(1, 0, 2)
    codes = np.rint((x - offsets) / scales)
    assert (codes >= scheme.least).all()
    assert (codes <= scheme.most).all()
    error = np.abs(round_static(x, scheme) - x)
    assert (error <= scales / 2 + 1e-6).all()
    assert not error[1, :, 3].any()
    if bits == 4:
        used = np.delete((codes.max(1) - codes.min(1)).ravel(), 8 + 3)
        assert (used == 15).all()


def test_ends_of_the_range_lie_on_no_tie() -> None:
    """The first token of all texts is the end of some channels: its code must not be chance."""
    rows = np.random.default_rng(1).standard_normal((100, 1, 16)).astype(np.float32)
    for bits in (8, 4):
        scales, offsets = fitted(rows, bits).numbers(1, 16)
        for ends in (rows.min(0), rows.max(0)):
            part = ((ends - offsets) / scales) % 1
            assert (np.abs(part - 0.5) > 0.2).all()


def test_keys_of_positions_that_no_window_has_fit() -> None:
    """Windows of 20 tokens, a context of 2000: turned keys keep their length, not their channels."""
    graph = calibrated(decoder(layers=1, context=2000, max_prefill=2000))
    note = graph.states[0].read.notes.get(KvConstants)
    scales, offsets = (n[:, 0] for n in note.scheme.numbers(2, 8))
    low, high = offsets + scales * note.scheme.least, offsets + scales * note.scheme.most
    # Over a whole context each channel of a rotated pair sees both signs.
    assert (low < 0).all()
    assert (high > 0).all()
    short = calibrated(decoder(layers=1, context=24))
    narrow = short.states[0].read.notes.get(KvConstants).scheme
    assert (np.array(narrow.scales) < 0.95 * np.array(note.scheme.scales)).any()


def test_a_cache_that_nothing_writes_is_refused() -> None:
    b = Builder("copy", seq=(1, 4))
    past = b.input("past", "i64", 1)
    q = b.input("q", "f32", 1, 2, "seq", 8)
    state = [b.state(f"{kind}_cache.0", "f32", 1, 2, 16, 8) for kind in "kv"]
    out = b.op("cache_attention", q, state[0].read, state[1].read, past, scale=1.0, window=0)
    passes = (CalibrateCaches({"k_cache.0": KvStatic(8)}, WINDOWS),)
    with pytest.raises(UnsupportedError, match=r"k_cache\.0: no kv_write writes it"):
        PassManager(passes).run(b.returns(out))


def test_values_that_are_not_finite_are_an_error(monkeypatch) -> None:
    def samples(graph, caches, windows):
        return {cache.name: np.full((3, 2, 8), np.nan, np.float32) for cache in caches}

    monkeypatch.setattr(kv_constants, "_samples", samples)
    with pytest.raises(InputError, match=r"k_cache\.0: NaN or infinite on the calibration text"):
        calibrated(decoder(layers=1))
