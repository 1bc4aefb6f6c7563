"""What outliers add to a product on the GPU, and the product that takes it as its residual."""

import numpy as np
import pytest
from support import gpu
from support.gpu_views import ceil_div, view
from support.gpu_weights import NOTHING, Product, operand, random_product, run_product, strided
from support.packed import random_packed

from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import E0M4, Affine, Lut, PerGroup, Sparse
from optimum_compile.compiler.quant.stored import outlier_parts

G32 = PerGroup(32)


def run(packed: PackedWeight, product: Product, local: int) -> np.ndarray:
    """The kernel's y: float32 (tokens, rows + 2), of which two columns are not its own."""
    scheme, (rows, columns) = packed.scheme, packed.shape
    assert isinstance(scheme, Sparse)
    assert packed.outliers is not None
    scaled = scheme.outliers == "scaled"
    parts = outlier_parts(packed)
    weight = operand(packed.base)
    y = np.full((product.tokens, rows + 2), 9, np.float32)
    constants = product.constants()
    chosen = {name: constants[name] for name in ("X_HALF", "X_RUNS", "RESIDUAL", "RESIDUAL_HALF")}
    chosen |= {"local_size_x": local, "RUN": scheme.runs(rows, columns).width}
    params = {"columns": columns, "row_begin": 0, "row_end": rows, "y_at": 0, "y_token": rows + 2}
    params |= strided("x", product.x) | strided("residual", product.residual)
    buffers = {"x": product.x.flat, "y": y, "starts": packed.outliers.starts}
    buffers["residual"] = NOTHING if product.residual is None else product.residual.flat
    buffers |= {"counts": parts["counts"], "places": parts["places"]}
    if scaled:
        chosen |= {"BITS": scheme.bits, "GROUP": weight.constants["GROUP"]}
        params |= {"held": 0}
        buffers |= {name: weight.buffers[name] for name in ("codes", "scales")}
        buffers |= {"outlier_scales": parts["outlier_scales"]}
    else:
        buffers |= {"values": parts["values"]}
    groups = max(1, ceil_div(rows, local // 8) - 1), product.tokens
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
    found = run(packed, product, local)
    wanted, size = product.wanted(exact - dense)
    assert np.abs(wanted - stream.numbers[:, 0]).max() > 0.01
    assert (np.abs(found[:, :rows] - wanted) <= 2e-6 * (size + 1)).all()
    np.testing.assert_array_equal(found[:, rows:], 9)

    kept = run(packed, Product(base.x, base.outputs), local)[:, None, :rows]
    together = Product(base.x, base.outputs, None, view(kept.shape, False, numbers=kept))
    whole = run_product(
        "matvec", operand(packed.base), together, {"ROWS": 2}, (ceil_div(rows, 2), tokens), "plain"
    )
    base.check(whole, *base.wanted(exact))
