"""Who watches a compilation: timing, dumps of the graph, progress bars. Passes know nobody."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO

from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.printer import print_graph

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

# Lines for a log: not more often than this for one long step.
PLAIN_INTERVAL_S = 10.0
# A pass that reports no progress is mentioned only if it took this long.
QUIET_PASS_S = 1.0


class Observer(Protocol):
    """Told about passes and progress; may not change the graph."""

    def pass_started(self, name: str, graph: Graph) -> None:
        """A pass is about to run."""

    def pass_finished(self, name: str, graph: Graph, changed: bool, seconds: float) -> None:
        """A pass ran, and what it left was verified."""

    def progress(self, label: str, done: int, total: int) -> None:
        """`done` of `total` steps of some long work are done."""


class SilentObserver:
    """Does nothing; the base of observers that care about some events only."""

    def pass_started(self, name: str, graph: Graph) -> None:
        """Nothing."""

    def pass_finished(self, name: str, graph: Graph, changed: bool, seconds: float) -> None:
        """Nothing."""

    def progress(self, label: str, done: int, total: int) -> None:
        """Nothing."""


class Observers(SilentObserver):
    """Several observers as one."""

    def __init__(self, *members: Observer) -> None:
        self.members = members

    def pass_started(self, name: str, graph: Graph) -> None:
        """Tell every member."""
        for member in self.members:
            member.pass_started(name, graph)

    def pass_finished(self, name: str, graph: Graph, changed: bool, seconds: float) -> None:
        """Tell every member."""
        for member in self.members:
            member.pass_finished(name, graph, changed, seconds)

    def progress(self, label: str, done: int, total: int) -> None:
        """Tell every member."""
        for member in self.members:
            member.progress(label, done, total)


@dataclass(frozen=True)
class Timing:
    """One pass that ran."""

    name: str
    seconds: float
    changed: bool
    nodes: int


class TimingObserver(SilentObserver):
    """Collects how long every pass took, in order, in `timings`."""

    def __init__(self) -> None:
        self.timings: list[Timing] = []

    def pass_finished(self, name: str, graph: Graph, changed: bool, seconds: float) -> None:
        """Note the time."""
        self.timings.append(Timing(name, seconds, changed, len(graph.nodes)))


class DumpObserver(SilentObserver):
    """Writes the text form before the first pass and after every pass that changed something.

    Files are `00-input.ir`, `01-NAME.ir`, ...; the number is that of the pass.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._count = 0

    def pass_started(self, name: str, graph: Graph) -> None:
        """Write the graph as it came."""
        if self._count == 0:
            self._write("00-input", graph)
        self._count += 1

    def pass_finished(self, name: str, graph: Graph, changed: bool, seconds: float) -> None:
        """Write the graph as the pass left it."""
        if changed:
            self._write(f"{self._count:02d}-{name}", graph)

    def _write(self, name: str, graph: Graph) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{name}.ir").write_text(print_graph(graph), "ascii")


class ProgressObserver(SilentObserver):
    """Shows progress to people: one bar a step with its ETA on a terminal, else plain lines.

    A context manager: bars are closed on leaving.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._began: dict[str, float] = {}
        self._told: dict[str, float] = {}

    def __enter__(self) -> "ProgressObserver":
        if self.stream.isatty():
            self._bars = _bars(self.stream)
            self._bars.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = None
        self._tasks.clear()
        self._began.clear()
        self._told.clear()

    def pass_finished(self, name: str, graph: Graph, changed: bool, seconds: float) -> None:
        """Mention a long pass that reported nothing itself."""
        if name not in self._began and name not in self._told and seconds >= QUIET_PASS_S:
            self._line(f"{name}: {seconds:.1f} s")

    def progress(self, label: str, done: int, total: int) -> None:
        """Move the bar, or write a line when the last one is old enough."""
        if self._bars is None:
            self._plain(label, done, total)
            return
        if label not in self._tasks:
            self._tasks[label] = self._bars.add_task(label, total=total)
            self._began[label] = time.monotonic()
        self._bars.update(self._tasks[label], completed=done, total=total)

    def _plain(self, label: str, done: int, total: int) -> None:
        now = time.monotonic()
        began = self._began.setdefault(label, now)
        if done >= total:
            self._line(f"{label}: done, {now - began:.1f} s")
            # A label may come again (verify, then verify again): it starts afresh.
            del self._began[label]
            self._told[label] = now
            return
        if now - self._told.get(label, float("-inf")) < PLAIN_INTERVAL_S and done > 0:
            return
        self._told[label] = now
        self._line(f"{label}: {done}/{total}{_eta(done, total, now - began)}")

    def _line(self, text: str) -> None:
        if self._bars is not None:
            self._bars.console.print(text, highlight=False, markup=False)
            return
        self.stream.write(text + "\n")
        self.stream.flush()


def _eta(done: int, total: int, seconds: float) -> str:
    return f", {seconds / done * (total - done):.0f} s left" if done > 0 else ""


def _bars(stream: TextIO) -> "Progress":
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(file=stream),
    )
