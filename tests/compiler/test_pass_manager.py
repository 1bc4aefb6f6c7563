"""The manager holds passes to their word; observers see what happened."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from support.graphs import Builder, mlp
from support.passes import assert_equivalent, check_pass

from optimum_compile.compiler.errors import BudgetError, InternalError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.ir.parser import parse
from optimum_compile.compiler.ir.verify import CANONICAL
from optimum_compile.compiler.observers import (
    DumpObserver,
    Observers,
    ProgressObserver,
    SilentObserver,
    TimingObserver,
)
from optimum_compile.compiler.pass_manager import PassContext, PassManager, PassResult


@dataclass(frozen=True)
class Seen(Note):
    where: Path = Path("a/b")


@dataclass(frozen=True)
class DoubleNegation:
    """neg(neg(x)) -> x, as an example of a real pass."""

    name: ClassVar[str] = "double-negation"
    needs: ClassVar[tuple[type[Note], ...]] = ()
    writes: ClassVar[tuple[type[Note], ...]] = ()

    def run(self, graph: Graph, ctx: PassContext) -> PassResult:
        removed = 0
        for node in graph.nodes:
            inner = node.input(0).producer if node.op == "neg" else None
            if inner is None or inner.op != "neg":
                continue
            graph.replace_uses(node.output, inner.input(0))
            graph.remove(node)
            if not graph.is_used(inner.output):
                graph.remove(inner)
            removed += 1
            ctx.progress(self.name, removed, removed)
        return PassResult(removed > 0, (f"removed {removed}",) if removed else ())


@dataclass(frozen=True)
class Do:
    """A pass that does what the test says."""

    action: Callable[[Graph], bool]
    name: str = "do"
    needs: tuple[type[Note], ...] = ()
    writes: tuple[type[Note], ...] = ()

    def run(self, graph: Graph, ctx: PassContext) -> PassResult:
        return PassResult(self.action(graph))


BEFORE = """
    graph "g" {
      symbol n in 1..4
      input %x : f32[n]
      %a = neg(%x) : f32[n] from "a"
      %b = neg(%a) : f32[n] from "b"
      %c = exp(%b) : f32[n] from "c"
      return %c
    }
"""
AFTER = """
    graph "g" {
      symbol n in 1..4
      input %x : f32[n]
      %c = exp(%x) : f32[n] from "c"
      return %c
    }
"""


def test_text_in_text_out() -> None:
    graph = check_pass(DoubleNegation(), BEFORE, AFTER)
    assert_equivalent(parse(BEFORE), graph, {"x": np.array([1.0, -2.0])})


def test_check_pass_and_assert_equivalent_can_fail() -> None:
    with pytest.raises(AssertionError):
        check_pass(DoubleNegation(), BEFORE, BEFORE)
    b = Builder(n=(1, 4))
    other = b.returns(b.op("neg", b.input("x", "f32", "n")))
    with pytest.raises(AssertionError):
        assert_equivalent(parse(BEFORE), other, {"x": np.array([1.0])})


def test_remarks_come_in_order_and_observers_are_told(tmp_path: Path) -> None:
    timing, seen = TimingObserver(), []

    class Watch(SilentObserver):
        def progress(self, label: str, done: int, total: int) -> None:
            seen.append((label, done, total))

    watch = Observers(timing, Watch(), DumpObserver(tmp_path / "debug"))
    passes = [DoubleNegation(), DoubleNegation(), Do(lambda g: False, "idle")]
    remarks = PassManager(passes).run(parse(BEFORE), PassContext(observer=watch))
    assert remarks == ("removed 1",)
    assert seen == [("double-negation", 1, 1)]
    assert [(t.name, t.changed, t.nodes) for t in timing.timings] == [
        ("double-negation", True, 1),
        ("double-negation", False, 1),
        ("idle", False, 1),
    ]
    files = sorted(p.name for p in (tmp_path / "debug").iterdir())
    assert files == ["00-input.ir", "01-double-negation.ir"]
    assert parse((tmp_path / "debug" / files[1]).read_text()).nodes[0].op == "exp"


def _rename(graph: Graph) -> None:
    graph.nodes[0].origin = "elsewhere"


def _note(graph: Graph, path: str) -> None:
    graph.notes.put(Seen(Path(path)))


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Do(lambda g: bool(_rename(g))), "says changed=False; it changed it"),
        (Do(lambda g: True), "says changed=True; it did not change it"),
        (Do(lambda g: not _note(g, "a")), "wrote Seen without declaring it"),
        (Do(lambda g: False, needs=(Seen,)), "needs Seen, which nothing before it writes"),
        (Do(lambda g: not g.nodes[0].attrs.update(x=1)), "x is not an attribute"),
    ],
)
def test_untruths_and_damage_are_internal_errors(step: Do, message: str) -> None:
    with pytest.raises(InternalError, match=message):
        PassManager([step]).run(mlp())


def test_needs_are_met_by_the_graph_or_by_an_earlier_pass() -> None:
    writes = Do(lambda g: not _note(g, "a"), "write", writes=(Seen,))
    reads = Do(lambda g: False, "read", needs=(Seen,))
    graph = mlp()
    PassManager([writes, reads]).run(graph)
    PassManager([reads]).run(graph)
    with pytest.raises(InternalError, match="pass read needs Seen"):
        PassManager([reads, writes]).run(mlp())


def test_a_change_that_the_text_shortens_is_still_a_change() -> None:
    graph = mlp()
    _note(graph, "one/store")
    move = Do(lambda g: not _note(g, "two/store"), writes=(Seen,))
    PassManager([move]).run(graph)
    with pytest.raises(InternalError, match="did not change"):
        PassManager([move]).run(graph)


def test_a_spec_can_be_asked_for_after_one_pass() -> None:
    def leave_dead(graph: Graph) -> bool:
        graph.add_node("neg", [graph.inputs[0]], [graph.inputs[0].type], {})
        return True

    PassManager([Do(leave_dead)]).run(mlp())
    with pytest.raises(InternalError, match="is not canonical"):
        PassManager([Do(leave_dead)], ensures={"do": CANONICAL}).run(mlp())


def test_errors_for_the_user_come_through() -> None:
    def refuse(graph: Graph) -> bool:
        raise BudgetError("0.1 bpw: the achievable range is 2.1..16")

    with pytest.raises(BudgetError, match="achievable"):
        PassManager([Do(refuse)]).run(mlp())


def test_progress_is_plain_lines_when_not_a_terminal() -> None:
    stream = io.StringIO()
    with ProgressObserver(stream) as observer:
        for done in range(5):
            observer.progress("quantize", done, 4)
        observer.progress("emit", 0, 1)
        observer.pass_finished("short", mlp(), True, 0.1)
        observer.pass_finished("long", mlp(), True, 2.5)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "quantize: 0/4"
    assert lines[1].startswith("quantize: done, ")
    assert lines[2:] == ["emit: 0/1", "long: 2.5 s"]


def test_progress_is_bars_on_a_terminal() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    with ProgressObserver(stream) as observer:
        for done in range(5):
            observer.progress("quantize", done, 4)
    assert "quantize" in stream.getvalue()
    assert "4/4" in stream.getvalue()
