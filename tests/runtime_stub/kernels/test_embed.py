"""Embedding kernels of the GPU: rows of tables of every format, exact."""

import numpy as np
import pytest
from support import gpu
from support.gpu_views import View, view
from support.gpu_weights import Case, Operand, named, operand, strided
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
IDS = (8, 0, 3, 3, 5)
ROWS = 9
# scheme, width of a nested weight, columns
QUICK: list[Case] = [
    *((Affine(bits), 0, 64) for bits in (2, 3, 4, 8)),
    (Affine(5), 0, 37),
    (Affine(2, G32, symmetric=False, zero_dtype="u6", scale_dtype="u6"), 0, 96),
    (Lut(7, 4), 0, 32),
    (Lut(6, 4), 0, 22),
    (E0M4(G32), 0, 64),
    (Nested(2, 4, 4), 3, 64),
    (Nested(2, 4, 4), 4, 13),
    (Vector(8, 4), 0, 64),
    (Vector(4, 4), 0, 20),
    (Float(16), 0, 64),
]
SLOW: list[Case] = [
    *((Affine(bits), 0, 64) for bits in (5, 6)),
    (Affine(4, G32, symmetric=False), 0, 96),
    (Affine(3, PerGroup(20), symmetric=False), 0, 64),
    (Affine(2, G32, symmetric=False, zero_dtype="f16"), 0, 70),
    (Lut(3, 2), 0, 64),
    (E0M4(G32), 0, 50),
    (Nested(1, 8, 4), 8, 32),
    (Vector(6, 2, G32, "u6"), 0, 64),
    (Vector(7, 8), 0, 96),
    (Float(32), 0, 7),
]


def _run(weight: Operand, y: View, ids: np.ndarray, at: int, params: dict[str, int]) -> np.ndarray:
    rows, columns = weight.dense.shape
    sizes = {"ids_at": 2, "columns": columns, "row_begin": 0, "row_end": rows, "held": 0}
    constants = {"ALIGNED": weight.aligned, "Y_HALF": y.half, "local_size_x": (32, 64)[at % 2]}
    stored = np.concatenate([np.array([1, 1], np.int64), ids])
    found = gpu.run_kernel(
        f"embed_{weight.format}",
        constants | dict(weight.constants),
        sizes | dict(weight.params) | strided("y", y) | params,
        {"ids": stored, "y": y.flat} | dict(weight.buffers),
        (1 + at % 2, len(ids)),
        "plain",
    )
    return found["y"]


@pytest.mark.parametrize(("at", "scheme", "width", "columns"), named(QUICK, SLOW))
def test_formats(at: int, scheme: Scheme, width: int, columns: int) -> None:
    weight = operand(random_packed(scheme, ROWS, columns, at), width)
    y = view((len(IDS), 1, columns), columns % 2 == 0 and at % 3 != 0, at=2, pad=2)
    found = _run(weight, y, np.array(IDS, np.int64), at, {})
    wanted = weight.dense[list(IDS)]
    if y.half:  # rounded once, to nearest
        wanted = wanted.astype(np.float16)
    np.testing.assert_array_equal(y.of(found)[:, 0], wanted)
    y.check(found, wanted[:, None], 0.0)


def test_ids_of_other_rows_are_left() -> None:
    weight = operand(random_packed(Affine(4), ROWS, 64, 1))
    y = view((6, 1, 64), True, at=2, pad=2)
    ids = np.array([2, 3, 5, 6, -1, 1 << 40], np.int64)
    found = y.of(_run(weight, y, ids, 0, {"row_begin": 3, "row_end": 6}))[:, 0]
    kept = y.numbers[:, 0]
    np.testing.assert_array_equal(found[[0, 3, 4, 5]], kept[[0, 3, 4, 5]])
    np.testing.assert_array_equal(found[[1, 2]], weight.dense[[3, 5]].astype(np.float16))
