"""Read the nested weights of a graph at one of their widths."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.nested import at_width
from optimum_compile.compiler.quant.scheme import Lut, Nested
from optimum_compile.compiler.quant.store import write_packed
from optimum_compile.passes.precision.notes import Precision, Quantized
from optimum_compile.passes.symbolic_shape.specialize import specialize


def nested_of(graph: Graph) -> dict[str, Nested]:
    """Schemes of the nested weights by name, as they were decided."""
    notes = {name: value.notes.get(Precision) for name, value in graph.weights.items()}
    return {n: p.scheme for n, p in notes.items() if p is not None and isinstance(p.scheme, Nested)}


def widths_of(graph: Graph) -> tuple[int, ...]:
    """Every width that some nested weight has, the least first; none without such weights."""
    return tuple(sorted({width for s in nested_of(graph).values() for width in s.widths}))


def nearest(scheme: Nested, width: int) -> int:
    """The width that a weight is read at where a call asks for `width`; 0 asks for all bits."""
    return min(max(width, scheme.seed_bits), scheme.bits) if width else scheme.bits


def narrowed(graph: Graph, width: int) -> Graph:
    """A copy in which every nested weight is the palette that a call of `width` reads; 0: the widest.

    Before:  @up_proj.weight {Precision(scheme=nest2-4:r4), Quantized(...)}
    After:   @up_proj.weight {Precision(scheme=lut3:r4), Quantized(..., width=3)}

    A weight that lacks the width is read at the nearest one that it has. Nothing is written to disk.
    """
    out = specialize(graph, {})
    for value in out.weights.values():
        note = value.notes.get(Quantized)
        if note is None or not isinstance(note.scheme, Nested):
            continue
        bits = nearest(note.scheme, width)
        palette = Lut(bits, note.scheme.rows_per_table)
        value.notes.put(replace(note, scheme=palette, width=bits))
        decided = value.notes.get(Precision)
        if decided is not None:
            value.notes.put(replace(decided, scheme=palette))
    return out


def read_narrowest(graph: Graph) -> None:
    """Have every nested weight of the graph itself read with the fewest bits that it has.

    Before:  @up_proj.weight {Quantized(scheme=nest2-4:r4, ...)}
    After:   @up_proj.weight {Quantized(scheme=lut2:r4, ..., width=2)}
    """
    for value in graph.weights.values():
        note = value.notes.get(Quantized)
        if note is not None and isinstance(note.scheme, Nested):
            bits = note.scheme.seed_bits
            palette = Lut(bits, note.scheme.rows_per_table)
            value.notes.put(replace(note, scheme=palette, width=bits))


def stepping_down(widths: Sequence[int], steps: int) -> list[int]:
    """A width for each of `steps`, the greatest first, each about as often as the others."""
    down = sorted(widths, reverse=True)
    return [down[at * len(down) // steps] for at in range(steps)]


def narrow(graph: Graph, width: int, store: Path) -> int:
    """Put the slice of `width` bits in the place of every nested weight; returns how many there were.

    Before:  @up_proj.weight {Precision(scheme=nest2-4:r4), Quantized(...)}
    After:   @up_proj.weight {Precision(scheme=lut3:r4), Quantized(...)}, the packed palette in `store`

    The executor then computes what an artifact does that reads the weights at that width. Raises
    OptionError for a width that a weight does not have; the graph is unchanged then.
    """
    store.mkdir(parents=True, exist_ok=True)
    fresh = {}
    for value in graph.weights.values():
        note = value.notes.get(Quantized)
        if note is None or not isinstance(note.scheme, Nested):
            continue
        packed = at_width(note.load(), width)
        fresh[value] = Quantized(packed.scheme, write_packed(store, packed), store)
    for value, quantized in fresh.items():
        value.notes.put(quantized)
        decided = value.notes.get(Precision)
        if decided is not None:
            value.notes.put(replace(decided, scheme=quantized.scheme))
    return len(fresh)
