"""Kernels of single numbers on the GPU: functions, operands of any strides, copies."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from support import gpu
from support.gpu_views import View, ceil_div, numbers_of, view

AXES = ("0", "1", "2", "3")
ERF = np.vectorize(math.erf, otypes=[np.float64])
UNARY: list[Callable[[np.ndarray], np.ndarray]] = [
    lambda x: x / (1 + np.exp(-x)),
    lambda x: np.maximum(x, 0),
    lambda x: 0.5 * x * (1 + ERF(x / math.sqrt(2))),
    lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    np.tanh,
    lambda x: 1 / (1 + np.exp(-x)),
    np.exp,
    np.log,
    np.sqrt,
    lambda x: 1 / np.sqrt(x),
    np.negative,
    np.abs,
    np.cos,
    np.sin,
    ERF,
    lambda x: 1 / x,
    np.floor,
]
BINARY: list[Callable[[np.ndarray, np.ndarray], np.ndarray]] = [
    *(np.add, np.subtract, np.multiply, np.divide, np.power, np.maximum, np.minimum),
]
POSITIVE = (7, 8, 9)  # functions of what is greater than 0


def groups_of(shape: tuple[int, ...], local: int) -> tuple[int, int, int]:
    return ceil_div(ceil_div(shape[3], 2), local), shape[2], shape[0] * shape[1]


def run(
    name: str, views: dict[str, View], constants: dict[str, int], local: int = 32
) -> np.ndarray:
    shape = views["y"].shape
    params = {key: n for name, v in views.items() for key, n in v.params(name, *AXES).items()}
    found = gpu.run_kernel(
        name,
        {"local_size_x": local}
        | constants
        | {f"{name.upper()}_HALF": v.half for name, v in views.items()},
        {"width": shape[3], "size_1": shape[1]} | params,
        {name: v.flat for name, v in views.items()},
        groups_of(shape, local),
    )
    return found["y"]


@pytest.mark.parametrize("function", range(len(UNARY)))
def test_unary(function: int) -> None:
    """Small and great numbers, within a few units of the last place."""
    exponents = np.linspace(-6, 1.5 if function == 6 else 1.9, 60)
    numbers = np.concatenate([10**exponents, -(10**exponents)]).astype(np.float32)
    if function in POSITIVE:
        numbers = np.abs(numbers)
    x = view((1, 1, 4, 30), False, at=3, pad=1, numbers=numbers.reshape(1, 1, 4, 30))
    y = view((1, 1, 4, 30), False, at=1, pad=3)
    found = y.of(run("unary", {"x": x, "y": y}, {"FUNCTION": function}))
    wanted = UNARY[function](x.numbers.astype(np.float64))
    # gelu falls to 0 with few digits left, log near 1 too.
    np.testing.assert_allclose(found, wanted, rtol=2e-6, atol=3e-7)


def test_unary_of_extremes() -> None:
    """No function turns a great number into one that is none."""
    numbers = np.array([[[[-1e30, -200, 200, 1e30]]]], np.float32)
    x, y = view((1, 1, 1, 4), False, numbers=numbers), view((1, 1, 1, 4), False)
    wanted = {
        0: [0, 0, 200, 1e30],
        2: [0, 0, 200, 1e30],
        3: [0, 0, 200, 1e30],
        4: [-1, -1, 1, 1],
        5: [0, 0, 1, 1],
        14: [-1, -1, 1, 1],
    }
    for function, values in wanted.items():
        found = y.of(run("unary", {"x": x, "y": y}, {"FUNCTION": function}))
        np.testing.assert_allclose(found.reshape(-1), np.array(values, np.float32), rtol=1e-6)


@pytest.mark.parametrize("function", range(len(BINARY)))
@pytest.mark.parametrize("halves", [(0, 0, 0), (1, 0, 1)])
def test_binary(function: int, halves: tuple[int, int, int]) -> None:
    shape = (2, 3, 2, 6)
    a_numbers, b_numbers = numbers_of(1, *shape), numbers_of(2, *shape)
    if function == 4:
        a_numbers, b_numbers = np.abs(a_numbers), 3 * b_numbers
    a = view(shape, bool(halves[0]), at=2, order=(0, 2, 1, 3), pad=2, numbers=a_numbers)
    b = view(shape, bool(halves[1]), order=(3, 0, 1, 2), numbers=b_numbers)
    y = view(shape, bool(halves[2]), at=4, order=(1, 0, 2, 3), pad=2)
    found = run("binary", {"a": a, "b": b, "y": y}, {"FUNCTION": function})
    wanted = BINARY[function](a.numbers.astype(np.float64), b.numbers.astype(np.float64))
    rtol, atol = (5e-4, 2.0**-25) if y.half else (3e-6, 0)
    np.testing.assert_allclose(y.of(found), wanted, rtol, atol)


def test_powers() -> None:
    a = np.array([-2, -2, 0, 0, 3, -1.5, 2, 1e-3, -8, 5], np.float32).reshape(1, 1, 1, 10)
    b = np.array([2, 3, 2, 0.5, 0, -2, 0.5, -3, 1 / 3, 1], np.float32).reshape(1, 1, 1, 10)
    views = {"a": view(a.shape, False, numbers=a), "b": view(a.shape, False, numbers=b)}
    views["y"] = view(a.shape, False)
    found = views["y"].of(run("binary", views, {"FUNCTION": 4}))
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(found, np.power(a, b), rtol=1e-6)


def test_operands_that_repeat() -> None:
    """Strides of 0: one number for all, one row for all tokens."""
    a = view((1, 2, 3, 8), True, numbers=numbers_of(1, 1, 2, 3, 8))
    row = view((8,), False, at=3, numbers=numbers_of(2, 8))
    b = View(row.flat, 3, (1, 2, 3, 8), (0, 0, 0, 1))
    one = View(row.flat, 4, (1, 2, 3, 8), (0, 0, 0, 0))
    y = view((1, 2, 3, 8), False)
    for operand in (b, one):
        found = run("binary", {"a": a, "b": operand, "y": y}, {"FUNCTION": 2})
        y.check(found, a.numbers * operand.numbers, 1e-7)


@pytest.mark.parametrize("function", [0, 1, 2, 3])
@pytest.mark.parametrize(
    ("tokens", "width", "halves", "local"),
    [
        (1, 2, (1, 1, 1), 32),
        (5, 130, (1, 1, 1), 64),
        (3, 7, (0, 0, 0), 64),
        (2, 64, (0, 1, 1), 256),
    ],
)
def test_gated(
    function: int, tokens: int, width: int, halves: tuple[int, int, int], local: int
) -> None:
    """Gate and up are halves of the rows of one projection."""
    both = view(
        (1, 1, tokens, 2 * width), bool(halves[0]), numbers=numbers_of(1, 1, 1, tokens, 2 * width)
    )
    gate = View(both.flat, 0, (1, 1, tokens, width), both.strides)
    other = view((1, 1, tokens, width), bool(halves[1]), numbers=numbers_of(2, 1, 1, tokens, width))
    up = View(both.flat, width, gate.shape, both.strides) if halves[0] == halves[1] else other
    y = view(gate.shape, bool(halves[2]), at=2, pad=2 * (width % 2 == 0))
    found = run("gated", {"gate": gate, "up": up, "y": y}, {"FUNCTION": function}, local)
    y.check(found, UNARY[function](gate.numbers.astype(np.float64)) * up.numbers, 1e-6)


@pytest.mark.parametrize("halves", [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_copy_of_a_permuted_view(halves: tuple[int, int]) -> None:
    shape = (2, 3, 5, 4)
    x = view(shape, bool(halves[0]), at=2, order=(3, 1, 0, 2), numbers=numbers_of(1, *shape))
    y = view(shape, bool(halves[1]), at=2, order=(2, 0, 1, 3), pad=2)
    y.check(run("copy", {"x": x, "y": y}, {}), x.numbers, 0)


def test_copy_keeps_bits() -> None:
    """i64 as pairs of words: the bits of subnormal numbers and of what is no number."""
    ids = np.array([3, -1, 2**40 + 7, 0x7F800001], np.int64).view(np.float32).reshape(1, 1, 1, 8)
    x = view(ids.shape, False, at=2)
    x.of(x.flat).view(np.uint32)[...] = ids.view(np.uint32)
    y = view(ids.shape, False, at=4)
    found = y.of(run("copy", {"x": x, "y": y}, {}))
    np.testing.assert_array_equal(found.view(np.uint32), ids.view(np.uint32))
