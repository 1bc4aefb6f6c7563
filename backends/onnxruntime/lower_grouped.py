"""Attention over a cache that GroupQueryAttention holds, see `caches`."""

from typing import Any

import numpy as np
from onnx import TensorProto

from optimum_compile.backends.onnxruntime.caches import Grouped
from optimum_compile.backends.onnxruntime.lower import INT, Lowering
from optimum_compile.compiler.ir.graph import Node, Value
from optimum_compile.compiler.ir.shape import Dim
from optimum_compile.compiler.quant.kv_static import KvStatic


def grouped_attention(low: Lowering, node: Node, caches: Grouped) -> str:
    """One operator for the writes and the attention; states leave under their own names."""
    query, new = node.input(0), caches.key_write.input(1)
    heads, kv, width = (
        int(v) for v in (query.type.shape[1], new.type.shape[1], query.type.shape[3])
    )
    given = [
        _rows(low, low.var(query)),
        _rows(low, _without_offset(low, caches.key_write.input(1), caches.key_scheme)),
        _rows(low, _without_offset(low, caches.value_write.input(1), caches.value_scheme)),
        low.var(caches.keys.read),
        low.var(caches.values.read),
        *_lengths(low, node.input(3), query.type.shape[2]),
    ]
    attrs: dict[str, Any] = {"scale": float(str(node.attrs["scale"]))}
    window = int(str(node.attrs["window"]))
    if window > 0:
        attrs["local_window_size"] = window
    k, v = caches.key_scheme, caches.value_scheme
    offset = None
    if k is not None and v is not None:
        given += ["", "", "", "", ""]  # rotation, positions, bias, sinks
        given += [low.numbers(s.numbers(kv, width)[0][None]) for s in (k, v)]
        attrs |= {"k_quant_type": "PER_CHANNEL", "v_quant_type": "PER_CHANNEL"}
        attrs["kv_cache_bit_width"] = k.bits
        offset = np.repeat(v.numbers(kv, width)[1][:, 0], heads // kv, 0).reshape(-1)
    out = low.op_with_states(
        "GroupQueryAttention",
        *given,
        states=(caches.keys.written, caches.values.written),
        domain="com.microsoft",
        num_heads=heads,
        kv_num_heads=kv,
        **attrs,
    )
    if offset is not None:
        out = low.op("Add", out, low.numbers(offset))
    out = low.op("Reshape", out, low.ints(0, 0, heads, width))
    return low.op("Transpose", out, perm=[0, 2, 1, 3])


def _rows(low: Lowering, name: str) -> str:
    """(batch, heads, seq, width) as (batch, seq, heads * width)."""
    return low.op("Reshape", low.op("Transpose", name, perm=[0, 2, 1, 3]), low.ints(0, 0, -1))


def _without_offset(low: Lowering, new: Value, scheme: KvStatic | None) -> str:
    if scheme is None:
        return low.var(new)
    _, offsets = scheme.numbers(int(new.type.shape[1]), int(new.type.shape[3]))
    return low.op("Sub", low.var(new), low.numbers(offsets[None]))


def _lengths(low: Lowering, past: Value, seq: Dim) -> tuple[str, str]:
    """The last position, and the number of tokens after this call: int32 (1,), made once."""
    key = ("lengths", past, str(seq))
    if key not in low.memo:
        total = low.op("Add", low.var(past), low.size(seq))
        last = low.op("Sub", total, low.ints(1))
        low.memo[key] = low.op("Cast", last, to=TensorProto.INT32)
        low.memo[(*key, INT)] = low.op("Cast", total, to=TensorProto.INT32)
    return low.memo[key], low.memo[(*key, INT)]
