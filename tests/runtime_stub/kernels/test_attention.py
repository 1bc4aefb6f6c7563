"""Attention of the GPU over fp16 rows, whole and in parts, and the write of those rows."""

import numpy as np
import pytest
from support import gpu
from support.gpu_attention import HEAD_AXES, Shape, attend
from support.gpu_views import ceil_div, numbers_of, view


def expected(
    q: np.ndarray, keys: np.ndarray, values: np.ndarray, past: int, window: int
) -> np.ndarray:
    """The definition in float64: q (seq, q_heads, width), keys and values (tokens, heads, width)."""
    share = q.shape[1] // keys.shape[1]
    out = np.zeros((*q.shape[:2], values.shape[-1]))
    for t in range(q.shape[0]):
        end = past + t + 1
        seen = slice(max(0, end - window) if window else 0, end)
        for head in range(q.shape[1]):
            k, v = (x[seen, head // share].astype(np.float64) for x in (keys, values))
            scores = k @ q[t, head].astype(np.float64) * q.shape[-1] ** -0.5
            weights = np.exp(scores - scores.max())
            out[t, head] = weights / weights.sum() @ v
    return out


SHAPES = [
    (Shape(1, 1, 1, 0, 2, 2), (0, 0)),
    (Shape(2, 1, 1, 1, 8, 8, local=32), (1, 1)),
    (Shape(2, 2, 1, 63, 64, 64, heads=2), (1, 1)),
    (Shape(1, 3, 1, 64, 40, 40, heads=3, parts=3), (0, 1)),
    (Shape(2, 8, 1, 500, 128, 128, heads=8, local=128, parts=16), (1, 1)),
    (Shape(1, 5, 1, 65, 16, 16, heads=4, local=256), (1, 0)),  # chunks that are not full
    (Shape(1, 1, 1, 70, 256, 256, local=32, parts=2), (1, 1)),  # eight items a thread
    (Shape(2, 2, 7, 0, 64, 64, queries=2, heads=2), (1, 1)),
    (Shape(2, 4, 33, 5, 32, 32, queries=4, heads=4, local=128), (1, 1)),
    (Shape(1, 1, 37, 65, 128, 128, queries=8, local=256), (0, 1)),
    (Shape(1, 4, 9, 63, 24, 24, queries=3, heads=4), (1, 1)),
    (Shape(2, 2, 17, 30, 64, 64, window=10, queries=8, heads=2), (1, 1)),
    (Shape(1, 2, 1, 500, 64, 64, window=65, heads=2, parts=8), (1, 1)),
    (Shape(1, 2, 3, 0, 64, 64, window=1, queries=2, heads=2, parts=8), (1, 1)),
    (Shape(1, 2, 5, 20, 48, 16, queries=4, heads=2), (1, 1)),  # narrower values
    (Shape(1, 2, 5, 20, 16, 48, queries=4, heads=2), (1, 1)),
]


@pytest.mark.parametrize(("shape", "halves"), SHAPES)
@pytest.mark.parametrize("split", [False, True])
def test_attention(shape: Shape, halves: tuple[int, int], split: bool) -> None:
    total = shape.past + shape.seq
    q_numbers = 3 * numbers_of(1, shape.seq, shape.q_heads, shape.key_width)
    order = (1, 0, 2) if shape.seq > 1 else (0, 1, 2)
    q = view(q_numbers.shape, bool(halves[0]), at=4, order=order, pad=2, numbers=q_numbers)
    y = view((shape.seq, shape.q_heads, shape.value_width), bool(halves[1]), at=2, pad=2)
    keys = numbers_of(2, total, shape.kv_heads, shape.key_width).astype(np.float16)
    values = numbers_of(3, total, shape.kv_heads, shape.value_width).astype(np.float16)
    # What lies behind the last token is not read.
    buffers = {
        "k_cache": np.append(keys, np.full(64, np.nan, np.float16)),
        "v_cache": np.append(values, np.full(64, np.nan, np.float16)),
    }
    found = attend("attention", shape, {}, {}, buffers, q, y, split)
    wanted = expected(q.numbers, keys, values, shape.past, shape.window)
    y.check(found, wanted, 2e-6)


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize(
    ("heads", "tokens", "width", "past", "local"),
    [(1, 1, 2, 0, 64), (3, 5, 6, 7, 32), (2, 3, 64, 65, 64)],
)
def test_rows_are_rounded_into_the_cache(
    half: bool, heads: int, tokens: int, width: int, past: int, local: int
) -> None:
    numbers = numbers_of(1, tokens, heads, width)
    numbers[0, 0, :2] = 2e-7, np.inf if half else 70000.0  # a subnormal and an infinite number
    x = view(numbers.shape, half, at=2, order=(1, 0, 2), pad=2, numbers=numbers)
    cache = np.full((past + tokens + 1, heads, width), 77, np.float16)
    found = gpu.run_kernel(
        "kv_write",
        {"local_size_x": local, "X_HALF": x.half},
        {"heads": heads, "width": width, "past": past} | x.params("x", *HEAD_AXES),
        {"x": x.flat, "cache": cache},
        (ceil_div(heads * width // 2, local), tokens),
    )["cache"]
    with np.errstate(over="ignore"):
        cache[past : past + tokens] = numbers.astype(np.float16)
    np.testing.assert_array_equal(found, cache)
