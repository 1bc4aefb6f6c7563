"""What outliers add to a product on the GPU, and the product that takes it as its residual."""

import numpy as np
import pytest
from support import gpu
from support.gpu_views import View, ceil_div, view
from support.gpu_weights import NOTHING, Product, operand, random_product, run_product, strided
from support.packed import random_packed

from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import E0M4, Affine, Lut, PerGroup, Sparse
from optimum_compile.compiler.quant.stored import outlier_parts

G32 = PerGroup(32)


def run(
    packed: PackedWeight, product: Product, y: View, local: int, rows: tuple[int, int]
) -> np.ndarray:
    """The buffer of y, the output that takes the rows `rows[0]` .. `rows[1]` - 1."""
    scheme, (count, columns) = packed.scheme, packed.shape
    assert isinstance(scheme, Sparse)
    assert packed.outliers is not None
    scaled = scheme.outliers == "scaled"
    parts = outlier_parts(packed)
    weight = operand(packed.base)
    constants = product.constants()
    chosen = {name: constants[name] for name in ("X_HALF", "X_RUNS", "RESIDUAL", "RESIDUAL_HALF")}
    chosen |= {"local_size_x": local, "RUN": scheme.runs(count, columns).width, "Y_HALF": y.half}
    params = {"columns": columns, "row_begin": rows[0], "row_end": rows[1], "y_row": rows[0]}
    params |= strided("x", product.x) | strided("residual", product.residual) | strided("y", y)
    buffers = {"x": product.x.flat, "y": y.flat, "starts": packed.outliers.starts}
    buffers["residual"] = NOTHING if product.residual is None else product.residual.flat
    buffers |= {"counts": parts["counts"], "places": parts["places"]}
    if scaled:
        chosen |= {"BITS": scheme.bits, "GROUP": weight.constants["GROUP"]}
        params |= {"held": 0}
        buffers |= {name: weight.buffers[name] for name in ("codes", "scales")}
        buffers |= {"outlier_scales": parts["outlier_scales"]}
    else:
        buffers |= {"values": parts["values"]}
    groups = max(1, ceil_div(rows[1] - rows[0], local // 8) - 1), product.tokens
    name = "sparse_add_scaled" if scaled else "sparse_add"
    return gpu.run_kernel(name, chosen, params, buffers, groups, "plain")["y"]


@pytest.mark.parametrize(
    ("scheme", "rows", "columns", "tokens", "local"),
    [
        (Sparse(Lut(3, 4), 0.05), 20, 320, 1, 32),
        (Sparse(Affine(4, G32), 0.002), 21, 300, 2, 64),  # few: long runs
        (Sparse(Affine(3, G32), 0.1, "scaled"), 18, 288, 1, 128),
        (Sparse(Affine(4), 0.01, "scaled"), 7, 37, 3, 32),
        (Sparse(E0M4(G32), 0.5), 6, 130, 2, 256),
    ],
    ids=str,
)
def test_outliers(scheme: Sparse, rows: int, columns: int, tokens: int, local: int) -> None:
    packed = random_packed(scheme, rows, columns, rows)
    assert packed.outliers is not None
    rng = np.random.default_rng(rows)
    base = random_product(tokens, columns, [(rows, False)], x_half=columns % 2 == 0, seed=local)
    stream = view((tokens, 1, rows), False, numbers=rng.standard_normal((tokens, 1, rows)))
    product = Product(base.x, base.outputs, None, stream)
    dense, exact = packed.base.dequantize(), packed.dequantize()
    wanted, size = product.wanted(exact - dense)
    assert np.abs(wanted - stream.numbers[:, 0]).max() > 0.01
    found = run(packed, product, base.outputs[0], local, (0, rows))
    product.check({"y0": found}, wanted, size + 1)

    alone = Product(base.x, [view((tokens, 1, rows), False)])
    kept = run(packed, alone, alone.outputs[0], local, (0, rows))
    added = view((tokens, 1, rows), False, numbers=alone.outputs[0].of(kept))
    together = Product(base.x, base.outputs, None, added)
    whole = run_product(
        "matvec", operand(packed.base), together, {"ROWS": 2}, (ceil_div(rows, 2), tokens), "plain"
    )
    base.check(whole, *base.wanted(exact))


def test_outputs_of_a_product_that_was_made_before() -> None:
    # fp16 rows of a cache, which are their own residual.
    packed = random_packed(Sparse(Lut(3, 4), 0.05), 24, 320, 1)
    rng = np.random.default_rng(2)
    numbers = rng.standard_normal((2, 2, 6))
    y = view((2, 2, 6), True, order=(1, 0, 2), at=2, pad=2, numbers=numbers)
    base = random_product(2, 320, [(12, True)])
    product = Product(base.x, [y], None, y)
    found = run(packed, product, y, 64, (8, 20))
    product.check(
        {"y0": found}, *product.wanted((packed.dequantize() - packed.base.dequantize())[8:20])
    )
