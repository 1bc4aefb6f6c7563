"""Which nodes belong to one expert of a mixture, and which weights decide the routing."""

from collections.abc import Container, Sequence
from dataclasses import dataclass

from optimum_compile.compiler.ir.graph import Node, Value


@dataclass(frozen=True)
class Expert:
    """Expert `index` of a layer; `gates` (..., experts) holds the weight of its output by token."""

    gates: Value
    index: int


def experts_of(nodes: Sequence[Node], leaves: Container[Value] = ()) -> dict[Node, Expert]:
    """The expert of every node whose result counts only times that expert's gate.

    %gates = route(%logits)   %one = slice(%gates, 3:4)   %sum = mul(%down, %one): all nodes on which
    %down alone depends are of expert 3. What several experts read is of none, and neither is what
    `leaves` the program.
    """
    out: dict[Node, Expert] = {}
    gated: dict[tuple[Node, int], Expert] = {}
    for node in nodes:
        if node.op == "mul":
            for at in (0, 1):
                found = _gate(node.input(1 - at))
                if found is not None:
                    gated[node, at] = found
    for node in reversed(nodes):
        readers = [gated.get(use) or out.get(use[0]) for v in node.outputs for use in v.uses]
        owner = readers[0] if readers else None
        if any(v in leaves for v in node.outputs):
            continue
        if owner is not None and all(other == owner for other in readers):
            out[node] = owner
    return out


def _gate(value: Value) -> Expert | None:
    """The expert whose gate a value is: one column of what `route` gave."""
    node = value.producer
    if node is None or node.op != "slice" or value.type.shape[-1] != 1:
        return None
    source, start = node.input(0).producer, node.attrs["start"]
    last = node.attrs["axis"] == node.input(0).type.rank - 1
    if source is None or source.op != "route" or not last or not isinstance(start, int):
        return None
    return Expert(node.input(0), start)


def is_router(weight: Value) -> bool:
    """Whether a weight's linear decides how much of an expert a token gets.

    Its output goes to `route`, or it has one row and its output, through a sigmoid, weighs an expert
    that every token goes through.
    """
    return any(feeds_route(node) or _weighs_shared(node) for node in weight.users)


def feeds_route(node: Node) -> bool:
    """Whether a node makes the logits of a router and nothing else."""
    users = node.outputs[0].users
    return node.op == "linear" and bool(users) and all(user.op == "route" for user in users)


def _weighs_shared(node: Node) -> bool:
    users = node.outputs[0].users
    if node.op != "linear" or node.input(1).type.shape[0] != 1 or not users:
        return False
    return all(user.op == "sigmoid" for user in users)
