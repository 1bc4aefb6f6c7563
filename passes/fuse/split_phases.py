"""Prompts and single tokens want other kernels: one graph becomes two, and each linear says its form."""

from dataclasses import dataclass
from typing import ClassVar

from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.ir.shape import Dim
from optimum_compile.compiler.pass_manager import PassContext, PassResult
from optimum_compile.passes.fuse.notes import Form, FormKind
from optimum_compile.passes.symbolic_shape.specialize import specialize

SEQ = "seq"
LINEARS = ("linear", "linears", "linear_add")


@dataclass(frozen=True)
class SplitPhases:
    """Note on each linear whether it takes one row or many.

    Before:  %y = linear(%x, @w) : f32[1, 1, 64]          in the function for one token
    After:   %y = linear(%x, @w) : f32[1, 1, 64] with Form{kind = FormKind.VECTOR}

    Before:  %y = linear(%x, @w) : f32[1, seq, 64]        in the function for a prompt
    After:   %y = linear(%x, @w) : f32[1, seq, 64] with Form{kind = FormKind.MATRIX}

    `phases` makes the two functions of one graph.
    """

    name: ClassVar[str] = "split-phases"
    needs: ClassVar[tuple[type[Note], ...]] = ()
    writes: ClassVar[tuple[type[Note], ...]] = (Form,)

    def run(self, graph: Graph, ctx: PassContext) -> PassResult:
        """See the class."""
        changed = False
        for node in graph.nodes:
            if node.op not in LINEARS:
                continue
            form = Form(_kind(node))
            changed |= node.notes.get(Form) != form
            node.notes.put(form)
        return PassResult(changed)


@dataclass(frozen=True)
class Phases:
    """The two functions of a decoder; its weights are shared by reference."""

    prefill: Graph
    decode: Graph


def phases(graph: Graph, chunk: Dim | None = None) -> Phases:
    """`graph` for prompts (`seq` as it is, or `chunk` tokens), and for one token.

    Raises OptionError where the graph has no `seq`, or its range has no 1 or no `chunk`.
    """
    made = Phases(
        specialize(graph, {} if chunk is None else {SEQ: chunk}, "prefill"),
        specialize(graph, {SEQ: 1}, "decode"),
    )
    for function in (made.prefill, made.decode):
        SplitPhases().run(function, PassContext())
    return made


def _kind(node: Node) -> FormKind:
    rows = node.input(0).type.shape[:-1]
    return FormKind.VECTOR if all(dim == 1 for dim in rows) else FormKind.MATRIX
