"""RMS norm, spelled out: every spelling is found, and what only looks like one is left alone."""

from itertools import product
from textwrap import dedent

import numpy as np
import pytest
import torch
from support.graphs import Builder
from support.passes import check_pass

from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.ir.parser import parse
from optimum_compile.compiler.pass_manager import PassContext
from optimum_compile.passes.canonicalize.canonicalize import Canonicalize

HEAD = """\
graph "g" {
  symbol n in 1..8
  input %x : f32[n, 4]
  input %other : f32[n, 4]
  weight @w : f32[4] = unknown
"""
ALL = {
    "two": '%two = full() {dtype = "f32", shape = (), value = 2.0} : f32[]',
    "square": "%square = pow(%x, %two) : f32[n, 4]",
    "mean": "%mean = mean(%square) {axes = (1,), keepdims = true} : f32[n, 1]",
    "eps": '%eps = full() {dtype = "f32", shape = (), value = 0.25} : f32[]',
    "sum": "%sum = add(%mean, %eps) : f32[n, 1]",
    "scale": "%scale = rsqrt(%sum) : f32[n, 1]",
    "normed": "%normed = mul(%x, %scale) : f32[n, 4]",
    "y": "%y = mul(@w, %normed) : f32[n, 4]",
    "end": "return %y",
}
FOLDED = HEAD + "  %rms_norm = rms_norm(%x, @w) {eps = 0.25} : f32[n, 4]\n  return %rms_norm\n}\n"


def spelled(**changes: str) -> str:
    lines = "".join(f"  {line}\n" for line in (ALL | changes).values() if line)
    return f"{HEAD}{lines}}}\n"


SPELLINGS = [
    {"square": square, "sum": total, "normed": normed, "y": weighted}
    for square, total, normed, weighted in product(
        (ALL["square"], "%square = mul(%x, %x) : f32[n, 4]"),
        (ALL["sum"], "%sum = add(%eps, %mean) : f32[n, 1]"),
        (ALL["normed"], "%normed = mul(%scale, %x) : f32[n, 4]"),
        (ALL["y"], "%y = mul(%normed, @w) : f32[n, 4]"),
    )
]


@pytest.mark.parametrize("changes", SPELLINGS, ids=range(len(SPELLINGS)))
def test_every_spelling_becomes_one_norm(changes: dict[str, str]) -> None:
    graph = check_pass(Canonicalize(), spelled(**changes), FOLDED)
    given = {"x": torch.randn(3, 4), "other": torch.randn(3, 4)}
    weights = {"w": torch.randn(4)}
    (found,) = run(graph, given, replace_weights=weights).outputs
    (wanted,) = run(parse(spelled(**changes)), given, replace_weights=weights).outputs
    torch.testing.assert_close(found, wanted)


def test_without_a_weight_it_is_a_norm_without_one() -> None:
    head = HEAD.replace("  weight @w : f32[4] = unknown\n", "")
    check_pass(
        Canonicalize(),
        spelled(y="", end="return %normed"),
        head + "  %rms_norm = rms_norm(%x, _) {eps = 0.25} : f32[n, 4]\n  return %rms_norm\n}\n",
    )


def test_a_norm_that_is_also_read_without_its_weight_keeps_both() -> None:
    body = """\
      %rms_norm = rms_norm(%x, _) {eps = 0.25} : f32[n, 4]
      %y = mul(@w, %rms_norm) : f32[n, 4]
      %z = neg(%rms_norm) : f32[n, 4]
      return %y, %z
    }
    """
    check_pass(
        Canonicalize(),
        spelled(end="%z = neg(%normed) : f32[n, 4]\n  return %y, %z"),
        HEAD + dedent(body),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"two": ALL["two"].replace("2.0", "3.0")},
        {"square": "%square = mul(%x, %other) : f32[n, 4]", "two": ""},
        {"square": "%square = abs(%x) : f32[n, 4]", "two": ""},
        {"mean": ALL["mean"].replace("(1,)", "(0,)").replace("[n, 1]", "[1, 4]"),
         "sum": ALL["sum"].replace("[n, 1]", "[1, 4]"), "scale": ALL["scale"].replace("[n, 1]", "[1, 4]")},
        {"mean": ALL["mean"].replace("mean(", "sum(")},
        {"sum": "%sum = mul(%mean, %eps) : f32[n, 1]"},
        {"sum": "%sum = add(%mean, %mean) : f32[n, 1]", "eps": ""},
        {"scale": "%scale = sqrt(%sum) : f32[n, 1]"},
        {"normed": "%normed = mul(%other, %scale) : f32[n, 4]"},
        {"normed": "%normed = add(%x, %scale) : f32[n, 4]"},
    ],
    ids=str,
)  # fmt: skip
def test_what_only_looks_like_a_norm_stays(changes: dict[str, str]) -> None:
    text = spelled(**changes)
    check_pass(Canonicalize(), text, text)


@pytest.mark.parametrize("shape", [(1,), (3, 4)])
def test_a_weight_of_another_shape_is_multiplied_afterwards(shape: tuple[int, ...]) -> None:
    b = Builder()
    x = b.input("x", "f32", 3, 4)
    square = b.op("mul", x, x)
    mean = b.op("mean", square, axes=(1,), keepdims=True)
    eps = b.op("full", shape=(), value=0.25, dtype="f32")
    normed = b.op("mul", x, b.op("rsqrt", b.op("add", mean, eps)))
    weight = b.weight("w", np.full(shape, 2.0, np.float32))
    graph = b.returns(b.op("mul", normed, weight))
    given = {"x": torch.randn(3, 4)}
    (wanted,) = run(graph, given).outputs
    Canonicalize().run(graph, PassContext())
    assert [n.op for n in graph.nodes] == ["rms_norm", "mul"]
    torch.testing.assert_close(run(graph, given).outputs[0], wanted)
