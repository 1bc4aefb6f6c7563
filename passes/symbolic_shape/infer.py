"""Pass: propagate shapes through every op, and check what the importer stored."""

from dataclasses import dataclass
from typing import ClassVar

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.ir.ops import infer_types
from optimum_compile.compiler.ir.shape import Dim, bounds, format_dim
from optimum_compile.compiler.pass_manager import PassContext, PassResult


@dataclass(frozen=True)
class InferShapes:
    """Recompute every type from the op table, in order, so that later passes can rely on it.

    Before:  %y = permute(%x) {perm=(0, 2, 1)} : f32[1, 4, s0]      with %x : f32[1, seq, 4]
    After:   %y = permute(%x) {perm=(0, 2, 1)} : f32[1, 4, seq]

    A dimension that may be negative within the symbols' ranges is a remark; one that cannot be
    bounded is reported as undecidable.
    """

    name: ClassVar[str] = "infer-shapes"
    needs: ClassVar[tuple[type[Note], ...]] = ()
    writes: ClassVar[tuple[type[Note], ...]] = ()

    def run(self, graph: Graph, ctx: PassContext) -> PassResult:
        """See the class. Raises InputError where an op cannot take its inputs."""
        changed = False
        remarks: dict[str, None] = {}
        for node in graph.nodes:
            try:
                found = infer_types(
                    node.op, [v.type if v else None for v in node.inputs], node.attrs
                )
            except (ValueError, KeyError) as error:
                raise InputError(
                    f"{graph.name}: {node.op} at {node.origin or 'top level'}: {error}"
                ) from error
            for value, kind in zip(node.outputs, found or (), strict=found is not None):
                changed |= value.type != kind
                value.type = kind
            for value in node.outputs:
                for dim in value.type.shape:
                    text = _doubt(graph, dim)
                    if text:
                        remarks[f"{node.op} at {node.origin or 'top level'}: {text}"] = None
        return PassResult(changed=changed, remarks=tuple(remarks))


def _doubt(graph: Graph, dim: Dim) -> str:
    if isinstance(dim, int):
        return ""
    span = bounds(dim, graph.symbols)
    if span is None:
        return f"the range of {format_dim(dim)} is undecidable"
    return "" if span.low >= 0 else f"{format_dim(dim)} may be negative ({span.low})"
