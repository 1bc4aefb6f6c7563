"""A quantised weight in memory: codes, and what turns them back into numbers."""

from dataclasses import dataclass

import numpy as np

from optimum_compile.compiler.quant.scheme import Affine, Float, Lut, Scheme


@dataclass(frozen=True)
class PackedWeight:
    """One quantised matrix (rows, columns).

    codes  Affine symmetric: int8 (rows, columns); asymmetric and Lut: uint8 (rows, columns);
           Float: float16 or float32 (rows, columns). One code an element: `pack` makes the bytes.
    scales Affine: float16 (rows, groups)       zeros  Affine asymmetric: uint8 (rows, groups)
    table  Lut: float16 (tables, 2**bits)
    """

    scheme: Scheme
    codes: np.ndarray
    scales: np.ndarray | None = None
    zeros: np.ndarray | None = None
    table: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.codes.shape[0], self.codes.shape[1]

    @property
    def stored_bytes(self) -> int:
        """Exact bytes of codes, scales, zero points and tables."""
        return self.scheme.stored_bytes(*self.shape)

    def dequantize(self) -> np.ndarray:  # -> (rows, columns) float32
        """The oracle's weights: exact in float32, since every part is an fp16 value times an integer."""
        if isinstance(self.scheme, Float):
            return self.codes.astype(np.float32)
        if isinstance(self.scheme, Lut):
            return _from_table(self.scheme, self.codes, self.table)
        return _from_affine(self.scheme, self.codes, self.scales, self.zeros)


def _from_table(scheme: Lut, codes: np.ndarray, table: np.ndarray | None) -> np.ndarray:
    if table is None:
        raise ValueError("a lut weight needs its table")
    which = np.arange(codes.shape[0]) // scheme.rows_per_table
    entries: np.ndarray = table.astype(np.float32)[which[:, None], codes]
    return entries


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
