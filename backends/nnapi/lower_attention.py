"""Rotation and attention. Caches come as inputs and are only read; new rows leave as outputs.

Scores against the cache and against the call's own tokens are two products, joined for the softmax, so that no
step copies the cache. The keys' cache is turned, (1, heads, width, context), and multiplied as it lies.
"""

from itertools import pairwise

import numpy as np

from optimum_compile.backends.nnapi.lower import FLOAT, INT, Lowering
from optimum_compile.backends.nnapi.names import PAST, POSITIONS
from optimum_compile.backends.nnapi.plan import CacheUse
from optimum_compile.compiler.errors import UnsupportedError
from optimum_compile.compiler.ir.graph import Node, Value

HIDDEN = -1e4  # added to scores of what is not seen; twice that is still a number of 16 bits


def rope(low: Lowering, node: Node) -> None:
    """Each x * cos + (second half, first half) * (-sin, sin), angles from a table by position."""
    x = low.row(node.input(0))
    cos, sin = (_angles(low, node, name) for name in ("cos", "sin"))
    a, b = low.ops("Split", x, outputs=2, axis=3)
    turned = low.op("Mul", low.op("Concat", b, a, axis=3), sin)
    low.rows[node.output] = low.op("Add", low.op("Mul", x, cos), turned)


def _angles(low: Lowering, node: Node, function: str) -> str:
    frequencies, scale = node.input(2), float(str(node.attrs["scale"]))
    if frequencies.weight is None:
        raise UnsupportedError(f"nnapi: {node.origin}: frequencies must be constants")
    name = f"{frequencies.name}/{function}" + ("" if scale == 1 else f"/{scale!r}")

    def build() -> str:
        turns = frequencies.weight.load_f32().astype(np.float64)  # type: ignore[union-attr]
        angle = np.arange(low.context)[:, None] * turns
        half = (np.cos(angle) if function == "cos" else np.sin(angle)) * scale
        both = [half if function == "cos" else -half, half]
        table = low.constant(name, np.concatenate(both, 1), FLOAT)
        return low.op("Gather", table, low.input(POSITIONS, (low.tokens,), INT), axis=0)

    return low.shared(("angles", name), "positions", build)


def cache_attention(low: Lowering, node: Node, use: CacheUse) -> None:
    """Query heads of one KV head are rows of one product, so that nothing is repeated."""
    _, heads, tokens, width = node.input(0).type.static_shape()
    _, kv, context, _ = use.keys.read.type.static_shape()
    groups = heads // kv
    scale = low.number(float(str(node.attrs["scale"])))
    q = low.reshape(low.op("Mul", low.row(node.input(0)), scale), (1, kv, groups * tokens, width))
    keys = low.input(use.keys.name, (1, kv, width, context))
    values = low.input(use.values.name, (1, kv, context, width))
    new_keys = _new(low, use.key_write.input(1), turned=True)
    new_values = _new(low, use.value_write.input(1), turned=False)
    window = int(str(node.attrs["window"]))
    masks = (_past_mask(low, groups, context, window), _own_mask(low, groups, window))
    scores = [
        low.op("Add", low.op("MatMul", q, k), mask)
        for k, mask in zip((keys, new_keys), masks, strict=True)
    ]
    weights = low.op("Softmax", low.op("Concat", *scores, axis=3), axis=-1)
    ends = (0, context, context + tokens)
    parts = [
        low.op("Slice", weights, low.longs(a), low.longs(b), low.longs(3))
        for a, b in pairwise(ends)
    ]
    seen = [low.op("MatMul", p, v) for p, v in zip(parts, (values, new_values), strict=True)]
    low.rows[node.output] = low.reshape(low.op("Add", *seen), (1, heads, tokens, width))


def _new(low: Lowering, value: Value, *, turned: bool) -> str:
    """New rows of a cache, as the cache lies."""
    key = ("turned", value)
    if not turned:
        return low.row(value)
    if key not in low.memo:
        low.memo[key] = low.op("Transpose", low.row(value), perm=[0, 1, 3, 2])
    return low.memo[key]


def _past_mask(low: Lowering, groups: int, context: int, window: int) -> str:
    """What of the cache each query does not see: (1, 1, 1 or groups * tokens, context).

    Row j is hidden where j >= past; with a window also where j <= position - window.
    """

    def build() -> str:
        past = low.input(PAST, (1,))
        place = np.arange(context, dtype=np.float32).reshape(1, 1, 1, -1)
        after = low.op("Sub", low.constant(f"place/{context}", place + 1, FLOAT), past)
        hidden = _step(low, after)
        if window > 0:
            row = np.tile(np.arange(low.tokens, dtype=np.float32), groups).reshape(1, 1, -1, 1)
            edge = low.constant(f"edge/{groups}/{window}", row - window + 1, FLOAT)
            behind = low.op("Sub", low.op("Add", edge, past), f"place/{context}/zero")
            low.constant(f"place/{context}/zero", place, FLOAT)
            hidden = low.op("Max", hidden, _step(low, behind))
        return low.op("Mul", hidden, low.number(HIDDEN))

    rows = groups if window > 0 else 0
    return low.shared(("past mask", rows, context, window), "mask", build)


def _step(low: Lowering, name: str) -> str:
    """1 where a whole number is above zero, 0 elsewhere."""
    return low.op("Max", low.op("Min", name, low.number(1.0)), low.number(0.0))


def _own_mask(low: Lowering, groups: int, window: int) -> str:
    """The same for the tokens of the call, a constant: (1, 1, groups * tokens, tokens)."""
    row = np.tile(np.arange(low.tokens), groups)[:, None]
    column = np.arange(low.tokens)[None]
    hidden = column > row
    if window > 0:
        hidden |= column <= row - window
    mask = np.where(hidden, HIDDEN, 0.0)[None, None]
    return low.constant(f"mask/own/{groups}/{window}", mask, FLOAT)
