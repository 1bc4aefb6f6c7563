"""Packed weights as the structures of the C++ kernels (`low_bit.h`, `nested.h`, `vectors.h`)."""

import ctypes
from typing import Any, ClassVar

import numpy as np

from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import E0M4, Affine, Lut, Nested, Sparse, Vector
from optimum_compile.compiler.quant.stored import stored_parts

P, N, INT, L = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int64


class PackedMatrix(ctypes.Structure):
    """`PackedMatrix` of low_bit.h."""

    _fields_: ClassVar[Any] = [
        *(("codes", P), ("code_bytes", N), ("bits", INT), ("rows", L), ("columns", L)),
        *(("table", P), ("table_entries", N), ("rows_per_table", L)),
        *(("scales", P), ("scale_entries", N)),
        *(("zeros", P), ("zero_bytes", N), ("zero_bits", INT), ("group", L)),
        *(("half_zeros", P), ("half_zero_entries", N)),
        *(("scale_codes", P), ("scale_code_bytes", N), ("scale_bits", INT)),
        *(("supers", P), ("super_entries", N), ("offsets", P), ("offset_entries", N)),
        *(("counts", P), ("count_bytes", N), ("places", P), ("place_bytes", N), ("run", L)),
        *(("values", P), ("value_entries", N)),
        *(("outlier_scales", P), ("outlier_scale_entries", N)),
    ]


def packed_matrix(weight: PackedWeight) -> tuple[PackedMatrix, dict[str, np.ndarray]]:
    """The structure, and the arrays that it points to."""
    parts = {k: np.ascontiguousarray(v) for k, v in stored_parts(weight).items()}
    scheme = weight.scheme
    m = PackedMatrix(rows=weight.shape[0], columns=weight.shape[1])
    if isinstance(scheme, Sparse):
        m.run = scheme.runs(*weight.shape).width
        scheme = scheme.base
    assert isinstance(scheme, Affine | Lut | E0M4)
    m.bits = scheme.bits
    if isinstance(scheme, Lut):
        m.rows_per_table = scheme.rows_per_table
    else:
        m.group = scheme.group_size(weight.shape[1])
    names = {
        "codes": ("codes", "code_bytes"),
        "table": ("table", "table_entries"),
        "scales": ("scales", "scale_entries"),
        "zeros": ("zeros", "zero_bytes"),
        "offsets": ("offsets", "offset_entries"),
        "supers": ("supers", "super_entries"),
        "counts": ("counts", "count_bytes"),
        "places": ("places", "place_bytes"),
        "values": ("values", "value_entries"),
        "outlier_scales": ("outlier_scales", "outlier_scale_entries"),
    }
    if isinstance(scheme, Affine):
        if scheme.scale_bits:
            m.scale_bits = scheme.scale_bits
            names["scales"] = ("scale_codes", "scale_code_bytes")
        if scheme.zero_dtype == "f16":
            names["zeros"] = ("half_zeros", "half_zero_entries")
        else:
            m.zero_bits = scheme.zero_bits
    for part, (pointer, size) in names.items():
        if part in parts:
            setattr(m, pointer, parts[part].ctypes.data)
            setattr(m, size, parts[part].size)
    return m, parts


class NestedMatrix(ctypes.Structure):
    """`NestedMatrix` of nested.h."""

    _fields_: ClassVar[Any] = [
        *(("planes", P), ("plane_bytes", N), ("tables", P), ("table_entries", N)),
        *(("seed_bits", INT), ("bits", INT)),
        *(("rows", L), ("columns", L), ("rows_per_table", L)),
    ]


def nested_matrix(weight: PackedWeight) -> tuple[NestedMatrix, dict[str, np.ndarray]]:
    """The structure, and the arrays that it points to."""
    scheme, parts = weight.scheme, stored_parts(weight)
    assert isinstance(scheme, Nested)
    planes, tables = parts["codes"], parts["table"]
    widths = (scheme.seed_bits, scheme.bits)
    sizes = (*weight.shape, scheme.rows_per_table)
    return (
        NestedMatrix(
            planes.ctypes.data, planes.size, tables.ctypes.data, tables.size, *widths, *sizes
        ),
        parts,
    )


class VectorMatrix(ctypes.Structure):
    """`VectorMatrix` of vectors.h."""

    _fields_: ClassVar[Any] = [
        *(("indices", P), ("index_bytes", N), ("bits", INT), ("width", INT)),
        *(("rows", L), ("columns", L), ("table", P), ("table_entries", N), ("group", L)),
        *(("scales", P), ("scale_entries", N), ("scale_codes", P), ("scale_code_bytes", N)),
        *(("scale_bits", INT), ("supers", P), ("super_entries", N)),
    ]


def vector_matrix(weight: PackedWeight) -> tuple[VectorMatrix, dict[str, np.ndarray]]:
    """The structure, and the arrays that it points to."""
    scheme = weight.scheme
    assert isinstance(scheme, Vector)
    assert weight.table is not None
    parts = stored_parts(weight) | {"table": np.ascontiguousarray(weight.table)}
    rows, columns = weight.shape
    m = VectorMatrix(rows=rows, columns=columns, bits=scheme.bits, width=scheme.width)
    m.group, m.scale_bits = scheme.group_size(columns), scheme.scale_bits
    names = {"codes": ("indices", "index_bytes"), "table": ("table", "table_entries")}
    names["scales"] = ("scales", "scale_entries")
    if scheme.scale_bits:
        names["scales"] = ("scale_codes", "scale_code_bytes")
        names["supers"] = ("supers", "super_entries")
    for part, (pointer, size) in names.items():
        setattr(m, pointer, parts[part].ctypes.data)
        setattr(m, size, parts[part].size)
    return m, parts
