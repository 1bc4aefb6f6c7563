"""Running native programs through the C interface."""

import ctypes
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.native_programs import SENTINEL, Maker, run_into
from support.native_seeds import decoder, every_step

from optimum_compile.backends.native import program as p
from optimum_compile.backends.native.encode import encode
from optimum_compile.backends.native.library import Status, library
from optimum_compile.backends.native.session import Logits, Model
from optimum_compile.compiler.errors import InputError, ResourceError

Op = p.Op
NULL = ctypes.c_void_p()
CONTEXT, CHUNK = 24, 8


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """A planned decoder of two layers for 24 tokens, at most 8 a call."""
    return decoder(tmp_path_factory.mktemp("decoder"), CONTEXT, CHUNK)


def tokens(count: int) -> np.ndarray:
    return np.random.default_rng(1).integers(3, 96, count)


# ---- running


@pytest.mark.parametrize("cuts", [[24], [1] * 24, [9, 15], [8, 8, 8], [1, 23], [7, 1, 16], [23, 1]])
def test_however_a_text_is_cut_the_logits_are_the_same(model, cuts):
    ids = tokens(CONTEXT)
    whole = Model(model).session().run(ids)
    session, parts, at = Model(model).session(), [], 0
    for size in cuts:
        parts.append(session.run(ids[at : at + size]))
        at += size
    assert session.past == CONTEXT
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-5, atol=1e-5)
    steps = sum(-(-size // CHUNK) for size in cuts)
    assert session.stats().calls == steps


@pytest.mark.parametrize("count", [1, 2, 8, 9, 20])
def test_the_last_logits_are_those_of_all(model, count):
    ids, opened = tokens(count), Model(model)
    every = opened.session().run(ids)
    session = opened.session()
    last = session.run(ids, Logits.LAST)
    assert np.array_equal(last[0], every[-1])
    # No more than that row is computed and stored.
    room = np.full(opened.info.vocabulary + 1, SENTINEL)
    other = opened.session()
    run_into(other, ids, room, Logits.LAST)
    assert np.array_equal(room[:-1], last[0])
    assert room[-1] == SENTINEL
    quiet = opened.session()
    assert quiet.run(ids, Logits.NONE).shape == (0, opened.info.vocabulary)
    assert quiet.past == count
    assert np.array_equal(quiet.decode(7), other.decode(7))


def test_a_head_that_is_read_again_is_made_whole(tmp_path):
    m = Maker(tmp_path, vocabulary=6, seq=(1, 4))
    rng = np.random.default_rng(0)
    table, weight = (rng.standard_normal((6, 4)).astype(np.float32) for _ in range(2))
    one, zero = m.const(1), m.const(0)
    ids = m.buffer(p.Space.INPUT, p.Element.I64, m.seq, 0)
    hidden = m.buffer(p.Space.ARENA, p.Element.F32, m.times(m.seq, 4), zero)
    m.arena_bytes = 64
    logits = m.buffer(p.Space.OUTPUT, p.Element.F32, m.times(m.seq, 6), 0)
    x = m.view(hidden, zero, (one, m.seq, m.const(4)), (zero, m.const(4), one))
    y = m.view(logits, zero, (one, m.seq, m.const(6)), (zero, m.const(6), one))
    m.step(
        Op.EMBEDDING,
        [m.view(ids, zero, (one, m.seq), (m.seq, one)), m.floats(table)],
        [x],
    )
    m.step(Op.LINEAR, [x, m.floats(weight)], [y], 1)
    m.step(Op.UNARY, [y], [y], p.UNARY.index("tanh"))
    session = Model(m.save()).session()
    for chunk in ([1, 2, 3], [4], [5, 0, 1, 2, 3, 4]):
        (found,) = session.run(chunk, Logits.LAST)
        np.testing.assert_allclose(found, np.tanh(table[chunk[-1]] @ weight.T), rtol=1e-5)


def test_sessions_are_their_own_and_begin_again(model):
    opened, ids = Model(model), tokens(12)
    one, two = opened.session(), opened.session()
    first = one.run(ids)
    two.run(ids[::-1].copy())
    one.reset()
    assert one.past == 0
    assert np.array_equal(one.run(ids), first)
    opened.close()  # what a session needs stays
    two.reset()
    assert np.array_equal(two.run(ids), first)


def test_sessions_run_on_threads_at_once(model):
    opened = Model(model)
    texts = [np.random.default_rng(at).integers(3, 96, CONTEXT) for at in range(4)]
    wanted = [opened.session().run(text) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            found = list(pool.map(lambda text: opened.session().run(text), texts))
            assert all(np.array_equal(a, b) for a, b in zip(found, wanted, strict=True))


def test_one_past_the_context_is_refused_with_the_numbers(model):
    lib = library()
    session = Model(model).session()
    session.run(tokens(CONTEXT - 1), Logits.NONE)
    ids = np.zeros(2, np.int64)
    status = lib.oc_session_run(session._live, ids.ctypes.data, 2, Logits.NONE, None, 0)
    assert status == Status.CONTEXT_FULL
    said = lib.oc_last_error().decode()
    assert "23 tokens are in the cache and 2 new ones do not fit the context of 24" in said
    assert session.past == CONTEXT - 1
    session.run([5], Logits.NONE)
    with pytest.raises(InputError, match="the cache holds 24"):
        session.run([5])


@pytest.mark.parametrize("wrong", [-1, 96, 2**63 - 1, -(2**63)])
def test_bad_tokens_are_found_before_anything_runs(model, wrong):
    session = Model(model).session()
    with pytest.raises(InputError, match=f"token 9 is {wrong}; the vocabulary has 96"):
        session.run([1] * 9 + [wrong])
    assert (session.past, session.stats().steps) == (0, 0)


def test_counts_of_what_was_done(model):
    opened = Model(model)
    session = opened.session()
    session.run(tokens(9), Logits.LAST)
    before = session.stats()
    assert (before.calls, before.tokens) == (2, 9)
    assert 0 < before.arena_bytes == max(opened.planned_bytes(at, n, 0) for at, n in _used(opened))
    session.clear_stats()
    assert session.stats().steps == 0
    session.decode(5)
    stats = session.stats()
    (decode,) = [f for f in opened.functions if f.name == "decode"]
    assert (stats.calls, stats.steps) == (1, decode.steps)
    assert stats.cache_copied_bytes == stats.copied_bytes == 0
    assert stats.kv_written_bytes > 0
    assert 0 < stats.last_weight_bytes == stats.weight_bytes <= opened.info.weight_bytes
    stages = [session.stage_stats(at) for at in range(len(opened.stages))]
    assert sum(s.steps for s in stages) == stats.steps
    assert sum(s.switch_ns for s in stages) == stats.switch_ns <= stats.total_ns
    assert 0 < sum(s.total_ns for s in stages) <= stats.total_ns


def _used(opened: Model) -> list[tuple[int, int]]:
    """The functions and lengths that 9 tokens take."""
    names = [f.name for f in opened.functions]
    return [(names.index("prefill"), 8), (names.index("decode"), 1)]


def test_copies_from_and_to_caches_are_counted(tmp_path):
    session = Model(every_step(tmp_path)).session()
    session.run([1, 2])
    stats = session.stats()
    assert stats.cache_copied_bytes == 2 * 2 * 8 * 2  # a row of 2 heads of 8 halves, each call
    assert stats.copied_bytes > stats.cache_copied_bytes


def test_the_function_that_takes_the_most_tokens_is_chosen(tmp_path):
    m = Maker(tmp_path, vocabulary=4, context=64, seq=(1, 1))
    made = m.program()
    (only,) = made.functions
    functions = tuple(
        replace(only, name=name, low=low, high=high)
        for name, low, high in (("chunk", 8, 8), ("one", 1, 1), ("some", 2, 5))
    )
    symbols = (p.Symbol("seq", 1, 8), p.Symbol("past", 0, 64))
    sizes = replace(made.sizes, max_prefill=8)
    made = replace(made, functions=functions, symbols=symbols, sizes=sizes)
    path = tmp_path / "chosen.ocm"
    path.write_bytes(encode(made, "{}"))
    for count, calls in ((1, 1), (5, 1), (6, 2), (8, 1), (23, 4), (17, 3)):
        session = Model(path).session()
        session.run([0] * count, Logits.NONE)
        assert session.stats().calls == calls, count


def test_one_token_takes_the_function_for_one(tmp_path):
    m = Maker(tmp_path, vocabulary=4)
    m.step(Op.COPY, [m.array(np.ones(4, np.float32))], [m.output((4,))])
    made = m.program()
    (one,) = made.functions
    wide = replace(one, name="wide", high=5, steps=())
    sizes, seq = replace(made.sizes, max_prefill=5), p.Symbol("seq", 1, 5)
    made = replace(made, sizes=sizes, symbols=(seq, made.symbols[1]), functions=(wide, one, wide))
    m.writer.close()
    path = tmp_path / "wide.ocm"
    path.write_bytes(encode(made, "{}", m.writer.path.read_bytes()))
    session = Model(path).session()
    session.run([0] * 4, Logits.NONE)
    assert session.stats().steps == 0
    session.decode(0)
    assert session.stats().steps == 1


def test_views_and_buffers_follow_past_while_seq_stays(tmp_path):
    m = Maker(tmp_path, vocabulary=4, context=5)
    table = np.arange(24, dtype=np.float32)
    four, zero, one = m.const(4), m.const(0), m.const(1)
    part = m.writer.add(table)
    rows = m.buffer(p.Space.CONSTANT, p.Element.F32, m.const(24), part)
    m.arena_bytes = 64 * 8
    moving = m.buffer(p.Space.ARENA, p.Element.F32, four, m.times(m.past, 64))
    between = m.view(moving, zero, (four,), (one,))
    m.step(Op.COPY, [m.view(rows, m.times(m.past, 4), (four,), (one,))], [between])
    # The same bytes of the arena by an offset in a buffer that stays.
    whole = m.buffer(p.Space.ARENA, p.Element.F32, m.const(128), zero)
    m.step(Op.COPY, [m.view(whole, m.times(m.past, 16), (four,), (one,))], [m.output((4,))])
    session = Model(m.save()).session()
    for at in (0, 1, 2, 3, 4):
        assert np.array_equal(session.decode(0), table[4 * at : 4 * at + 4])
    session.reset()
    assert np.array_equal(session.decode(0), table[:4])


# ---- the interface itself


def test_null_and_indices_outside_are_refused(model):
    lib = library()
    opened = Model(model)
    session = opened.session()
    number = ctypes.c_int64()
    calls: list[Callable[[], int]] = [
        lambda: lib.oc_model_open(None, None, ctypes.byref(ctypes.c_void_p())),
        lambda: lib.oc_model_open(b"x", None, None),
        lambda: lib.oc_model_info(None, NULL),
        lambda: lib.oc_model_info(opened._live, None),
        lambda: lib.oc_model_function(opened._live, 99, None),
        lambda: lib.oc_model_function(None, 0, None),
        lambda: lib.oc_model_stage(opened._live, -1, None),
        lambda: lib.oc_model_metadata(opened._live, None, None),
        lambda: lib.oc_model_planned_bytes(opened._live, 7, 1, 0, ctypes.byref(number)),
        lambda: lib.oc_model_planned_bytes(opened._live, 0, 9999, 0, ctypes.byref(number)),
        lambda: lib.oc_session_create(None, ctypes.byref(ctypes.c_void_p())),
        lambda: lib.oc_session_create(opened._live, None),
        lambda: lib.oc_session_reset(None),
        lambda: lib.oc_session_past(session._live, None),
        lambda: lib.oc_session_run(None, None, 0, 0, None, 0),
        lambda: lib.oc_session_run(session._live, None, 1, 0, None, 0),
        lambda: lib.oc_session_stats(session._live, None),
        lambda: lib.oc_session_stage_stats(session._live, 50, None),
        lambda: lib.oc_session_clear_stats(None),
    ]
    for at, call in enumerate(calls):
        assert call() == Status.BAD_ARGUMENT, at
        assert lib.oc_last_error()
    lib.oc_model_close(None)
    lib.oc_session_destroy(None)


def test_rooms_and_counts_that_cannot_be(model):
    lib = library()
    session = Model(model).session()
    ids, logits = np.zeros(3, np.int64), np.zeros(3 * 96, np.float32)
    room = logits.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
    for count, which, size in ((0, 1, 96), (-1, 1, 96), (3, 2, 3 * 96 - 1), (1, 1, 95), (1, 4, 96)):
        status = lib.oc_session_run(session._live, ids.ctypes.data, count, which, room, size)
        assert status == Status.BAD_ARGUMENT
    assert lib.oc_session_run(session._live, ids.ctypes.data, 1, 1, None, 96) == 1
    assert session.past == 0


def test_metadata_functions_and_stages(model):
    opened = Model(model)
    assert opened.metadata == '{"a":1}'
    assert {f.name for f in opened.functions} == {"prefill", "decode"}
    assert all(s.precision in ("INT8", "INT4", "INT3", "INT2", "FP16") for s in opened.stages)
    info = opened.info
    assert (info.vocabulary, info.context, info.max_prefill) == (96, CONTEXT, CHUNK)
    assert info.file_bytes == model.stat().st_size


def test_a_limit_of_memory_holds(model):
    opened = Model(model)
    caches = opened.info.key_bytes + opened.info.value_bytes
    with pytest.raises(ResourceError, match="the limit of the session"):
        Model(model, session_bytes_max=caches - 1).session()
    session = Model(model, session_bytes_max=caches + 64).session()
    with pytest.raises(ResourceError, match="an arena of"):
        session.run(tokens(8))
    assert session.past == 0


def test_stops_and_counts_of_generation_are_checked(model):
    session = Model(model).session()
    lib, made, out = library(), ctypes.c_int64(7), (ctypes.c_int64 * 4)()
    prompt = np.array([1, 2], np.int64)
    live, place = session._live, prompt.ctypes.data
    for most, stops, count, room in ((-1, None, 0, out), (1, None, 1, out), (1, None, 0, None)):
        status = lib.oc_session_generate(
            live, place, 2, most, stops, count, room, ctypes.byref(made)
        )
        assert (status, made.value) == (Status.BAD_ARGUMENT, 0)
    assert lib.oc_session_generate(live, place, 2, 1, None, 0, out, None) == Status.BAD_ARGUMENT
    assert lib.oc_session_top(live, 1, out, None) == Status.BAD_CALL
    assert lib.oc_session_top(live, 0, out, None) == Status.BAD_ARGUMENT
    assert lib.oc_session_top(live, 65, out, None) == Status.BAD_ARGUMENT


def test_generation_and_the_likeliest_tokens(model):
    session = Model(model).session()
    made = session.generate(tokens(4), 6)
    session.reset()
    last, steps = session.prefill(tokens(4)), []
    for _ in range(6):
        steps.append(int(last.argmax()))
        last = session.decode(steps[-1])
    assert made == steps
    session.reset()
    assert session.generate(tokens(4), 6, [made[2]]) == made[: made.index(made[2]) + 1]
    session.reset()
    logits = session.prefill(tokens(4))
    session.reset()
    session.run(tokens(4), Logits.KEEP)
    found, values = session.top(7)
    np.testing.assert_array_equal(found, np.argsort(-logits, kind="stable")[:7])
    np.testing.assert_array_equal(values, logits[found])
