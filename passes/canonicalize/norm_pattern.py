"""Recognise RMS norm where a model spells it out, as decomposed archives do."""

from optimum_compile.compiler.ir.graph import Attr, Graph, Node, Value
from optimum_compile.compiler.ir.types import TensorType


def rms_norm_pattern(graph: Graph) -> bool:
    """X * rsqrt(mean(x^2, -1) + eps) * w becomes rms_norm(x, w). Returns whether any was found."""
    found = False
    for node in graph.nodes:
        if node.op != "rsqrt" or node not in graph:
            continue
        found |= _fold(graph, node)
    return found


def _fold(graph: Graph, rsqrt: Node) -> bool:
    match = _source(rsqrt)
    if match is None or len(rsqrt.output.uses) != 1:
        return False
    x, eps = match
    scale = rsqrt.output.users[0]
    if scale.op != "mul" or x not in scale.inputs or scale.output.type != x.type:
        return False
    last, weight = scale, None
    users = scale.output.users
    if len(users) == 1 and users[0].op == "mul" and len(scale.output.uses) == 1:
        other = next((v for v in users[0].inputs if v is not scale.output), None)
        wanted = TensorType(x.type.dtype, x.type.shape[-1:])
        if other is not None and other.weight is not None and other.type == wanted:
            last, weight = users[0], other
    made = graph.add_node(
        "rms_norm",
        [x, weight],
        [x.type],
        {"eps": eps},
        origin=last.origin,
        names=["rms_norm"],
        before=last,
    )
    graph.replace_uses(last.output, made.output)
    return True


def _source(rsqrt: Node) -> tuple[Value, float] | None:
    add = rsqrt.input(0).producer
    if add is None or add.op != "add":
        return None
    for mean_value, eps_value in (add.inputs, tuple(reversed(add.inputs))):
        mean = mean_value.producer if mean_value is not None else None
        eps = _scalar(eps_value)
        if mean is None or mean.op != "mean" or eps is None:
            continue
        if mean.attrs["axes"] != (mean.input(0).type.rank - 1,) or not mean.attrs["keepdims"]:
            continue
        square = mean.input(0).producer
        if square is None:
            continue
        if square.op == "pow" and _scalar(square.inputs[1]) == 2:
            return square.input(0), eps
        if square.op == "mul" and square.inputs[0] is square.inputs[1]:
            return square.input(0), eps
    return None


def _scalar(value: Value | None) -> float | None:
    node = value.producer if value is not None else None
    if node is None or node.op != "full":
        return None
    number: Attr = node.attrs["value"]
    return float(number) if isinstance(number, (int, float)) else None
