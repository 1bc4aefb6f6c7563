"""Ranges and guards of exported programs, read, kept and checked."""

from pathlib import Path

import pytest
import torch
from support.archives import Calls
from torch import Tensor, nn

from optimum_compile.compiler.errors import OptionError, UnsupportedError, UserError
from optimum_compile.compiler.frontend.archive import read_archive
from optimum_compile.compiler.frontend.importer import import_program
from optimum_compile.compiler.frontend.logic import parse_guard
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.guards import Guards, guards_of
from optimum_compile.compiler.ir.shape import SymbolRange, parse_dim
from optimum_compile.compiler.ir.verify import SHAPED, verify
from optimum_compile.compiler.pass_manager import PassContext
from optimum_compile.compiler.planning import plan
from optimum_compile.passes.symbolic_shape.infer import InferShapes
from optimum_compile.passes.symbolic_shape.specialize import specialize

Dim = torch.export.Dim


class Grouped(nn.Module):
    """x (batch, seq, 4) -> sums over groups of 8 positions."""

    def forward(self, x: Tensor) -> Tensor:
        batch, seq, width = x.shape
        torch._check(seq % 8 == 0)
        torch._check(batch <= seq)
        return x.reshape(batch, seq // 8, 8, width).sum(2)


def saved(path: Path, module: nn.Module, inputs, dynamic, *, deferred: bool = False) -> Path:
    exported = torch.export.export(
        module.eval(),
        inputs,
        dynamic_shapes=dynamic,
        strict=False,
        prefer_deferred_runtime_asserts_over_guards=deferred,
    )
    torch.export.save(exported, path)
    return path


def opened(tmp_path: Path, module: nn.Module, inputs, dynamic, *, deferred: bool = False) -> Graph:
    path = saved(tmp_path / "m.pt2", module, inputs, dynamic, deferred=deferred)
    return open_model(path).graph


@pytest.mark.parametrize("deferred", [False, True])
def test_divisibility_and_order_are_kept_and_checked(tmp_path: Path, deferred: bool) -> None:
    """As guards beside the program, and as assertions inside it."""
    named = ({0: Dim("b", min=1, max=8), 1: Dim("s", min=1, max=64)},)
    dynamic = named if deferred else ({0: Dim.AUTO, 1: Dim.AUTO},)
    graph = opened(tmp_path, Grouped(), (torch.randn(2, 16, 4),), dynamic, deferred=deferred)
    found = {str(g) for g in guards_of(graph)}
    assert {"batch <= seq", "seq % 8 == 0"} <= found
    assert len(found) <= 3  # torch's own deductions from these are dropped
    x = torch.randn(3, 24, 4)
    torch.testing.assert_close(run(graph, {"x": x}).outputs[0], Grouped()(x))
    with pytest.raises(UserError, match=r"seq=23: expected seq % 8 == 0"):
        run(graph, {"x": torch.randn(3, 23, 4)})
    with pytest.raises(UserError, match=r"batch"):
        run(graph, {"x": torch.randn(65, 16, 4)})


def test_guards_are_checked_when_symbols_get_values(tmp_path: Path) -> None:
    dynamic = ({0: Dim("b", min=1, max=8), 1: Dim("s", min=1, max=64)},)
    graph = opened(tmp_path, Grouped(), (torch.randn(2, 16, 4),), dynamic, deferred=True)
    with pytest.raises(OptionError, match=r"seq=12: expected seq % 8 == 0"):
        specialize(graph, {"seq": 12})
    fixed = specialize(graph, {"seq": 32})
    assert guards_of(fixed) == ()  # batch <= 8 < 32
    whole = specialize(fixed, {"batch": 1})
    x = torch.randn(1, 32, 4)
    torch.testing.assert_close(run(whole, {"x": x}).outputs[0], Grouped()(x))
    with pytest.raises(UserError, match="got the shape|got 2 where"):
        run(whole, {"x": torch.randn(2, 32, 4)})


def test_a_range_of_an_expression(tmp_path: Path) -> None:
    """8*s: the input has 8 times the symbol, and no symbol is called 8*s."""
    module = Calls(lambda x: x.reshape(x.shape[0], x.shape[1] // 8, 8).sum(2))
    dynamic = (({0: Dim("b", min=1, max=8), 1: 8 * Dim("s", min=1, max=8)},),)
    graph = opened(tmp_path, module, (torch.randn(2, 16),), dynamic)
    assert all(name.isidentifier() for name in graph.symbols)
    x = torch.randn(5, 40)
    torch.testing.assert_close(run(graph, {"inputs_0": x}).outputs[0], module(x))
    with pytest.raises(UserError, match="got 41 where"):
        run(graph, {"inputs_0": torch.randn(5, 41)})


def test_order_of_two_inputs(tmp_path: Path) -> None:
    module = Calls(lambda x, y: x[:, : y.shape[0]] + y)
    dynamic = (({1: Dim.AUTO}, {0: Dim.AUTO}),)
    graph = opened(tmp_path, module, (torch.randn(2, 16), torch.randn(5)), dynamic)
    x, y = torch.randn(2, 9), torch.randn(4)
    torch.testing.assert_close(run(graph, {"inputs_0": x, "inputs_1": y}).outputs[0], module(x, y))
    with pytest.raises(UserError, match=r"batch=9, seq=4: expected batch <= seq"):
        run(graph, {"inputs_0": torch.randn(2, 4), "inputs_1": torch.randn(9)})


def test_what_cannot_be_read_is_kept_as_text(tmp_path: Path) -> None:
    module = Calls(lambda x: x * 2)
    path = saved(tmp_path / "m.pt2", module, (torch.randn(4, 3),), (({0: Dim.AUTO},),))
    program, weights = read_archive(path)
    program["guards_code"] = ["L['inputs'][0].stride()[0] == 3", "__import__('os')", "1 <"]
    note = import_program(program, weights, "m").notes.get(Guards)
    assert note is not None
    assert note.guards == ()
    assert note.unread == tuple(program["guards_code"])


SIZES = {"x": (parse_dim("batch"), parse_dim("seq")), "caches_0": (1, parse_dim("seq"))}


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("L['x'].size()[1] % 8 == 0", ["seq % 8 == 0"]),
        ("4 <= L['x'].size()[0] < L['x'].size()[1]", ["4 <= batch", "batch+1 <= seq"]),
        ("not L['caches'][0].size()[1] > 5", ["seq <= 5"]),
        (
            "L['x'].size()[1] == 1 or L['x'].size()[1] >= 4",
            ["seq == 1 or 4 <= seq"],
        ),
        ("2*max(1, L['x'].size()[1] // 8) != 3", ["2*Max(1,floor(seq/8)) != 3"]),
        ("True", []),
    ],
)
def test_guards_of_torch(text: str, clauses: list[str]) -> None:
    found = parse_guard(text, SIZES)
    assert [" or ".join(map(str, c)) for c in found] == clauses


@pytest.mark.parametrize(
    "text",
    [
        "",
        "L['x'].size()[9] == 1",
        "L['y'].size()[0] == 1",
        "L['x'].size()[1] / 2 == 1",
        "L['x'].size()[1] // 0 == 1",
        "exit() == 1",
        "L['x'].size()[1]",
        "not (L['x'].size()[1] % 8 == 0)",
        "(" * 1500 + "1" + ")" * 1500,
        "1 == " + "9" * 3000,
        " and ".join(["L['x'].size()[0] != 7"] * 70),
    ],
)
def test_text_that_is_no_guard_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_guard(text, SIZES)


def test_ranges_are_those_of_the_program(tmp_path: Path) -> None:
    module = Calls(lambda x: x * 2)
    dynamic = (({0: Dim("b", min=2, max=9)},),)
    graph = opened(tmp_path, module, (torch.randn(4, 3),), dynamic)
    assert graph.symbols == {"batch": SymbolRange(2, 9)}
    with pytest.raises(UserError, match=r"batch=1: expected 2\.\.9; give inputs"):
        run(graph, {"inputs_0": torch.randn(1, 3)})


class Sliced(nn.Module):
    """Scores of x (1, seq, 4) against the first past+seq rows of a cache of 16."""

    def forward(self, x: Tensor, cache: Tensor, past: Tensor) -> Tensor:
        count = past.item()
        torch._check(count >= 0)
        torch._check(count + x.shape[1] <= 16)
        return x @ cache[:, : count + x.shape[1]].transpose(1, 2)


def test_sizes_that_depend_on_the_number_in_an_input(tmp_path: Path) -> None:
    dynamic = ({1: Dim("s", min=1, max=8)}, None, None)
    inputs = (torch.randn(1, 3, 4), torch.randn(1, 16, 4), torch.tensor([2]))
    graph = opened(tmp_path, Sliced(), inputs, dynamic)
    assert graph.symbols["past"].low == 0
    assert str(graph.outputs[0].type) == "f32[1, seq, past+seq]"
    assert "past+seq <= 16" in {str(g) for g in guards_of(graph)}
    assert verify(graph, SHAPED) == []
    assert InferShapes().run(graph, PassContext()).remarks == ()
    for seq, past in ((1, 0), (3, 5), (8, 8), (2, 14)):
        given = {"x": torch.randn(1, seq, 4), "cache": inputs[1], "past": torch.tensor([past])}
        expected = Sliced()(given["x"], given["cache"], given["past"])
        torch.testing.assert_close(run(graph, given).outputs[0], expected)
    for seq, past in ((3, 14), (3, 40), (3, -1)):
        given = {"x": torch.randn(1, seq, 4), "cache": inputs[1], "past": torch.tensor([past])}
        with pytest.raises(UserError, match=r"past=|past\+seq <= 16"):
            run(graph, given)
    decode = specialize(graph, {"seq": 1})
    assert str(decode.outputs[0].type) == "f32[1, 1, past+1]"
    with pytest.raises(UnsupportedError, match="depend on the number in input past"):
        plan(
            tmp_path / "m.pt2",
            ["android:executorch"],
            output=str(tmp_path / "out"),
            calibration="none",
        )
