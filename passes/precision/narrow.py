"""Read the nested weights of a graph at one of their widths."""

from dataclasses import replace
from pathlib import Path

from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.nested import at_width
from optimum_compile.compiler.quant.scheme import Nested
from optimum_compile.compiler.quant.store import write_packed
from optimum_compile.passes.precision.notes import Precision, Quantized


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
