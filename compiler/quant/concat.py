"""Packed matrices one above the other: the rows keep their codes, scales and tables, bit for bit."""

from collections.abc import Sequence

import numpy as np

from optimum_compile.compiler.quant.packed import Outliers, PackedWeight
from optimum_compile.compiler.quant.scheme import Lut, Nested, Scheme, Sparse, Vector

_BY_ROW = ("codes", "scales", "zeros", "supers", "offsets")


class NotJoinable(ValueError):  # noqa: N818  (a verdict, not an error: callers make it a remark)
    """Why packed matrices cannot be one; a phrase for the user."""


def concat_rows(parts: Sequence[PackedWeight]) -> PackedWeight:
    """One packed matrix whose rows are those of `parts` in order.

    It dequantises to exactly what the parts dequantise to, and is in their scheme.

    before: two of lut4:r16, rows 32 and 16, tables (2, 16) and (1, 16)
    after:  one of lut4:r16, rows 48, tables (3, 16)

    Raises NotJoinable where the scheme cannot hold them as one: other schemes or columns, rows that are
    no multiple of a table's, codebooks that differ, or another number of outliers than its own.
    """
    if not parts:
        raise NotJoinable("nothing to join")
    scheme, columns = parts[0].scheme, parts[0].shape[1]
    for part in parts[1:]:
        if part.scheme != scheme:
            raise NotJoinable(f"their schemes differ ({scheme} and {part.scheme})")
        if part.shape[1] != columns:
            raise NotJoinable(f"their columns differ ({columns} and {part.shape[1]})")
    _check_shapes(scheme, [part.shape for part in parts])
    arrays = {field: _stacked(parts, field) for field in _BY_ROW}
    codes = arrays.pop("codes")
    if codes is None:
        raise NotJoinable("a part has no codes")
    table = _table(scheme, parts)
    return PackedWeight(scheme, codes, table=table, outliers=_outliers(parts), **arrays)


def refusal(scheme: Scheme, shapes: Sequence[tuple[int, int]]) -> str:
    """Why matrices of these shapes cannot be one in `scheme`; "" where only their data may forbid it."""
    try:
        _check_shapes(scheme, shapes)
    except NotJoinable as reason:
        return str(reason)
    return ""


def _check_shapes(scheme: Scheme, shapes: Sequence[tuple[int, int]]) -> None:
    base = scheme.base if isinstance(scheme, Sparse) else scheme
    if isinstance(base, Lut | Nested):
        for rows, _ in shapes[:-1]:
            if rows % base.rows_per_table:
                raise NotJoinable(f"{rows} rows are no multiple of the rows of a table in {scheme}")
    if isinstance(scheme, Sparse):
        found = sum(scheme.count(*shape) for shape in shapes)
        wanted = scheme.count(sum(rows for rows, _ in shapes), shapes[0][1])
        if found != wanted:
            raise NotJoinable(f"they have {found} outliers, one matrix in {scheme} has {wanted}")


def _stacked(parts: Sequence[PackedWeight], field: str) -> np.ndarray | None:
    found = [getattr(part, field) for part in parts]
    present = [data for data in found if data is not None]
    if not present:
        return None
    if len(present) != len(found):
        raise NotJoinable(f"some have {field} and some have none")
    if len({data.dtype for data in present}) > 1:
        raise NotJoinable(f"their {field} have different types")
    return np.concatenate(present)


def _table(scheme: Scheme, parts: Sequence[PackedWeight]) -> np.ndarray | None:
    if not isinstance(scheme, Vector):
        return _stacked(parts, "table")
    first = parts[0].table
    for part in parts[1:]:
        if first is None or part.table is None or not _same_bits(first, part.table):
            raise NotJoinable(f"their codebooks differ ({scheme})")
    return first


def _same_bits(left: np.ndarray, right: np.ndarray) -> bool:
    return left.dtype == right.dtype and left.shape == right.shape and bool((left == right).all())


def _outliers(parts: Sequence[PackedWeight]) -> Outliers | None:
    found = [part.outliers for part in parts]
    if not any(found):
        return None
    given = [o for o in found if o is not None]
    if len(given) != len(found):
        raise NotJoinable("some have outliers and some have none")
    starts, base = [given[0].starts[:1]], 0
    for each in given:
        starts.append(each.starts[1:] + np.uint32(base))
        base += int(each.starts[-1])
    return Outliers(
        np.concatenate(starts),
        np.concatenate([each.columns for each in given]),
        _joined([each.values for each in given], "values"),
        _joined([each.scales for each in given], "scales"),
    )


def _joined(found: Sequence[np.ndarray | None], what: str) -> np.ndarray | None:
    present = [data for data in found if data is not None]
    if present and len(present) != len(found):
        raise NotJoinable(f"some outliers have {what} and some have none")
    return np.concatenate(present) if present else None
