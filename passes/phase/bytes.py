"""What a step reads at each width, and how many outliers take the same bytes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from optimum_compile.compiler.decoder import caches_of
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.scheme import Lut, Nested, Sparse
from optimum_compile.compiler.schedule import Schedule
from optimum_compile.passes.precision.bytes_read import read_shares
from optimum_compile.passes.precision.notes import Quantized
from optimum_compile.passes.precision.units import units_of

HALF_BYTES = 2


@dataclass(frozen=True)
class StepBytes:
    """Bytes that a decode step reads: nested weights by width, other weights, cache by token."""

    nested: Mapping[int, float]
    other: float
    cache_per_token: float

    def step(self, width: int, past: float) -> float:
        """Of one step behind `past` tokens. A width beyond those stored reads the nearest one."""
        near = min(max(width, min(self.nested)), max(self.nested)) if self.nested else width
        return self.nested.get(near, 0.0) + self.other + past * self.cache_per_token

    def mean(self, schedule: Schedule, prompt: int, length: int) -> float:
        """Mean of `length` steps behind a prompt."""
        total = sum(self.step(schedule.width_at(t), prompt + t) for t in range(length))
        return total / length


def step_bytes(graph: Graph) -> StepBytes:
    """Count them from the packed weights of a graph; what is not packed counts as fp16, caches too.

    Every expert counts, since the programs compute all of them; of a table a row is read.
    """
    shares, other = read_shares(graph), 0.0
    nested: list[tuple[Nested, int, int]] = []
    counted = set()
    for unit in units_of(graph):
        note = graph.weights[unit.name].notes.get(Quantized)
        counted.add(unit.name)
        rows, columns = unit.use.rows, unit.use.columns
        if note is None:
            other += shares[unit.name] * rows * columns * HALF_BYTES
        elif isinstance(note.scheme, Nested):
            nested.append((note.scheme, rows, columns))
        else:
            other += shares[unit.name] * note.scheme.stored_bytes(rows, columns)
    for name, value in graph.weights.items():
        if name not in counted and value.uses:
            other += HALF_BYTES * math.prod(value.type.static_shape())
    widths = sorted({w for scheme, _, _ in nested for w in scheme.widths})
    by_width = {w: float(sum(_read(*each, w) for each in nested)) for w in widths}
    cached = sum(HALF_BYTES * c.sizes[0] * c.sizes[2] for c in caches_of(graph))
    return StepBytes(by_width, other, float(cached))


def sparse_of_bytes(graph: Graph, base: Lut, wanted: float) -> Sparse:
    """A palette with as many outliers as let the nested weights of a graph take `wanted` bytes.

    The bytes grow with the fraction, so halving finds it; the result takes `wanted` bytes at most.
    """
    sizes = []
    for unit in units_of(graph):
        note = graph.weights[unit.name].notes.get(Quantized)
        if note is not None and isinstance(note.scheme, Nested):
            sizes.append((unit.use.rows, unit.use.columns))
    low, high = 0.0, 0.25
    for _ in range(30):
        middle = (low + high) / 2
        scheme = Sparse(base, middle)
        if sum(scheme.stored_bytes(*size) for size in sizes) <= wanted:
            low = middle
        else:
            high = middle
    return Sparse(base, math.floor(low * 1e5) / 1e5)


def _read(scheme: Nested, rows: int, columns: int, width: int) -> int:
    near = min(max(width, scheme.seed_bits), scheme.bits)
    return scheme.read_bytes(rows, columns, near)
