"""Where values go: a root is written by a kernel, and reshapes, transposes and slices of it follow.

A tree is a root and everything that is a view of it. Its layout is decided once, for all of it: an
attention writes [seq][heads][width] because the reshape that follows would be a copy otherwise.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.ir.ops import dim_attr, ints
from optimum_compile.compiler.ir.shape import Dim, Shape, evaluate, symbols_of
from optimum_compile.passes.subtensor.kernels import (
    POSITION,
    VIEW_OPS,
    can_read,
    can_write,
    reads_as_weight,
)
from optimum_compile.passes.subtensor.notes import Buffer, Space, View, stored_dtype
from optimum_compile.passes.subtensor.strides import (
    dense,
    expanded,
    permuted,
    product,
    reshaped,
    same_place,
    sliced,
)

NEVER = 1 << 60  # later than every node: the caller reads it
NO_VIEW = {
    "reshape": "it merges axes that are not neighbours in memory",
    "slice": "a step backwards",
}


@dataclass
class Tree:
    """What one layout of a root makes of everything that follows it."""

    views: dict[Value, View] = field(default_factory=dict)
    elided: dict[Node, str] = field(default_factory=dict)
    copied: dict[Node, str] = field(default_factory=dict)
    refused: str = ""  # why the root itself cannot lie so


class Layout:
    """The views of one graph while they are decided."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.order = {node: at for at, node in enumerate(graph.nodes)}
        self.views: dict[Value, View] = {}
        self.elided: dict[Node, str] = {}
        self.copied: dict[Node, str] = {}
        self.buffers: dict[str, Buffer] = {}
        self.held: dict[str, list[Value]] = {}  # values by buffer
        self.pinned: dict[Value, View] = {}  # outputs: the caller's buffers
        self.splits: dict[Node, tuple[Node, ...]] = {}  # a linear and its slices, by rows
        self.cached: dict[Value, str] = {}
        self.read_later: dict[Node, int] = {}  # an elided node whose input is read after it
        self.kept = {*graph.outputs, *(s.written for s in graph.states)}
        self._highest = {name: span.high for name, span in graph.symbols.items()}

    # ---- buffers

    def buffer(self, name: str, space: Space, dtype: DType, elements: Dim) -> str:
        """A new buffer; its name, which is `name` unless that is taken."""
        wanted, number = name, 0
        while name in self.buffers:
            number += 1
            name = f"{wanted}_{number}"
        self.buffers[name] = Buffer(name, space, dtype, elements)
        self.held[name] = []
        return name

    def own(self, value: Value, space: Space) -> View:
        """A dense view of a new buffer for one value."""
        shape = value.type.shape
        name = self.buffer(value.name, space, stored_dtype(value), product(shape))
        return View(name, 0, shape, dense(shape))

    def space_of(self, view: View) -> Space:
        """Who owns the bytes of a view."""
        return self.buffers[view.buffer].space

    # ---- trees

    def tree(self, root: Value, view: View) -> Tree:
        """Everything that is a view of `root` where `root` lies as `view`."""
        made = Tree()
        made.refused = self._refusal(root, view)
        todo = [(root, view)]
        while todo:
            value, at = todo.pop()
            made.views[value] = at
            for node in value.users:
                if node.op not in VIEW_OPS or node in self.copied:
                    continue
                out = derived(node, at)
                reason = (
                    NO_VIEW.get(node.op, "no view")
                    if out is None
                    else self._unreadable(node.output, out)
                )
                if out is None or reason:
                    made.copied[node] = reason
                else:
                    made.elided[node] = f"a view of %{value.name}"
                    todo.append((node.output, out))
        return made

    def best(self, root: Value, place: View) -> Tree:
        """The layout of `root` in a dense block that begins at `place` with the fewest bytes copied."""
        first = self.tree(root, place)
        found = first
        for node in first.copied:
            view = self._undone(node, root, place)
            if view is None:
                continue
            other = self.tree(root, view)
            if not other.refused and self.cost(other) < self.cost(found):
                found = other
        return found

    def cost(self, tree: Tree) -> int:
        """Elements that remain to be copied, at the greatest sizes."""
        return sum(self.count(node.output.type.shape) for node in tree.copied)

    def count(self, shape: Shape) -> int:
        """Elements at the greatest value of every symbol."""
        dim = product(shape)
        return evaluate(dim, {name: self._highest[name] for name in symbols_of(dim)})

    def commit(self, tree: Tree) -> None:
        """Make a tree part of the result."""
        for value, view in tree.views.items():
            if value in self.views:
                raise InternalError(f"%{value.name} was given two places")
            self.views[value] = view
            self.held[view.buffer].append(value)
        self.elided.update(tree.elided)
        self.copied.update(tree.copied)

    # ---- demands

    def demand(self, value: Value, target: View, *, must: bool = False) -> str:
        """Have `value` written at `target`. Returns why that cannot be, or an empty text.

        Goes back through transposes and reshapes to the root, and gives it the layout that makes `value`
        what is wanted. With `must` copies elsewhere do not count.
        """
        found = self.root_of(value, target)
        if isinstance(found, str):
            return found
        root, view = found
        if root in self.views:
            return "it already has a place"
        slices = self._slices(root)
        if _is_part(self, root) and slices is None:
            return "it is a slice of a tensor that others read in other ways"
        tree = self.tree(root, view)
        if tree.refused:
            return tree.refused
        if value not in tree.views or not same_place(tree.views[value], target):
            return "a reader on the way needs another layout"
        usual = self.cost(self.best(root, View(target.buffer, 0, view.shape, dense(view.shape))))
        if not must and self.cost(tree) > usual:
            return "another reader would need a copy then"
        if slices is not None:
            self._split(slices)
        self.commit(tree)
        return ""

    def root_of(self, value: Value, target: View) -> tuple[Value, View] | str:
        """The root behind `value`, and its view where `value` is `target`; or why there is none."""
        view = target
        while value.producer is not None and not self.is_root(value):
            if value.producer.op == "expand":
                return "it repeats numbers"
            inner = undone(value.producer, view)
            if inner is None:
                return NO_VIEW["reshape"]
            value, view = value.producer.input(0), inner
        if value.producer is None:
            return f"%{value.name} is no result of this function"
        return value, view

    def is_root(self, value: Value) -> bool:
        """Whether a kernel writes `value`: it is no view, or a copied one, or rows of a linear."""
        node = value.producer
        return (
            node is None or node in self.copied or node.op not in ("reshape", "permute", "expand")
        )

    def writer(self, root: Value) -> Node | None:
        """The node whose kernel writes a root; None for inputs and the like."""
        node = root.producer
        return node.input(0).producer if node is not None and _is_part(self, root) else node

    def _slices(self, root: Value) -> tuple[Node, ...] | None:
        """The slices of the linear that `root` is one of, where they are all that is made of it."""
        if not _is_part(self, root) or root.producer is None:
            return None
        whole = root.producer.input(0)
        linear = whole.producer
        if linear is None or linear.op != "linear" or whole in self.views or whole in self.kept:
            return None
        if linear in self.splits:
            return self.splits[linear]
        parts = sorted(whole.users, key=_begin)
        at = 0
        for part in parts:
            if part.op != "slice" or part.attrs["axis"] != whole.type.rank - 1:
                return None
            if part.attrs["start"] != at or part.attrs["step"] != 1 or part in self.copied:
                return None
            if not isinstance(stop := part.attrs["stop"], int):
                return None
            at = stop
        return tuple(parts) if at == whole.type.shape[-1] else None

    def _split(self, slices: Sequence[Node]) -> None:
        linear = slices[0].input(0).producer
        if linear is None:
            raise InternalError("a slice of a linear has no linear")
        self.splits[linear] = tuple(slices)
        for part in slices:
            self.elided[part] = f"rows of %{linear.output.name}, which is written in parts"

    # ---- who reads

    def readers(self, value: Value) -> Iterator[tuple[Node, int]]:
        """Kernels that read `value` as a tensor, with the index of the input; views of it not."""
        for node, index in value.uses:
            cache = (node.op == "kv_write" and index == 0) or (
                node.op == "cache_attention" and index in (1, 2)
            )
            if node not in self.elided and not cache and POSITION.get(node.op) != index:
                yield node, index

    def last_read(self, value: Value) -> int:
        """Place in the order of the last kernel that reads `value` itself, or writes it."""
        if value in self.kept:
            return NEVER
        writer = None if value.producer is None else self.writer(value)
        at = -1 if writer is None else self.order[writer]
        for node in value.users:
            if node in self.read_later:
                at = max(at, self.read_later[node])
            elif node not in self.elided:
                at = max(at, self.order[node])
        return at

    def _refusal(self, root: Value, view: View) -> str:
        writer = self.writer(root)
        if writer is not None and not can_write(writer, view):
            return f"{writer.op} cannot write with these strides"
        return self._unreadable(root, view)

    def _unreadable(self, value: Value, view: View) -> str:
        if not same_place(self.pinned.get(value, view), view):
            return "it is an output, in a buffer of the caller"
        for node, index in self.readers(value):
            if not reads_as_weight(node, index) and not can_read(node, view):
                return f"{node.op} at {node.origin or 'top level'} cannot read these strides"
        return ""

    def _undone(self, node: Node, root: Value, place: View) -> View | None:
        """The view of `root` for which the output of `node` lies dense from `place` on."""
        shape = node.output.type.shape
        view: View | None = replace(place, shape=shape, strides=dense(shape))
        while view is not None:
            view = undone(node, view)
            value = node.input(0)
            if value is root or value.producer is None:
                return view if value is root else None
            node = value.producer
        return None


def derived(node: Node, view: View) -> View | None:
    """What `node` makes of an input that lies as `view`; None where that is no view."""
    shape = node.output.type.shape
    if node.op == "reshape":
        return reshaped(view, shape)
    if node.op == "permute":
        return permuted(view, ints(node.attrs["perm"]))
    if node.op == "expand":
        return expanded(view, shape)
    (axis,), (step,) = ints((node.attrs["axis"],)), ints((node.attrs["step"],))
    return None if step < 1 else sliced(view, axis, dim_attr(node.attrs["start"]), shape, step)


def undone(node: Node, view: View) -> View | None:
    """The view of the input of `node` for which its output is `view`; None where there is none."""
    if node.op == "reshape":
        return reshaped(view, node.input(0).type.shape)
    if node.op == "permute":
        perm = ints(node.attrs["perm"])
        return permuted(view, [perm.index(axis) for axis in range(len(perm))])
    return None


def _is_part(layout: Layout, value: Value) -> bool:
    """Whether `value` is a slice that nobody copies."""
    node = value.producer
    return node is not None and node.op == "slice" and node not in layout.copied


def _begin(node: Node) -> int:
    start = node.attrs.get("start")
    return start if isinstance(start, int) else NEVER
