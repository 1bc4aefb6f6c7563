"""Every rule for arithmetic, norms, products and constants: text in, text out, same numbers."""

from collections.abc import Callable

import pytest
from support.passes import Row, row_id

from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.passes.canonicalize.rules import ARITHMETIC

A, W, B, Q = "f32[n, 4]", "i64[n, 4]", "bool[n, 4]", "f32[1, 4, n, 8]"
X = {"self": "%x"}
XY = {"self": "%x", "other": "%y"}
IX = {"self": "%i", "other": "%x"}
BB = {"self": "%b", "other": "%b"}
NORM = {"input": "%x", "normalized_shape": (4,)}
UNARY = "silu relu tanh sigmoid exp log sqrt rsqrt neg abs cos sin erf reciprocal floor".split()


def full(value: str, kind: str = "f32", at: int = 1) -> str:
    return f'%z_{at} = full() {{dtype = "{kind}", shape = (), value = {value}}} : {kind}[]\n'


SAME: list[Row] = [
    (f"{name}.default", X, A, "return %x")
    for name in ("alias", "clone", "contiguous", "detach", "detach_", "lift_fresh_copy")
]
ONE_TO_ONE: list[Row] = [
    *((f"{name}.default", X, A, f"%z_1 = {name}(%x) : {A}") for name in UNARY),
    *((f"{name}.Tensor", XY, A, f"%z_1 = {name}(%x, %y) : {A}") for name in "add sub mul div".split()),
    *((f"{name}.default", XY, A, f"%z_1 = {name}(%x, %y) : {A}") for name in ("maximum", "minimum")),
    *((f"{name}.Tensor", XY, B, f"%z_1 = {name}(%x, %y) : {B}") for name in "eq ne lt le gt ge".split()),
    *((f"{name}.default", BB, B, f"%z_1 = {name}(%b, %b) : {B}") for name in ("logical_and", "logical_or")),
    *((f"{name}.Tensor", BB, B, f"%z_1 = logical_and(%b, %b) : {B}") for name in ("bitwise_and", "__and__")),
    *((f"{name}.Tensor", BB, B, f"%z_1 = logical_or(%b, %b) : {B}") for name in ("bitwise_or", "__or__")),
    *((f"{name}_not.default", {"self": "%b"}, B, f"%z_1 = logical_not(%b) : {B}")
      for name in ("bitwise", "logical")),
    ("pow.Tensor_Tensor", {"self": "%x", "exponent": "%i"}, A,
     f'%z_1 = cast(%i) {{dtype = "f32"}} : {A}\n%z_2 = pow(%x, %z_1) : {A}'),
    ("rsub.Tensor", XY, A, f"%z_1 = sub(%y, %x) : {A}"),
    ("gelu.default", X, A, f'%z_1 = gelu(%x) {{approximate = "none"}} : {A}'),
    ("gelu.default", X | {"approximate": "tanh"}, A, f'%z_1 = gelu(%x) {{approximate = "tanh"}} : {A}'),
    ("softmax.int", X | {"dim": -1}, A, f"%z_1 = softmax(%x) {{axis = 1}} : {A}"),
    ("_softmax.default", X | {"dim": 0, "half_to_float": False}, A, f"%z_1 = softmax(%x) {{axis = 0}} : {A}"),
    ("dropout.default", {"input": "%x", "p": 0.5, "train": False}, A, "return %x"),
    ("where.self", {"condition": "%b"} | XY, A, f"%z_1 = where(%b, %x, %y) : {A}"),
    ("masked_fill.Tensor", X | {"mask": "%b", "value": "%s"}, A, f"%z_1 = where(%b, %s, %x) : {A}"),
]  # fmt: skip
NUMBERS: list[Row] = [
    ("add.Tensor", XY | {"alpha": 1}, A, f"%z_1 = add(%x, %y) : {A}"),
    ("sub.Scalar", X | {"other": 2}, A, full("2.0") + f"%z_2 = sub(%x, %z_1) : {A}"),
    ("pow.Tensor_Scalar", X | {"exponent": 2}, A, full("2.0") + f"%z_2 = pow(%x, %z_1) : {A}"),
    ("rsub.Scalar", X | {"other": 1}, A, full("1.0") + f"%z_2 = sub(%z_1, %x) : {A}"),
    ("mul.Scalar", {"self": "%i", "other": 3}, W, full("3.0", "i64") + f"%z_2 = mul(%i, %z_1) : {W}"),
    ("eq.Scalar", {"self": "%i", "other": 2}, B, full("2.0", "i64") + f"%z_2 = eq(%i, %z_1) : {B}"),
    ("lt.Scalar", {"self": "%i", "other": 2.0}, B, full("2.0", "i64") + f"%z_2 = lt(%i, %z_1) : {B}"),
    ("eq.Scalar", {"self": "%b", "other": True}, B, full("1.0", "bool") + f"%z_2 = eq(%b, %z_1) : {B}"),
    ("where.ScalarOther", {"condition": "%b", "self": "%x", "other": 0}, A,
     full("0.0") + f"%z_2 = where(%b, %x, %z_1) : {A}"),
    ("where.ScalarSelf", {"condition": "%b", "self": 1.5, "other": "%x"}, A,
     full("1.5") + f"%z_2 = where(%b, %z_1, %x) : {A}"),
    ("masked_fill.Scalar", X | {"mask": "%b", "value": float("-inf")}, A,
     full("-inf") + f"%z_2 = where(%b, %z_1, %x) : {A}"),
]  # fmt: skip
TO_F32 = '{dtype = "f32"}'
TYPES: list[Row] = [
    ("mul.Tensor", IX, A, f"%z_1 = cast(%i) {TO_F32} : {A}\n%z_2 = mul(%z_1, %x) : {A}"),
    ("mul.Scalar", {"self": "%i", "other": 2.5}, A,
     full("2.5") + f"%z_2 = cast(%i) {TO_F32} : {A}\n%z_3 = mul(%z_2, %z_1) : {A}"),
    ("add.Scalar", {"self": "%b", "other": 3}, W,
     full("3.0", "i64") + f'%z_2 = cast(%b) {{dtype = "i64"}} : {W}\n%z_3 = add(%z_2, %z_1) : {W}'),
    ("div.Tensor", {"self": "%i", "other": "%x"}, A,
     f"%z_1 = cast(%i) {TO_F32} : {A}\n%z_2 = div(%z_1, %x) : {A}"),
    ("rsub.Scalar", {"self": "%i", "other": 0.5}, A,
     full("0.5") + f"%z_2 = cast(%i) {TO_F32} : {A}\n%z_3 = sub(%z_1, %z_2) : {A}"),
    ("lt.Tensor", IX, B, f"%z_1 = lt(%i, %x) : {B}"),
    ("to.dtype", X | {"dtype": DType.F32}, A, "return %x"),
    ("to.dtype", X | {"dtype": DType.I64}, W, f'%z_1 = cast(%x) {{dtype = "i64"}} : {W}'),
    ("_to_copy.default", {"self": "%i", "dtype": DType.F32}, A, f"%z_1 = cast(%i) {TO_F32} : {A}"),
    ("type_as.default", IX, A, f"%z_1 = cast(%i) {TO_F32} : {A}"),
]  # fmt: skip
ATTENTION = "scaled_dot_product_attention.default"
QQQ = {"query": "%q", "key": "%q", "value": "%q"}
LAYERS: list[Row] = [
    ("linear.default", {"input": "%x", "weight": "@w"}, "f32[n, 6]", "%z_1 = linear(%x, @w, _) : f32[n, 6]"),
    ("linear.default", {"input": "%x", "weight": "@w", "bias": "@bias"}, "f32[n, 6]",
     "%z_1 = linear(%x, @w, @bias) : f32[n, 6]"),
    ("linear.default", {"input": "%x", "weight": "@w", "bias": "@one"}, "f32[n, 6]",
     "%z_1 = linear(%x, @w, _) : f32[n, 6]\n%z_2 = add(%z_1, @one) : f32[n, 6]"),
    ("mm.default", {"self": "%fix", "mat2": "%m"}, "f32[3, 6]", "%z_1 = matmul(%fix, %m) : f32[3, 6]"),
    ("bmm.default", {"self": "%p", "mat2": "%r"}, "f32[2, 3, 3]", "%z_1 = matmul(%p, %r) : f32[2, 3, 3]"),
    ("matmul.default", {"self": "%q", "other": "%k"}, "f32[1, 4, n, n]",
     "%z_1 = matmul(%q, %k) : f32[1, 4, n, n]"),
    ("addmm.default", {"self": "@bias", "mat1": "%fix", "mat2": "%m"}, "f32[3, 6]",
     "%z_1 = matmul(%fix, %m) : f32[3, 6]\n%z_2 = add(%z_1, @bias) : f32[3, 6]"),
    ("embedding.default", {"weight": "@table", "indices": "%ids", "padding_idx": 0}, "f32[3, 4]",
     "%z_1 = embedding(%ids, @table) : f32[3, 4]"),
    ("rms_norm.default", NORM | {"weight": "@scale", "eps": 1e-05}, A,
     f"%z_1 = rms_norm(%x, @scale) {{eps = 1e-05}} : {A}"),
    ("layer_norm.default", NORM, A, f"%z_1 = layer_norm(%x, _, _) {{eps = 1e-05}} : {A}"),
    ("layer_norm.default", NORM | {"weight": "@scale", "bias": "@scale", "eps": 0.1}, A,
     f"%z_1 = layer_norm(%x, @scale, @scale) {{eps = 0.1}} : {A}"),
    (ATTENTION, {"query": "%q", "key": "%cache", "value": "%cache"}, Q,
     f"%z_1 = attention(%q, %cache, %cache, _) {{causal = false, scale = 0.3535533905932738}} : {Q}"),
    (ATTENTION, QQQ | {"is_causal": True, "scale": 0.1, "dropout_p": 0.0}, Q,
     f"%z_1 = attention(%q, %q, %q, _) {{causal = true, scale = 0.1}} : {Q}"),
]  # fmt: skip
REDUCTIONS: list[Row] = [
    ("mean.dim", X | {"dim": (-1,), "keepdim": True}, "f32[n, 1]",
     "%z_1 = mean(%x) {axes = (1,), keepdims = true} : f32[n, 1]"),
    ("mean.default", X, "f32[]", "%z_1 = mean(%x) {axes = (0, 1), keepdims = false} : f32[]"),
    ("sum.dim_IntList", X | {"dim": (1, 0)}, "f32[]",
     "%z_1 = sum(%x) {axes = (0, 1), keepdims = false} : f32[]"),
    ("sum.dim_IntList", {"self": "%s", "dim": (0,)}, "f32[]",
     "%z_1 = sum(%s) {axes = (), keepdims = false} : f32[]"),
    ("amax.default", X | {"dim": (1,)}, "f32[n]", "%z_1 = max(%x) {axes = (1,), keepdims = false} : f32[n]"),
]  # fmt: skip
SHAPE = 'shape = ("n", 4)'
CONSTANTS: list[Row] = [
    ("full.default", {"size": (2, 3), "fill_value": 1.5}, "f32[2, 3]",
     '%z_1 = full() {dtype = "f32", shape = (2, 3), value = 1.5} : f32[2, 3]'),
    ("full_like.default", X | {"fill_value": 2}, A,
     f'%z_1 = full() {{dtype = "f32", {SHAPE}, value = 2.0}} : {A}'),
    ("zeros_like.default", X, A, f'%z_1 = full() {{dtype = "f32", {SHAPE}, value = 0.0}} : {A}'),
    ("ones_like.default", {"self": "%i"}, W, f'%z_1 = full() {{dtype = "i64", {SHAPE}, value = 1.0}} : {W}'),
    *((f"{name}.default", first | {"size": (2,)}, "f32[2]",
       f'%z_1 = full() {{dtype = "f32", shape = (2,), value = {value}}} : f32[2]')
      for name, first, value in (("zeros", {}, 0.0), ("ones", {}, 1.0), ("new_zeros", X, 0.0),
                                 ("new_ones", X, 1.0))),
    ("arange.default", {"end": ("$dim", "n")}, "i64[n]",
     '%z_1 = arange() {dtype = "i64", start = 0, stop = "n"} : i64[n]'),
    ("arange.start", {"start": 2, "end": 5}, "i64[3]",
     '%z_1 = arange() {dtype = "i64", start = 2, stop = 5} : i64[3]'),
    ("arange.default", {"end": 4, "dtype": DType.F32}, "f32[4]",
     '%z_1 = arange() {dtype = "f32", start = 0, stop = 4} : f32[4]'),
]  # fmt: skip
KEPT: list[Row] = [
    (target, args, kinds, None)
    for target, args, kinds in (
        ("add.Tensor", XY | {"alpha": 2}, A),
        ("rsub.Scalar", X | {"other": 1, "alpha": 2}, A),
        ("div.Tensor_mode", XY | {"rounding_mode": "floor"}, A),
        ("pow.Scalar", {"self": 2, "exponent": "%x"}, A),
        ("lt.Scalar", {"self": "%i", "other": 2.5}, B),
        ("lt.Scalar", {"self": "%i", "other": float("inf")}, B),
        ("lt.Scalar", {"self": "%i", "other": 2**53 + 1}, B),
        ("eq.Scalar", {"self": "%b", "other": 2}, B),
        ("bitwise_and.Tensor", {"self": "%i", "other": "%i"}, W),
        ("bitwise_not.default", {"self": "%i"}, W),
        ("logical_not.default", X, B),
        ("where.self", {"condition": "%b"} | IX, A),
        ("softmax.int", X | {"dim": 1, "dtype": DType.F64}, "f64[n, 4]"),
        ("sum.default", {"self": "%b"}, "i64[]"),
        ("matmul.default", {"self": "%x", "other": "%v"}, "f32[n]"),
        ("addmm.default", {"self": "@bias", "mat1": "%fix", "mat2": "%m", "beta": 2}, "f32[3, 6]"),
        ("rms_norm.default", {"input": "%fix", "normalized_shape": (3, 4), "eps": 1e-5}, "f32[3, 4]"),
        ("layer_norm.default", {"input": "%fix", "normalized_shape": (3, 4)}, "f32[3, 4]"),
        ("native_layer_norm.default", NORM | {"weight": None, "bias": None, "eps": 0.1},
         f"{A}, f32[n, 1], f32[n, 1]"),
        (ATTENTION, {"query": "%p", "key": "%p", "value": "%p"}, "f32[2, 3, 4]"),
        ("arange.start_step", {"start": 0, "end": 8, "step": 2}, "i64[4]"),
        ("arange.default", {"end": 2.5}, "f32[3]"),
        ("asin.default", X, A),
    )
]  # fmt: skip
ROWS = [*SAME, *ONE_TO_ONE, *NUMBERS, *TYPES, *LAYERS, *REDUCTIONS, *CONSTANTS, *KEPT]


@pytest.mark.parametrize("row", ROWS, ids=row_id)
def test_an_operator_becomes_what_the_table_says(check_rule: Callable[..., None], row: Row) -> None:
    check_rule(*row)


def test_every_rule_has_a_row() -> None:
    # These two depend on the nodes around them: see test_canonicalize.
    known = {target.split(".")[0] for target, _, _, after in ROWS if after is not None}
    assert set(ARITHMETIC) - known == {"index_copy", "native_layer_norm"}
