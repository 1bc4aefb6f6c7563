"""Linears as convolutions of int8 weights between uint8 activations, and tables of embeddings."""

from dataclasses import dataclass

import numpy as np

from optimum_compile.backends.nnapi.lower import BYTE, CODE, FLOAT, INT, Lowering, grid
from optimum_compile.backends.nnapi.schemes import TABLE_CENTRE
from optimum_compile.compiler.errors import InternalError, UnsupportedError
from optimum_compile.compiler.ir.graph import Node, Value
from optimum_compile.compiler.quant.scheme import Affine
from optimum_compile.passes.precision.notes import Quantized, ValueRange

MOST = 127  # codes are -127 to 127, as NNAPI's symmetric ones
INT32_MOST = 2**31 - 1


@dataclass(frozen=True)
class Codes:
    """A matrix: int8 (rows, columns), float32 (rows,)."""

    codes: np.ndarray
    scales: np.ndarray


def codes_of(value: Value) -> Codes:
    """The matrix as int8 a row: codes of int8 a channel as they are, others rounded once more."""
    note = value.notes.get(Quantized)
    if value.weight is None:
        raise InternalError(f"%{value.name} is no weight")
    if note is None:
        return _rounded(value.weight.load_f32())
    packed = note.load()
    scheme, scales = packed.scheme, packed.scales
    plain = isinstance(scheme, Affine) and scheme.bits == 8 and scheme.symmetric
    if plain and scales is not None and scales.shape[1] == 1 and packed.codes.min() >= -MOST:
        return Codes(packed.codes.astype(np.int8), scales[:, 0].astype(np.float32))
    return _rounded(packed.dequantize())


def _rounded(data: np.ndarray) -> Codes:
    scales = (np.abs(data).max(1) / MOST).astype(np.float32)
    scales[scales < np.finfo(np.float32).tiny] = 1
    return Codes(np.rint(data / scales[:, None]).clip(-MOST, MOST).astype(np.int8), scales)


def linear(low: Lowering, node: Node) -> None:
    """Its columns: a convolution of 1 x 1 between rounded activations."""
    x, weight = node.input(0), node.input(1)
    known = _weight(low, weight)
    given = [rounded_columns(low, x), known]
    if len(node.inputs) > 2 and node.inputs[2] is not None:
        given.append(_bias(low, node.input(2), weight, _range(x)))
    made = low.op("Conv", *given, kernel_shape=[1, 1])
    low.columns[node.output] = _round(low, node.output, made)


def rounded_columns(low: Lowering, value: Value) -> str:
    """The columns of a value, rounded once for all linears that read it."""
    if ("rounded", value) not in low.memo:
        made = _round(low, value, low.column(value))
        low.memo["rounded", value] = made
    return low.memo["rounded", value]


def _round(low: Lowering, value: Value, name: str) -> str:
    low.ranges[value.name] = found = _range(value)
    return low.rounded(name, *found)


def _range(value: Value) -> tuple[float, float]:
    note = value.notes.get(ValueRange)
    if note is None:
        raise UnsupportedError(
            f"nnapi: %{value.name} has no calibrated range; compile with text, or run the pass "
            "calibrate-activations before"
        )
    return note.low, note.high


def _weight(low: Lowering, value: Value) -> str:
    if ("weight", value) not in low.memo:
        found = codes_of(value)
        rows, columns = found.codes.shape
        low.memo["weight", value] = low.op(
            "DequantizeLinear",
            low.stored(f"{value.name}/codes", found.codes.reshape(rows, columns, 1, 1), CODE),
            low.stored(f"{value.name}/scales", found.scales, FLOAT),
            low.stored(f"{value.name}/zeros", np.zeros(rows), CODE),
            axis=0,
        )
    return low.memo["weight", value]


def _bias(low: Lowering, value: Value, weight: Value, x: tuple[float, float]) -> str:
    """Int32 in units of a product of codes, as convolutions of codes add it."""
    if value.weight is None:
        raise UnsupportedError(f"nnapi: %{value.name}: a bias must be a constant")
    units = np.float32(grid(*x)[0]) * codes_of(weight).scales
    codes = np.rint(value.weight.load_f32().astype(np.float64) / units)
    return low.op(
        "DequantizeLinear",
        low.stored(f"{value.name}/codes", codes.clip(-INT32_MOST, INT32_MOST), INT),
        low.stored(f"{value.name}/scales", units, FLOAT),
        low.stored(f"{value.name}/zeros", np.zeros(len(units)), INT),
        axis=0,
    )


def embedding(low: Lowering, node: Node) -> None:
    """Rows of a table: codes and their scale, gathered."""
    ids, table = node.input(0), node.input(1)
    if ids not in low.rows:
        raise UnsupportedError(f"nnapi: {node.origin}: a table is read with the tokens only")
    found = codes_of(table)
    shifted = (found.codes.astype(np.int16) + TABLE_CENTRE).astype(np.uint8)
    codes = low.stored(f"{table.name}/table", shifted, BYTE)
    scales = low.stored(f"{table.name}/table_scales", found.scales[:, None], FLOAT)
    rows = low.unsigned(low.op("Gather", codes, low.rows[ids], axis=0))
    low.rows[node.output] = low.op("Mul", rows, low.op("Gather", scales, low.rows[ids], axis=0))
