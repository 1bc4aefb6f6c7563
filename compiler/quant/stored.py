"""The bytes of a packed weight: what a file holds, part by part, and the way back.

`Scheme.stored_bytes` is the sum of these parts. Containers pad them, and may keep a part wider (Core ML
has the scales that apply, not their codes); backends count that themselves.
"""

from dataclasses import replace

import numpy as np

from optimum_compile.compiler.quant.nested import (
    from_planes,
    tables_by_row,
    tables_by_width,
    to_planes,
)
from optimum_compile.compiler.quant.pack import pack_codes, unpack_codes
from optimum_compile.compiler.quant.packed import Outliers, PackedWeight
from optimum_compile.compiler.quant.scheme import (
    E0M4,
    Affine,
    Float,
    Lut,
    Nested,
    Runs,
    Scheme,
    Sparse,
    Vector,
    packed_bytes,
)

Parts = dict[str, np.ndarray]


def stored_parts(weight: PackedWeight) -> Parts:
    """The arrays to store, by name.

    codes (of a nested weight its planes), scales (packed codes where they have two levels), supers,
    zeros, table, offsets; of outliers: counts and places (both uint8, see `place_bytes`), values,
    outlier_scales. Raises ValueError when a part is missing, or scales are none that their scheme can
    store.
    """
    scheme = weight.scheme
    if isinstance(scheme, Sparse):
        return stored_parts(weight.base) | outlier_parts(weight)
    if isinstance(scheme, Float):
        return {"codes": weight.codes}
    if isinstance(scheme, Nested):
        table = tables_by_width(scheme, _needed(weight.table, scheme))
        return {"codes": to_planes(weight.codes, scheme.bits), "table": table}
    parts = {"codes": pack_codes(weight.codes, scheme.bits)}
    if isinstance(scheme, Vector):
        book = {"table": _needed(weight.table, scheme)} if scheme.codebook == "own" else {}
        return parts | scale_parts(weight) | book
    if isinstance(scheme, Lut):
        return parts | {"table": _needed(weight.table, scheme)}
    if isinstance(scheme, E0M4):
        scales, offsets = _needed(weight.scales, scheme), _needed(weight.offsets, scheme)
        return parts | {"scales": scales, "offsets": offsets}
    return parts | scale_parts(weight) | _zero_parts(weight)


def scale_parts(weight: PackedWeight) -> Parts:
    """Scales of a grid or of vectors; of two levels their packed codes, and the number of each row."""
    scheme = weight.scheme
    scales = _needed(weight.scales, scheme)
    if not isinstance(scheme, Affine | Vector) or not scheme.scale_bits:
        return {"scales": scales}
    supers = _needed(weight.supers, scheme)
    codes = scale_codes(scales, supers, scheme.scale_bits)
    return {"scales": pack_codes(codes, scheme.scale_bits), "supers": supers}


def scale_codes(scales: np.ndarray, supers: np.ndarray, bits: int) -> np.ndarray:
    """Codes uint8 (rows, groups) of scales fp16 (rows, groups) = fp16(supers (rows,) * code).

    Raises ValueError for a scale that is no such product. Rounding to fp16 moves a product by less
    than half a code, so the code is found again.
    """
    wide = supers.astype(np.float32)[:, None]
    found = np.rint(scales.astype(np.float32) / wide)
    if not ((found >= 0) & (found < 2**bits)).all() or not np.array_equal(
        (found * wide).astype(np.float16), scales
    ):
        raise ValueError(f"scales are no products of their row's number and {bits}-bit codes")
    codes: np.ndarray = found.astype(np.uint8)
    return codes


def outlier_parts(weight: PackedWeight) -> Parts:
    """The sparse part of a weight; nothing where its shape leaves it without outliers."""
    scheme, found = weight.scheme, weight.outliers
    if not isinstance(scheme, Sparse) or not scheme.count(*weight.shape):
        return {}
    if found is None or len(found.columns) != scheme.count(*weight.shape):
        raise ValueError(f"{scheme}: expected {scheme.count(*weight.shape)} outliers")
    counts, places = place_bytes(found, scheme.runs(*weight.shape), weight.shape[1])
    parts = {"counts": counts, "places": places}
    if scheme.outliers == "added":
        return parts | {"values": _needed(found.values, scheme)}
    return parts | {"outlier_scales": _needed(found.scales, scheme)}


def place_bytes(found: Outliers, runs: Runs, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Counts and indices of outliers as bytes, least significant first: uint8 (n,), uint8 (m,).

    before: row 0 has outliers in the columns 3, 130; runs of 128 columns, 256 columns a row
    after:  counts 1, 1; indices 3, 2 of 7 bits each, without gaps over the whole matrix
    """
    per_row = -(-columns // runs.width)
    rows = len(found.starts) - 1
    run = found.rows * per_row + found.columns // runs.width
    counts = np.bincount(run, minlength=rows * per_row)
    inside = found.columns % runs.width
    kind = "<u4" if runs.count_bytes == 4 else "u1"
    return counts.astype(kind).view(np.uint8), _pack_indices(inside, runs.index_bits)


def read_places(
    counts: np.ndarray, places: np.ndarray, runs: Runs, shape: tuple[int, int], count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Starts uint32 (rows + 1,) and columns uint32 (count,) from what `place_bytes` made.

    Raises ValueError for sizes that do not fit the shape.
    """
    rows, columns = shape
    per_row = -(-columns // runs.width)
    kind = "<u4" if runs.count_bytes == 4 else "u1"
    if counts.nbytes != runs.number(rows, columns) * runs.count_bytes:
        raise ValueError(f"{counts.nbytes} bytes of counts do not fit {rows}x{columns}")
    each = counts.view(kind).astype(np.int64)
    if int(each.sum()) != count:
        raise ValueError(f"runs count {int(each.sum())} outliers: expected {count}")
    run = np.repeat(np.arange(len(each)), each)
    found = _unpack_indices(places, runs.index_bits, count) + (run % per_row) * runs.width
    if count and int(found.max()) >= columns:
        raise ValueError(f"an outlier in column {int(found.max())} of {columns}")
    starts = np.zeros(rows + 1, np.uint32)
    np.cumsum(each.reshape(rows, per_row).sum(1), out=starts[1:])
    return starts, found.astype(np.uint32)


def from_parts(
    scheme: Scheme, shape: tuple[int, int], parts: Parts, codebook: np.ndarray | None = None
) -> PackedWeight:
    """The weight whose `stored_parts` are these; a shared `codebook` is not among them.

    Raises ValueError for sizes that do not fit.
    """
    rows, columns = shape
    if isinstance(scheme, Sparse):
        base = from_parts(scheme.base, shape, parts)
        return replace(base, scheme=scheme, outliers=_read_outliers(scheme, shape, parts))
    if isinstance(scheme, Float):
        return PackedWeight(scheme, parts["codes"].reshape(shape))
    if isinstance(scheme, Nested):
        if parts["codes"].size != scheme.bits * packed_bytes(rows * columns, 1):
            raise ValueError(f"{parts['codes'].size} bytes of planes do not fit {rows}x{columns}")
        codes = from_planes(parts["codes"], scheme.bits, rows * columns).reshape(shape)
        return PackedWeight(scheme, codes, table=tables_by_row(scheme, parts["table"], rows))
    if isinstance(scheme, Vector):
        return _read_vectors(scheme, shape, parts, codebook)
    signed = isinstance(scheme, Affine) and scheme.symmetric
    codes = unpack_codes(parts["codes"], scheme.bits, rows * columns, signed).reshape(shape)
    if isinstance(scheme, Lut):
        table = parts["table"].reshape(scheme.tables(rows), 1 << scheme.bits)
        return PackedWeight(scheme, codes, table=table)
    grid = (rows, scheme.groups(columns))
    if isinstance(scheme, E0M4):
        scales, offsets = parts["scales"].reshape(grid), parts["offsets"].reshape(grid)
        return PackedWeight(scheme, codes, scales, offsets=offsets)
    zeros = None
    if scheme.zero_dtype == "f16":
        zeros = parts["zeros"].reshape(grid)
    elif not scheme.symmetric:
        found = unpack_codes(parts["zeros"], scheme.zero_bits, grid[0] * grid[1], False)
        zeros = found.reshape(grid)
        if scheme.zero_dtype != "int":
            zeros = (zeros.astype(np.float32) * scheme.zero_step).astype(np.float16)
    if not scheme.scale_bits:
        return PackedWeight(scheme, codes, parts["scales"].reshape(grid), zeros)
    scales = _read_levels(scheme.scale_bits, grid, parts)
    return PackedWeight(scheme, codes, scales, zeros, supers=parts["supers"])


def _read_levels(bits: int, grid: tuple[int, int], parts: Parts) -> np.ndarray:
    """Scales fp16 (rows, groups) from their codes and the number of each row."""
    levels = unpack_codes(parts["scales"], bits, grid[0] * grid[1], False)
    wide = levels.reshape(grid).astype(np.float32) * parts["supers"].astype(np.float32)[:, None]
    scales: np.ndarray = wide.astype(np.float16)
    return scales


def _read_vectors(
    scheme: Vector, shape: tuple[int, int], parts: Parts, codebook: np.ndarray | None
) -> PackedWeight:
    rows, columns = shape
    book = parts.get("table") if scheme.codebook == "own" else codebook
    if columns % scheme.width or book is None:
        raise ValueError(f"{scheme}: no codebook, or {columns} columns are no whole vectors")
    book = book.reshape(1 << scheme.bits, scheme.width)
    indices = unpack_codes(parts["codes"], scheme.bits, rows * columns // scheme.width, False)
    codes, grid = indices.reshape(rows, -1), (rows, scheme.groups(columns))
    if not scheme.scale_bits:
        return PackedWeight(scheme, codes, parts["scales"].reshape(grid), table=book)
    scales = _read_levels(scheme.scale_bits, grid, parts)
    return PackedWeight(scheme, codes, scales, table=book, supers=parts["supers"])


def _zero_parts(weight: PackedWeight) -> Parts:
    scheme = weight.scheme
    if not isinstance(scheme, Affine) or scheme.symmetric:
        return {}
    zeros = _needed(weight.zeros, scheme)
    if scheme.zero_dtype == "f16":
        return {"zeros": zeros}
    codes = zeros.astype(np.float32) / np.float32(scheme.zero_step)
    whole = codes.astype(np.uint8)
    if not np.array_equal(whole, codes):
        raise ValueError(f"{scheme}: zero points are no multiples of {scheme.zero_step:g}")
    return {"zeros": pack_codes(whole, scheme.zero_bits)}


def _read_outliers(scheme: Sparse, shape: tuple[int, int], parts: Parts) -> Outliers | None:
    count = scheme.count(*shape)
    if not count:
        return None
    starts, columns = read_places(
        parts["counts"], parts["places"], scheme.runs(*shape), shape, count
    )
    if scheme.outliers == "added":
        return Outliers(starts, columns, values=parts["values"])
    scales = parts["outlier_scales"].reshape(shape[0], -1)
    return Outliers(starts, columns, scales=scales)


def _pack_indices(indices: np.ndarray, bits: int) -> np.ndarray:
    if bits == 16:
        return indices.astype("<u2").view(np.uint8)
    return pack_codes(indices.astype(np.uint8), bits)


def _unpack_indices(data: np.ndarray, bits: int, count: int) -> np.ndarray:  # -> int64 (count,)
    if bits == 16:
        if data.nbytes != packed_bytes(count, bits):
            raise ValueError(f"{data.nbytes} bytes of indices: expected {2 * count}")
        return data.view("<u2").astype(np.int64)
    return unpack_codes(data, bits, count, False).astype(np.int64)


def _needed(part: np.ndarray | None, scheme: Scheme) -> np.ndarray:
    if part is None:
        raise ValueError(f"{scheme}: the weight lacks a part")
    return np.ascontiguousarray(part)
