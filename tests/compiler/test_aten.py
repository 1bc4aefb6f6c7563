"""ATen pass-through: what is carried, what is refused, and how arguments are written."""

import numpy as np
import pytest
import torch
from support.graphs import Builder, kind

from optimum_compile.compiler.aten import ALLOWED, aten_overload
from optimum_compile.compiler.errors import InputError, InternalError, UnsupportedError
from optimum_compile.compiler.interpret import run


@pytest.mark.parametrize(
    "target",
    ["aten.from_file.default", "aten.rand.default", "aten.add_.Tensor", "aten.resize_.default",
     "aten.as_strided.default", "aten.empty.memory_format", "aten.native_dropout.default",
     "aten.add.out", "aten.normal.Tensor_Tensor", "aten.multinomial.default", "aten.set_.source_Tensor"],
)  # fmt: skip
def test_impure_operators_are_refused(target: str) -> None:
    with pytest.raises(UnsupportedError, match=target):
        aten_overload(target)


@pytest.mark.parametrize(
    "target",
    ["prims.add.default", "aten.add", "aten.add.__class__", "aten.__class__.default", "aten.nope.x",
     "aten.add.Tensor.x", "os.system.default", "", "aten.add.op", "aten. add.Tensor"],
)  # fmt: skip
def test_names_that_are_no_operators_are_refused(target: str) -> None:
    with pytest.raises(InputError):
        aten_overload(target)


def test_every_allowed_operator_exists_and_is_functional() -> None:
    for name in sorted(ALLOWED):
        assert not aten_overload(f"aten.{name}")._schema.is_mutable


def _graph(target: str, args, out, n_inputs: int = 1):
    b = Builder(n=(1, 8))
    inputs = [b.input(f"x{i}", "f32", "n", 4) for i in range(n_inputs)]
    return b.returns(b.aten(target, args, *inputs, out=out))


X = np.arange(12, dtype=np.float32).reshape(3, 4)


@pytest.mark.parametrize(
    ("target", "args", "out", "expected"),
    [
        ("aten.add.Scalar", (("self", ("$", 0)), ("other", 2)), kind("f32", "n", 4), X + 2),
        ("aten.sum.dim_IntList", (("self", ("$", 0)), ("dim", (1,)), ("keepdim", True)),
         kind("f32", "n", 1), X.sum(1, keepdims=True)),
        ("aten.view.default", (("self", ("$", 0)), ("size", (("$dim", "2*n"), 2))),
         kind("f32", "2*n", 2), X.reshape(6, 2)),
        ("aten.cat.default", (("tensors", ("$list", 0, 0)), ("dim", 1)),
         kind("f32", "n", 8), np.concatenate([X, X], 1)),
        ("aten._to_copy.default", (("self", ("$", 0)), ("dtype", ("$dtype", "i64"))),
         kind("i64", "n", 4), X.astype(np.int64)),
        ("aten.full.default",
         (("size", (("$dim", "n"),)), ("fill_value", 1.5), ("dtype", ("$dtype", "f32")),
          ("device", ("$device",)), ("layout", ("$layout", "strided"))),
         kind("f32", "n"), np.full(3, 1.5, np.float32)),
        ("aten.clamp.default", (("self", ("$", 0)), ("min", None), ("max", 3.0)),
         kind("f32", "n", 4), X.clip(max=3)),
    ],
)  # fmt: skip
def test_arguments(target: str, args, out, expected) -> None:
    (got,) = run(_graph(target, args, out), {"x0": X}).outputs
    np.testing.assert_array_equal(got.numpy(), expected)


def test_optional_tensors_in_lists() -> None:
    b = Builder()
    x, ids = b.input("x", "f32", 3, 4), b.input("ids", "i64", 2)
    args = (("self", ("$", 0)), ("indices", ("$list", None, 1)))
    graph = b.returns(b.aten("aten.index.Tensor", args, x, ids, out=kind("f32", 3, 2)))
    (got,) = run(graph, {"x": X, "ids": np.array([3, 0])}).outputs
    np.testing.assert_array_equal(got.numpy(), X[:, [3, 0]])


def test_several_outputs() -> None:
    b = Builder()
    x = b.input("x", "f32", 3, 4)
    args = (("self", ("$", 0)), ("dim", 1))
    node = b.graph.add_node(
        "aten", [x], [kind("f32", 3), kind("i64", 3)], {"target": "aten.max.dim", "args": args}
    )
    values, places = run(b.returns(*node.outputs), {"x": X}).outputs
    assert values.tolist() == [3, 7, 11]
    assert places.tolist() == [3, 3, 3]
    assert places.dtype == torch.int64


def test_errors_of_torch_name_the_node() -> None:
    graph = _graph("aten.view.default", (("self", ("$", 0)), ("size", (5,))), kind("f32", 5))
    with pytest.raises(InternalError, match=r"aten\(x0\).*shape '\[5\]' is invalid"):
        run(graph, {"x0": X})


def test_a_refused_operator_does_not_run() -> None:
    args = (("filename", "/etc/hostname"), ("shared", False), ("size", 4))
    with pytest.raises(UnsupportedError, match="from_file"):
        run(_graph("aten.from_file.default", args, kind("f32", 4)), {"x0": X})
