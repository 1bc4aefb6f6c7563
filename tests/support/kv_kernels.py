"""The KV cache kernels through ctypes, one layer's caches in memory, and what they should answer."""

import ctypes
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from optimum_compile.compiler.quant.kv import (
    KvRole,
    KvScheme,
    KvStored,
    round_keys,
    round_values,
)
from optimum_compile.compiler.quant.kv_layout import kv_buffer_bytes
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.runtime_stub.build import kernel_library

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


def load_kernels() -> ctypes.CDLL:
    """The library, with the types of what it returns."""
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
