"""Integer products of the GPU: activations rounded to int8, weights of 4 and 8 bits."""

from dataclasses import replace

import numpy as np
import pytest
from support import gpu
from support.gpu_views import VARIANTS, ceil_div, view
from support.gpu_weights import (
    Case,
    Operand,
    Product,
    named,
    operand,
    random_product,
    strided,
)
from support.packed import random_packed

from optimum_compile.compiler.quant.activations import TokenCodes, exact_product, symmetric_int8
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Affine, PerGroup, Scheme

SMALL = {"matvec": {"ROWS": 2}, "matmul": {}}
ALL = ("plain", "subgroup", "dot")
G32 = PerGroup(32)
TILES = {32: (16, 32), 64: (32, 32), 128: (32, 64), 256: (64, 64)}  # tokens, rows by local size
# scheme, rows, columns, tokens, local size
QUICK: list[Case] = [
    (Affine(4), 10, 96, 3, 32),
    (Affine(8, PerGroup(16)), 9, 96, 5, 32),
    (Affine(8, G32), 6, 45, 9, 32),
]
SLOW: list[Case] = [
    (Affine(8), 10, 96, 3, 64),
    (Affine(4, G32), 10, 160, 2, 64),
    (Affine(4, PerGroup(64), scale_dtype="u8"), 70, 192, 17, 128),
    (Affine(4), 7, 37, 3, 64),
    (Affine(8), 5, 13, 2, 32),
    (Affine(4, PerGroup(24)), 6, 50, 2, 32),
    (Affine(8), 66, 64, 64, 256),
]


def rounded(product: Product) -> tuple[TokenCodes, np.ndarray]:
    """Codes of the activations, and words (tokens, words) as the kernels take them."""
    codes = symmetric_int8(product.x.numbers.reshape(product.tokens, -1))
    columns = codes.codes.shape[1]
    padded = np.zeros((product.tokens, 8 * ceil_div(columns, 8)), np.int8)
    padded[:, :columns] = codes.codes
    return codes, padded.view(np.uint32)


def run(
    kernel: str,
    weight: Operand,
    product: Product,
    chosen: dict[str, int],
    groups: tuple[int, int],
    variant: str,
) -> dict[str, np.ndarray]:
    """`matvec` or `matmul` on rounded activations."""
    rows, columns = weight.dense.shape
    codes, words = rounded(product)
    scales = np.concatenate([[9, 9, 9], codes.scales[:, 0]]).astype(np.float32)
    fixed = {n: v for n, v in weight.constants.items() if not n.startswith("ZERO")}
    sizes = {"columns": columns, "row_begin": 0, "row_end": rows, "held": 0, "x_scales_at": 3}
    buffers = product.buffers() | {n: b for n, b in weight.buffers.items() if n != "zeros"}
    return gpu.run_kernel(
        f"{kernel}_affine_i8",
        fixed | product.constants() | {"ALIGNED": weight.aligned} | chosen,
        product.params() | sizes | {"x_at": 0, "x_token": words.shape[1]},
        buffers | {"x": words, "x_scales": scales},
        groups,
        variant,
    )


def wanted(packed: PackedWeight, weight: Operand, product: Product) -> np.ndarray:
    """What exact integers give: float32 in the kernel's order, or float64 where columns have groups."""
    codes, _ = rounded(product)
    if weight.constants["GROUP"] == 0:
        assert packed.scales is not None
        scales = packed.scales[:, 0].astype(np.float32)
        return exact_product(codes, packed.codes, scales, product.bias)
    return codes.numbers().astype(np.float64) @ weight.dense.T.astype(np.float64)


@pytest.mark.parametrize(("at", "scheme", "rows", "columns", "tokens", "local"), named(QUICK, SLOW))
def test_products(
    at: int, scheme: Scheme, rows: int, columns: int, tokens: int, local: int
) -> None:
    packed = random_packed(scheme, rows, columns, at)
    weight = operand(packed)
    product = random_product(tokens, columns, [(rows, False)], x_half=columns % 2 == 0, seed=at)
    exact = wanted(packed, weight, product)
    size = np.abs(exact).max() * np.ones_like(exact)
    found = []
    chosen = {"local_size_x": local, "ROWS": (2, 2, 4)[at % 3], "TOKENS": (1, 2, 2)[at % 3]}
    counts = 1 + rows // chosen["ROWS"] // 2, ceil_div(tokens, chosen["TOKENS"])
    for variant in ALL:
        found.append(run("matvec", weight, product, chosen, counts, variant))
    counts = 1, ceil_div(tokens, TILES[local][0])
    for variant in ("plain", "dot"):
        found.append(run("matmul", weight, product, {"local_size_x": local}, counts, variant))
    for each in found:
        product.check(each, exact, size, 2e-7 if weight.constants["GROUP"] == 0 else 2e-6)
    if weight.constants["GROUP"] == 0:  # the sums are integers: nothing depends on the order
        for each in found[1:]:
            np.testing.assert_array_equal(each["y0"], found[0]["y0"])


@pytest.mark.parametrize(("kernel", "groups"), [("matvec", (3, 3)), ("matmul", (1, 1))])
def test_outputs_bias_and_residual(kernel: str, groups: tuple[int, int]) -> None:
    rows, columns, tokens = 12, 64, 3
    packed = random_packed(Affine(4), rows, columns, 6)
    weight = operand(packed)
    rng = np.random.default_rng(8)
    base = random_product(tokens, columns, [(8, True), (4, True)], seed=2)
    product = replace(base, bias=rng.standard_normal(rows).astype(np.float32))
    exact = wanted(packed, weight, product)
    found = run(kernel, weight, product, {"local_size_x": 32} | SMALL[kernel], groups, "dot")
    product.check(found, exact, np.abs(exact) + 1)
    stream = view((tokens, 1, rows), True, numbers=rng.standard_normal((tokens, 1, rows)))
    added = Product(base.x, [view((tokens, 1, rows), False)], None, stream)
    exact = wanted(packed, weight, added) + stream.numbers.reshape(tokens, rows)
    found = run(kernel, weight, added, {"local_size_x": 32} | SMALL[kernel], groups, "dot")
    added.check(found, exact, np.abs(exact) + 1)


def test_extreme_codes() -> None:
    # -128 * 127 in every column: the largest sums there are.
    packed = random_packed(Affine(8), 2, 4096, 0)
    packed.codes[:] = -128
    weight = operand(packed)
    product = Product(
        view((1, 1, 4096), True, numbers=np.ones((1, 1, 4096))), [view((1, 1, 2), False)]
    )
    exact = wanted(packed, weight, product)
    for variant in ALL:
        found = run("matvec", weight, product, {"ROWS": 2}, (1, 1), variant)
        product.check(found, exact, np.abs(exact), 2e-7)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    ("tokens", "runs", "inner", "half", "local"),
    [(1, 1, 64, True, 64), (3, 1, 37, False, 32), (2, 4, 12, True, 128), (5, 1, 1, False, 32)],
)
def test_quantize_rows(
    variant: str, tokens: int, runs: int, inner: int, half: bool, local: int
) -> None:
    rng = np.random.default_rng(inner)
    numbers = (rng.standard_normal((tokens, runs, inner)) * 30).astype(np.float32)
    numbers[0, 0, 0] = 0 if inner == 1 else 77.5
    x = view((tokens, runs, inner), half, order=(1, 0, 2), at=2, pad=2, numbers=numbers)
    columns = runs * inner
    words = 8 * ceil_div(columns, 32)  # more than the columns take
    y = np.full(2 + tokens * (words + 1), 0x55555555, np.uint32)
    scales = np.full(tokens + 3, 9, np.float32)
    found = gpu.run_kernel(
        "quantize_rows",
        {"local_size_x": local, "X_HALF": x.half, "X_RUNS": int(runs > 1)},
        {"tokens": tokens, "columns": columns, "words": words, "scales_at": 2}
        | {"y_at": 2, "y_token": words + 1}
        | strided("x", x),
        {"x": x.flat, "y": y, "scales": scales},
        (max(1, tokens - 1),),
        variant,
    )
    exact = symmetric_int8(x.numbers.reshape(tokens, columns))
    np.testing.assert_array_equal(found["scales"][2:-1], exact.scales[:, 0])
    np.testing.assert_array_equal(found["scales"][[0, 1, -1]], 9)
    wide = np.zeros((tokens, words * 4), np.int8)
    wide[:, :columns] = exact.codes
    around = y.copy()
    around[2:].reshape(tokens, words + 1)[:, :words] = wide.view(np.uint32)
    np.testing.assert_array_equal(found["y"], around)
