"""A graph reads its nested weights at any of their widths."""

from pathlib import Path

import numpy as np
import pytest
from support.graphs import decoder
from support.packed import random_packed, with_packed

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.nested import at_width
from optimum_compile.compiler.quant.scheme import Lut, Nested
from optimum_compile.passes.precision.narrow import narrow, read_narrowest
from optimum_compile.passes.precision.notes import Precision, Quantized
from optimum_compile.passes.precision.units import units_of


def nested_graph(scheme: Nested, work: Path) -> Graph:
    graph = decoder(layers=1)
    names = [u for u in units_of(graph) if "mlp" in u.name]
    weights = {u.name: random_packed(scheme, u.use.rows, u.use.columns) for u in names}
    return with_packed(graph, weights, work)


@pytest.mark.parametrize("width", [2, 3, 4])
def test_nested_weights_become_palettes_and_all_others_stay(width: int, tmp_path: Path) -> None:
    graph = nested_graph(Nested(2, 4, 4), tmp_path)
    before = {n: v.notes.get(Quantized) for n, v in graph.weights.items()}
    assert narrow(graph, width, tmp_path / "narrow") == 3
    for name, value in graph.weights.items():
        old, new = before[name], value.notes.get(Quantized)
        if old is None or new is None or not isinstance(old.scheme, Nested):
            assert old == new
            continue
        assert value.notes.get(Precision) == Precision(Lut(width, 4))
        expected = at_width(old.load(), width).dequantize()
        np.testing.assert_array_equal(new.load().dequantize(), expected)
    assert narrow(graph, width, tmp_path / "narrow") == 0


def test_a_width_that_is_not_there_changes_nothing(tmp_path: Path) -> None:
    graph = nested_graph(Nested(3, 4), tmp_path)
    before = {n: v.notes.get(Quantized) for n, v in graph.weights.items()}
    with pytest.raises(OptionError, match=r"nest3-4:r1 at 2 bits: expected one of 3, 4"):
        narrow(graph, 2, tmp_path / "narrow")
    assert before == {n: v.notes.get(Quantized) for n, v in graph.weights.items()}


def test_a_graph_reads_its_own_weights_with_their_fewest_bits(tmp_path: Path) -> None:
    graph = nested_graph(Nested(3, 4, 2), tmp_path)
    before = {n: v.notes.get(Quantized) for n, v in graph.weights.items()}
    read_narrowest(graph)
    for name, value in graph.weights.items():
        old, new = before[name], value.notes.get(Quantized)
        if old is None or new is None or not isinstance(old.scheme, Nested):
            assert old == new
            continue
        assert value.notes.get(Precision) == Precision(Nested(3, 4, 2))
        assert (new.scheme, new.width, new.sha256) == (Lut(3, 2), 3, old.sha256)
        expected = at_width(old.load(), 3).dequantize()
        np.testing.assert_array_equal(new.load().dequantize(), expected)
    after = {n: v.notes.get(Quantized) for n, v in graph.weights.items()}
    read_narrowest(graph)
    assert after == {n: v.notes.get(Quantized) for n, v in graph.weights.items()}
