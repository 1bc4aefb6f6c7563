"""One function of a program as it grows: its buffers, views and steps."""

from collections.abc import Mapping
from dataclasses import replace

from optimum_compile.backends.native.caches import CacheTable, state_versions
from optimum_compile.backends.native.exprs import Expressions
from optimum_compile.backends.native.program import (
    ABSENT,
    Attribute,
    AttributeKind,
    Buffer,
    Element,
    Function,
    Op,
    Operand,
    OperandKind,
    Space,
    Step,
    View,
)
from optimum_compile.backends.native.weights import WeightTable
from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.ir.shape import Dim, Shape, as_dim
from optimum_compile.passes.memory.liveness import scratch_name
from optimum_compile.passes.memory.notes import MemoryPlan, Scratch
from optimum_compile.passes.stages.notes import InStage
from optimum_compile.passes.subtensor import notes

ELEMENTS = {DType.F32: Element.F32, DType.F16: Element.F16, DType.I64: Element.I64}
SPACES = {
    notes.Space.ARENA: Space.ARENA,
    notes.Space.KEYS: Space.KEYS,
    notes.Space.VALUES: Space.VALUES,
    notes.Space.INPUT: Space.INPUT,
    notes.Space.OUTPUT: Space.OUTPUT,
    notes.Space.CONSTANT: Space.CONSTANT,
}


class FunctionBuilder:
    """Turns values of a planned graph into operands, and collects the steps."""

    def __init__(
        self,
        graph: Graph,
        exprs: Expressions,
        weights: WeightTable,
        caches: CacheTable,
    ) -> None:
        self.graph, self.exprs, self.weights, self.caches = graph, exprs, weights, caches
        found, plan = graph.notes.get(notes.Buffers), graph.notes.get(MemoryPlan)
        if found is None or plan is None:
            raise InternalError(f"graph {graph.name!r} has no buffers or no memory plan")
        self.plan = plan
        self.versions = state_versions(graph)
        cached = ((s.name, s.read.notes.get(notes.Cached)) for s in graph.states)
        self._states = {note.buffer: name for name, note in cached if note is not None}
        self._noted = {buffer.name: buffer for buffer in found.buffers}
        self._places: Mapping[str, Dim] = {p.name: p.offset_bytes for p in plan.placed}
        self._buffers: dict[str, int] = {}
        self._views: dict[View, int] = {}
        self._made: list[Buffer] = []
        self._steps: list[Step] = []
        self._stage = 0

    # ---- operands

    def note(self, value: Value) -> notes.View:
        """Where a value lies. Raises InternalError for one that no pass gave a place."""
        found = value.notes.get(notes.View)
        if found is not None:
            return found
        if value.weight is None:
            raise InternalError(f"%{value.name} of {self.graph.name!r} has no view")
        return notes.View(value.name, 0, value.type.shape, row_major(value.type.shape))

    def view(self, value: Value) -> Operand:
        """The whole value where it lies."""
        return self.part(value, self.note(value))

    def part(self, value: Value, view: notes.View) -> Operand:
        """Another look at the buffer in which a value lies."""
        made = View(
            self._buffer(view.buffer, value),
            self.exprs.add(view.offset),
            tuple(self.exprs.add(d) for d in view.shape),
            tuple(self.exprs.add(d) for d in view.strides),
        )
        return Operand(OperandKind.VIEW, self._views.setdefault(made, len(self._views)))

    def matrix(self, value: Value) -> Operand:
        """The matrix of a linear or an embedding."""
        return Operand(OperandKind.WEIGHT, self.weights.matrix(value))

    def vector(self, value: Value | None) -> Operand:
        """A norm's weight, a bias or a table of angles, which may be absent."""
        if value is None:
            return ABSENT
        return Operand(OperandKind.WEIGHT, self.weights.plain(value))

    def cache(self, value: Value) -> Operand:
        """The cache of which a value is the content."""
        if value not in self.versions:
            raise InternalError(f"%{value.name} is no content of a cache")
        return Operand(OperandKind.CACHE, self.caches.index(self.versions[value]))

    def scratch(self, node: Node) -> Operand:
        """The floats of the arena in which a node's kernel works, where the plan has any for it."""
        note, name = node.notes.get(Scratch), scratch_name(node)
        if note is None:
            return ABSENT
        elements = self.exprs.add(as_dim(note.size_bytes // Element.F32.itemsize))
        at = self.exprs.add(self._places[name])
        self._made.append(Buffer(name, Space.ARENA, Element.F32, elements, at))
        made = View(len(self._made) - 1, self.exprs.add(0), (elements,), (self.exprs.add(1),))
        return Operand(OperandKind.VIEW, self._views.setdefault(made, len(self._views)))

    def expr(self, dim: Dim) -> Attribute:
        """An attribute that the runtime evaluates."""
        return Attribute(AttributeKind.EXPR, self.exprs.add(dim))

    # ---- steps

    def enter(self, node: Node) -> None:
        """Steps that follow belong to the stage of `node`, or to the one before if it has none."""
        note = node.notes.get(InStage)
        self._stage = self._stage if note is None else note.index

    def add(
        self,
        op: Op,
        inputs: tuple[Operand, ...],
        outputs: tuple[Operand, ...],
        *attributes: Attribute,
    ) -> None:
        """Append a step."""
        self._steps.append(Step(op, self._stage, inputs, outputs, attributes))

    def skip(self, gates: Operand) -> int:
        """Begin steps that are left out where all gates are 0; `end_skip` takes the place returned."""
        self.add(Op.SKIP, (gates,), ())
        return len(self._steps) - 1

    def end_skip(self, at: int) -> None:
        """End them: the output of the last one is then 0."""
        count = Attribute(AttributeKind.INT, len(self._steps) - 1 - at)
        self._steps[at] = replace(self._steps[at], attributes=(count,))

    def finish(self, low: int, high: int) -> Function:
        """The function for `low` to `high` tokens."""
        return Function(
            self.graph.name,
            low,
            high,
            self.exprs.add(self.plan.peak_bytes),
            tuple(self._made),
            tuple(self._views),
            tuple(self._steps),
        )

    # ---- buffers

    def _buffer(self, name: str, value: Value) -> int:
        if name not in self._buffers:
            self._made.append(self._make(name, value))
            self._buffers[name] = len(self._made) - 1
        return self._buffers[name]

    def _make(self, name: str, value: Value) -> Buffer:
        noted = self._noted.get(name)
        if noted is None or noted.space is notes.Space.CONSTANT:
            return self._constant(name, value)
        space, dtype = SPACES[noted.space], ELEMENTS.get(noted.dtype)
        if dtype is None:
            raise InternalError(f"buffer {name} holds {noted.dtype.value}")
        return Buffer(name, space, dtype, self.exprs.add(noted.elements), self._at(noted, value))

    def _constant(self, name: str, value: Value) -> Buffer:
        part = self.weights.constant(value)
        dtype = self.weights.writer.parts[part].dtype
        elements = self.exprs.add(product(value.type.shape))
        return Buffer(name, Space.CONSTANT, dtype, elements, part)

    def _at(self, buffer: notes.Buffer, value: Value) -> int:
        if buffer.space is notes.Space.ARENA:
            if buffer.name not in self._places:
                raise InternalError(f"buffer {buffer.name} has no place in the arena")
            return self.exprs.add(self._places[buffer.name])
        if buffer.space in (notes.Space.KEYS, notes.Space.VALUES):
            return self.caches.index(self._states[buffer.name])
        held = self.graph.inputs if buffer.space is notes.Space.INPUT else self.graph.outputs
        for at, argument in enumerate(held):
            if self.note(argument).buffer == buffer.name:
                return at
        raise InternalError(f"buffer {buffer.name} belongs to no argument")


def row_major(shape: Shape) -> tuple[Dim, ...]:
    """Strides of numbers without gaps, the last axis next to each other."""
    out: list[Dim] = []
    step: Dim = 1
    for dim in reversed(shape):
        out.append(step)
        step = as_dim(step * dim)
    return tuple(reversed(out))


def product(shape: Shape) -> Dim:
    """Number of elements."""
    out: Dim = 1
    for dim in shape:
        out = as_dim(out * dim)
    return out
