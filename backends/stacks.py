"""Tensors of another runtime, and which of our units each one is made of.

Runtimes keep the experts of a layer in one tensor, which has one type; then the widest that any expert
was given applies to all.
"""

from collections.abc import Callable
from dataclasses import dataclass

from optimum_compile.backends.base import SUPPORTED, Support
from optimum_compile.compiler.errors import UnsupportedError
from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.compiler.ir.ops import EXPORTED_OPS
from optimum_compile.compiler.quant.scheme import Float, Scheme
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.units import Unit, units_of
from optimum_compile.passes.stages.blocks import is_quantizable


@dataclass(frozen=True)
class Stack:
    """One tensor: its units, and the scheme that serves all of them."""

    units: tuple[Unit, ...]
    scheme: Scheme
    others: tuple[str, ...] = ()  # narrower schemes that were given to some of the units

    @property
    def first(self) -> Unit:
        """The first unit; all have the same shape and use."""
        return self.units[0]


def stacks_of(
    graph: Graph,
    rename: Callable[[str], str | None],
    stored_bytes: Callable[[Scheme, Unit], int],
    runtime: str,
) -> dict[str, Stack]:
    """The matrices of a graph under another runtime's names, in the order of the graph.

    Raises UnsupportedError for a matrix without a name there.
    """
    found: dict[str, list[Unit]] = {}
    for unit in units_of(graph):
        name = rename(unit.name)
        if name is None:
            raise UnsupportedError(f"{runtime}: {no_name(unit.name)}")
        found.setdefault(name, []).append(unit)
    return {name: _stack(graph, units, stored_bytes) for name, units in found.items()}


def _stack(graph: Graph, units: list[Unit], stored_bytes: Callable[[Scheme, Unit], int]) -> Stack:
    given: dict[str, Scheme] = {}
    for unit in units:
        note = graph.weights[unit.name].notes.get(Precision)
        scheme = Float(16) if note is None else note.scheme
        given[str(scheme)] = scheme
    ordered = sorted(given.values(), key=lambda s: (stored_bytes(s, units[0]), str(s)))
    return Stack(tuple(units), ordered[-1], tuple(str(s) for s in ordered[:-1]))


def plain_numbers(graph: Graph, rename: Callable[[str], str | None]) -> int:
    """How many numbers the other runtime reads that are in no matrix: those of norms and biases."""
    return sum(
        value.type.elements()
        for name, value in graph.weights.items()
        if graph.is_used(value) and rename(name) and not is_quantizable(value)
    )


def no_name(weight: str) -> str:
    """Why a weight cannot be named in another runtime."""
    return (
        f"it has no name for the weight {weight}; give a Hugging Face folder of a llama, mistral, "
        "qwen2, qwen3 or mixtral model"
    )


def widened(name: str, stack: Stack) -> str | None:
    """What to tell where experts wanted different schemes; None where they agree."""
    if not stack.others:
        return None
    return (
        f"{name} holds {len(stack.units)} experts in one type: {stack.scheme}, though some were given "
        f"{', '.join(stack.others)}"
    )


def supports_decoder_node(node: Node, rename: Callable[[str], str | None], runtime: str) -> Support:
    """Whether a runtime with its own program for decoders has this node.

    What is asked is whether it knows the weight by name; the ops between are those of the architecture.
    """
    if node.op == "hadamard":
        return Support(False, f"{runtime} turns no activations; compile without --rotate")
    if node.op == "rms_norm" and (len(node.inputs) < 2 or node.inputs[1] is None):
        return Support(
            False, f"{runtime} reads the gains of norms; compile without --fold-norms, --rotate"
        )
    if node.op not in EXPORTED_OPS:
        return Support(False, f"{runtime} runs decoders of its own only")
    for value in node.inputs:
        weight = None if value is None else value.weight
        if value is None or weight is None or not is_quantizable(value):
            continue
        if rename(weight.name) is None:
            return Support(False, no_name(weight.name))
    return SUPPORTED
