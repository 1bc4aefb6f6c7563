"""Every rule that a graph keeps, checked at once: the answer is the list of all violations.

The basic rules hold for every graph. A `Spec` adds those of one stage of the pipeline; specs that
need the notes of passes are in `passes.specs`, so that the IR does not know the passes.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from optimum_compile.compiler.errors import InternalError, OptimumCompileError
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.ir.ops import OPS, Op, dims, infer_types, is_matrix_input
from optimum_compile.compiler.ir.shape import bounds, symbols_of
from optimum_compile.compiler.ir.simplify import assuming, same
from optimum_compile.compiler.ir.types import TensorType


@dataclass(frozen=True)
class Violation:
    """One broken rule: which (`kind`), where, and what is wrong."""

    kind: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.message}"


Rule = Callable[[Graph], Iterable[Violation]]


@dataclass(frozen=True)
class Spec:
    """What must hold after a stage of the pipeline, beside the basic rules."""

    name: str
    rules: tuple[Rule, ...] = ()

    def extended(self, name: str, *rules: Rule) -> "Spec":
        """A spec with more rules."""
        return Spec(name, self.rules + rules)


def verify(graph: Graph, spec: Spec) -> list[Violation]:
    """Every violation of the basic rules and of `spec`, in the order of the graph."""
    found: list[Violation] = []
    with assuming(graph):
        for rule in (*_BASIC, *spec.rules):
            found.extend(rule(graph))
    return found


def check(graph: Graph, spec: Spec) -> None:
    """Raises InternalError that lists every violation."""
    found = verify(graph, spec)
    if found:
        lines = "\n  ".join(str(v) for v in found)
        raise InternalError(f"{graph.name} is not {spec.name}, {len(found)} violations:\n  {lines}")


# ---- rules that specs are made of


def each_node(kind: str, problem: Callable[[Node], str]) -> Rule:
    """A rule on every node; `problem` says what is wrong, or gives an empty text."""

    def rule(graph: Graph) -> Iterator[Violation]:
        for node in graph.nodes:
            message = problem(node)
            if message:
                yield _at(node, kind, message)

    return rule


def each_weight_matrix(kind: str, problem: Callable[[Value], str]) -> Rule:
    """A rule on every weight that a linear or an embedding reads as its matrix."""

    def rule(graph: Graph) -> Iterator[Violation]:
        for name, value in graph.weights.items():
            if not any(is_matrix_input(n.op, i) for n, i in value.uses):
                continue
            message = problem(value)
            if message:
                yield Violation(kind, f"weight {name}", message)

    return rule


def node_notes_ascend(note: type[Note], key: Callable[[Node], int | None]) -> Rule:
    """Every node carries `note`, and what `key` reads from it never falls along the graph."""

    def rule(graph: Graph) -> Iterator[Violation]:
        highest: int | None = None
        for node in graph.nodes:
            index = key(node)
            if index is None:
                yield _at(node, "note", f"has no {note.__name__}")
                continue
            if highest is not None and index < highest:
                yield _at(node, "note", f"{note.__name__} {index} after {highest}")
            highest = index if highest is None else max(highest, index)

    return rule


def no_dead_nodes(graph: Graph) -> Iterator[Violation]:
    """Somebody reads at least one output of every node."""
    read = {*graph.outputs, *(s.written for s in graph.states)}
    for node in graph.nodes:
        if not any(v.uses or v in read for v in node.outputs):
            yield _at(node, "dead", "nobody reads its outputs")


def dimensions_bounded(graph: Graph) -> Iterator[Violation]:
    """Every dimension has a known range and cannot be negative."""
    seen: set[object] = set()
    for value in graph.values():
        for dim in value.type.shape:
            if isinstance(dim, int) or dim in seen or not symbols_of(dim) <= set(graph.symbols):
                continue
            seen.add(dim)
            known = bounds(dim, graph.symbols)
            if known is None:
                yield Violation("range", f"%{value.name}", f"the range of {dim} is not decidable")
            elif known.low < 0:
                yield Violation("range", f"%{value.name}", f"{dim} may be {known.low}")


IMPORTED = Spec("imported")
CANONICAL = IMPORTED.extended("canonical", no_dead_nodes)
SHAPED = CANONICAL.extended("shaped", dimensions_bounded)


# ---- the basic rules


def _at(node: Node, kind: str, message: str) -> Violation:
    name = f"%{node.outputs[0].name}" if node.outputs else "(no output)"
    where = f"{name} = {node.op}" + (f" from {node.origin}" if node.origin else "")
    return Violation(kind, where, message)


def _names(graph: Graph) -> Iterator[Violation]:
    counts = Counter(v.name for v in graph.values())
    for name, count in counts.items():
        if count > 1:
            yield Violation("name", f"%{name}", f"{count} values have this name")
    for name, count in Counter(s.name for s in graph.states).items():
        if count > 1:
            yield Violation("name", f"state {name}", f"{count} states have this name")


def _order(graph: Graph) -> Iterator[Violation]:
    """Definition before use; producers and outputs agree."""
    free = [*graph.inputs, *(s.read for s in graph.states), *graph.weights.values()]
    for value in free:
        if value.producer is not None:
            yield Violation("producer", f"%{value.name}", "an input, state or weight has none")
    defined = set(free)
    everywhere = set(graph.values())
    for node in graph.nodes:
        for index, read in enumerate(node.inputs):
            if read is None or read in defined:
                continue
            why = "is computed later" if read in everywhere else "is not in the graph"
            yield _at(node, "order", f"input {index}, %{read.name}, {why}")
        for value in node.outputs:
            if value.producer is not node:
                yield _at(node, "producer", f"%{value.name} names another producer")
        defined.update(node.outputs)
    for value in graph.outputs:
        if value not in defined:
            yield Violation("output", f"%{value.name}", "the output is not defined in the graph")
    for state in graph.states:
        if state.written not in defined:
            yield Violation("state", state.name, f"%{state.written.name} is not in the graph")
        if state.written.type != state.read.type:
            message = f"read as {state.read.type}, written as {state.written.type}"
            yield Violation("state", state.name, message)


def _uses(graph: Graph) -> Iterator[Violation]:
    """The use list of every value is exactly the inputs that read it."""
    real: dict[Value, Counter[tuple[Node, int]]] = {v: Counter() for v in graph.values()}
    for node in graph.nodes:
        for index, value in enumerate(node.inputs):
            if value is not None and value in real:
                real[value][(node, index)] += 1
    for value, wanted in real.items():
        listed = Counter(value.uses)
        for (node, index), count in (listed - wanted).items():
            message = f"lists {count} use(s) as input {index} of {node!r} too many"
            yield Violation("uses", f"%{value.name}", message)
        for node, index in wanted - listed:
            message = f"does not list its use as input {index} of {node!r}"
            yield Violation("uses", f"%{value.name}", message)


def _table(graph: Graph) -> Iterator[Violation]:
    """Arity, attributes and types are those of the op table."""
    for node in graph.nodes:
        row = OPS.get(node.op)
        if row is None:
            yield _at(node, "op", f"no op named {node.op!r} in the table")
            continue
        problems = [*_arity(node, row), *_attributes(node, row)]
        yield from problems
        # A rule of the table may assume that arity and attributes are right.
        if not problems:
            yield from _types(node)


def _arity(node: Node, row: Op) -> Iterator[Violation]:
    least, most = row.arity()
    count = len(node.inputs)
    if count < least or (most is not None and count > most):
        wanted = f"{least} or more" if most is None else f"{least}..{most}"
        yield _at(node, "arity", f"{count} inputs, expected {wanted}")
    for index, (name, value) in enumerate(zip(row.inputs, node.inputs, strict=False)):
        if value is None and not name.endswith(("?", "*")):
            yield _at(node, "arity", f"input {index} ({name}) is absent")
    if not node.outputs:
        yield _at(node, "arity", "it has no output")


def _attributes(node: Node, row: Op) -> Iterator[Violation]:
    for name in sorted(set(row.attrs) - set(node.attrs)):
        yield _at(node, "attr", f"{name} is missing")
    for name in sorted(set(node.attrs) - set(row.attrs)):
        yield _at(node, "attr", f"{name} is not an attribute of {row.name}")
    for name, value in sorted(node.attrs.items()):
        if not _is_attr(value):
            yield _at(node, "attr", f"{name}={value!r} is no attribute value")


def _is_attr(value: object) -> bool:
    if isinstance(value, tuple):
        return all(_is_attr(v) for v in value)
    return value is None or type(value) in (bool, int, float, str)


def _types(node: Node) -> Iterator[Violation]:
    given = [None if v is None else v.type for v in node.inputs]
    try:
        inferred = infer_types(node.op, given, node.attrs)
    except (ValueError, LookupError, TypeError, OptimumCompileError) as error:
        yield _at(node, "type", f"{error} (inputs {', '.join(map(str, given))})")
        return
    stored = tuple(v.type for v in node.outputs)
    if inferred is not None and not _agree(inferred, stored):
        yield _at(node, "type", f"stored {_list(stored)}, inferred {_list(inferred)}")


def _agree(inferred: tuple[TensorType, ...], stored: tuple[TensorType, ...]) -> bool:
    if inferred == stored:
        return True
    if [(t.dtype, t.rank) for t in inferred] != [(t.dtype, t.rank) for t in stored]:
        return False
    pairs = (
        p for a, b in zip(inferred, stored, strict=True) for p in zip(a.shape, b.shape, strict=True)
    )
    return all(same(a, b) for a, b in pairs)


def _list(types: Iterable[TensorType]) -> str:
    return ", ".join(map(str, types))


def _symbols(graph: Graph) -> Iterator[Violation]:
    for name, known in graph.symbols.items():
        if not 0 <= known.low <= known.high:
            message = f"the range {known.low}..{known.high} is empty or negative"
            yield Violation("symbol", name, message)
    reported: set[str] = set()
    for where, name in _mentions(graph):
        if name not in graph.symbols and name not in reported:
            reported.add(name)
            yield Violation("symbol", where, f"{name} is not declared")


def _mentions(graph: Graph) -> Iterator[tuple[str, str]]:
    for value in graph.values():
        for dim in value.type.shape:
            for name in sorted(symbols_of(dim)):
                yield f"%{value.name}", name
    for node in graph.nodes:
        for key in ("shape", "start", "stop"):
            attr = node.attrs.get(key)
            try:
                listed = () if attr is None else dims(attr if isinstance(attr, tuple) else (attr,))
            except ValueError:
                continue  # reported by the table's rule
            for dim in listed:
                for name in sorted(symbols_of(dim)):
                    yield _at(node, "", "").where, name


def _weights(graph: Graph) -> Iterator[Violation]:
    for name, value in graph.weights.items():
        where = f"weight {name}"
        if value.weight is None:
            yield Violation("weight", where, "carries no reference to its bytes")
            continue
        if value.weight.name != name:
            yield Violation("weight", where, f"its reference is named {value.weight.name}")
        if value.weight.type.shape != value.type.shape:
            message = f"is {value.type}, its bytes are {value.weight.type}"
            yield Violation("weight", where, message)
        if not value.type.is_static:
            yield Violation("weight", where, f"{value.type} is symbolic")
        if not graph.is_used(value):
            yield Violation("weight", where, "nothing reads it")
    for value in (*graph.inputs, *(s.read for s in graph.states)):
        if value.weight is not None:
            yield Violation("weight", f"%{value.name}", "an input or state carries a weight")


_BASIC: tuple[Rule, ...] = (_names, _order, _uses, _table, _symbols, _weights)
