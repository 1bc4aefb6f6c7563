"""What a pass is, and the manager that runs passes and holds them to their word.

After every pass the manager checks that `changed` is the truth, that only declared notes appeared,
and that the graph still keeps every rule. Timing, dumps and progress bars are observers.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.notes import Note, Notes
from optimum_compile.compiler.ir.printer import print_graph
from optimum_compile.compiler.ir.simplify import assuming
from optimum_compile.compiler.ir.verify import IMPORTED, Spec, check
from optimum_compile.compiler.observers import Observer, SilentObserver


@dataclass(frozen=True)
class PassResult:
    """What a pass did. `remarks` are sentences for the user: fallbacks, choices not taken."""

    changed: bool
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class PassContext:
    """What a pass may know beside the graph."""

    seed: int = 0
    work: Path | None = None  # scratch folder; None where nothing may be written
    targets: tuple[str, ...] = ()
    observer: Observer = field(default_factory=SilentObserver)

    def progress(self, label: str, done: int, total: int) -> None:
        """Tell the observer that `done` of `total` steps are done."""
        self.observer.progress(label, done, total)


class Pass(Protocol):
    """One transformation. A frozen dataclass whose fields are its options.

    `needs` are notes that must be in the graph before it runs, `writes` those that it may add.
    """

    name: ClassVar[str]
    needs: ClassVar[tuple[type[Note], ...]]
    writes: ClassVar[tuple[type[Note], ...]]

    def run(self, graph: Graph, ctx: PassContext) -> PassResult:
        """Change `graph`, and nothing else, and say truly whether it changed."""


class PassManager:
    """Runs passes in order.

    Args:
        passes: in the order in which they run.
        spec: holds after every pass.
        ensures: for a pass's name, the spec that holds after it instead.
    """

    def __init__(
        self,
        passes: Iterable[Pass],
        *,
        spec: Spec = IMPORTED,
        ensures: Mapping[str, Spec] | None = None,
    ) -> None:
        self.passes: Sequence[Pass] = tuple(passes)
        self.spec = spec
        self.ensures = dict(ensures or {})

    def run(self, graph: Graph, ctx: PassContext | None = None) -> tuple[str, ...]:
        """Run every pass on `graph`; returns all remarks, in order.

        Raises InternalError for a pass that is out of order, tells an untruth about `changed`,
        writes undeclared notes, breaks the graph or fails in an unforeseen way. Errors that a pass
        raises on purpose come through as they are.
        """
        context = ctx or PassContext()
        self._check_order(graph)
        remarks: list[str] = []
        before = _Snapshot(graph)
        for step in self.passes:
            context.observer.pass_started(step.name, graph)
            begin = time.perf_counter()
            with assuming(graph):
                result = step.run(graph, context)
            seconds = time.perf_counter() - begin
            after = _Snapshot(graph)
            self._check_result(step, result, before, after)
            check(graph, self.ensures.get(step.name, self.spec))
            context.observer.pass_finished(step.name, graph, result.changed, seconds)
            remarks.extend(result.remarks)
            before = after
        return tuple(remarks)

    def _check_order(self, graph: Graph) -> None:
        known = _Snapshot(graph).kinds
        for step in self.passes:
            missing = sorted(k.__name__ for k in step.needs if k not in known)
            if missing:
                raise InternalError(
                    f"pass {step.name} needs {', '.join(missing)}, which nothing before it writes"
                )
            known = known | set(step.writes)

    def _check_result(
        self, step: Pass, result: PassResult, before: "_Snapshot", after: "_Snapshot"
    ) -> None:
        differs = before.differs(after)
        if result.changed != differs:
            really = "changed" if differs else "did not change"
            raise InternalError(f"pass {step.name} says changed={result.changed}; it {really} it")
        extra = sorted(k.__name__ for k in after.kinds - before.kinds - set(step.writes))
        if extra:
            raise InternalError(f"pass {step.name} wrote {', '.join(extra)} without declaring it")


class _Snapshot:
    """A graph at one moment: its text, and its notes, which the text shortens (paths)."""

    def __init__(self, graph: Graph) -> None:
        self.text = print_graph(graph)
        holders: list[Notes] = [graph.notes]
        holders += [v.notes for v in graph.values()]
        holders += [n.notes for n in graph.nodes]
        self.notes = [tuple(h) for h in holders]
        self.kinds = {type(note) for notes in self.notes for note in notes}

    def differs(self, other: "_Snapshot") -> bool:
        """Whether anything changed. The text knows -0.0 from 0.0, the notes know whole paths."""
        return self.text != other.text or self.notes != other.notes
