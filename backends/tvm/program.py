"""The program of an artifact: the text form of the graph without notes and without bytes of weights."""

from optimum_compile.backends.tvm.plan import is_stored
from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.ir.graph import Graph, Value
from optimum_compile.compiler.ir.notes import Notes
from optimum_compile.compiler.ir.ops import OPS
from optimum_compile.compiler.ir.parser import ParseError, parse
from optimum_compile.compiler.ir.printer import print_graph
from optimum_compile.compiler.ir.weights import WeightRef
from optimum_compile.passes.symbolic_shape.specialize import specialize


def program_text(graph: Graph) -> str:
    """The graph as text; it stays as it is. What a pass noted is said in other files."""
    plain = specialize(graph, {})
    plain.prune_weights()
    plain.notes = Notes()
    for node in plain.nodes:
        node.notes = Notes()
    for value in plain.values():
        value.notes = Notes()
        if value.weight is not None:
            value.weight = WeightRef(value.weight.name, value.type)
    return print_graph(plain)


def read_program(text: str) -> Graph:
    """The way back. Raises InputError for a text that is no program, or has ops that run other code."""
    try:
        graph = parse(text)
    except ParseError as error:
        raise InputError(f"the program is damaged: {error}") from error
    for node in graph.nodes:
        if node.op not in OPS or node.op == "aten":
            raise InputError(f"the program has an op {node.op!r}, which is none of its kind")
    return graph


def plain_weights(graph: Graph) -> dict[str, Value]:
    """Weights that are no packed matrices, by name: norms, biases, frequencies."""
    used = {n: v for n, v in graph.weights.items() if graph.is_used(v)}
    return {name: value for name, value in used.items() if not is_stored(value)}
