"""Matrix-matrix kernels of the GPU: every format of weights against the exact product."""

import numpy as np
import pytest
from support.gpu_views import ceil_div, view
from support.gpu_weights import Case, Operand, Product, named, operand, random_product, run_product
from support.packed import random_packed

from optimum_compile.compiler.quant.scheme import (
    E0M4,
    Affine,
    Float,
    Lut,
    Nested,
    PerGroup,
    Scheme,
    Vector,
)

G32 = PerGroup(32)
TILES = {32: (16, 32), 64: (32, 32), 128: (32, 64), 256: (64, 64)}  # tokens, rows by local size
# scheme, width of a nested weight, rows, columns, tokens, local size
QUICK: list[Case] = [
    (Affine(4, G32), 0, 70, 96, 17, 64),
    (Affine(2, PerGroup(16), symmetric=False), 0, 34, 64, 5, 32),
    (Affine(3), 0, 66, 64, 64, 256),
    (Affine(8), 0, 130, 32, 65, 128),
    (Affine(3), 0, 11, 37, 9, 32),
    (Affine(2, G32, symmetric=False, zero_dtype="u6", scale_dtype="u6"), 0, 14, 96, 20, 64),
    (Lut(7, 3), 0, 12, 96, 6, 32),
    (Lut(4, 3), 0, 7, 29, 3, 64),
    (E0M4(G32), 0, 10, 96, 6, 32),
    (Nested(2, 4, 4), 3, 10, 64, 6, 32),
    (Vector(8, 4), 0, 40, 96, 33, 64),
    (Vector(5, 2), 0, 7, 22, 6, 32),
    (Float(16), 0, 10, 64, 6, 32),
]
SLOW: list[Case] = [
    (Affine(5), 0, 10, 64, 3, 128),
    (Affine(6, G32, symmetric=False), 0, 40, 96, 33, 64),
    (Affine(4, PerGroup(5), symmetric=False), 0, 9, 13, 2, 64),
    (Affine(2, G32, symmetric=False, zero_dtype="f16"), 0, 10, 96, 7, 32),
    (Lut(1, 4), 0, 10, 64, 4, 32),
    (Lut(3, 8), 0, 34, 96, 17, 64),
    (Lut(6, 4), 0, 10, 64, 6, 32),
    (E0M4(), 0, 7, 51, 6, 32),
    (Nested(2, 6, 2), 6, 7, 19, 6, 32),
    (Vector(6, 2, G32, "u6"), 0, 10, 64, 6, 32),
    (Vector(7, 8), 0, 8, 96, 6, 32),
    (Float(32), 0, 6, 96, 6, 32),
    (Float(16), 0, 3, 5, 1, 32),
]


def groups(rows: int, tokens: int, local: int) -> tuple[int, int]:
    """Workgroups of a product; fewer along the rows than there are tiles where there are many."""
    return min(2, ceil_div(rows, TILES[local][1])), ceil_div(tokens, TILES[local][0])


@pytest.mark.parametrize(
    ("at", "scheme", "width", "rows", "columns", "tokens", "local"), named(QUICK, SLOW)
)
def test_formats(
    at: int, scheme: Scheme, width: int, rows: int, columns: int, tokens: int, local: int
) -> None:
    weight = operand(random_packed(scheme, rows, columns, at), width)
    half = columns % 2 == 0 and at % 3 != 2
    product = random_product(tokens, columns, [(rows, rows % 2 == 0)], x_half=half, seed=at)
    counts = groups(rows, tokens, local)
    found = run_product("matmul", weight, product, {"local_size_x": local}, counts, "plain")
    product.check(found, *product.wanted(weight.dense))


def test_outputs_bias_and_residual() -> None:
    rows, columns, tokens = 28, 96, 19
    rng = np.random.default_rng(5)
    weight = operand(random_packed(Affine(4, G32), rows, columns, 2))
    numbers = rng.standard_normal((tokens, 3, 32))
    x = view((tokens, 3, 32), True, order=(1, 0, 2), at=2, pad=2, numbers=numbers)
    outputs = [
        view((tokens, 2, 6), True, order=(1, 0, 2), at=2),
        view((tokens, 1, 4), False, at=3),
        view((tokens, 3, 4), True, order=(1, 0, 2), at=6, pad=4),
    ]
    product = Product(x, outputs, rng.standard_normal(rows).astype(np.float32))
    found = run_product("matmul", weight, product, {"local_size_x": 32}, (1, 2), "plain")
    product.check(found, *product.wanted(weight.dense))
    stream = view((tokens, 1, rows), False, numbers=rng.standard_normal((tokens, 1, rows)))
    added = Product(x, [view((tokens, 1, rows), False)], None, stream)
    found = run_product("matmul", weight, added, {"local_size_x": 32}, (1, 2), "plain")
    added.check(found, *added.wanted(weight.dense))


def test_rows_of_a_range() -> None:
    rows, columns, begin, end = 64, 64, 32, 58
    weight = operand(random_packed(Lut(4, 6), rows, columns, 4))
    codes = weight.buffers["codes"]
    held = dict(weight.buffers) | {"codes": codes[codes.size // 2 :]}
    half = Operand(weight.format, weight.constants, weight.params, held, weight.dense)
    product = random_product(3, columns, [(rows, False)])
    params = {"row_begin": begin, "row_end": end, "held": 32}
    found = run_product("matmul", half, product, {"local_size_x": 32}, (1, 1), "plain", params)
    y, wanted = product.outputs[0], product.wanted(weight.dense)[0]
    got = y.of(found["y0"])[:, 0]
    np.testing.assert_allclose(got[:, begin:end], wanted[:, begin:end], atol=1e-5)
    untouched = [*range(begin), *range(end, rows)]
    np.testing.assert_array_equal(got[:, untouched], y.numbers[:, 0][:, untouched])
