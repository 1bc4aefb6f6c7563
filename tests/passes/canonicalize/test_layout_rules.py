"""Every rule for operators that only move elements: text in, text out, same numbers."""

from collections.abc import Callable
from typing import Any

import pytest
from support.passes import Row, row_id

from optimum_compile.passes.canonicalize.layout_rules import LAYOUT

X, FIX, Q = {"self": "%x"}, {"self": "%fix"}, {"self": "%q"}
LAST = (1 << 63) - 1


def piece(
    name: str, source: str, axis: int, start: Any, stop: Any, kind: str, step: int = 1
) -> str:
    attrs = f"axis = {axis}, start = {start}, step = {step}, stop = {stop}"
    return f"{name} = slice({source}) {{{attrs}}} : {kind}"


RESHAPES: list[Row] = [
    ("view.default", X | {"size": (("$dim", "2*n"), 2)}, "f32[2*n, 2]",
     '%z_1 = reshape(%x) {shape = ("2*n", 2)} : f32[2*n, 2]'),
    ("_unsafe_view.default", FIX | {"size": (12,)}, "f32[12]",
     "%z_1 = reshape(%fix) {shape = (12,)} : f32[12]"),
    ("view_copy.default", FIX | {"size": (-1,)}, "f32[12]", "%z_1 = reshape(%fix) {shape = (12,)} : f32[12]"),
    ("reshape.default", X | {"shape": (-1, 4)}, "f32[n, 4]", "return %x"),
    ("flatten.using_ints", X, "f32[4*n]", '%z_1 = reshape(%x) {shape = ("4*n",)} : f32[4*n]'),
    ("unflatten.int", X | {"dim": 1, "sizes": (2, 2)}, "f32[n, 2, 2]",
     '%z_1 = reshape(%x) {shape = ("n", 2, 2)} : f32[n, 2, 2]'),
    ("unsqueeze.default", X | {"dim": 0}, "f32[1, n, 4]",
     '%z_1 = reshape(%x) {shape = (1, "n", 4)} : f32[1, n, 4]'),
    ("squeeze.dim", Q | {"dim": 0}, "f32[4, n, 8]", '%z_1 = reshape(%q) {shape = (4, "n", 8)} : f32[4, n, 8]'),
    ("expand.default", {"self": "%s", "size": (("$dim", "n"), 4)}, "f32[n, 4]",
     '%z_1 = expand(%s) {shape = ("n", 4)} : f32[n, 4]'),
    ("expand.default", X | {"size": (-1, 4)}, "f32[n, 4]", "return %x"),
    ("expand_copy.default", X | {"size": (2, -1, 4)}, "f32[2, n, 4]",
     '%z_1 = expand(%x) {shape = (2, "n", 4)} : f32[2, n, 4]'),
    ("expand_as.default", {"self": "%s", "other": "%x"}, "f32[n, 4]",
     '%z_1 = expand(%s) {shape = ("n", 4)} : f32[n, 4]'),
    ("broadcast_to.default", {"self": "%s", "size": (2,)}, "f32[2]",
     "%z_1 = expand(%s) {shape = (2,)} : f32[2]"),
]  # fmt: skip
ORDERS: list[Row] = [
    ("permute.default", Q | {"dims": (0, 2, -1, 1)}, "f32[1, n, 8, 4]",
     "%z_1 = permute(%q) {perm = (0, 2, 3, 1)} : f32[1, n, 8, 4]"),
    ("permute_copy.default", X | {"dims": (1, 0)}, "f32[4, n]",
     "%z_1 = permute(%x) {perm = (1, 0)} : f32[4, n]"),
    ("transpose.int", Q | {"dim0": 1, "dim1": -2}, "f32[1, n, 4, 8]",
     "%z_1 = permute(%q) {perm = (0, 2, 1, 3)} : f32[1, n, 4, 8]"),
    ("t.default", X, "f32[4, n]", "%z_1 = permute(%x) {perm = (1, 0)} : f32[4, n]"),
    ("t.default", {"self": "%ids"}, "i64[3]", "return %ids"),
]  # fmt: skip
SLICES: list[Row] = [
    ("slice.Tensor", X | {"dim": 1, "start": 1, "end": 3}, "f32[n, 2]",
     piece("%z_1", "%x", 1, 1, 3, "f32[n, 2]")),
    ("slice.Tensor", X | {"dim": -1, "start": -2, "end": LAST}, "f32[n, 2]",
     piece("%z_1", "%x", 1, 2, 4, "f32[n, 2]")),
    ("slice.Tensor", X | {"dim": 1, "start": 0, "end": LAST, "step": 3}, "f32[n, 2]",
     piece("%z_1", "%x", 1, 0, 4, "f32[n, 2]", step=3)),
    ("slice.Tensor", X, "f32[n, 4]", "return %x"),
    ("slice.Tensor", X | {"dim": 1, "start": -9, "end": 9}, "f32[n, 4]", "return %x"),
    ("slice.Tensor", X | {"dim": 1, "start": 7}, "f32[n, 0]", piece("%z_1", "%x", 1, 4, 4, "f32[n, 0]")),
    ("slice.Tensor", X | {"dim": 1, "start": 3, "end": 1}, "f32[n, 0]",
     piece("%z_1", "%x", 1, 3, 3, "f32[n, 0]")),
    ("slice.Tensor", X | {"dim": 1, "end": -9}, "f32[n, 0]", piece("%z_1", "%x", 1, 0, 0, "f32[n, 0]")),
    ("slice.Tensor", X | {"dim": 0, "start": ("$dim", "n-1")}, "f32[1, 4]",
     piece("%z_1", "%x", 0, '"n-1"', '"n"', "f32[1, 4]")),
    ("slice.Tensor", X | {"dim": 0, "start": -1, "end": LAST}, "f32[1, 4]",
     piece("%z_1", "%x", 0, '"n-1"', '"n"', "f32[1, 4]")),
    ("slice.Tensor", X | {"dim": 0, "end": -1}, "f32[n-1, 4]",
     piece("%z_1", "%x", 0, 0, '"n-1"', "f32[n-1, 4]")),
    ("slice.Tensor", X | {"dim": 0, "end": ("$dim", "n")}, "f32[n, 4]", "return %x"),
    ("slice_copy.Tensor", FIX | {"dim": 0, "start": 1}, "f32[2, 4]",
     piece("%z_1", "%fix", 0, 1, 3, "f32[2, 4]")),
    ("select.int", X | {"dim": 1, "index": 2}, "f32[n]",
     piece("%z_1", "%x", 1, 2, 3, "f32[n, 1]") + '\n%z_2 = reshape(%z_1) {shape = ("n",)} : f32[n]'),
    ("select.int", X | {"dim": 0, "index": -1}, "f32[4]",
     piece("%z_1", "%x", 0, '"n-1"', '"n"', "f32[1, 4]") + "\n%z_2 = reshape(%z_1) {shape = (4,)} : f32[4]"),
    ("select_copy.int", FIX | {"dim": -1, "index": 0}, "f32[3]",
     piece("%z_1", "%fix", 1, 0, 1, "f32[3, 1]") + "\n%z_2 = reshape(%z_1) {shape = (3,)} : f32[3]"),
]  # fmt: skip
PIECES: list[Row] = [
    ("split.Tensor", X | {"split_size": 3, "dim": 1}, "f32[n, 3], f32[n, 1]",
     piece("%z0_1", "%x", 1, 0, 3, "f32[n, 3]") + "\n" + piece("%z0_2", "%x", 1, 3, 4, "f32[n, 1]")
     + "\nreturn %z0_1, %z0_2"),
    ("split_with_sizes.default", FIX | {"split_sizes": (1, 2)}, "f32[1, 4], f32[2, 4]",
     piece("%z0_1", "%fix", 0, 0, 1, "f32[1, 4]") + "\n" + piece("%z0_2", "%fix", 0, 1, 3, "f32[2, 4]")
     + "\nreturn %z0_1, %z0_2"),
    ("chunk.default", X | {"chunks": 2, "dim": -1}, "f32[n, 2], f32[n, 2]",
     piece("%z0_1", "%x", 1, 0, 2, "f32[n, 2]") + "\n" + piece("%z0_2", "%x", 1, 2, 4, "f32[n, 2]")
     + "\nreturn %z0_1, %z0_2"),
    ("unbind.int", {"self": "%p"}, "f32[3, 4], f32[3, 4]",
     piece("%z0_1", "%p", 0, 0, 1, "f32[1, 3, 4]") + "\n%z0_2 = reshape(%z0_1) {shape = (3, 4)} : f32[3, 4]\n"
     + piece("%z0_3", "%p", 0, 1, 2, "f32[1, 3, 4]") + "\n%z0_4 = reshape(%z0_3) {shape = (3, 4)} : f32[3, 4]"
     + "\nreturn %z0_2, %z0_4"),
]  # fmt: skip
JOINS: list[Row] = [
    ("cat.default", {"tensors": ["%x", "%y"], "dim": -1}, "f32[n, 8]",
     "%z_1 = concat(%x, %y) {axis = 1} : f32[n, 8]"),
    ("cat.default", {"tensors": ["%fix", "%x"]}, "f32[n+3, 4]",
     "%z_1 = concat(%fix, %x) {axis = 0} : f32[n+3, 4]"),
    ("stack.default", {"tensors": ["%x", "%y"], "dim": -1}, "f32[n, 4, 2]",
     '%z_1 = reshape(%x) {shape = ("n", 4, 1)} : f32[n, 4, 1]\n'
     '%z_2 = reshape(%y) {shape = ("n", 4, 1)} : f32[n, 4, 1]\n'
     "%z_3 = concat(%z_1, %z_2) {axis = 2} : f32[n, 4, 2]"),
    ("index_select.default", X | {"dim": 1, "index": "%ids"}, "f32[n, 3]",
     "%z_1 = gather(%x, %ids) {axis = 1} : f32[n, 3]"),
    ("index.Tensor", FIX | {"indices": ["%ids"]}, "f32[3, 4]",
     "%z_1 = gather(%fix, %ids) {axis = 0} : f32[3, 4]"),
    ("index.Tensor", {"self": "%p", "indices": ["%at", "%ids"]}, "f32[3, 4]",
     "%z_1 = expand(%at) {shape = (3,)} : i64[3]\n%z_2 = expand(%ids) {shape = (3,)} : i64[3]\n"
     "%z_3 = reshape(%z_1) {shape = (3, 1)} : i64[3, 1]\n%z_4 = reshape(%z_2) {shape = (3, 1)} : i64[3, 1]\n"
     "%z_5 = concat(%z_3, %z_4) {axis = 1} : i64[3, 2]\n%z_6 = gather_nd(%p, %z_5) : f32[3, 4]"),
    ("gather.default", X | {"dim": 1, "index": "%i"}, "f32[n, 4]",
     "%z_1 = gather_elements(%x, %i) {axis = 1} : f32[n, 4]"),
]  # fmt: skip
KEPT: list[Row] = [
    ("index.Tensor", X | {"indices": [None, "%ids"]}, "f32[n, 3]", None),
    ("gather.default", FIX | {"dim": 1, "index": "%few"}, "f32[2, 2]", None),
    ("flip.default", X | {"dims": (0,)}, "f32[n, 4]", None),
]
ROWS = [*RESHAPES, *ORDERS, *SLICES, *PIECES, *JOINS, *KEPT]


@pytest.mark.parametrize("row", ROWS, ids=row_id)
def test_an_operator_becomes_what_the_table_says(check_rule: Callable[..., None], row: Row) -> None:
    check_rule(*row)


def test_every_rule_has_a_row() -> None:
    known = {target.split(".")[0] for target, _, _, after in ROWS if after is not None}
    assert set(LAYOUT) == known
