"""What must hold after the passes that write notes."""

from collections.abc import Iterator

from optimum_compile.compiler.decoder import caches_of
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.ir.verify import (
    SHAPED,
    Violation,
    each_weight_matrix,
    node_notes_ascend,
)
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.passes.precision.notes import KvPrecision, Precision, Quantized
from optimum_compile.passes.stages.notes import InStage


def _unassigned(value: Value) -> str:
    return "" if value.notes.get(Precision) else "has no Precision"


def _unquantized(value: Value) -> str:
    assigned = value.notes.get(Precision)
    packed = value.notes.get(Quantized)
    if packed is not None:
        agrees = assigned is None or assigned.scheme == packed.scheme
        return "" if agrees else f"is packed as {packed.scheme}, assigned as {assigned}"
    if assigned is not None and isinstance(assigned.scheme, Float):
        return ""
    return "has neither Quantized nor a float Precision"


def _misplaced_kv(graph: Graph) -> Iterator[Violation]:
    """A scheme of keys or values only where attention reads keys or values."""
    caches = {cache.value for cache in caches_of(graph)}
    for value in graph.values():
        if value.notes.get(KvPrecision) and value not in caches:
            message = "has KvPrecision, but is no state that attention reads"
            yield Violation("note", f"%{value.name}", message)


def _stage(node: Node) -> int | None:
    note = node.notes.get(InStage)
    return None if note is None else note.index


# Every matrix of a linear or an embedding has a scheme; is packed in it; lies in a stage.
ASSIGNED = SHAPED.extended("assigned", each_weight_matrix("note", _unassigned), _misplaced_kv)
QUANTIZED = ASSIGNED.extended("quantized", each_weight_matrix("note", _unquantized))
STAGED = QUANTIZED.extended("staged", node_notes_ascend(InStage, _stage))
