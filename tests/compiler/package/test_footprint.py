"""The memory of artifacts, as a compilation writes it down."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.graphs import Builder, decoder, mlp

from optimum_compile.backends.base import EmitResult
from optimum_compile.backends.catalog import load_backend
from optimum_compile.compiler.decoder import caches_of
from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.ir.shape import evaluate, parse_dim
from optimum_compile.compiler.package.footprint import (
    cache_bytes,
    footprint_of,
    kv_bytes_of,
)
from optimum_compile.compiler.package.manifest import AT_LEAST, KvCache
from optimum_compile.compiler.quant.kv import KvScheme
from optimum_compile.passes.precision.notes import KvPrecision
from optimum_compile.passes.stages.notes import InStage
from optimum_compile.passes.symbolic_shape.lengths import Lengths

WIDTH, HIDDEN, VOCAB = 32, 64, 50
OUT = Path("out")


def of(graph, kind="onnxruntime", weight_bytes=1000):
    backend = load_backend(kind)
    file = OUT / backend.platform / f"model{backend.suffix}"
    return footprint_of(graph, backend, EmitResult(file, weight_bytes, ()), OUT)


def staged(layers=3):
    graph = decoder(layers=layers)
    for node in graph.nodes:
        parts = node.origin.split(".")
        if "layers" in parts:
            node.notes.put(InStage(int(parts[parts.index("layers") + 1])))
    return graph


def at(texts, **known):
    return max(evaluate(parse_dim(text), known) for text in texts)


def test_activations_are_what_lives_at_the_widest_step():
    # x, its norm, gate and up
    numbers = 2 * WIDTH + 2 * HIDDEN
    found = of(decoder())
    prefill, decode = found.functions
    assert (prefill.name, prefill.tokens, prefill.source) == ("prefill", (1, 16), AT_LEAST)
    assert (decode.name, decode.tokens, decode.arena) == ("decode", (1, 1), (str(4 * numbers),))
    for seq in (1, 2, 7, 16):
        assert at(prefill.arena, seq=seq) == 4 * numbers * seq
        assert at([prefill.outputs], seq=seq) == 4 * VOCAB * seq
    assert (prefill.bounds, prefill.planned) == (prefill.arena, ())


def test_core_ml_computes_in_halves_and_takes_chunks_of_one_length():
    prefill, decode = of(decoder(max_prefill=100), "coreml").functions
    assert prefill.tokens == (64, 64)
    numbers = 2 * WIDTH + 2 * HIDDEN
    assert prefill.arena == (str(2 * numbers * 64),)
    assert prefill.outputs == str(4 * VOCAB * 64)  # logits are cast to float32
    assert decode.arena == (str(2 * numbers),)


def test_every_length_that_was_asked_for_is_a_function():
    graph = decoder()
    graph.notes.put(Lengths((4, 8), 12))
    found = of(graph)
    assert [(f.name, f.tokens) for f in found.functions] == [
        ("prefill", (1, 12)),
        ("prefill_4", (4, 4)),
        ("prefill_8", (8, 8)),
        ("decode", (1, 1)),
    ]


def test_a_stage_has_the_greatest_of_its_own_steps():
    graph = staged()
    found = of(graph)
    for function in found.functions:
        known = {"seq": function.tokens[1]}
        stages = {s.stage: at(s.arena, **known) for s in function.stages}
        assert set(stages) == {0, 1, 2}
        assert max(stages.values()) == at(function.arena, **known)


def test_a_narrow_stage_takes_less():
    b = Builder("two", seq=(1, 8))
    rng = np.random.default_rng(0)
    x = b.input("x", "f32", "seq", 4)
    wide = b.weight("wide", rng.standard_normal((32, 4)).astype("float32"))
    thin = b.weight("thin", rng.standard_normal((4, 32)).astype("float32"))
    h = b.op("linear", x, wide, None)
    h = b.op("linear", b.op("relu", h), thin, None)
    graph = b.returns(b.op("linear", b.op("relu", h), wide, None))
    for node, stage in zip(graph.nodes, (0, 0, 0, 1, 1), strict=True):
        node.notes.put(InStage(stage))
    (function,) = of(graph).functions
    found = {s.stage: at(s.arena, seq=1) for s in function.stages}
    assert found == {
        0: 4 * (32 + 4),
        1: 4 * 4,
    }  # then h of 4 numbers alone; the output is the caller's


def test_caches_say_how_and_where_they_are_kept():
    graph = staged(layers=2)
    keys, values = caches_of(graph)[:2]
    keys.value.notes.put(KvPrecision(KvScheme(4, group=8)))
    values.value.notes.put(KvPrecision(KvScheme(2, group=8)))
    found = of(graph, "coreml")
    assert {c.scheme for c in found.caches} == {"f16"}  # Core ML states are
    assert [(c.name, c.role, c.stage, c.kv_heads, c.head_dim) for c in found.caches] == [
        ("k_cache.0", "keys", 0, 2, 8),
        ("v_cache.0", "values", 0, 2, 8),
        ("k_cache.1", "keys", 1, 2, 8),
        ("v_cache.1", "values", 1, 2, 8),
    ]
    assert found.kv_bytes == 4 * 2 * 24 * 8 * 2
    assert of(decoder(layers=2)).kv_bytes == 4 * 2 * 24 * 8 * 4  # floats in ONNX Runtime


def test_bytes_of_codes_at_any_context():
    # 4 sinks, a ring of 32 + 32; behind them runs of 32 tokens in 4 bits, each with 2 numbers a group
    def by_hand(context, role):
        runs = max(0, context - 36) // 32
        exact = min(context, 4) + min(max(0, context - 4), 64)
        groups = runs * (64 if role == "keys" else 32 * 2)
        return 2 * (runs * 32 * 64 // 2 + groups * 2 * 2 + exact * 64 * 2)

    for role in ("keys", "values"):
        cache = KvCache("c", role, 0, 2, 64, "kv4:g32")
        for context in (1, 3, 36, 67, 68, 100, 513, 2048):
            assert cache_bytes(cache, context) == by_hand(context, role), (role, context)
            assert kv_bytes_of((cache, cache), context, 64) % 64 == 0
    assert cache_bytes(cache, 0) == 0
    # constant scales: codes of every token, a float32 scale and offset a channel
    assert cache_bytes(replace(cache, scheme="kv8:static"), 100) == 2 * 64 * (100 + 8)


@pytest.mark.parametrize(
    ("scheme", "heads", "message"),
    [
        ("int4", 2, "kv scheme 'int4'"),
        ("kv4:g32", -2, "c: kv_heads=-2"),
        ("f16", 0, "c: kv_heads=0"),
    ],
)
def test_odd_caches_are_refused(scheme, heads, message):
    with pytest.raises(OptionError, match=message):
        cache_bytes(KvCache("c", "keys", 0, heads, 64, scheme), 100)


def test_a_model_without_cache_has_one_function():
    found = of(mlp(width=8, hidden=16))
    (function,) = found.functions
    assert (function.name, found.context, found.kv_bytes, found.caches) == ("forward", 0, 0, ())
    assert at(function.arena, n=5) == 4 * 16 * 5  # relu over the hidden layer
    packed = of(mlp(width=8, hidden=16), "coreml")
    assert at(packed.functions[0].arena) == 2 * 16 * 64
    assert packed.remarks[0] == "shapes are fixed in Core ML: n=64"


def test_the_graph_stays_as_it_is():
    graph = decoder()
    before = [tuple(v.notes) for v in graph.values()], dict(graph.symbols), len(graph.nodes)
    of(graph)
    assert (
        [tuple(v.notes) for v in graph.values()],
        dict(graph.symbols),
        len(graph.nodes),
    ) == before
