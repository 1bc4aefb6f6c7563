"""The KV cache kernels: bytes as the layout says, and what each query of the oracle reads."""

import ctypes

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.kv_kernels import (
    BAD_POSITION,
    OK,
    Cache,
    L,
    P,
    expected,
    load_kernels,
    rows_of,
    sample,
    spec_of,
)

from optimum_compile.compiler.quant.kv import KvRole, KvScheme, KvStored, round_keys, round_values
from optimum_compile.compiler.quant.kv_layout import kv_buffer_bytes, kv_layout, kv_scratch_bytes
from optimum_compile.compiler.quant.scheme import Float


@pytest.fixture(scope="module")
def kernels() -> ctypes.CDLL:
    return load_kernels()


SCHEMES = st.one_of(
    st.just(Float(16)),
    st.builds(
        KvScheme,
        st.sampled_from((8, 4, 2)),
        st.sampled_from((8, 16, 24)),
        st.integers(0, 20),
        st.integers(0, 6),
    ),
)


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(SCHEMES, SCHEMES),
    st.tuples(st.integers(1, 3), st.integers(1, 2), st.sampled_from((1, 3, 6, 8, 20))),
    st.sets(st.integers(1, 69), max_size=4),
    st.sampled_from((0, 0, 1, 17)),
    st.integers(0, 2**32 - 1),
)
def test_a_prompt_cut_anywhere_is_the_definition(
    kernels: ctypes.CDLL,
    schemes: tuple[KvStored, KvStored],
    sizes: tuple[int, int, int],
    cuts: set[int],
    window: int,
    seed: int,
) -> None:
    heads, share, width = sizes
    q, k, v = sample(heads, share, 70, width, seed)
    cache = Cache(kernels, schemes, heads, 70, width)
    ends, parts = [*sorted(cuts), 70], []
    for start, stop in zip([0, *ends[:-1]], ends, strict=True):
        part = slice(start, stop)
        parts.append(cache.step(q[:, part], k[:, part], v[:, part], start, window))
    found = np.concatenate(parts, 1)
    np.testing.assert_allclose(found, expected(schemes, q, k, v, window), rtol=3e-5, atol=1e-5)


def test_single_steps_and_one_prompt_write_the_same_bytes(kernels: ctypes.CDLL) -> None:
    schemes = (KvScheme(4, 8, 5, 3), KvScheme(2, 16, 0, 0))
    q, k, v = sample(2, 2, 90, 20, 1)
    whole, steps = (Cache(kernels, schemes, 2, 100, 20) for _ in range(2))
    one = whole.step(q, k, v, 0)
    parts = []
    for at in range(90):
        token = slice(at, at + 1)
        parts.append(steps.step(q[:, token], k[:, token], v[:, token], at))
    np.testing.assert_allclose(np.concatenate(parts, 1), one, rtol=1e-5, atol=1e-6)
    for a, b in zip(whole.arrays, steps.arrays, strict=True):
        assert np.array_equal(a, b)
    # Starting again at position 0 needs nothing cleared.
    np.testing.assert_array_equal(whole.step(q, k, v, 0), one)


def codes_of(region: np.ndarray, bits: int, count: int) -> np.ndarray:
    bytes_ = region[: count * bits // 8]
    each = [bytes_ >> (bits * i) & ((1 << bits) - 1) for i in range(8 // bits)]
    return np.stack(each, -1).reshape(-1)


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_codes_lie_where_the_layout_says_and_are_those_of_the_oracle(
    kernels: ctypes.CDLL, bits: int
) -> None:
    """Bit for bit: the numbers that codes stand for are those of `round_keys` and `round_values`."""
    scheme, heads, width, context = KvScheme(bits, 8, 5, 3), 2, 12, 64
    q, k, v = sample(heads, 1, context, width, 5)
    cache = Cache(kernels, (scheme, scheme), heads, context, width)
    cache.step(q, k, v, 0)
    for role, x, region in zip(KvRole, (k, v), cache.arrays, strict=True):
        at = kv_layout(scheme, role, heads, context, width)
        assert at.runs == 7
        shape = (at.runs, heads, 8, width)
        codes = codes_of(region, bits, int(np.prod(shape))).reshape(shape).astype(np.float32)
        halves = region[: at.bytes].view(np.float16).astype(np.float32)
        scales, lows = halves[at.scales // 2 : at.lows // 2], halves[at.lows // 2 : at.rows // 2]
        exact = x.astype(np.float16).astype(np.float32)
        rounded = exact[:, 3 : 3 + 56]
        if role is KvRole.KEYS:
            wanted = round_keys(rounded, scheme)
            groups = (at.runs, heads, 1, width)
            found = codes * scales.reshape(groups) + lows.reshape(groups)
        else:
            wanted = round_values(rounded, scheme)
            groups = (at.runs, heads, 8, 2)
            wide = [np.repeat(g.reshape(groups), 8, -1)[..., :width] for g in (scales, lows)]
            found = codes * wide[0] + wide[1]
        again = found.transpose(1, 0, 2, 3).reshape(heads, 56, width)
        assert np.array_equal(again, wanted)
        rows = halves[at.rows // 2 : at.bytes // 2].reshape(-1, heads, width)
        assert np.array_equal(rows[:3], exact[:, :3].transpose(1, 0, 2))
        for token in range(59, 64):
            slot = 3 + (token - 3) % at.ring
            assert np.array_equal(rows[slot], exact[:, token])


@settings(max_examples=200, deadline=None)
@given(
    SCHEMES,
    st.sampled_from(list(KvRole)),
    st.integers(1, 3),
    st.integers(1, 300),
    st.integers(1, 70),
)
def test_sizes_agree_and_follow_from_what_is_stored(
    kernels: ctypes.CDLL, scheme: KvStored, role: KvRole, heads: int, context: int, width: int
) -> None:
    spec = spec_of(scheme, role, heads, context, width)
    size = kv_buffer_bytes(scheme, role, heads, context, width)
    assert kernels.oc_kv_bytes(ctypes.byref(spec)) == size
    if isinstance(scheme, Float):
        assert size == 2 * heads * context * width
        return
    more = size - scheme.stored_bytes(role, heads, context, width)
    assert more % (2 * heads * width) == 0
    assert 0 <= more // (2 * heads * width) <= scheme.group
    for tokens in (0, context // 2, context):
        found = kernels.oc_kv_rounded(ctypes.byref(spec), L(tokens))
        assert found == scheme.rounded_tokens(tokens)


def test_two_bits_are_four_times_smaller_not_eight() -> None:
    sizes = [
        sum(kv_buffer_bytes(s, role, 8, 4096, 128) for role in KvRole)
        for s in (Float(16), KvScheme(8), KvScheme(4), KvScheme(2))
    ]
    assert [round(sizes[0] / s, 2) for s in sizes] == [1.0, 1.75, 3.08, 4.97]
    short = [
        sum(kv_buffer_bytes(s, role, 8, 512, 128) for role in KvRole)
        for s in (Float(16), KvScheme(2))
    ]
    assert 3.0 < short[0] / short[1] < 3.6


def test_attention_alone_reads_what_was_written(kernels: ctypes.CDLL) -> None:
    schemes = (KvScheme(4, 8, 5, 3), Float(16))
    q, k, v = sample(2, 3, 40, 8, 2)
    apart, together = (Cache(kernels, schemes, 2, 44, 8) for _ in range(2))
    whole = together.step(q, k, v, 0)
    keys, values = (ctypes.byref(m) for m in apart.memories)
    for memory, x in ((keys, k), (values, v)):
        assert kernels.oc_kv_write(memory, ctypes.byref(rows_of(x)), L(0), L(40)) == OK

    def attend(past: int, seq: int) -> tuple[int, np.ndarray]:
        out = np.zeros((6, seq, 8), np.float32)
        part = np.ascontiguousarray(q[:, past : past + seq])
        query = apart.query(part, out)
        return kernels.oc_kv_attention(keys, values, ctypes.byref(query), L(past), L(seq)), out

    # Runs of 8 end at 8 n + 8 tokens: 3 sinks, a window of 5. The query at 39 is the first of its span.
    status, out = attend(39, 1)
    assert status == OK
    np.testing.assert_allclose(out[:, 0], whole[:, 39], rtol=1e-6)
    assert attend(38, 2)[0] == BAD_POSITION


def test_halves_are_numpys(kernels: ctypes.CDLL) -> None:
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2**32, 200_000, dtype=np.uint32)
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16).astype(np.float32)
    x = np.concatenate(
        [bits.view(np.float32), rng.standard_normal(10_000).astype(np.float32), halves]
    )
    x = x[~np.isnan(x)]
    out = np.zeros(x.size, np.uint16)
    kernels.oc_to_half(P(x.ctypes.data), L(x.size), P(out.ctypes.data))
    with np.errstate(over="ignore"):
        assert np.array_equal(out, x.astype(np.float16).view(np.uint16))


@pytest.mark.parametrize(
    ("key_width", "value_width", "heads", "shared"), [(8, 8, 2, 1), (64, 48, 2, 4)]
)
def test_the_plan_reserves_what_attention_works_in(
    key_width: int, value_width: int, heads: int, shared: int, kernels: ctypes.CDLL
) -> None:
    keys = spec_of(KvScheme(4), KvRole.KEYS, heads, 96, key_width)
    values = spec_of(Float(16), KvRole.VALUES, heads, 96, value_width)
    floats = kernels.oc_kv_scratch_floats(
        ctypes.byref(keys), ctypes.byref(values), L(heads * shared)
    )
    assert 4 * floats == kv_scratch_bytes(key_width, value_width, shared)
