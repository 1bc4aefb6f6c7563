"""Nested tables: k-means at the narrowest width, then every cluster split in two, width after width.

This is the upscaling of Any-Precision LLM (Park et al., arXiv 2402.10517): codes of b bits stay as they
are, and one bit more chooses between the halves of a cluster.
"""

import numpy as np

from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Lut, Nested
from optimum_compile.passes.precision.quantizers.tables.palette import quantize_palette
from optimum_compile.passes.precision.quantizers.tables.split import split_clusters

CHUNK_ELEMENTS = 1 << 18


def quantize_nested(
    weight: np.ndarray, scheme: Nested, importance: np.ndarray | None = None
) -> PackedWeight:
    """Quantise (rows, columns) float32 to nested indices and tables; `importance` is (columns,)."""
    rows, columns = weight.shape
    per = scheme.rows_per_table
    seed = quantize_palette(weight, Lut(scheme.seed_bits, per), importance)
    if seed.table is None:
        raise ValueError("k-means made no table")
    codes = np.empty((rows, columns), np.uint8)
    table = np.empty((scheme.tables(rows), scheme.entries), np.float16)
    for begin, end in table_spans(rows, columns, per):
        here = slice(begin * per, min(rows, end * per))
        points, given = weight[here].astype(np.float32), seed.codes[here]
        first = seed.table[begin:end]
        found = [first]
        shape = (end - begin, -1)
        points, given = points.reshape(shape), given.reshape(shape)
        for _ in range(scheme.seed_bits, scheme.bits):
            given, halves = split_clusters(points, given, found[-1], importance)
            found.append(halves)
        table[begin:end] = np.concatenate(found, axis=1)
        codes[here] = given.reshape(-1, columns)
    return PackedWeight(scheme, codes, table=table)


def table_spans(rows: int, columns: int, per: int) -> list[tuple[int, int]]:
    """Runs of tables of at most `CHUNK_ELEMENTS` weights; a table of fewer rows is a run of its own."""
    full, step = rows // per, max(1, CHUNK_ELEMENTS // (per * columns))
    spans = [(at, min(full, at + step)) for at in range(0, full, step)]
    return spans if full * per == rows else [*spans, (full, full + 1)]
