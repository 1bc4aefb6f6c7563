"""Every op of the table, as ONNX Runtime computes it, against the reference executor."""

import numpy as np
import pytest
from support.emission import compared, emitted
from support.graphs import Builder

from optimum_compile.backends.base import Tolerance
from optimum_compile.backends.onnxruntime.backend import BACKEND
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.ops import EXPORTED_OPS

pytestmark = pytest.mark.onnxruntime
CLOSE = Tolerance(max_rel_err=2e-6)
RNG = np.random.default_rng(0)
POSITIVE = "log sqrt rsqrt".split()
UNARY = "silu relu tanh sigmoid exp log sqrt rsqrt neg abs cos sin erf reciprocal floor".split()
COMPARE = "eq ne lt le gt ge".split()


def floats(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def graphs() -> dict[str, Graph]:
    """One graph an op, or more where it has several forms; the op is the name up to a dash."""
    made: dict[str, Graph] = {}

    def start(name: str, **symbols: tuple[int, int]) -> Builder:
        made[name] = (b := Builder(name.replace("-", "_"), **symbols)).graph
        return b

    for name in UNARY:
        b = start(name, n=(1, 5))
        x = b.input("x", "f32", 2, "n", 3)
        b.returns(b.op(name, b.op("exp", x) if name in POSITIVE else x))
    for mode in ("none", "tanh"):
        b = start(f"gelu-{mode}")
        b.returns(b.op("gelu", b.input("x", "f32", 4, 9), approximate=mode))
    b = start("softmax", n=(1, 5))
    b.returns(b.op("softmax", b.input("x", "f32", 3, "n", 4), axis=1))
    for name in "add sub mul div maximum minimum".split():
        b = start(name, n=(1, 5))
        x, w = b.input("x", "f32", 2, "n", 3), b.weight("w", floats(3))
        b.returns(b.op(name, x, w))
    b = start("pow")
    b.returns(b.op("pow", b.op("exp", b.input("x", "f32", 4)), b.weight("w", floats(4))))
    b = start("div-whole")
    b.returns(
        b.op("div", b.weight("a", np.array([7, -7, 6, -1])), b.weight("b", np.array([2, 2, -3, 4])))
    )
    b = start("add-mixed")
    b.returns(b.op("add", b.input("x", "f32", 4), b.weight("w", np.arange(4))))
    for name in COMPARE:
        b = start(name)
        b.returns(b.op(name, b.weight("a", np.arange(5)), b.weight("b", np.array([1, 1, 2, 0, 9]))))
    for name in ("logical_and", "logical_or"):
        b = start(name)
        left = b.op("gt", b.input("x", "f32", 6), b.weight("z", np.zeros(6, np.float32)))
        b.returns(b.op(name, left, b.weight("w", np.array([0, 1, 0, 2, 0, 1]))))
    b = start("logical_not")
    b.returns(b.op("logical_not", b.op("gt", b.input("x", "f32", 6), b.weight("z", floats(6)))))
    b = start("where")
    x = b.input("x", "f32", 2, 3)
    b.returns(
        b.op("where", b.op("gt", x, b.weight("z", floats(3))), x, b.weight("w", floats(2, 1)))
    )
    for kind in ("i64", "f16", "bool"):
        b = start(f"cast-{kind}")
        b.returns(b.op("cast", b.input("x", "f32", 7), dtype=kind))
    b = start("matmul", n=(1, 5))
    b.returns(b.op("matmul", b.input("x", "f32", 2, "n", 3), b.weight("w", floats(3, 4))))
    for name in ("mean", "sum", "max"):
        for keep in (True, False):
            b = start(f"{name}-{keep}", n=(1, 5))
            b.returns(b.op(name, b.input("x", "f32", 2, "n", 3), axes=(0, 2), keepdims=keep))
    b = start("reshape-one", n=(1, 5))
    b.returns(b.op("reshape", b.input("x", "f32", 2, "n", 3), shape=("n", 6)))
    b = start("reshape-two", n=(1, 5), m=(2, 4))
    b.returns(b.op("reshape", b.input("x", "f32", "m", "n", 4), shape=("2*m", "n", 2)))
    b = start("permute")
    b.returns(b.op("permute", b.input("x", "f32", 2, 3, 4), perm=(2, 0, 1)))
    b = start("expand", n=(1, 5))
    x = b.input("x", "f32", "n", 1, 3)
    b.returns(b.op("expand", x, shape=(2, "n", 4, 3)))
    b = start("slice", n=(3, 5))
    b.returns(b.op("slice", b.input("x", "f32", 2, "n", 9), axis=2, start=1, stop=8, step=3))
    b = start("slice-symbol", n=(3, 6))
    b.returns(b.op("slice", b.input("x", "f32", 2, "n"), axis=1, start="n//2", stop="n", step=1))
    b = start("concat", n=(1, 5))
    x = b.input("x", "f32", 2, "n")
    b.returns(b.op("concat", x, b.weight("w", floats(2, 3)), x, axis=1))
    b = start("gather")
    b.returns(
        b.op(
            "gather",
            b.input("x", "f32", 2, 5, 3),
            b.weight("i", np.array([[4, -1], [0, 2]])),
            axis=1,
        )
    )
    b = start("gather_elements")
    ids = b.weight("i", np.array([[0, 4, 1], [3, -1, 2]]))
    b.returns(b.op("gather_elements", b.input("x", "f32", 2, 5), ids, axis=1))
    b = start("gather_nd")
    b.returns(
        b.op("gather_nd", b.input("x", "f32", 2, 5, 3), b.weight("i", np.array([[1, -1], [0, 2]])))
    )
    b = start("index_copy")
    x, ids = b.input("x", "f32", 2, 5, 3), b.weight("i", np.array([3, 0]))
    b.returns(b.op("index_copy", x, ids, b.weight("w", floats(2, 2, 3)), axis=1))
    b = start("index_copy-rows")
    x, ids = b.input("x", "f32", 5, 3), b.weight("i", np.array([3, 0]))
    b.returns(b.op("index_copy", x, ids, b.weight("w", floats(2, 3)), axis=0))
    b = start("arange", n=(2, 5))
    x = b.input("x", "f32", "n")
    b.returns(
        b.op("mul", x, b.op("arange", start=0, stop="n", dtype="f32")),
        b.op("arange", start=2, stop=7, dtype="i64"),
    )
    b = start("full", n=(2, 5))
    x = b.input("x", "f32", 3, "n")
    b.returns(b.op("add", x, b.op("full", shape=(3, "n"), value=-2.5, dtype="f32")))
    b = start("full-scalar")
    one = b.op("full", shape=(), value=1.5, dtype="f32")
    b.returns(b.op("add", b.op("reshape", b.input("x", "f32", 1, 1), shape=()), one))
    b = start("full-bool")
    b.returns(
        b.op(
            "where",
            b.op("full", shape=(3,), value=True, dtype="bool"),
            b.input("x", "f32", 3),
            b.weight("w", floats(3)),
        )
    )
    b = start("embedding", n=(1, 5))
    b.returns(b.op("embedding", b.input("ids", "i64", 1, "n"), b.weight("w", floats(9, 4))))
    b = start("linear", n=(1, 5))
    b.returns(
        b.op(
            "linear",
            b.input("x", "f32", 2, "n", 6),
            b.weight("w", floats(4, 6)),
            b.weight("v", floats(4)),
        )
    )
    b = start("linear-vector")
    b.returns(b.op("linear", b.input("x", "f32", 6), b.weight("w", floats(4, 6))))
    b = start("rms_norm")
    x = b.op("rms_norm", b.input("x", "f32", 3, 8), b.weight("w", floats(8)), eps=1e-5)
    b.returns(b.op("rms_norm", x, None, eps=1e-6))
    b = start("layer_norm")
    x = b.op(
        "layer_norm",
        b.input("x", "f32", 3, 8),
        b.weight("w", floats(8)),
        b.weight("v", floats(8)),
        eps=1e-5,
    )
    b.returns(x, b.op("layer_norm", x, None, None, eps=1e-2))
    b = start("hadamard", n=(1, 5))
    b.returns(
        b.op("hadamard", b.input("x", "f32", "n", 24), block=8),
        b.op("hadamard", b.graph.inputs[0], block=1),
    )
    for renormalise in (True, False):
        b = start(f"route-{renormalise}", n=(1, 5))
        x = b.op("floor", b.input("x", "f32", "n", 9))  # with equal logits
        b.returns(b.op("route", x, top_k=3, renormalise=renormalise))
    b = start("rope", n=(1, 5))
    frequencies = b.weight("f", np.array([1, 0.1, 0.01], np.float32))
    b.returns(
        b.op(
            "rope",
            b.input("x", "f32", 1, 2, "n", 6),
            b.weight("past", np.array([300])),
            frequencies,
            scale=1.3,
        )
    )
    for name, causal in (("plain", False), ("causal", True)):
        b = start(f"attention-{name}", n=(3, 5))
        q, k = b.input("q", "f32", 2, 4, "n", 6), b.input("k", "f32", 2, 2, "n", 6)
        b.returns(
            b.op("attention", q, k, b.op("sin", k), scale=None if causal else 0.3, causal=causal)
        )
    b = start("attention-mask")
    q, mask = b.input("q", "f32", 1, 2, 5, 6), b.weight("mask", np.array([1, 0, 1, 1, 0]))
    visible = b.op("reshape", b.op("cast", mask, dtype="bool"), shape=(1, 1, 1, 5))
    out = b.op("attention", q, q, q, visible, scale=0.4, causal=False)
    added = b.weight("w", floats(1, 2, 5, 5))
    b.returns(b.op("attention", q, q, out, added, scale=0.4, causal=True))
    for window in (0, 4):
        b = start(f"cache_attention-{window}", seq=(1, 6))
        x, past = b.input("x", "f32", 1, 4, "seq", 8), b.weight("past", np.array([5]))
        keys, values = b.weight("k", floats(1, 2, 16, 8)), b.weight("v", floats(1, 2, 16, 8))
        b.returns(b.op("cache_attention", x, keys, values, past, scale=0.3, window=window))
    b = start("kv_write", seq=(1, 6))
    cache = b.state("cache", "f32", 1, 2, 16, 8)
    new = b.input("new", "f32", 1, 2, "seq", 8)
    cache.written = b.op("kv_write", cache.read, new, b.weight("past", np.array([5])), axis=2)
    b.returns(b.op("sum", cache.written, axes=(3,), keepdims=False))
    return made


GRAPHS = graphs()


def test_every_op_has_a_graph():
    assert {name.split("-")[0] for name in GRAPHS} == EXPORTED_OPS - {"aten"}


@pytest.mark.parametrize("name", GRAPHS)
def test_an_op_computes_what_the_executor_computes(name, tmp_path):
    made = emitted(GRAPHS[name], tmp_path, BACKEND)
    verdict = compared(made, CLOSE)
    assert verdict.ok, verdict.reason
    nodes = GRAPHS[name].nodes
    assert all(BACKEND.supports_node(node).ok for node in nodes)


def test_what_onnx_cannot_express_is_refused_with_the_reason():
    b = Builder("odd")
    x = b.input("x", "bool", 3)
    b.returns(b.op("add", x, x), b.aten("aten.sort.default", (), x, out=x.type))
    reasons = [BACKEND.supports_node(node).reason for node in b.graph.nodes]
    assert reasons == [
        "ONNX has no add of bool; cast it first",
        "ONNX takes no ATen operators, and it has no IR equivalent",
    ]
