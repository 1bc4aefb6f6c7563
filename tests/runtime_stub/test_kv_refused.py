"""Sizes that the KV cache kernels refuse, and no byte that they touch outside of what they were given."""

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from support.kv_kernels import (
    BAD_ALIGNMENT,
    BAD_BITS,
    BAD_GROUP,
    BAD_PARTS,
    BAD_POSITION,
    BAD_SHAPE,
    OK,
    TOO_SHORT,
    Cache,
    L,
    load_kernels,
    rows_of,
    sample,
)

from optimum_compile.compiler.quant.kv import KvScheme
from optimum_compile.runtime_stub.build import PORTABLE

ROOT = Path(__file__).parents[2] / "runtime_stub"


@pytest.fixture(scope="module")
def kernels() -> ctypes.CDLL:
    return load_kernels()


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


@pytest.mark.slow
def test_no_byte_outside_is_touched(tmp_path: Path) -> None:
    """Prompts and steps of many shapes under the address and undefined-behaviour sanitizers."""
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("no g++")
    source = tmp_path / "main.cpp"
    source.write_text(_SANITIZED)
    flags = ["-std=c++17", "-O1", "-g", "-pthread"]
    flags += ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    sources = [str(ROOT / source) for source in PORTABLE]
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
