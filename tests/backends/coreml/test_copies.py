"""Copies counted in emitted packages: caches are written in place, row by row."""

from pathlib import Path

import numpy as np
import pytest
from support.emission import emitted, quantised
from support.graphs import Builder, decoder

from optimum_compile.backends.coreml.backend import BACKEND
from optimum_compile.backends.coreml.copies import (
    Copies,
    copied_bytes,
    copies_of,
    count_copies,
)
from optimum_compile.backends.coreml.program import Function, Op, Var
from optimum_compile.compiler.errors import InputError

pytestmark = pytest.mark.coreml


def test_a_decoder_writes_the_rows_of_its_caches_and_no_more(tmp_path: Path) -> None:
    graph = quantised(decoder(), tmp_path, BACKEND, "uniform")
    caches = [s.read.type.static_shape() for s in graph.states]
    found = count_copies(emitted(graph, tmp_path, BACKEND).result.artifact)
    assert set(found) == {"prefill", "decode"}
    row = sum(heads * width * 2 for _, heads, _, width in caches)
    assert found["decode"]["slice_update"] == Copies(len(caches), row)
    assert found["decode"]["coreml_update_state"] == Copies(len(caches), 0)
    chunk = found["prefill"]["slice_update"]
    assert chunk.count == len(caches)
    assert chunk.bytes % row == 0
    assert chunk.bytes > row
    # One token: transposes only move axes of one element.
    assert found["decode"].get("transpose", Copies(0, 0)).bytes == 0
    assert copied_bytes(found["decode"]) < copied_bytes(found["prefill"])


def test_moves_are_counted_with_their_bytes(tmp_path: Path) -> None:
    b = Builder("moves")
    x = b.input("x", "f32", 4, 6)
    turned = b.op("permute", x, perm=(1, 0))
    cut = b.op("slice", turned, axis=0, start=1, stop=4, step=1)
    both = b.op("concat", cut, b.op("silu", turned), axis=0)
    w = b.weight("w", np.ones((3, 4), np.float32))
    graph = b.returns(b.op("linear", both, w, None, origin="w"))
    made = emitted(quantised(graph, tmp_path, BACKEND, "uniform"), tmp_path, BACKEND)
    (found,) = count_copies(made.result.artifact).values()
    assert found["slice_by_index"] == Copies(1, 3 * 4 * 2)
    assert found["concat"] == Copies(1, 9 * 4 * 2)
    assert found["transpose"].bytes == 6 * 4 * 2


def program(*, other_reader: bool, other_state: bool) -> Function:
    """A state read, changed by rows and stored."""
    state, other = Var("s", "state", (1, 8, 4)), Var("t", "state", (1, 8, 4))
    read, row = Var("r", "fp16", (1, 8, 4)), Var("row", "fp16", (1, 1, 4))
    changed, stored = Var("c", "fp16", (1, 8, 4)), Var("u", "fp16", (1, 8, 4))
    operations = [
        Op("read_state", "a", {"input": state}, (read,)),
        Op("slice_update", "b", {"x": read, "update": row}, (changed,)),
        Op(
            "coreml_update_state",
            "c",
            {"state": other if other_state else state, "value": changed},
            (stored,),
        ),
    ]
    if other_reader:
        operations.append(Op("silu", "d", {"x": read}, (Var("y", "fp16", (1, 8, 4)),)))
    return Function({"row": row}, {"s": state, "t": other}, tuple(operations), (stored,))


def test_a_state_that_is_read_later_is_copied_whole() -> None:
    whole, row = 8 * 4 * 2, 4 * 2
    assert copied_bytes(copies_of(program(other_reader=False, other_state=False))) == row
    assert copied_bytes(copies_of(program(other_reader=True, other_state=False))) == 2 * whole
    assert copied_bytes(copies_of(program(other_reader=False, other_state=True))) == 2 * whole


def test_what_is_no_package_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        count_copies(tmp_path / "nothing.mlpackage")
