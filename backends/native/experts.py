"""Where a program may leave an expert out: stretches of nodes whose result counts only times one gate."""

from collections.abc import Sequence
from dataclasses import dataclass

from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.ir.shape import as_dim
from optimum_compile.passes.stages.experts import Expert, experts_of
from optimum_compile.passes.subtensor.notes import View


@dataclass(frozen=True)
class Stretch:
    """Nodes in a row, of one expert, up to the product (`last`) of its output and its gate."""

    expert: Expert
    last: Node


def stretches(graph: Graph) -> dict[Node, Stretch]:
    """By their first node, the last nodes of each expert that stand in a row: all of them, as a rule.

    before: %up = linear(%x, ..)  %down = linear(%up, ..)  %gate = slice(%gates, 3:4)  %y = mul(%down, %gate)
    after:  where all of %gate is 0, %y is 0, and neither %up nor %down needs to be computed
    """
    owners = experts_of(graph.nodes, frozenset(graph.outputs))
    out: dict[Node, Stretch] = {}
    nodes, at = graph.nodes, 0
    while at < len(nodes):
        owner = owners.get(nodes[at])
        end = None if owner is None else _end(nodes, at, owner, owners)
        if owner is not None and end is not None:
            out[nodes[at]] = Stretch(owner, nodes[end])
            at = end
        at += 1
    return out


def _end(
    nodes: Sequence[Node], first: int, owner: Expert, owners: dict[Node, Expert]
) -> int | None:
    """The place of the product that ends the stretch; None where a node of anything else comes before it."""
    for at in range(first, len(nodes)):
        node = nodes[at]
        if owners.get(node) != owner and not _is_gate(node, owner):
            gated = node.op == "mul" and any(_is_gate(v.producer, owner) for v in node.inputs if v)
            return at if gated else None
    return None


def _is_gate(node: Node | None, owner: Expert) -> bool:
    """Whether a node takes the gate of that expert out of all, for one product alone."""
    if node is None or node.op != "slice" or len(node.output.uses) != 1:
        return False
    last = node.attrs["axis"] == owner.gates.type.rank - 1
    return node.input(0) is owner.gates and last and node.attrs["start"] == owner.index


def gate_view(gates: Value, place: View, index: int) -> View:
    """The gates of expert `index` of all tokens, where `place` is that of `gates` (..., experts)."""
    offset = as_dim(place.offset + index * place.strides[-1])
    return View(place.buffer, offset, (*gates.type.shape[:-1], 1), place.strides)
