"""Pass: the gain of a norm moves into the columns of the linears behind it."""

from dataclasses import dataclass
from typing import ClassVar

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.edits import ScaleColumns, vector
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.pass_manager import PassContext, PassResult
from optimum_compile.passes.fuse.places import remark
from optimum_compile.passes.precision.notes import Quantized
from optimum_compile.passes.rewrite.paths import linears_on


@dataclass(frozen=True)
class FoldNormScale:
    """Drop the gain of RMS norms that only linears read, and scale their columns by it instead.

    Before:  %n = rms_norm(%x, @norm.weight) {eps = 1e-05} : f32[1, seq, 64]
             %q = linear(%n, @q_proj.weight) : f32[1, seq, 64]
    After:   %n = rms_norm(%x, _) {eps = 1e-05} : f32[1, seq, 64]
             %q = linear(%n, @q_proj.weight diag(@norm.weight)) : f32[1, seq, 64]

    It comes before quantisation, for it changes what is quantised: columns that matter more become
    larger. A norm keeps its gain where anything but linears reads it (the norms of queries and keys), and
    where the weight of a linear is read elsewhere too (a head that is the embedding table).
    """

    name: ClassVar[str] = "fold-norm-scale"
    needs: ClassVar[tuple[type[Note], ...]] = ()
    writes: ClassVar[tuple[type[Note], ...]] = ()

    def run(self, graph: Graph, ctx: PassContext) -> PassResult:
        """See the class. Raises InternalError where weights are quantised already."""
        if any(v.notes.get(Quantized) for v in graph.weights.values()):
            raise InternalError(f"{self.name}: the weights are quantised already; fold before that")
        remarks: list[str] = []
        changed = False
        for node in graph.nodes:
            gain = _gain(node)
            if gain is None:
                continue
            readers = linears_on(graph, node.output)
            reason = _refusal(gain, readers)
            if reason:
                remarks.append(remark(node, "its gain stays", reason))
                continue
            _fold(graph, node, gain, readers)
            changed = True
        graph.prune_weights()
        return PassResult(changed, tuple(remarks))


def _gain(node: Node) -> Value | None:
    return node.inputs[1] if node.op == "rms_norm" and len(node.inputs) > 1 else None


def _refusal(gain: Value, readers: tuple[Node, ...]) -> str:
    if gain.weight is None:
        return f"%{gain.name} is computed, no weight"
    if not readers:
        return "more than linears read the norm"
    for node in readers:
        weight = node.input(1)
        if weight.weight is None:
            return f"%{weight.name} is computed, no weight"
        other = next((user for user in weight.users if user not in readers), None)
        if other is not None:
            return f"{weight.name} is read by {other.op} at {other.origin or 'the top'} too"
    return ""


def _fold(graph: Graph, node: Node, gain: Value, readers: tuple[Node, ...]) -> None:
    if gain.weight is None:
        raise InternalError(f"%{gain.name} is no weight")
    scaled = ScaleColumns(vector(gain.weight.load_f32()))
    for weight in dict.fromkeys(reader.input(1) for reader in readers):
        if weight.weight is not None:
            weight.weight = weight.weight.edited(scaled)
    graph.set_input(node, 1, None)
