"""Pass: rotate the residual stream and the values of attention; the program computes the same."""

from dataclasses import dataclass
from typing import ClassVar

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.edits import (
    Edit,
    RotateColumns,
    RotateRows,
    Rotation,
    ScaleColumns,
    vector,
    widest_rotation,
)
from optimum_compile.compiler.ir.graph import Attr, Graph, Node, Value
from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.pass_manager import PassContext, PassResult
from optimum_compile.passes.precision.notes import Quantized
from optimum_compile.passes.rewrite.paths import value_paths
from optimum_compile.passes.rewrite.stream import NotRotatable, Stream, stream_of


@dataclass(frozen=True)
class Rotated(Note):
    """On a graph: which rotations its weights carry."""

    seed: int
    residual: bool
    values: bool


@dataclass(frozen=True)
class RotateResidual:
    """Rotate with randomised Hadamard matrices, so that no weight stands out of its row.

    R is orthogonal (width, width), S holds its signs, V is one of (head_dim, head_dim).

    Before:  %x = embedding(%tokens, @embed)
             %n = rms_norm(%x, @gain)
             %v = linear(%n, @v_proj)          ... %a = the heads of attention, joined
             %o = linear(%a, @o_proj)
             %y = add(%x, %o)
             %l = rms_norm(%y, @last_gain)
             %logits = linear(%l, @head)
    After:   %x = embedding(%tokens, @embed R)
             %n = rms_norm(%x)
             %v = linear(%n, V^T @v_proj diag(@gain) R)
             %o = linear(%a, R^T @o_proj V)
             %y = add(%x, %o)
             %l = rms_norm(%y)
             %logits = linear(%l, @head diag(@last_gain) R)
    Tied:    %h = embedding(%tokens, @embed S)     %x = hadamard(%h)
             %z = hadamard(%y)                     %l = rms_norm(%z, @last_gain)
             %logits = linear(%l, @embed S)

    A table that is the head too cannot take R on one side and the last gain on the other, so it
    stays one table, and two transforms a token run online. All else is done to the weights when they
    are loaded. Biases follow their rows. A second run changes nothing.
    """

    name: ClassVar[str] = "rotate"
    needs: ClassVar[tuple[type[Note], ...]] = ()
    writes: ClassVar[tuple[type[Note], ...]] = (Rotated,)

    seed: int = 0
    residual: bool = True
    values: bool = True

    def run(self, graph: Graph, ctx: PassContext) -> PassResult:
        """See the class. Raises InternalError where weights are quantised already."""
        if graph.notes.get(Rotated) is not None:
            return PassResult(False, ("rotation: the graph is rotated already",))
        if any(v.notes.get(Quantized) for v in graph.weights.values()):
            raise InternalError("rotate: the weights are quantised already; rotate before that")
        remarks: list[str] = []
        residual = self.residual and self._try_residual(graph, remarks)
        values = self.values and self._rotate_values(graph, remarks)
        if not (residual or values):
            return PassResult(False, tuple(remarks))
        graph.prune_weights()
        graph.notes.put(Rotated(self.seed, residual, values))
        return PassResult(True, tuple(remarks))

    def _try_residual(self, graph: Graph, remarks: list[str]) -> bool:
        try:
            stream = stream_of(graph)
            rotation = widest_rotation(self.seed, stream.width)
            if rotation.block == 1:
                raise NotRotatable(f"its width {stream.width} is odd")
            plan = _plan_residual(stream, rotation)
        except NotRotatable as reason:
            remarks.append(f"rotation: the residual stream stays as it is: {reason}")
            return False
        plan.apply(graph)
        return True

    def _rotate_values(self, graph: Graph, remarks: list[str]) -> bool:
        """Rotate the values of every attention that allows it."""
        found = False
        for path in value_paths(graph):
            rotation = widest_rotation(self.seed, path.head_dim)
            plan = _Plan()
            try:
                if rotation.block == 1:
                    raise NotRotatable(f"their width {path.head_dim} is odd")
                plan.rows(path.producer, RotateRows(rotation))
                for node in path.readers:
                    plan.columns(node, RotateColumns(rotation))
                plan.check()
            except NotRotatable as reason:
                at = path.producer.origin
                remarks.append(f"rotation: the values at {at} stay as they are: {reason}")
                continue
            plan.apply(graph)
            found = True
        return found


class _Plan:
    """What is to change. Nothing changes before all of it is known to fit."""

    def __init__(self) -> None:
        # By weight and axis; and the uses of the weight that this is right for.
        self.edits: dict[tuple[Value, str], tuple[Edit, ...]] = {}
        self.uses: dict[tuple[Value, str], set[tuple[Node, int]]] = {}
        self.plain_norms: list[Node] = []
        self.block = 1
        self.after: list[Node] = []  # whose output is transformed online
        self.before: list[Node] = []  # whose first input is transformed online

    def rows(self, node: Node, edit: Edit) -> None:
        """Edit the rows of a linear's weight, and its bias."""
        self._claim(node, 1, "rows", (edit,))
        if len(node.inputs) > 2 and node.inputs[2] is not None:
            self._claim(node, 2, "rows", (edit,))

    def columns(self, node: Node, *edits: Edit) -> None:
        """Edit the columns of a linear's weight, or of a table."""
        self._claim(node, 1, "columns", edits)

    def _claim(self, node: Node, index: int, axis: str, edits: tuple[Edit, ...]) -> None:
        value = node.input(index)
        if value.weight is None:
            raise NotRotatable(f"%{value.name} is computed, no weight")
        if self.edits.setdefault((value, axis), edits) != edits:
            raise NotRotatable(f"@{value.name} is used in two ways")
        self.uses.setdefault((value, axis), set()).add((node, index))

    def check(self) -> None:
        """Raise NotRotatable for a weight that something else reads too."""
        for (value, _), uses in self.uses.items():
            other = next((node for node, at in value.uses if (node, at) not in uses), None)
            if other is not None:
                raise NotRotatable(f"@{value.name} is read by {other.op} at {other.origin} too")

    def apply(self, graph: Graph) -> None:
        """Make every change."""
        for (value, _), edits in self.edits.items():
            if value.weight is not None:
                value.weight = value.weight.edited(*edits)
        for norm in self.plain_norms:
            graph.set_input(norm, 1, None)
        for node in self.after:
            old = node.output
            following = graph.nodes[graph.nodes.index(node) + 1]
            made = self._transform(graph, old, node.origin, following)
            graph.replace_uses(old, made.output)
            graph.set_input(made, 0, old)
        for node in self.before:
            made = self._transform(graph, node.input(0), node.origin, node)
            graph.set_input(node, 0, made.output)

    def _transform(self, graph: Graph, x: Value, origin: str, before: Node) -> Node:
        attrs: dict[str, Attr] = {"block": self.block}
        return graph.add_node("hadamard", [x], [x.type], attrs, origin=origin, before=before)


def _plan_residual(stream: Stream, rotation: Rotation) -> _Plan:
    """The edits of the class's picture. Raises NotRotatable where weights are shared otherwise."""
    plan = _Plan()
    plan.block = rotation.block
    turned, signs = RotateColumns(rotation), ScaleColumns(vector(rotation.signs()))
    tied = {n.input(1) for n in stream.sources} & {n.input(1) for n in stream.readers}
    for source in stream.sources:
        is_tied = source.input(1) in tied
        plan.columns(source, signs if is_tied else turned)
        plan.after += [source] if is_tied else []
    norms = {norm.output: norm for norm in stream.norms}
    gains = {norm: _gain(norm) for norm in stream.norms}
    for reader in stream.readers:
        norm = norms.get(reader.input(0))
        if reader.input(1) in tied:
            plan.columns(reader, signs)
            plan.before.append(reader if norm is None else norm)
        else:
            plan.columns(reader, *(gains[norm] if norm is not None else ()), turned)
    plan.before = list(dict.fromkeys(plan.before))
    for norm in stream.norms:
        if norm not in plan.before:
            plan.plain_norms += [norm] if gains[norm] else []
        elif any(n.input(1) not in tied for n in norm.output.users):
            raise NotRotatable(f"the norm at {norm.origin} feeds a tied head and other linears")
    for writer in stream.writers:
        plan.rows(writer, RotateRows(rotation))
    plan.check()
    return plan


def _gain(norm: Node) -> tuple[Edit, ...]:
    """The gain of a norm as an edit of the columns behind it; none where it has no gain."""
    gain = norm.inputs[1] if len(norm.inputs) > 1 else None
    if gain is None:
        return ()
    if gain.weight is None:
        raise NotRotatable(f"the gain of the norm at {norm.origin} is computed, no weight")
    return (ScaleColumns(vector(gain.weight.load_f32())),)
