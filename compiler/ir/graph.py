"""The graph: ordered SSA nodes, values that know their uses, safe to edit while iterating."""

import hashlib
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.notes import Notes
from optimum_compile.compiler.ir.sequence import Sequence
from optimum_compile.compiler.ir.shape import SymbolRange
from optimum_compile.compiler.ir.types import TensorType
from optimum_compile.compiler.ir.weights import WeightRef

# Attribute values are closed under this type so that the text form is total.
Attr = bool | int | float | str | None | tuple["Attr", ...]


class Value:
    """A tensor of the program: a graph input, a weight, a state, or the output of one node."""

    __slots__ = ("name", "notes", "producer", "type", "uses", "weight")

    def __init__(
        self,
        name: str,
        type: TensorType,
        *,
        producer: "Node | None" = None,
        weight: WeightRef | None = None,
    ) -> None:
        self.name = name
        self.type = type
        self.producer = producer
        self.weight = weight
        self.notes = Notes()
        # (user, input index), in order of creation
        self.uses: list[tuple[Node, int]] = []

    @property
    def users(self) -> list["Node"]:
        """Distinct nodes that read this value, in order."""
        return list(dict.fromkeys(node for node, _ in self.uses))

    def __repr__(self) -> str:
        return f"%{self.name}: {self.type}"


class Node:
    """One operation. `attrs` are part of its meaning; `notes` are not; `origin` is a module path.

    `inputs` is an immutable tuple: every change passes `Graph.set_input`, which fixes the uses.
    An optional input that is absent is None.
    """

    __slots__ = ("attrs", "inputs", "notes", "op", "origin", "outputs")

    def __init__(
        self,
        op: str,
        inputs: tuple[Value | None, ...],
        outputs: tuple[Value, ...],
        attrs: Mapping[str, Attr],
        origin: str,
    ) -> None:
        self.op = op
        self.inputs = inputs
        self.outputs = outputs
        self.attrs: dict[str, Attr] = dict(attrs)
        self.notes = Notes()
        self.origin = origin

    @property
    def output(self) -> Value:
        """The only output."""
        if len(self.outputs) != 1:
            raise InternalError(f"{self.op} at {self.origin} has {len(self.outputs)} outputs")
        return self.outputs[0]

    def input(self, index: int) -> Value:
        """Input `index`, which must be present."""
        value = self.inputs[index]
        if value is None:
            raise InternalError(f"{self.op} at {self.origin}: input {index} is absent")
        return value

    def __repr__(self) -> str:
        return f"{self.op}({', '.join('-' if v is None else v.name for v in self.inputs)})"


@dataclass
class State:
    """A buffer that lives from call to call (the KV cache).

    `read` is the value at entry, `written` the value that it has at the end of a call.
    """

    name: str
    read: Value
    written: Value


@dataclass
class Graph:
    """One function. Weights are values without producer that carry a `WeightRef`."""

    name: str
    inputs: list[Value] = field(default_factory=list)
    weights: dict[str, Value] = field(default_factory=dict)
    states: list[State] = field(default_factory=list)
    outputs: list[Value] = field(default_factory=list)
    symbols: dict[str, SymbolRange] = field(default_factory=dict)
    notes: Notes = field(default_factory=Notes)
    _nodes: Sequence[Node] = field(default_factory=Sequence)

    # ---- reading

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes in order; a snapshot, so that the graph may be edited while iterating."""
        return tuple(self._nodes)

    def __contains__(self, node: Node) -> bool:
        return node in self._nodes

    def values(self) -> Iterator[Value]:
        """Every value: inputs, states at entry, weights, node outputs."""
        yield from self.inputs
        yield from (s.read for s in self.states)
        yield from self.weights.values()
        for node in self._nodes:
            yield from node.outputs

    def is_used(self, value: Value) -> bool:
        """Whether a node, an output or a state reads `value`."""
        return (
            bool(value.uses)
            or any(v is value for v in self.outputs)
            or any(s.written is value for s in self.states)
        )

    # ---- building

    def add_input(self, name: str, type: TensorType) -> Value:
        """Append an input."""
        value = Value(self.fresh_name(name), type)
        self.inputs.append(value)
        return value

    def add_weight(self, ref: WeightRef) -> Value:
        """The value of a weight; one per name."""
        known = self.weights.get(ref.name)
        if known is not None:
            return known
        value = Value(self.fresh_name(ref.name), ref.type, weight=ref)
        self.weights[ref.name] = value
        return value

    def add_state(self, name: str, type: TensorType) -> State:
        """Append a state that is not written yet."""
        value = Value(self.fresh_name(name), type)
        state = State(name, value, value)
        self.states.append(state)
        return state

    def add_node(
        self,
        op: str,
        inputs: Iterable[Value | None],
        types: Iterable[TensorType],
        attrs: Mapping[str, Attr] | None = None,
        *,
        origin: str = "",
        names: Iterable[str] = (),
        before: Node | None = None,
    ) -> Node:
        """Create a node at the end, or just before `before`."""
        wanted, kinds = list(names), list(types)
        outputs: list[Value] = []
        node = Node(op, tuple(inputs), (), attrs or {}, origin)
        for index, kind in enumerate(kinds):
            name = wanted[index] if index < len(wanted) else op
            taken = {v.name for v in outputs}
            outputs.append(Value(self.fresh_name(name, taken), kind, producer=node))
        node.outputs = tuple(outputs)
        for index, value in enumerate(node.inputs):
            if value is not None:
                value.uses.append((node, index))
        self._nodes.insert(node, before)
        return node

    def fresh_name(self, wanted: str, taken: Container[str] = ()) -> str:
        """`wanted`, or `wanted_N` with the least N that makes it unique."""
        name, number = wanted, self._suffix.get(wanted, 0)
        while name in self._names or name in taken:
            number += 1
            name = f"{wanted}_{number}"
        self._suffix[wanted] = number
        self._names.add(name)
        return name

    # ---- editing

    def set_input(self, node: Node, index: int, value: Value | None) -> None:
        """Replace one input of `node`."""
        old = node.inputs[index]
        if old is not None:
            old.uses.remove((node, index))
        node.inputs = (*node.inputs[:index], value, *node.inputs[index + 1 :])
        if value is not None:
            value.uses.append((node, index))

    def replace_uses(self, old: Value, new: Value) -> None:
        """Make every reader of `old`, outputs and states included, read `new`."""
        for node, index in tuple(old.uses):
            self.set_input(node, index, new)
        self.outputs = [new if v is old else v for v in self.outputs]
        for state in self.states:
            if state.written is old:
                state.written = new

    def remove(self, node: Node) -> None:
        """Remove a node that nobody reads. Raises InternalError if somebody does."""
        if any(self.is_used(v) for v in node.outputs):
            raise InternalError(f"{node!r} at {node.origin} is still used")
        for index, value in enumerate(node.inputs):
            if value is not None:
                value.uses.remove((node, index))
        self._nodes.remove(node)

    def prune_weights(self) -> int:
        """Drop weights that nothing reads; returns how many."""
        dead = [n for n, v in self.weights.items() if not self.is_used(v)]
        for name in dead:
            del self.weights[name]
        return len(dead)

    # ---- identity

    def fingerprint(self) -> str:
        """SHA-256 of the text form, notes included."""
        from optimum_compile.compiler.ir.printer import print_graph

        return hashlib.sha256(print_graph(self).encode("ascii")).hexdigest()

    def __post_init__(self) -> None:
        self._names: set[str] = set()
        self._suffix: dict[str, int] = {}
