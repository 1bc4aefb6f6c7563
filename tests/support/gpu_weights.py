"""Packed weights as operands of GPU kernels, and matrix products on them against float64."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from _pytest.mark.structures import ParameterSet
from support import gpu
from support.gpu_views import View, ceil_div, view

from optimum_compile.compiler.quant.nested import at_width, table_start
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import (
    E0M4,
    Affine,
    Float,
    Lut,
    Nested,
    Scheme,
    Vector,
)
from optimum_compile.compiler.quant.stored import stored_parts

Case = tuple[Scheme, *tuple[int, ...]]
NOTHING = np.zeros(1, np.uint32)
# Relative to the sum of the sizes of products: float32 sums of any order, and scales taken out of them.
TOLERANCE = 2e-6


def named(quick: Sequence[Case], slow: Sequence[Case]) -> list[ParameterSet]:
    """Cases (number, scheme, sizes ..) of a test by name. Pipelines take long on a device that is a CPU."""
    cases = []
    for at, (scheme, *sizes) in enumerate([*quick, *slow]):
        marks = [pytest.mark.slow] if at >= len(quick) else []
        text = "x".join(map(str, sizes))
        cases.append(pytest.param(at, scheme, *sizes, id=f"{scheme}-{text}", marks=marks))
    return cases


@dataclass(frozen=True)
class Operand:
    """A weight (rows, columns): the name of its format, what a kernel is given, and its numbers."""

    format: str
    constants: Mapping[str, int]
    params: Mapping[str, int]
    buffers: Mapping[str, np.ndarray]
    dense: np.ndarray  # float32

    @property
    def aligned(self) -> int:
        """Whether the fast path reads it."""
        whole_groups = self.constants.get("GROUP", 0) % 8 == 0
        return int(self.dense.shape[1] % 32 == 0 and whole_groups)


def operand(packed: PackedWeight, width: int = 0) -> Operand:
    """A weight with its parts given whole. width: of a nested weight, at which it is read."""
    scheme, (rows, columns) = packed.scheme, packed.shape
    parts = stored_parts(packed)
    if isinstance(scheme, Nested):
        dense = at_width(packed, width).dequantize()
        params = {
            "rows_per_table": scheme.rows_per_table,
            "table_at": scheme.tables(rows) * table_start(scheme, width),
            "plane_bytes": ceil_div(rows * columns, 8),
        }
        read = parts["codes"][: width * ceil_div(rows * columns, 8)]
        buffers = {"planes": read, "table": parts["table"]}
        return Operand("nested", {"BITS": width}, params, buffers, dense)
    dense = packed.dequantize()
    if isinstance(scheme, Float):
        half = int(scheme.bits == 16)
        return Operand("float", {"WEIGHT_HALF": half}, {}, {"codes": parts["codes"]}, dense)
    if isinstance(scheme, Lut):
        buffers = {"codes": parts["codes"], "table": parts["table"]}
        params = {"rows_per_table": scheme.rows_per_table}
        return Operand("lut", {"BITS": scheme.bits}, params, buffers, dense)
    assert isinstance(scheme, Affine | E0M4 | Vector)
    size = scheme.group_size(columns)
    group = {"GROUP": 0 if size >= columns else size}
    if isinstance(scheme, E0M4):
        return Operand("e0m4", group, {}, parts, dense)
    constants = {"BITS": scheme.bits, "SCALE_BITS": scheme.scale_bits} | group
    supers = parts.get("supers", NOTHING)
    if isinstance(scheme, Vector):
        table = parts.get("table", packed.table)
        assert table is not None
        buffers = {"codes": parts["codes"], "table": table, "scales": parts["scales"]}
        constants |= {"WIDTH": scheme.width}
        return Operand("vectors", constants, {}, buffers | {"supers": supers}, dense)
    constants["ZEROS"] = 0 if scheme.symmetric else 2 if scheme.zero_dtype == "f16" else 1
    constants["ZERO_BITS"] = scheme.zero_bits if scheme.zero_bits <= 8 else scheme.bits
    buffers = {"codes": parts["codes"], "scales": parts["scales"]}
    zeros = parts.get("zeros", NOTHING)
    return Operand("affine", constants, {}, buffers | {"zeros": zeros, "supers": supers}, dense)


@dataclass(frozen=True)
class Product:
    """Everything of a product but the weight.

    x: (tokens, runs, columns of a run). outputs: up to three of (tokens, runs, rows of a run), which
    take the rows in order. bias: float32 (rows,). residual: (tokens, runs, rows of a run).
    """

    x: View
    outputs: Sequence[View]
    bias: np.ndarray | None = None
    residual: View | None = None

    @property
    def tokens(self) -> int:
        """Tokens of x."""
        return int(self.x.shape[0])

    def constants(self) -> dict[str, int]:
        """Those of all products but ALIGNED."""
        out = {"X_HALF": self.x.half, "X_RUNS": int(self.x.shape[1] > 1)}
        out |= {"BIAS": int(self.bias is not None), "RESIDUAL": int(self.residual is not None)}
        out["RESIDUAL_HALF"] = 0 if self.residual is None else self.residual.half
        return out | {f"Y{i}_HALF": y.half for i, y in enumerate(self.outputs)}

    def params(self) -> dict[str, int]:
        """Those of views and outputs."""
        ends = [int(np.prod(y.shape[1:])) for y in self.outputs]
        ends = list(np.cumsum(ends)) + [sum(ends)] * 3
        out = {"tokens": self.tokens, "end0": int(ends[0]), "end1": int(ends[1])}
        named = {"x": self.x, "residual": self.residual}
        named |= {f"y{i}": None for i in range(3)}
        named |= {f"y{i}": y for i, y in enumerate(self.outputs)}
        for name, seen in named.items():
            out |= strided(name, seen)
        return out

    def buffers(self) -> dict[str, np.ndarray]:
        """x, bias, residual and outputs; of what is absent a word that nothing reads."""
        out = {"x": self.x.flat, "bias": NOTHING if self.bias is None else self.bias}
        out["residual"] = NOTHING if self.residual is None else self.residual.flat
        out |= {f"y{i}": NOTHING for i in range(3)}
        return out | {f"y{i}": y.flat for i, y in enumerate(self.outputs)}

    def wanted(self, dense: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The result (tokens, rows) in float64, and the sum of the sizes of what was added."""
        x = self.x.numbers.reshape(self.tokens, -1).astype(np.float64)
        out, size = x @ dense.T.astype(np.float64), np.abs(x) @ np.abs(dense.T).astype(np.float64)
        added = np.zeros_like(out)
        if self.bias is not None:
            added += self.bias
        if self.residual is not None:
            added += self.residual.numbers.reshape(self.tokens, -1)
        return out + added, size + np.abs(added)

    def check(
        self,
        found: Mapping[str, np.ndarray],
        wanted: np.ndarray,
        size: np.ndarray,
        tolerance: float = TOLERANCE,
    ) -> None:
        """Compare every output, and what lies around it."""
        begin = 0
        for at, y in enumerate(self.outputs):
            rows = int(np.prod(y.shape[1:]))
            part = slice(begin, begin + rows)
            begin += rows
            got, around = found[f"y{at}"], y.flat.copy()
            y.of(around)[...] = y.of(got)
            np.testing.assert_array_equal(got, around)
            limit = tolerance * size[:, part] + 1e-7
            if y.half:
                limit += np.abs(wanted[:, part]) * 2.0**-11 * 1.01 + 2.0**-25
            error = np.abs(
                y.of(got).reshape(self.tokens, rows).astype(np.float64) - wanted[:, part]
            )
            assert (error <= limit).all(), f"y{at}: {error.max()} of {limit.max()}"


def strided(name: str, seen: View | None) -> dict[str, int]:
    """Params of a view (tokens, runs, elements of a run)."""
    at, (token, outer), inner = 0, (0, 0), 1
    if seen is not None:
        at, (token, outer), inner = seen.at, seen.strides[:2], seen.shape[2]
    sizes = {"at": at, "token": token, "inner": inner, "outer": outer}
    return {f"{name}_{key}": int(number) for key, number in sizes.items()}


def random_product(
    tokens: int,
    columns: int,
    outputs: Sequence[tuple[int, bool]],
    *,
    x_half: bool = True,
    seed: int = 0,
) -> Product:
    """x in fp16 or float32, outputs of (rows, fp16), everything with gaps."""
    rng = np.random.default_rng(seed)
    numbers = rng.standard_normal((tokens, 1, columns)).astype(np.float32)
    x = view((tokens, 1, columns), x_half, at=2 * (seed % 4), pad=2, numbers=numbers)
    made = [
        view((tokens, 1, rows), half, at=2 * at, pad=4 * (at + seed % 2))
        for at, (rows, half) in enumerate(outputs)
    ]
    return Product(x, made)


def run_product(
    kernel: str,
    weight: Operand,
    product: Product,
    constants: Mapping[str, int],
    groups: Sequence[int],
    variant: str,
    params: Mapping[str, int] | None = None,
) -> dict[str, np.ndarray]:
    """Run `matvec` or `matmul` of the weight's format. params: what differs from the whole weight."""
    rows, columns = weight.dense.shape
    sizes = {"columns": columns, "row_begin": 0, "row_end": rows, "held": 0}
    sizes |= dict(weight.params) | product.params() | dict(params or {})
    fixed = {"ALIGNED": weight.aligned} | product.constants() | dict(weight.constants)
    buffers = product.buffers() | dict(weight.buffers)
    return gpu.run_kernel(
        f"{kernel}_{weight.format}", fixed | dict(constants), sizes, buffers, groups, variant
    )
