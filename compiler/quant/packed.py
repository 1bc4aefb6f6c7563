"""A quantised weight in memory: codes, and what turns them back into numbers."""

from dataclasses import dataclass, replace

import numpy as np

from optimum_compile.compiler.quant.scheme import (
    E0M4,
    Affine,
    Float,
    Lut,
    Nested,
    Scheme,
    Sparse,
    Vector,
)


@dataclass(frozen=True)
class Outliers:
    """Where a matrix (rows, columns) departs from its base, row by row.

    starts   uint32 (rows + 1,): row r has the entries starts[r] .. starts[r + 1] - 1
    columns  uint32 (count,), ascending within a row
    values   "added": float16 (count,)      scales  "scaled": float16 (rows, groups)
    """

    starts: np.ndarray
    columns: np.ndarray
    values: np.ndarray | None = None
    scales: np.ndarray | None = None

    @property
    def rows(self) -> np.ndarray:
        """The row of each entry: int64 (count,)."""
        starts = self.starts.astype(np.int64)
        return np.repeat(np.arange(len(starts) - 1), np.diff(starts))

    def part(self, begin: int, end: int) -> "Outliers":
        """Those of the rows begin .. end - 1."""
        starts = self.starts[begin : end + 1]
        entries = slice(int(starts[0]), int(starts[-1]))
        return Outliers(
            starts - starts[0],
            self.columns[entries],
            None if self.values is None else self.values[entries],
            None if self.scales is None else self.scales[begin:end],
        )


@dataclass(frozen=True)
class PackedWeight:
    """One quantised matrix (rows, columns).

    codes    Affine symmetric: int8 (rows, columns); asymmetric, E0M4, Lut, Nested: uint8, same shape;
             Float: float16 or float32 (rows, columns). One code an element: `pack` makes the bytes.
             Vector: uint8 (rows, columns / width).
    scales   Affine, E0M4, Vector: float16 (rows, groups), those that apply: of two levels the product.
    supers   scales of two levels: float16 (rows,), the number of each row.
    zeros    Affine asymmetric: uint8 (rows, groups), float16 for all zero points that are no codes.
    offsets  E0M4: float16 (rows, groups)
    table    Lut: float16 (tables, 2**bits); Nested: those of all widths, (tables, entries);
             Vector: the codebook, (2**bits, width)
    outliers Sparse, whose other parts are those of its base.
    """

    scheme: Scheme
    codes: np.ndarray
    scales: np.ndarray | None = None
    zeros: np.ndarray | None = None
    table: np.ndarray | None = None
    supers: np.ndarray | None = None
    offsets: np.ndarray | None = None
    outliers: Outliers | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        rows, codes = self.codes.shape
        return rows, codes * self.scheme.width if isinstance(self.scheme, Vector) else codes

    @property
    def stored_bytes(self) -> int:
        """Exact bytes of codes, scales, zero points, tables and outliers."""
        return self.scheme.stored_bytes(*self.shape)

    @property
    def base(self) -> "PackedWeight":
        """The dense part of a Sparse weight, itself for any other."""
        if not isinstance(self.scheme, Sparse):
            return self
        return replace(self, scheme=self.scheme.base, outliers=None)

    def part(self, begin: int, end: int) -> "PackedWeight":
        """Rows begin .. end - 1, to be dequantised.

        Rows that share a table stay together: begin is a multiple of their number.
        """
        rows = slice(begin, end)
        base = self.scheme.base if isinstance(self.scheme, Sparse) else self.scheme
        per = base.rows_per_table if isinstance(base, Lut | Nested) else 1
        last = min(end, self.shape[0])
        table = self.table
        if table is not None and not isinstance(base, Vector):
            table = table[begin // per : -(-last // per)]
        return PackedWeight(
            self.scheme,
            self.codes[rows],
            scales=None if self.scales is None else self.scales[rows],
            zeros=None if self.zeros is None else self.zeros[rows],
            table=table,
            supers=None if self.supers is None else self.supers[rows],
            offsets=None if self.offsets is None else self.offsets[rows],
            outliers=None if self.outliers is None else self.outliers.part(begin, last),
        )

    def dequantize(self) -> np.ndarray:  # -> (rows, columns) float32
        """The oracle's weights.

        Exact in float32 where every part is an fp16 value times an integer. Fp16 zero points,
        offsets and added outliers take one float32 operation more, which rounds; the order is fixed:
        (code - zero) * scale, a * h + c, base + outlier.
        """
        scheme = self.scheme
        if isinstance(scheme, Float):
            return self.codes.astype(np.float32)
        if isinstance(scheme, Sparse):
            return self._with_outliers(scheme)
        if isinstance(scheme, Lut):
            return _from_table(scheme.rows_per_table, self.codes, self.table)
        if isinstance(scheme, Nested):  # the widest palette, whose table is the last
            widest = None if self.table is None else self.table[:, -(1 << scheme.bits) :]
            return _from_table(scheme.rows_per_table, self.codes, widest)
        if isinstance(scheme, Vector):
            return _from_vectors(scheme, self.codes, self.scales, self.table)
        if isinstance(scheme, E0M4):
            return _from_e0m4(scheme, self.codes, self.scales, self.offsets)
        return _from_affine(scheme, self.codes, self.scales, self.zeros)

    def _with_outliers(self, scheme: Sparse) -> np.ndarray:
        dense = self.base.dequantize()
        if self.outliers is None:
            if scheme.count(*self.shape):
                raise ValueError(f"{scheme}: the weight has no outliers")
            return dense
        rows, columns = self.outliers.rows, self.outliers.columns.astype(np.int64)
        if scheme.outliers == "added" and self.outliers.values is not None:
            dense[rows, columns] += self.outliers.values.astype(np.float32)
            return dense
        if self.outliers.scales is None or not isinstance(scheme.base, Affine):
            raise ValueError(f"{scheme}: outliers lack their values or scales")
        group = columns // scheme.base.group_size(self.shape[1])
        codes = self.codes[rows, columns].astype(np.float32)
        dense[rows, columns] = codes * self.outliers.scales.astype(np.float32)[rows, group]
        return dense


def e0m4_numbers(codes: np.ndarray) -> np.ndarray:  # uint8 -> float32, same shape
    """What the codes 0..15 stand for, decoded from the bits of fp16: 1 + code / 16."""
    bits = (codes.astype(np.uint16) << np.uint16(6)) | np.uint16(0x3C00)
    return bits.view(np.float16).astype(np.float32)


def _from_table(rows_per_table: int, codes: np.ndarray, table: np.ndarray | None) -> np.ndarray:
    if table is None:
        raise ValueError("a lut weight needs its table")
    which = np.arange(codes.shape[0]) // rows_per_table
    entries: np.ndarray = table.astype(np.float32)[which[:, None], codes]
    return entries


def _from_vectors(
    scheme: Vector, codes: np.ndarray, scales: np.ndarray | None, table: np.ndarray | None
) -> np.ndarray:
    if scales is None or table is None:
        raise ValueError(f"{scheme}: scales or the codebook are missing")
    out: np.ndarray = table.astype(np.float32)[codes].reshape(len(codes), -1)
    spread = np.arange(out.shape[1]) // scheme.group_size(out.shape[1])
    out *= scales.astype(np.float32)[:, spread]  # exact: 11 bits times 11
    return out


def _from_e0m4(
    scheme: E0M4, codes: np.ndarray, scales: np.ndarray | None, offsets: np.ndarray | None
) -> np.ndarray:
    if scales is None or offsets is None:
        raise ValueError(f"{scheme}: scales or offsets are missing")
    spread = np.arange(codes.shape[1]) // scheme.group_size(codes.shape[1])
    out = e0m4_numbers(codes)
    out *= scales.astype(np.float32)[:, spread]  # exact: 5 bits times 11
    out += offsets.astype(np.float32)[:, spread]
    return out


def _from_affine(
    scheme: Affine, codes: np.ndarray, scales: np.ndarray | None, zeros: np.ndarray | None
) -> np.ndarray:
    if scales is None or (zeros is None) != scheme.symmetric:
        raise ValueError(f"{scheme}: scales or zero points do not fit the scheme")
    size = scheme.group_size(codes.shape[1])
    spread = np.arange(codes.shape[1]) // size
    out = codes.astype(np.float32)
    if zeros is not None:
        out -= zeros.astype(np.float32)[:, spread]
    return out * scales.astype(np.float32)[:, spread]
