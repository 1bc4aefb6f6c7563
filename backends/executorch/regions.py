"""Which nodes become XNNPACK delegates: linears of one stage that share an input, and what follows.

Query, key and value read one input, so they are one delegate and the input is quantised once. Gate,
up, their product and down form one delegate as well: everything in it depends on one tensor only,
hence no path leaves the delegate and comes back.
"""

from dataclasses import dataclass, field

from optimum_compile.backends.base import WeightUse
from optimum_compile.backends.executorch.schemes import on_xnnpack
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.passes.precision.notes import Precision, Quantized
from optimum_compile.passes.stages.notes import InStage

ELEMENTWISE = ("silu", "mul", "add")


@dataclass
class Region:
    """Nodes in order that one delegate runs. All of them depend on `input` and nothing else."""

    input: Value
    stage: int | None
    nodes: list[Node] = field(default_factory=list)
    outputs: tuple[Value, ...] = ()

    @property
    def weights(self) -> tuple[str, ...]:
        """Names of its matrices: the same in every function of the model."""
        return tuple(n.input(1).name for n in self.nodes if n.op == "linear")

    @property
    def constants(self) -> tuple[str, ...]:
        """Names of its matrices and biases."""
        linears = [n for n in self.nodes if n.op == "linear"]
        return tuple(v.name for n in linears for v in n.inputs[1:] if v is not None)


def regions_of(graph: Graph) -> tuple[Region, ...]:
    """The delegates of a graph, in order.

    before: %q = linear(%x, @q)  %k = linear(%x, @k)  %g = linear(%y, @g)  %s = silu(%g)
    after:  [%x: q, k] -> %q, %k        [%y: g, silu] -> %s
    """
    found: list[Region] = []
    home: dict[Value, Region] = {}
    by_input: dict[tuple[Value, int | None], Region] = {}
    for node in graph.nodes:
        note = node.notes.get(InStage)
        stage = None if note is None else note.index
        region = _region_for(node, stage, home, by_input)
        if region is None:
            continue
        if not region.nodes:
            found.append(region)
        region.nodes.append(node)
        home[node.output] = region
    for region in found:
        region.outputs = _outputs(graph, region)
    return tuple(found)


def use_of(value: Value) -> WeightUse:
    """How the nodes of a graph use a weight."""
    rows, columns = value.type.static_shape()
    ops = {node.op for node, _ in value.uses}
    return WeightUse(value.name, rows, columns, "linear" in ops, "embedding" in ops)


def _region_for(
    node: Node,
    stage: int | None,
    home: dict[Value, Region],
    by_input: dict[tuple[Value, int | None], Region],
) -> Region | None:
    if node.op == "linear":
        if not _delegable(node.input(1)):
            return None
        x = node.input(0)
        region = home.get(x)
        if region is not None and region.stage == stage:
            return region
        return by_input.setdefault((x, stage), Region(x, stage))
    if node.op not in ELEMENTWISE:
        return None
    homes = {id(home.get(v)): home.get(v) for v in node.inputs if v is not None}
    region = next(iter(homes.values()))
    same_shape = len({v.type.shape for v in node.inputs if v is not None}) == 1
    alone = len(homes) == 1 and region is not None and region.stage == stage
    return region if alone and same_shape else None


def _delegable(weight: Value) -> bool:
    # Before anything is quantised, the sizes of delegates follow from what is planned.
    note = weight.notes.get(Quantized) or weight.notes.get(Precision)
    return note is not None and on_xnnpack(note.scheme, use_of(weight))


def _outputs(graph: Graph, region: Region) -> tuple[Value, ...]:
    inside = set(region.nodes)
    leaving = [
        v
        for node in region.nodes
        for v in node.outputs
        if v in graph.outputs or any(user not in inside for user, _ in v.uses)
    ]
    return tuple(leaving)
