"""Packed weights of any scheme, made of random parts: they need no quantiser."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.pass_manager import PassManager
from optimum_compile.compiler.quant.packed import Outliers, PackedWeight
from optimum_compile.compiler.quant.scheme import (
    AFFINE_BITS,
    E0M4,
    LUT_BITS,
    Affine,
    Float,
    Granularity,
    Lut,
    Nested,
    PerChannel,
    PerGroup,
    Scheme,
    Sparse,
    Vector,
)
from optimum_compile.compiler.quant.store import write_packed
from optimum_compile.passes.precision.notes import Precision, Quantized
from optimum_compile.passes.precision.units import units_of
from optimum_compile.passes.stages.cut import CutStages


def random_packed(scheme: Scheme, rows: int, columns: int, seed: int = 0) -> PackedWeight:
    """A weight of about the size that a layer with that many inputs has."""
    rng = np.random.default_rng(seed)
    return _random(scheme, rows, columns, rng)


def _random(scheme: Scheme, rows: int, columns: int, rng: np.random.Generator) -> PackedWeight:
    def halves(*shape: int) -> np.ndarray:
        return (rng.uniform(0.5, 2, shape) / 8 / np.sqrt(columns)).astype(np.float16)

    if isinstance(scheme, Float):
        kind = np.float16 if scheme.bits == 16 else np.float32
        return PackedWeight(scheme, rng.standard_normal((rows, columns)).astype(kind))
    if isinstance(scheme, Lut):
        codes = rng.integers(0, 1 << scheme.bits, (rows, columns)).astype(np.uint8)
        size = (scheme.tables(rows), 1 << scheme.bits)
        table = rng.standard_normal(size) / np.sqrt(columns)
        return PackedWeight(scheme, codes, table=np.sort(table, axis=1).astype(np.float16))
    if isinstance(scheme, Nested):
        codes = rng.integers(0, 1 << scheme.bits, (rows, columns)).astype(np.uint8)
        size = (scheme.tables(rows), scheme.entries)
        table = (rng.standard_normal(size) / np.sqrt(columns)).astype(np.float16)
        return PackedWeight(scheme, codes, table=table)
    if isinstance(scheme, Vector):
        return _vectors(scheme, rows, columns, rng)
    if isinstance(scheme, Sparse):
        return _sparse(scheme, _random(scheme.base, rows, columns, rng), rng)
    grid = (rows, scheme.groups(columns))
    if isinstance(scheme, E0M4):
        codes = rng.integers(0, 16, (rows, columns)).astype(np.uint8)
        scales = halves(*grid) * np.float16(8)
        return PackedWeight(scheme, codes, scales, offsets=-(scales * np.float16(1.5)))
    low = -(1 << (scheme.bits - 1)) if scheme.symmetric else 0
    low += scheme.symmetric and scheme.bits == 8
    high = (1 << (scheme.bits - 1)) if scheme.symmetric else 1 << scheme.bits
    codes = rng.integers(low, high, (rows, columns))
    codes = codes.astype(np.int8 if scheme.symmetric else np.uint8)
    zeros, supers = None, None
    if scheme.zero_dtype == "f16":
        zeros = rng.uniform(-1, 2**scheme.bits, grid).astype(np.float16)
    elif scheme.zero_dtype != "int":
        zeros = rng.integers(0, 1 << scheme.zero_bits, grid) * scheme.zero_step
        zeros = zeros.astype(np.float16)
    elif not scheme.symmetric:
        zeros = rng.integers(0, 1 << scheme.bits, grid).astype(np.uint8)
    scales = halves(*grid) / np.float16(2**scheme.bits / 8)
    if scheme.scale_dtype == "bf16":
        bits = scales.astype(np.float32).view(np.uint32) & np.uint32(0xFFFF0000)
        scales = bits.view(np.float32).astype(np.float16)
    if scheme.scale_bits:
        supers = scales.max(1) / np.float16(2**scheme.scale_bits - 1)
        levels = rng.integers(1, 2**scheme.scale_bits, grid).astype(np.float32)
        scales = (levels * supers.astype(np.float32)[:, None]).astype(np.float16)
    return PackedWeight(scheme, codes, scales, zeros, supers=supers)


def _vectors(scheme: Vector, rows: int, columns: int, rng: np.random.Generator) -> PackedWeight:
    codes = rng.integers(0, 1 << scheme.bits, (rows, columns // scheme.width)).astype(np.uint8)
    # A shared codebook is the same whatever the seed.
    maker = np.random.default_rng(7) if scheme.codebook == "shared" else rng
    table = maker.standard_normal((1 << scheme.bits, scheme.width)) / np.sqrt(columns)
    grid = (rows, scheme.groups(columns))
    scales, supers = rng.uniform(0.5, 2, grid).astype(np.float16), None
    if scheme.scale_bits:
        supers = scales.max(1) / np.float16(2**scheme.scale_bits - 1)
        levels = rng.integers(0, 2**scheme.scale_bits, grid).astype(np.float32)
        scales = (levels * supers.astype(np.float32)[:, None]).astype(np.float16)
    return PackedWeight(scheme, codes, scales, table=table.astype(np.float16), supers=supers)


def _sparse(scheme: Sparse, base: PackedWeight, rng: np.random.Generator) -> PackedWeight:
    rows, columns = base.shape
    count = scheme.count(rows, columns)
    found = None
    if count:
        flat = np.sort(rng.choice(rows * columns, count, replace=False))
        starts = np.searchsorted(flat, np.arange(rows + 1) * columns).astype(np.uint32)
        values, scales = None, None
        if scheme.outliers == "added":
            values = (3 * rng.standard_normal(count) / np.sqrt(columns)).astype(np.float16)
        elif base.scales is not None:
            scales = base.scales * np.float16(3)
        found = Outliers(starts, (flat % columns).astype(np.uint32), values, scales)
    return PackedWeight(
        scheme,
        base.codes,
        base.scales,
        base.zeros,
        base.table,
        base.supers,
        base.offsets,
        found,
    )


def with_packed(graph: Graph, weights: Mapping[str, PackedWeight], work: Path) -> Graph:
    """The graph with these weights where a name is given, and fp16 ones elsewhere."""
    store = work / "weights"
    store.mkdir(parents=True, exist_ok=True)
    for unit in units_of(graph):
        value = graph.weights[unit.name]
        weight = weights.get(unit.name)
        if weight is None:
            assert value.weight is not None
            weight = PackedWeight(Float(16), value.weight.load_f32().astype(np.float16))
        assert weight.shape == value.type.static_shape()
        value.notes.put(Precision(weight.scheme))
        value.notes.put(Quantized(weight.scheme, write_packed(store, weight), store))
    PassManager([CutStages()]).run(graph)
    return graph


GROUPS: st.SearchStrategy[Granularity] = st.one_of(
    st.just(PerChannel()), st.builds(PerGroup, st.integers(1, 40))
)
FRACTIONS = st.one_of(
    st.sampled_from([0.0, 0.005, 0.5, 1e-5, 0.08]), st.floats(0, 0.5, allow_nan=False)
)


@st.composite
def affines(draw: st.DrawFn) -> Affine:
    bits, symmetric = draw(st.sampled_from(AFFINE_BITS)), draw(st.booleans())
    group = draw(GROUPS)
    types = ["f16", "bf16", *(["u4", "u6", "u8"] if isinstance(group, PerGroup) else [])]
    fixed = [f"u{n}" for n in (4, 6, 8) if n >= bits]
    zero = "int" if symmetric else draw(st.sampled_from(["int", "f16", *fixed]))
    return Affine(bits, group, symmetric, draw(st.sampled_from(types)), zero)


LUTS = st.builds(Lut, st.sampled_from(LUT_BITS), st.integers(1, 6))
DENSE = st.one_of(affines(), LUTS, st.builds(E0M4, GROUPS))


@st.composite
def sparses(draw: st.DrawFn) -> Sparse:
    if draw(st.booleans()):
        return Sparse(draw(DENSE), draw(FRACTIONS), "added")
    kind = draw(st.sampled_from(["f16", "bf16"]))
    base = Affine(draw(st.sampled_from(AFFINE_BITS)), draw(GROUPS), True, kind)
    return Sparse(base, draw(FRACTIONS), "scaled")


@st.composite
def nested_schemes(draw: st.DrawFn) -> Nested:
    bits = draw(st.integers(2, 8))
    return Nested(draw(st.integers(1, bits - 1)), bits, draw(st.integers(1, 6)))


@st.composite
def vector_schemes(draw: st.DrawFn) -> Vector:
    """For columns that are a multiple of eight."""
    bits, width = draw(st.integers(4, 8)), draw(st.sampled_from([2, 4, 8]))
    book = draw(st.sampled_from(["own", "shared"]))
    if draw(st.booleans()):
        return Vector(bits, width, codebook=book)
    group = PerGroup(width * draw(st.integers(1, 9)))
    return Vector(bits, width, group, draw(st.sampled_from(["f16", "u4", "u6", "u8"])), book)


SCHEMES: st.SearchStrategy[Scheme] = st.one_of(
    st.builds(Float, st.sampled_from([16, 32])), DENSE, nested_schemes(), sparses()
)
