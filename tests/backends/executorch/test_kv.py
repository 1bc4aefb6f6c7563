"""Packed KV caches in a `.pte`: what the oracle reads, in place, without copies."""

from pathlib import Path

import numpy as np
import pytest
from support.emission import Emitted, compared, emitted, quantised
from support.graphs import decoder

from optimum_compile.backends.base import BackendOptions, Tolerance
from optimum_compile.backends.executorch.backend import BACKEND
from optimum_compile.backends.executorch.caches import packed_caches, packed_states
from optimum_compile.backends.executorch.copies import copied_bytes, count_copies
from optimum_compile.backends.executorch.session import Program, Session
from optimum_compile.compiler.conformance import caches_at, first_rounded
from optimum_compile.compiler.errors import InputError, ToolchainError, UnsupportedError
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.kv import KvRole, KvScheme, KvStored
from optimum_compile.compiler.quant.kv_layout import kv_buffer_bytes
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.passes.precision.notes import KvPrecision

pytestmark = pytest.mark.executorch
PACKED = BACKEND.configured(BackendOptions("packed", "float"))
CACHED = Tolerance(max_rel_err=3e-4, min_top1=1.0)
# Every width of both, another in each layer.
SCHEMES: dict[str, KvStored] = {
    "k_cache.0": KvScheme(4, 8, 5, 3),
    "v_cache.0": KvScheme(2, 16, 0, 0),
    "k_cache.1": Float(16),
    "v_cache.1": KvScheme(8, 8, 9, 1),
    "k_cache.2": KvScheme(2, 8, 3, 2),
}


def noted(graph: Graph, schemes: dict[str, KvStored]) -> Graph:
    for state in graph.states:
        if state.name in schemes:
            state.read.notes.put(KvPrecision(schemes[state.name]))
    return graph


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Emitted:
    work = tmp_path_factory.mktemp("mixed")
    graph = noted(decoder(layers=3, context=72, max_prefill=20, heads=4, kv_heads=2), SCHEMES)
    return emitted(quantised(graph, work, PACKED, "uniform", 16), work, PACKED)


def test_prompts_and_steps_are_the_oracles(mixed: Emitted) -> None:
    kv = caches_at(mixed.graph, PACKED)
    assert kv["v_cache.2"] == Float(16)  # no note: fp16 rows
    calls = [len(case.calls) for case in mixed.cases]
    assert first_rounded(kv) == 18
    # Prompts of 36, 24 and 12 tokens in chunks of 20, and 8 steps behind them.
    assert calls == [2 + 8, 2 + 8, 1 + 8]
    verdict = compared(mixed, CACHED)
    assert verdict.ok, verdict.reason


def test_codes_are_read(mixed: Emitted) -> None:
    """An artifact that kept fp16 throughout would be far away."""
    got = Program(mixed.result.artifact)
    tokens = np.random.default_rng(5).integers(0, 50, (1, 60))
    found = [got.call("prefill", tokens[:, at : at + 20], np.array([at]))[0] for at in (0, 20, 40)]
    rounded, states = [], None
    for at in (0, 20, 40):
        call = {"tokens": tokens[:, at : at + 20], "past": np.array([at])}
        done = run(
            mixed.graph, call, states, weights="quantized", kv=caches_at(mixed.graph, PACKED)
        )
        states = done.states
        rounded.append(done.outputs[0].numpy())
    plain, states = [], None
    for at in (0, 20, 40):
        call = {"tokens": tokens[:, at : at + 20], "past": np.array([at])}
        done = run(mixed.graph, call, states, weights="quantized")
        states = done.states
        plain.append(done.outputs[0].numpy())
    ours, theirs, exact = (np.concatenate(x, 1) for x in (found, rounded, plain))
    error = np.linalg.norm(ours - theirs) / np.linalg.norm(theirs)
    assert error < 3e-4
    assert np.linalg.norm(exact - theirs) / np.linalg.norm(theirs) > 100 * error


def test_a_session_may_begin_again(mixed: Emitted) -> None:
    tokens = list(np.random.default_rng(1).integers(0, 50, 60))
    first = Session(mixed.result.artifact)
    logits = [first.prefill(tokens[:50]), *(first.decode(t) for t in tokens[50:])]
    first.past = 0
    again = [first.prefill(tokens[:50]), *(first.decode(t) for t in tokens[50:])]
    assert all(np.array_equal(a, b) for a, b in zip(logits, again, strict=True))
    by_steps = Session(mixed.result.artifact)
    single = [by_steps.decode(t) for t in tokens]
    np.testing.assert_allclose(single[-1], logits[-1], rtol=2e-3, atol=2e-4)


def test_one_past_the_context_is_an_error(mixed: Emitted) -> None:
    program = Program(mixed.result.artifact)
    token = np.zeros((1, 1), np.int64)
    program.call("decode", token, np.array([71]))
    for past in (72, -1, 1 << 40):
        with pytest.raises(ToolchainError, match="method decode failed"):
            program.call("decode", token, np.array([past]))


def test_no_step_copies_a_cache(mixed: Emitted) -> None:
    copies = count_copies(mixed.result.artifact)
    assert set(copies) >= {"prefill", "decode", "metadata", "context"}
    for name in ("prefill", "decode"):
        assert not {"aten::copy_", "aten::index_put", "aten::index_put_"} & set(copies[name])
    assert "aten::permute_copy" not in copies["decode"]
    # What is left are halves of heads that rotary embedding takes apart and joins.
    smallest = min(c.bytes for c in packed_states(mixed.graph).values())
    assert copied_bytes(copies["decode"]) < smallest
    assert copies["metadata"] == {}


@pytest.mark.slow
def test_float_buffers_copy_the_cache_twice_a_step(tmp_path: Path) -> None:
    """What packing replaces, still there for graphs that use a cache otherwise."""
    from optimum_compile.backends.base import EmitOptions
    from optimum_compile.backends.executorch.emit import emit

    graph = quantised(decoder(layers=1, context=64), tmp_path, PACKED, "uniform", 16)
    options = EmitOptions("old", 64, 16, "{}", tmp_path)
    emit(graph, options, tmp_path / "old.pte", xnnpack=False, packs_caches=False)
    decode = count_copies(tmp_path / "old.pte")["decode"]
    cache = 2 * 64 * 8 * 4  # of keys, float32
    assert decode["aten::index_put"].bytes == decode["aten::copy_"].bytes == 2 * cache
    emit(graph, options, tmp_path / "new.pte", xnnpack=False)
    now = count_copies(tmp_path / "new.pte")["decode"]
    assert copied_bytes(now) < copied_bytes(decode) / 20


def test_damaged_programs_are_told(tmp_path: Path, mixed: Emitted) -> None:
    broken = tmp_path / "broken.pte"
    broken.write_bytes(b"nonsense")
    with pytest.raises(InputError, match="no ExecuTorch program"):
        count_copies(broken)
    data = bytearray(mixed.result.artifact.read_bytes())
    data[16:24] = (1 << 60).to_bytes(8, "little")
    broken.write_bytes(data)
    with pytest.raises(InputError, match="the program has"):
        count_copies(broken)
    data[16:24] = (64).to_bytes(8, "little")
    broken.write_bytes(data)
    with pytest.raises(InputError, match="cannot be read"):
        count_copies(broken)


def test_buffers_are_those_of_the_layout(mixed: Emitted) -> None:
    packed = packed_states(mixed.graph)
    assert set(packed) == {s.name for s in mixed.graph.states}
    for name, cache in packed.items():
        role = KvRole.KEYS if name.startswith("k") else KvRole.VALUES
        assert cache.bytes == kv_buffer_bytes(SCHEMES.get(name, Float(16)), role, 2, 72, 8)


def test_a_cache_that_is_read_twice_stays_a_float_buffer() -> None:
    graph = decoder(layers=1)
    assert len(packed_caches(graph)) == 1
    graph.outputs.append(graph.states[0].written)
    assert packed_caches(graph) == {}
    graph.states[0].read.notes.put(KvPrecision(KvScheme(4)))
    with pytest.raises(UnsupportedError, match=r"state 'k_cache.0': executorch keeps .* kv4:g32"):
        packed_caches(graph)


def test_a_sliding_window_reads_codes_too(tmp_path: Path) -> None:
    scheme = KvScheme(4, 8, 2, 1)
    graph = decoder(layers=1, context=64, max_prefill=64, window=20, heads=4, kv_heads=4)
    noted(graph, {"k_cache.0": scheme, "v_cache.0": scheme})
    made = emitted(quantised(graph, tmp_path, PACKED, "uniform", 16), tmp_path, PACKED)
    verdict = compared(made, CACHED)
    assert verdict.ok, verdict.reason
