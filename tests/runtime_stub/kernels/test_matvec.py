"""Matrix-vector kernels of the GPU: every format of weights against the exact product."""

import numpy as np
import pytest
from support.gpu_views import VARIANTS, ceil_div, view
from support.gpu_weights import Case, Product, named, operand, random_product, run_product
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
# scheme, width at which a nested weight is read, rows, columns. Ragged shapes take the path for any columns.
QUICK: list[Case] = [
    *((Affine(bits), 0, 10, 64) for bits in (2, 3, 4, 6, 8)),
    *((Affine(bits), 0, 7, 37) for bits in (3, 4)),
    (Affine(4, G32), 0, 12, 160),
    (Affine(2, PerGroup(16), symmetric=False), 0, 10, 96),
    (Affine(2, G32, symmetric=False, zero_dtype="u6", scale_dtype="u6"), 0, 14, 96),
    (Affine(2, G32, symmetric=False, zero_dtype="f16"), 0, 9, 45),
    (Affine(4, PerGroup(5)), 0, 3, 13),
    (Lut(3, 4), 0, 10, 64),
    (Lut(6, 3), 0, 7, 29),
    (E0M4(G32), 0, 10, 96),
    (Nested(2, 4, 4), 3, 10, 64),
    (Nested(2, 6, 2), 3, 7, 19),
    (Vector(8, 4), 0, 10, 96),
    (Vector(6, 2, G32, "u6"), 0, 9, 64),
    (Vector(7, 8), 0, 8, 96),  # indices that no number of eights makes whole words of
    (Vector(6, 2, PerGroup(6)), 0, 7, 22),
    (Float(16), 0, 10, 64),
    (Float(32), 0, 3, 5),
]
SLOW: list[Case] = [
    (Affine(5), 0, 10, 64),
    *((Affine(bits), 0, 7, 37) for bits in (2, 5, 6, 8)),
    (Affine(3, PerGroup(8)), 0, 6, 64),
    (Affine(3, PerGroup(20), symmetric=False), 0, 6, 64),
    (Affine(4, G32, symmetric=False), 0, 10, 128),
    (Affine(8, PerGroup(64), symmetric=False), 0, 5, 320),
    (Affine(3, G32, symmetric=False, zero_dtype="u4", scale_dtype="u4"), 0, 11, 45),
    (Affine(2, G32, symmetric=False, zero_dtype="f16"), 0, 10, 96),
    (Affine(4, PerGroup(16), scale_dtype="u8"), 0, 10, 64),
    (Affine(4, G32), 0, 6, 24),  # fewer columns than a group has
    *((Lut(bits, 4), 0, 10, 64) for bits in (1, 2, 4, 5, 6, 8)),
    *((Lut(bits, 3), 0, 7, 29) for bits in (1, 2, 3, 4, 5, 7, 8)),
    (Lut(4, 1), 0, 16, 96),
    (Lut(7, 100), 0, 16, 96),
    (E0M4(), 0, 7, 51),
    *((Nested(2, 4, 4), width, 10, 64) for width in (2, 4)),
    (Nested(1, 8, 3), 8, 8, 32),
    (Nested(1, 8, 3), 5, 8, 32),
    (Vector(8, 4, G32, "u6"), 0, 10, 96),
    (Vector(6, 2), 0, 10, 64),
    (Vector(8, 2, G32), 0, 9, 64),
    (Vector(8, 8, PerGroup(16)), 0, 8, 64),
    (Vector(5, 4, G32), 0, 6, 64),
    (Vector(4, 4), 0, 5, 12),
    (Float(16), 0, 7, 33),
    (Float(32), 0, 6, 96),
]
# variant, local size, ROWS, TOKENS
WORKGROUPS = [("plain", 32, 2, 1), ("subgroup", 64, 8, 3), ("subgroup", 256, 2, 2)]
OTHERS = [
    (variant, local, *numbers)
    for variant in VARIANTS
    for local in (32, 64, 128, 256)
    for numbers in ((2, 1), (4, 4), (8, 3))
    if (variant, local, *numbers) not in WORKGROUPS
]


@pytest.mark.parametrize(("at", "scheme", "width", "rows", "columns"), named(QUICK, SLOW))
def test_formats(at: int, scheme: Scheme, width: int, rows: int, columns: int) -> None:
    weight = operand(random_packed(scheme, rows, columns, at), width)
    tokens, variant = (1, 3, 1, 2)[at % 4], VARIANTS[at % 2]
    half = columns % 2 == 0 and at % 4 != 3
    product = random_product(tokens, columns, [(rows, rows % 2 == 0)], x_half=half, seed=at)
    chosen = {"ROWS": (4, 2, 2)[at % 3], "TOKENS": (1, 2)[at % 2]}
    chosen["local_size_x"] = (32, 64, 128, 256)[at % 4]
    groups = (ceil_div(rows, chosen["ROWS"] * (1 + at % 2)), ceil_div(tokens, chosen["TOKENS"]))
    found = run_product("matvec", weight, product, chosen, groups, variant)
    product.check(found, *product.wanted(weight.dense))


@pytest.mark.parametrize(
    ("variant", "local", "rows", "tokens"),
    [*WORKGROUPS, *(pytest.param(*case, marks=pytest.mark.slow) for case in OTHERS)],
)
def test_workgroups(variant: str, local: int, rows: int, tokens: int) -> None:
    weight = operand(random_packed(Affine(4, G32), 22, 1056, 1))
    product = random_product(5, 1056, [(22, True)], seed=local)
    chosen = {"ROWS": rows, "TOKENS": tokens, "local_size_x": local}
    found = run_product("matvec", weight, product, chosen, (2, ceil_div(5, tokens)), variant)
    product.check(found, *product.wanted(weight.dense))


@pytest.mark.parametrize(
    ("variant", "scheme"),
    [
        ("subgroup", Affine(4, G32)),
        ("plain", Float(16)),
        pytest.param("plain", Lut(3, 4), marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_outputs_bias_and_residual(variant: str, scheme: Scheme) -> None:
    rows, columns, tokens = 28, 96, 3
    rng = np.random.default_rng(5)
    weight = operand(random_packed(scheme, rows, columns, 2))
    numbers = rng.standard_normal((tokens, 3, 32))
    x = view((tokens, 3, 32), True, order=(1, 0, 2), at=2, pad=2, numbers=numbers)
    outputs = [  # of rotary heads, of keys in float32, of values as rows of a cache
        view((tokens, 2, 6), True, order=(1, 0, 2), at=2),
        view((tokens, 1, 4), False, at=3),
        view((tokens, 3, 4), True, order=(1, 0, 2), at=6, pad=4),
    ]
    bias = rng.standard_normal(rows).astype(np.float32)
    product = Product(x, outputs, bias)
    chosen = {"ROWS": 2, "TOKENS": 2, "local_size_x": 32}
    found = run_product("matvec", weight, product, chosen, (3, 2), variant)
    product.check(found, *product.wanted(weight.dense))
    for half in (False, True):
        stream = view((tokens, 1, rows), half, numbers=rng.standard_normal((tokens, 1, rows)))
        added = Product(x, [view((tokens, 1, rows), not half)], None, stream)
        found = run_product("matvec", weight, added, chosen, (7, 2), variant)
        added.check(found, *added.wanted(weight.dense))


@pytest.mark.parametrize("scheme", [Affine(3, G32), Lut(4, 6)], ids=str)
def test_rows_of_a_range(scheme: Scheme) -> None:
    # Parts from the middle of a weight, as those of one that is too large for a binding.
    rows, columns, begin, end = 64, 64, 32, 58
    weight = operand(random_packed(scheme, rows, columns, 4))
    product = random_product(1, columns, [(rows, False)])
    given = {
        name: data.reshape(-1).view(np.uint8)[data.nbytes // 2 :]
        if name in ("codes", "scales")
        else data
        for name, data in weight.buffers.items()
    }
    half = type(weight)(weight.format, weight.constants, weight.params, given, weight.dense)
    params = {"row_begin": begin, "row_end": end, "held": 32}
    found = run_product("matvec", half, product, {"ROWS": 2}, (3, 1), "plain", params)
    y, wanted = product.outputs[0], product.wanted(weight.dense)[0]
    got = y.of(found["y0"])[0, 0]
    np.testing.assert_allclose(got[begin:end], wanted[0, begin:end], atol=1e-5)
    untouched = [*range(begin), *range(end, rows)]
    np.testing.assert_array_equal(got[untouched], y.numbers[0, 0][untouched])


def test_scales_that_are_subnormal() -> None:
    packed = random_packed(Affine(8), 6, 64, 3)
    assert packed.scales is not None
    packed.scales[:] = np.float16(3e-6)
    weight = operand(packed)
    product = random_product(1, 64, [(6, False)])
    found = run_product("matvec", weight, product, {"ROWS": 2}, (3, 1), "subgroup")
    product.check(found, *product.wanted(weight.dense))
