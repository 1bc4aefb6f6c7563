"""Norms and rotary embedding of the GPU against their definitions."""

import numpy as np
import pytest
from support import gpu
from support.gpu_views import VARIANTS, View, ceil_div, numbers_of, view

EPS = 1e-5
AXES = ("token", "head")


def rows(x: np.ndarray, half: bool, seed: int) -> View:
    """(tokens, heads, width) with gaps that depend on the seed."""
    order = (1, 0, 2) if seed % 2 else (0, 1, 2)
    return view(x.shape, half, at=2 * (seed % 5), order=order, pad=2 * (seed % 3), numbers=x)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    ("tokens", "heads", "width", "halves", "local"),
    [
        (3, 1, 64, (0, 1), 32),
        (2, 3, 128, (1, 1), 64),
        (1, 1, 4096, (0, 1), 256),
        (5, 2, 2, (1, 0), 64),
        (2, 1, 37, (0, 0), 32),  # an odd width, which fp16 has not
        (1, 1, 1, (0, 0), 128),
        (1, 4, 98, (1, 1), 128),
    ],
)
@pytest.mark.parametrize("weighted", [0, 1])
def test_rms_norm(
    variant: str,
    tokens: int,
    heads: int,
    width: int,
    halves: tuple[int, int],
    local: int,
    weighted: int,
) -> None:
    seed = tokens + heads + width
    x = rows(numbers_of(seed, tokens, heads, width, scale=3.0), bool(halves[0]), seed)
    y = view((tokens, heads, width), bool(halves[1]), at=4, pad=2)
    w_half = (width + weighted) % 2 == 0 and width % 2 == 0
    w = view((width,), w_half, numbers=1 + 0.1 * numbers_of(1, width))
    found = gpu.run_kernel(
        "rms_norm",
        {
            "local_size_x": local,
            "X_HALF": x.half,
            "W_HALF": w.half,
            "Y_HALF": y.half,
            "HAS_WEIGHT": weighted,
        },
        {"width": width, "eps": EPS} | x.params("x", *AXES) | y.params("y", *AXES),
        {"x": x.flat, "w": w.flat, "y": y.flat},
        (tokens, heads),
        variant,
    )
    given = x.numbers.astype(np.float64)
    wanted = given / np.sqrt((given**2).mean(-1, keepdims=True) + EPS)
    y.check(found["y"], wanted * w.numbers if weighted else wanted, 2e-6)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    ("tokens", "width", "halves", "local"),
    [
        (3, 64, (0, 1, 0, 1), 32),
        (1, 2048, (0, 1, 0, 1), 256),
        (2, 6, (1, 1, 1, 1), 64),
        (4, 33, (0, 0, 0, 0), 64),
    ],
)
def test_add_rms_norm(
    variant: str, tokens: int, width: int, halves: tuple[int, int, int, int], local: int
) -> None:
    shape = (tokens, 1, width)
    a = rows(numbers_of(1, *shape, scale=2.0), bool(halves[0]), 3)
    b = rows(numbers_of(2, *shape), bool(halves[1]), 4)
    total = view(shape, bool(halves[2]), at=2, pad=4)
    y = view(shape, bool(halves[3]), pad=2)
    w = view((width,), False, numbers=1 + 0.1 * numbers_of(3, width))
    views = {"a": a, "b": b, "sum": total, "y": y}
    found = gpu.run_kernel(
        "add_rms_norm",
        {"local_size_x": local, "W_HALF": 0, "HAS_WEIGHT": 1}
        | {f"{name.upper()}_HALF": v.half for name, v in views.items()},
        {"width": width, "eps": EPS}
        | {key: n for name, v in views.items() for key, n in v.params(name, *AXES).items()},
        {name: v.flat for name, v in views.items()} | {"w": w.flat},
        (tokens, 1),
        variant,
    )
    sums = a.numbers.astype(np.float64) + b.numbers
    total.check(found["sum"], sums, 1e-6)
    wanted = sums / np.sqrt((sums**2).mean(-1, keepdims=True) + EPS) * w.numbers
    y.check(found["y"], wanted, 1e-3 if total.half else 2e-6)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("parts", [(1, 1), (1, 0), (0, 1), (0, 0)])
@pytest.mark.parametrize(
    ("tokens", "width", "halves", "local"),
    [(3, 64, (0, 1), 32), (1, 1024, (1, 1), 256), (2, 2, (1, 1), 64), (3, 45, (0, 0), 64)],
)
def test_layer_norm(
    variant: str,
    parts: tuple[int, int],
    tokens: int,
    width: int,
    halves: tuple[int, int],
    local: int,
) -> None:
    shape = (tokens, 1, width)
    # A mean that is great against what is left of it.
    x = rows(20 + numbers_of(1, *shape), bool(halves[0]), 2)
    y = view(shape, bool(halves[1]), at=2)
    w = view((width,), width % 2 == 0, numbers=1 + 0.1 * numbers_of(3, width))
    b = view((width,), False, numbers=numbers_of(4, width))
    halves_of = {"X_HALF": x.half, "W_HALF": w.half, "B_HALF": 0, "Y_HALF": y.half}
    found = gpu.run_kernel(
        "layer_norm",
        {"local_size_x": local, "HAS_WEIGHT": parts[0], "HAS_BIAS": parts[1]} | halves_of,
        {"width": width, "eps": EPS} | x.params("x", *AXES) | y.params("y", *AXES),
        {"x": x.flat, "w": w.flat, "b": b.flat, "y": y.flat},
        (tokens, 1),
        variant,
    )
    given = x.numbers.astype(np.float64)
    wanted = (given - given.mean(-1, keepdims=True)) / np.sqrt(given.var(-1, keepdims=True) + EPS)
    wanted = wanted * (w.numbers if parts[0] else 1) + (b.numbers if parts[1] else 0)
    y.check(found["y"], wanted, 2e-5)


@pytest.mark.parametrize("halves", [(0, 0), (1, 0), (0, 1), (1, 1)])
@pytest.mark.parametrize(
    ("heads", "tokens", "width", "past", "local"),
    [
        (1, 1, 2, 0, 64),
        (3, 5, 4, 1, 32),
        (2, 3, 6, 5, 64),  # half of it is odd
        (4, 1, 64, 63, 64),
        (2, 7, 128, 500, 256),
    ],
)
def test_rope(
    halves: tuple[int, int], heads: int, tokens: int, width: int, past: int, local: int
) -> None:
    x = rows(numbers_of(5, tokens, heads, width), bool(halves[0]), width)
    y = view((tokens, heads, width), bool(halves[1]), at=2, pad=2)
    angles = np.random.default_rng(6).uniform(-3, 3, (past + tokens, width // 2))
    table = np.concatenate([np.cos(angles), np.sin(angles)], -1).astype(np.float32)
    units = width // 4 if width % 4 == 0 else width // 2
    found = gpu.run_kernel(
        "rope",
        {"local_size_x": local, "X_HALF": x.half, "Y_HALF": y.half},
        {"heads": heads, "width": width, "past": past}
        | x.params("x", *AXES)
        | y.params("y", *AXES),
        {"x": x.flat, "table": table, "y": y.flat},
        (ceil_div(heads * units, local), tokens),
    )
    cosines, sines = np.split(table[past:, None, :].astype(np.float64), 2, -1)
    a, b = np.split(x.numbers.astype(np.float64), 2, -1)
    wanted = np.concatenate([a * cosines - b * sines, b * cosines + a * sines], -1)
    y.check(found["y"], wanted, 1e-6)
