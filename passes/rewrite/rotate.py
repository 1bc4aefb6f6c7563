"""Pass: rotate the residual stream and the values of attention; the program computes the same."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.edits import (
    Edit,
    RotateColumns,
    RotateRows,
    Rotation,
    ScaleColumns,
    ScaleRows,
    vector,
    widest_rotation,
)
from optimum_compile.compiler.ir.graph import Attr, Graph, Node, Value
from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.pass_manager import PassContext, PassResult
from optimum_compile.passes.precision.notes import Quantized
from optimum_compile.passes.rewrite.paths import gate_paths, value_paths
from optimum_compile.passes.rewrite.stream import NotRotatable, Stream, stream_of


@dataclass(frozen=True)
class Rotated(Note):
    """On a graph: which rotations its weights carry."""

    seed: int
    residual: bool
    values: bool
    gated: bool = False


class _Plan:
    """What is to change. Nothing changes before all of it is known to fit."""

    def __init__(self, what: str, rotation: Rotation) -> None:
        self.what = what
        self.width, self.block = rotation.width, rotation.block
        self.refusal = ""
        # By weight and axis; and the uses of the weight that this is right for.
        self.edits: dict[tuple[Value, str], tuple[Edit, ...]] = {}
        self.uses: dict[tuple[Value, str], set[tuple[Node, int]]] = {}
        self.plain_norms: list[Node] = []
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
            self.refusal = f"%{value.name} is computed, no weight"
        if self.edits.setdefault((value, axis), edits) != edits:
            self.refusal = f"@{value.name} is used in two ways"
        self.uses.setdefault((value, axis), set()).add((node, index))

    def check(self) -> None:
        """Raise NotRotatable for weights that are shared, and for widths without a factor of two."""
        if self.block == 1:
            raise NotRotatable(f"its width {self.width} is odd")
        if self.refusal:
            raise NotRotatable(self.refusal)
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

    Gated:   %p = mul(%g, %u)             with %u = linear(%n, S @up_proj)
             %h = hadamard(%p)            %d = linear(%h, @down_proj R)

    A table that is the head too cannot take R on one side and the last gain on the other, so it
    stays one table, and two transforms a token run online. What a gate lets through cannot be rotated
    in advance either: `gated` costs one transform a block and is off by default. All else is done to
    the weights when they are loaded. Biases follow their rows. A second run changes nothing.
    """

    name: ClassVar[str] = "rotate"
    needs: ClassVar[tuple[type[Note], ...]] = ()
    writes: ClassVar[tuple[type[Note], ...]] = (Rotated,)

    seed: int = 0
    residual: bool = True
    values: bool = True
    gated: bool = False

    def run(self, graph: Graph, ctx: PassContext) -> PassResult:
        """See the class. Raises InternalError where weights are quantised already."""
        if graph.notes.get(Rotated) is not None:
            return PassResult(False, ("rotation: the graph is rotated already",))
        if any(v.notes.get(Quantized) for v in graph.weights.values()):
            raise InternalError("rotate: the weights are quantised already; rotate before that")
        remarks: list[str] = []
        residual = self.residual and self._try_residual(graph, remarks)
        values = self.values and self._rotate_each(graph, self._value_plans(graph), remarks)
        gated = self.gated and self._rotate_each(graph, self._gate_plans(graph), remarks)
        if not (residual or values or gated):
            return PassResult(False, tuple(remarks))
        graph.prune_weights()
        graph.notes.put(Rotated(self.seed, residual, values, gated))
        return PassResult(True, tuple(remarks))

    def _try_residual(self, graph: Graph, remarks: list[str]) -> bool:
        try:
            stream = stream_of(graph)
            plan = _plan_residual(stream, widest_rotation(self.seed, stream.width))
        except NotRotatable as reason:
            remarks.append(f"rotation: the residual stream stays as it is: {reason}")
            return False
        plan.apply(graph)
        return True

    def _value_plans(self, graph: Graph) -> Iterator[_Plan]:
        """Attention mixes the rows of values, never their coordinates: free."""
        for path in value_paths(graph):
            rotation = widest_rotation(self.seed, path.head_dim)
            plan = _Plan(f"the values at {path.producer.origin}", rotation)
            plan.rows(path.producer, RotateRows(rotation))
            for node in path.readers:
                plan.columns(node, RotateColumns(rotation))
            yield plan

    def _gate_plans(self, graph: Graph) -> Iterator[_Plan]:
        """The signs pass through the product; the rest runs behind it."""
        for path in gate_paths(graph):
            if len(path.readers) != 1:
                continue
            width = path.producer.input(1).type.static_shape()[0]
            rotation = widest_rotation(self.seed, width)
            plan = _Plan(f"the product before {path.readers[0].origin}", rotation)
            plan.rows(path.producer, ScaleRows(vector(rotation.signs())))
            plan.columns(path.readers[0], RotateColumns(rotation))
            plan.before.append(path.readers[0])
            yield plan

    def _rotate_each(self, graph: Graph, plans: Iterable[_Plan], remarks: list[str]) -> bool:
        """Make every plan that fits."""
        found = False
        for plan in tuple(plans):
            try:
                plan.check()
            except NotRotatable as reason:
                remarks.append(f"rotation: {plan.what} stays as it is: {reason}")
                continue
            plan.apply(graph)
            found = True
        return found


def _plan_residual(stream: Stream, rotation: Rotation) -> _Plan:
    """The edits of the class's picture. Raises NotRotatable where weights are shared otherwise."""
    plan = _Plan("the residual stream", rotation)
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
