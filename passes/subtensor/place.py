"""Pass: a place for every tensor, so that what only moves numbers is not done at all."""

from dataclasses import dataclass
from typing import ClassVar

from optimum_compile.compiler.errors import InternalError, UnsupportedError
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.ir.notes import Note, Notes
from optimum_compile.compiler.ir.ops import ints
from optimum_compile.compiler.ir.shape import Dim, as_dim, format_dim
from optimum_compile.compiler.pass_manager import PassContext, PassResult
from optimum_compile.passes.subtensor.caches import add_past, place_caches, position_of
from optimum_compile.passes.subtensor.kernels import (
    OVERWRITES,
    POSITION,
    VIEW_OPS,
    can_write,
    reads_as_weight,
)
from optimum_compile.passes.subtensor.layout import Layout, Tree
from optimum_compile.passes.subtensor.notes import (
    Buffers,
    Cached,
    Copy,
    Elided,
    Rows,
    Space,
    Split,
    View,
    stored_dtype,
)
from optimum_compile.passes.subtensor.strides import (
    dense,
    disjoint,
    product,
    repeats,
    same_place,
    sliced,
)

_NOTES: tuple[type[Note], ...] = (View, Elided, Split, Cached, Buffers)


@dataclass(frozen=True)
class PlaceViews:
    """Say where every tensor of a function lies, and leave out the nodes that have no work then.

    Before:  %v = linear(%x, @v_proj)                                  : f32[1, seq, 32]
             %h = permute(reshape(%v))                                 : f32[1, 2, seq, 16]
             %c = kv_write(%v_cache.0, %h, %past)                      : f32[1, 2, 64, 16]

    After:   %v  View(values.0, 32*past, strides (2048, 32, 1))        the linear writes the cache's rows
             %h  View(values.0, 32*past, strides (2048, 16, 32, 1)), Elided("a view of %v")
             %c  View(values.0, 0, strides (2048, 16, 32, 1)), Elided("its rows are written ..")

    It runs on one function (prefill or decode), after everything that changes nodes or their order:
    which tensor may be written over depends on the order. What is still copied is in the note `Buffers`
    and in the remarks.
    """

    name: ClassVar[str] = "place-views"
    needs: ClassVar[tuple[type[Note], ...]] = ()
    writes: ClassVar[tuple[type[Note], ...]] = _NOTES

    def run(self, graph: Graph, ctx: PassContext) -> PassResult:
        """See the class. Raises UnsupportedError for states that are no KV cache."""
        declared = add_past(graph)
        before = _taken(graph)
        layout = Layout(graph)
        copies = _Placer(layout).run()
        _write(layout, copies)
        remarks = tuple(
            f"{c.node}: copies {format_dim(c.size_bytes)} bytes: {c.reason}" for c in copies
        )
        return PassResult(changed=declared or before != _noted(graph), remarks=remarks)


class _Placer:
    """One run: what has only one place first, then everything else in the order of the graph."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.graph = layout.graph
        self.writes: dict[Node, str] = {}  # of caches, that remain
        self.parts: dict[Node, dict[int, str]] = {}  # operands of a concat that are copied

    def run(self) -> list[Copy]:
        """Fill the layout; returns what remains to be copied."""
        self._inputs()
        self._outputs()
        self.writes = place_caches(self.layout)
        for node in reversed(self.graph.nodes):
            if node.op == "concat":
                self._concat(node)
        for node in self.graph.nodes:
            if node not in self.layout.elided or node in self.layout.splits:
                self._node(node)
        return self._copies()

    # ---- places that are given

    def _inputs(self) -> None:
        position = position_of(self.graph)
        for value in self.graph.inputs:
            wanted = any(POSITION.get(node.op) != index for node, index in value.uses)
            if value is not position or wanted:
                self._commit(value, self.layout.own(value, Space.INPUT))
        for value in self.graph.weights.values():
            if any(not reads_as_weight(node, index) for node, index in value.uses):
                self._commit(value, self.layout.own(value, Space.CONSTANT))

    def _outputs(self) -> None:
        """The caller's buffers: the kernel that computes an output writes it there."""
        layout = self.layout
        for value in dict.fromkeys(self.graph.outputs):
            if value.producer is None or value.producer.op == "kv_write":
                raise UnsupportedError(
                    f"{self.graph.name}: the output %{value.name} is an input, a weight or a state"
                )
            layout.pinned[value] = layout.own(value, Space.OUTPUT)
        for value, view in layout.pinned.items():
            if value in layout.views or value.producer is None:
                continue
            reason = layout.demand(value, view, must=True)
            if reason and value.producer.op in VIEW_OPS:
                layout.copied[value.producer] = f"an output in a buffer of its own: {reason}"

    def _concat(self, node: Node) -> None:
        """Every operand becomes a part of the output where it can have that place."""
        layout, value = self.layout, node.output
        if value not in layout.views:
            if value in layout.pinned:
                self._commit(value, layout.pinned[value])
            else:
                self._commit_best(value, layout.own(value, Space.ARENA))
        reasons: dict[int, str] = {}
        for index, part in enumerate(operand_views(node, layout.views[value])):
            reason = layout.demand(node.input(index), part)
            if reason:
                reasons[index] = reason
        if reasons:
            self.parts[node] = reasons
        else:
            layout.elided[node] = "its parts are written in place"

    # ---- places that are free

    def _node(self, node: Node) -> None:
        layout = self.layout
        if node in layout.splits:
            open_values = [part.output for part in layout.splits[node]]
        else:
            open_values = list(node.outputs)
        open_values = [v for v in open_values if v not in layout.views and v not in layout.cached]
        for output, value in enumerate(node.outputs):
            if value in open_values and value in layout.pinned:
                self._commit(value, layout.pinned[value])
                open_values.remove(value)
            elif value in open_values and self._over_an_input(node, output):
                open_values.remove(value)
        alike = len({stored_dtype(v) for v in open_values}) == 1
        if alike and len(open_values) > 1 and (node.op == "linears" or node in layout.splits):
            self._side_by_side(node, open_values)
            return
        for value in open_values:
            self._commit_best(value, layout.own(value, Space.ARENA))

    def _side_by_side(self, node: Node, values: list[Value]) -> None:
        """One buffer for the outputs of one projection: q, k and v; gate and up."""
        sizes = [product(v.type.shape) for v in values]
        total: Dim = 0
        for size in sizes:
            total = as_dim(total + size)
        name = self.layout.buffer(node.outputs[0].name, Space.ARENA, stored_dtype(values[0]), total)
        at: Dim = 0
        for value, size in zip(values, sizes, strict=True):
            self._commit_best(value, View(name, at, value.type.shape, dense(value.type.shape)))
            at = as_dim(at + size)

    def _over_an_input(self, node: Node, output: int) -> bool:
        """Write an output over an input of the same type that nobody reads afterwards."""
        layout, value = self.layout, node.outputs[output]
        choices = OVERWRITES.get(node.op, ())
        best: Tree | None = None
        for index in choices[output] if output < len(choices) else ():
            source = node.input(index)
            view = layout.views.get(source)
            if view is None or source.type != value.type or not can_write(node, view):
                continue
            if layout.buffers[view.buffer].dtype is not stored_dtype(value):
                continue
            if layout.space_of(view) is not Space.ARENA:
                continue
            if not self._is_free(node, view, choices[output]):
                continue
            tree = layout.tree(value, view)
            if not tree.refused and (best is None or layout.cost(tree) < layout.cost(best)):
                best = tree
        if best is None:
            return False
        shape = value.type.shape
        fresh = layout.best(value, View("", 0, shape, dense(shape)))
        if layout.cost(best) > layout.cost(fresh):
            return False
        layout.commit(best)
        return True

    def _is_free(self, node: Node, view: View, overwritten: tuple[int, ...]) -> bool:
        """Whether `node` may write at `view`, which is one of its inputs at `overwritten`.

        No tensor that is read later may have an element there, and none that `node` reads, unless it is
        that very view and read element by element.
        """
        layout = self.layout
        now = layout.order[node]
        if repeats(view):
            return False
        for other in layout.held[view.buffer]:
            last = layout.last_read(other)
            if last < now:
                continue
            same = last == now and same_place(layout.views[other], view)
            if same and all(at in overwritten for user, at in other.uses if user is node):
                continue
            if not disjoint(layout.views[other], view, self.graph.symbols):
                return False
        return True

    def _commit(self, value: Value, view: View) -> None:
        self.layout.commit(self.layout.tree(value, view))

    def _commit_best(self, value: Value, place: View) -> None:
        self.layout.commit(self.layout.best(value, place))

    # ---- what remains

    def _copies(self) -> list[Copy]:
        out: list[Copy] = []
        layout = self.layout
        for node in self.graph.nodes:
            if node in layout.copied:
                out.append(Copy(_label(node), size_bytes(node.output), layout.copied[node]))
            for index, reason in self.parts.get(node, {}).items():
                part = node.input(index)
                label = f"{_label(node)}, operand {index}"
                out.append(Copy(label, size_bytes(part), reason))
            if node in self.writes:
                rows = node.input(1)
                half = as_dim(product(rows.type.shape) * 2)
                out.append(Copy(_label(node), half, self.writes[node]))
        return out


def operand_views(node: Node, whole: View) -> list[View]:
    """Where each operand of a `concat` belongs when its output is `whole`."""
    (axis,) = ints((node.attrs["axis"],))
    out: list[View] = []
    at: Dim = 0
    for index in range(len(node.inputs)):
        shape = node.input(index).type.shape
        out.append(sliced(whole, axis, at, shape))
        at = as_dim(at + shape[axis])
    return out


def size_bytes(value: Value) -> Dim:
    """Bytes of a value, an expression."""
    return as_dim(product(value.type.shape) * stored_dtype(value).itemsize)


def _label(node: Node) -> str:
    return f"{node.op} at {node.origin or 'top level'}"


def _write(layout: Layout, copies: list[Copy]) -> None:
    for value, view in layout.views.items():
        value.notes.put(view)
    for value, name in layout.cached.items():
        value.notes.put(Cached(name))
    for node, reason in layout.elided.items():
        node.notes.put(Elided(reason))
    for linear, slices in layout.splits.items():
        parts = []
        for part in slices:
            begin, end = ints((part.attrs["start"], part.attrs["stop"]))
            parts.append(Rows(begin, end, layout.views[part.output]))
        linear.notes.put(Split(tuple(parts)))
    missing = [
        v.name
        for n in layout.graph.nodes
        for v in n.outputs
        if v not in layout.views and v not in layout.cached and n not in layout.splits
    ]
    if missing:
        raise InternalError(f"{layout.graph.name}: %{missing[0]} was given no place")
    layout.graph.notes.put(Buffers(tuple(layout.buffers.values()), tuple(copies)))


def _holders(graph: Graph) -> list[Notes]:
    return [graph.notes, *(v.notes for v in graph.values()), *(n.notes for n in graph.nodes)]


def _noted(graph: Graph) -> list[tuple[Note | None, ...]]:
    return [tuple(notes.get(kind) for kind in _NOTES) for notes in _holders(graph)]


def _taken(graph: Graph) -> list[tuple[Note | None, ...]]:
    """The notes of an earlier run, which are taken off."""
    found = _noted(graph)
    for notes in _holders(graph):
        for kind in _NOTES:
            notes.drop(kind)
    return found
