"""The KV cache kernels: bytes as the layout says, and what each query of the oracle reads."""

import ctypes
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimum_compile.compiler.quant.kv import (
    KvRole,
    KvScheme,
    KvStored,
    round_keys,
    round_values,
)
from optimum_compile.compiler.quant.kv_layout import kv_buffer_bytes, kv_layout, kv_scratch_bytes
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.runtime_stub.build import kernel_library

ROOT = Path(__file__).parents[2] / "runtime_stub"
OK, BAD_BITS, BAD_SHAPE, TOO_SHORT, BAD_GROUP, _, BAD_PARTS, _, BAD_POSITION, BAD_ALIGNMENT = range(
    10
)
P, N, I32, L, F = (
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_int32,
    ctypes.c_int64,
    ctypes.c_float,
)


class Spec(ctypes.Structure):
    """`KvSpec` of kv_cache.h."""

    _fields_: ClassVar[Any] = [
        *(("bits", I32), ("role", I32), ("heads", L), ("context", L), ("width", L)),
        *(("group", L), ("window", L), ("sinks", L)),
    ]


class Rows(ctypes.Structure):
    """`KvRows` and `KvOut`."""

    _fields_: ClassVar[Any] = [("data", P), ("token_stride", L), ("head_stride", L)]


class Memory(ctypes.Structure):
    """`KvCache`."""

    _fields_: ClassVar[Any] = [("spec", Spec), ("data", P), ("bytes", N)]


class Query(ctypes.Structure):
    """`KvQuery`."""

    _fields_: ClassVar[Any] = [
        *(("q", Rows), ("q_heads", L), ("scale", F), ("window", L), ("out", Rows)),
        *(("scratch", P), ("scratch_floats", N)),
    ]


@pytest.fixture(scope="module")
def kernels() -> ctypes.CDLL:
    library = ctypes.CDLL(str(kernel_library()))
    library.oc_kv_bytes.restype = library.oc_kv_rounded.restype = L
    library.oc_kv_scratch_floats.restype = L
    return library


def spec_of(scheme: KvStored, role: KvRole, heads: int, context: int, width: int) -> Spec:
    number = 0 if role is KvRole.KEYS else 1
    if isinstance(scheme, Float):
        return Spec(16, number, heads, context, width, 0, 0, 0)
    rest = (scheme.group, scheme.window, scheme.sinks)
    return Spec(scheme.bits, number, heads, context, width, *rest)


def rows_of(x: np.ndarray) -> Rows:
    """Rows of (heads, seq, width)."""
    return Rows(x.ctypes.data, x.strides[1] // 4, x.strides[0] // 4)


@dataclass
class Cache:
    """Keys and values of one layer in memory that is filled with rubbish at first."""

    kernels: ctypes.CDLL
    schemes: tuple[KvStored, KvStored]
    heads: int
    context: int
    width: int
    memories: list[Memory] = field(default_factory=list)
    arrays: list[np.ndarray] = field(default_factory=list)

    def __post_init__(self) -> None:
        for role, scheme in zip(KvRole, self.schemes, strict=True):
            size = kv_buffer_bytes(scheme, role, self.heads, self.context, self.width)
            self.arrays.append(np.full(size + 2, 0xA5, np.uint8))
            spec = spec_of(scheme, role, self.heads, self.context, self.width)
            self.memories.append(Memory(spec, self.arrays[-1].ctypes.data, size))

    def query(self, q: np.ndarray, out: np.ndarray, window: int = 0) -> Query:
        scale = self.width**-0.5
        return Query(rows_of(q), q.shape[0], scale, window, rows_of(out), None, 0)

    def step(
        self, q: np.ndarray, k: np.ndarray, v: np.ndarray, past: int, window: int = 0
    ) -> np.ndarray:
        out = np.full((q.shape[0], q.shape[1], self.width), np.nan, np.float32)
        keys, values = (ctypes.byref(m) for m in self.memories)
        query = self.query(q, out, window)
        status = self.kernels.oc_kv_step(
            keys, ctypes.byref(rows_of(k)), values, ctypes.byref(rows_of(v)), ctypes.byref(query),
            L(past), L(q.shape[1]),
        )  # fmt: skip
        assert status == OK
        assert all((a[-2:] == 0xA5).all() for a in self.arrays)
        return out


def expected(
    schemes: tuple[KvStored, KvStored], q: np.ndarray, k: np.ndarray, v: np.ndarray, window: int
) -> np.ndarray:
    """The definition, query by query, in float64."""
    seen = []
    for x, scheme, rounding in zip((k, v), schemes, (round_keys, round_values), strict=True):
        exact = x.astype(np.float16).astype(np.float32)
        seen.append((exact, scheme, rounding))
    share, out = q.shape[0] // k.shape[0], np.zeros(q.shape)
    for at in range(q.shape[1]):
        read = []
        for exact, scheme, rounding in seen:
            now = exact[:, : at + 1].copy()
            if isinstance(scheme, KvScheme):
                count, first = scheme.rounded_tokens(at + 1), scheme.sinks
                now[:, first : first + count] = rounding(now[:, first : first + count], scheme)
            read.append(now.astype(np.float64)[:, max(0, at + 1 - window) if window else 0 :])
        for head in range(q.shape[0]):
            scores = read[0][head // share] @ q[head, at] * q.shape[-1] ** -0.5
            weights = np.exp(scores - scores.max())
            out[head, at] = weights / weights.sum() @ read[1][head // share]
    return out


def sample(heads: int, share: int, seq: int, width: int, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    k = rng.standard_normal((heads, seq, width)) * np.exp(rng.standard_normal((heads, 1, width)))
    sides = [rng.standard_normal((heads * share, seq, width)), k, rng.standard_normal(k.shape)]
    return [np.ascontiguousarray(x, np.float32) for x in sides]


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
    np.testing.assert_allclose(found, expected(schemes, q, k, v, window), rtol=3e-5, atol=3e-6)


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


def statuses(kernels: ctypes.CDLL, change: dict[str, object]) -> int:
    """Of a step in which one number is wrong."""
    scheme = KvScheme(4, 8, 5, 3)
    cache = Cache(kernels, (scheme, scheme), 2, 40, 8)
    q, k, v = sample(2, 2, 4, 8, 0)
    out = np.zeros_like(q)
    query, past, seq = cache.query(q, out), 0, 4
    for key, value in change.items():
        if key == "past":
            past = value  # type: ignore[assignment]
        elif key == "seq":
            seq = value  # type: ignore[assignment]
        elif key in ("q_heads", "window", "scratch_floats"):
            setattr(query, key, value)
        elif key in ("data", "bytes"):
            old = getattr(cache.memories[0], key)
            setattr(cache.memories[0], key, value(old) if callable(value) else value)
        else:
            setattr(cache.memories[1].spec, key, value)
    if "scratch_floats" in change:
        query.scratch = q.ctypes.data
    found: int = kernels.oc_kv_step(
        ctypes.byref(cache.memories[0]), ctypes.byref(rows_of(k)), ctypes.byref(cache.memories[1]),
        ctypes.byref(rows_of(v)), ctypes.byref(query), L(past), L(seq),
    )  # fmt: skip
    return found


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, OK),
        ({"bits": 3}, BAD_BITS),
        ({"bits": 0}, BAD_BITS),
        ({"role": 0}, BAD_PARTS),
        ({"role": 7}, BAD_PARTS),
        ({"heads": 0}, BAD_SHAPE),
        ({"heads": 1 << 40}, BAD_SHAPE),
        ({"heads": 1}, BAD_SHAPE),  # not as many as the keys have
        ({"context": 400}, TOO_SHORT),
        ({"context": 41}, BAD_SHAPE),
        ({"context": -1}, BAD_SHAPE),
        ({"context": 39}, BAD_SHAPE),  # not that of the keys
        ({"width": 9}, TOO_SHORT),
        ({"group": 0}, BAD_GROUP),
        ({"group": 12}, BAD_GROUP),
        ({"window": -1}, BAD_PARTS),
        ({"sinks": -1}, BAD_GROUP),
        ({"sinks": 1 << 60}, BAD_GROUP),
        ({"q_heads": 3}, BAD_SHAPE),
        ({"q_heads": 0}, BAD_SHAPE),
        ({"past": -1}, BAD_POSITION),
        ({"past": 37}, BAD_POSITION),
        ({"past": 1 << 62}, BAD_POSITION),
        ({"seq": -1}, BAD_POSITION),
        ({"seq": 1 << 62}, BAD_POSITION),
        ({"seq": 0}, OK),
        ({"data": None}, TOO_SHORT),
        ({"data": lambda old: old + 1}, BAD_ALIGNMENT),
        ({"bytes": lambda old: old - 1}, TOO_SHORT),
        ({"scratch_floats": 10}, TOO_SHORT),
    ],
)
def test_wrong_sizes_are_told(kernels: ctypes.CDLL, change: dict[str, object], status: int) -> None:
    assert statuses(kernels, change) == status


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


def test_no_byte_outside_is_touched(tmp_path: Path) -> None:
    """Prompts and steps of many shapes under the address and undefined-behaviour sanitizers."""
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("no g++")
    source = tmp_path / "main.cpp"
    source.write_text(_SANITIZED)
    flags = ["-std=c++17", "-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    sources = [str(ROOT / s) for s in ("src/kv_cache.cpp", "src/kv_store.cpp", "src/rows.cpp")]
    binary = tmp_path / "main"
    subprocess.run(
        [compiler, *flags, f"-I{ROOT / 'include'}", str(source), *sources, "-o", str(binary)],
        check=True, timeout=300,
    )  # fmt: skip
    done = subprocess.run([str(binary)], capture_output=True, text=True, timeout=300, check=False)
    if "LeakSanitizer has encountered a fatal error" in done.stderr:
        pytest.skip("no leak detection here")
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == "ok"


_SANITIZED = """
#include <cstdio>
#include <cmath>
#include <vector>
#include "optimum_compile/kv_cache.h"
using namespace optimum_compile;
int main() {
  unsigned seed = 1;
  auto next = [&](int64_t n) { seed = seed * 1664525u + 1013904223u; return int64_t(seed >> 8) % n; };
  const int bits[] = {16, 8, 4, 2};
  for (int round = 0; round < 300; ++round) {
    const int64_t heads = 1 + next(3), share = 1 + next(3), context = 1 + next(90), width = 1 + next(40);
    KvCache caches[2];
    std::vector<uint8_t> memory[2];
    for (int side = 0; side < 2; ++side) {
      KvSpec& s = caches[side].spec;
      s = {bits[next(4)], side ? KvRole::values : KvRole::keys, heads, context, width,
           8 * (1 + next(3)), next(20), next(6)};
      memory[side].resize(kv_bytes(s));
      caches[side].data = memory[side].data();
      caches[side].bytes = memory[side].size();
    }
    std::vector<float> scratch(kv_scratch_floats(caches[0].spec, caches[1].spec, heads * share));
    for (int64_t past = 0; past < context;) {
      const int64_t seq = next(2) ? 1 : 1 + next(context - past), row = heads * width;
      std::vector<float> k(seq * row), v(k), q(k.size() * share), out(q);
      for (auto* x : {&k, &v, &q}) for (auto& one : *x) one = (next(4000) - 2000) * 1e-3f;
      if (next(20) == 0) k[next(k.size())] = 1e30f, v[next(v.size())] = NAN;
      KvQuery query;
      query.q = {q.data(), row * share, width};
      query.q_heads = heads * share;
      query.scale = 0.1f;
      query.window = next(3) ? 0 : 1 + next(30);
      query.out = {out.data(), row * share, width};
      if (next(2)) query.scratch = scratch.data(), query.scratch_floats = scratch.size();
      const Status done = kv_step(caches[0], {k.data(), row, width}, caches[1],
                                  {v.data(), row, width}, query, past, seq);
      if (done != Status::ok) return std::printf("status %d", int(done)), 1;
      past += seq;
    }
  }
  std::puts("ok");
}
"""


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
