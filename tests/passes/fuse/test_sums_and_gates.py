"""Residuals, activations and norms: what becomes one node, and what stays apart and why."""

import pytest
import torch
from support.passes import check_pass

from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.ir.parser import parse
from optimum_compile.compiler.ir.records import note_classes
from optimum_compile.compiler.pass_manager import PassContext
from optimum_compile.passes.fuse.activation import FuseActivation
from optimum_compile.passes.fuse.add_norm import FuseAddNorm
from optimum_compile.passes.fuse.residual import FuseResidual
from optimum_compile.passes.stages.notes import InStage

CLASSES = note_classes(InStage)
HEAD = """
    graph "g" {
      symbol seq in 1..9
      input %a : f32[1, seq, 4]
      input %x : f32[1, seq, 4]
      input %one : f32[1, seq, 1]
      weight @w : f32[4, 4] = unknown
      weight @c : f32[4] = unknown
"""


@pytest.mark.parametrize("order", ["%x, %o", "%o, %x"])
@pytest.mark.parametrize("bias", ["", ", _", ", @c"])
def test_a_linear_takes_its_residual(order: str, bias: str) -> None:
    head = HEAD if bias == ", @c" else HEAD.replace("      weight @c : f32[4] = unknown\n", "")
    before = f"""{head}
      %o = linear(%a, @w{bias}) : f32[1, seq, 4] from "m.o_proj" with InStage{{index = 2}}
      %y = add({order}) : f32[1, seq, 4] from "m" with InStage{{index = 2}}
      return %y
    }}"""
    after = f"""{head}
      %o_proj = linear_add(%a, @w, {bias[2:] or "_"}, %x) : f32[1, seq, 4] from "m.o_proj" with InStage{{index = 2}}
      return %o_proj
    }}"""  # noqa: E501
    check_pass(FuseResidual(), before, after, notes=CLASSES)


def test_of_two_linears_the_later_takes_the_earlier() -> None:
    head = HEAD.replace("      weight @c : f32[4] = unknown\n", "")
    before = f"""{head}
      %p = linear(%a, @w) : f32[1, seq, 4] from "p"
      %o = linear(%x, @w) : f32[1, seq, 4] from "o"
      %y = add(%o, %p) : f32[1, seq, 4]
      return %y
    }}"""
    after = f"""{head}
      %p = linear(%a, @w) : f32[1, seq, 4] from "p"
      %o_1 = linear_add(%x, @w, _, %p) : f32[1, seq, 4] from "o"
      return %o_1
    }}"""
    check_pass(FuseResidual(), before, after)


UNFUSED = [
    (FuseResidual(), """
      %o = linear(%a, @w, @c) : f32[1, seq, 4] from "o"
      %y = add(%o, %x) : f32[1, seq, 4]
      return %y, %o""", "o: its sum stays apart: more than the sum reads it"),
    (FuseResidual(), """
      %o = linear(%a, @w, @c) : f32[1, seq, 4] from "o"
      %y = add(%o, %o) : f32[1, seq, 4]
      return %y""", "o: its sum stays apart: more than the sum reads it"),
    (FuseResidual(), """
      %o = linear(%a, @w, @c) : f32[1, seq, 4] from "o"
      %y = add(%o, %one) : f32[1, seq, 4]
      return %y""", "o: its sum stays apart: the sum repeats one of its operands"),
    (FuseResidual(), """
      %o = linear(%a, @w, @c) : f32[1, seq, 4] from "o" with InStage{index = 0}
      %y = add(%o, %x) : f32[1, seq, 4] with InStage{index = 1}
      return %y""", "o: its sum stays apart: the sum lies in another stage"),
    (FuseActivation(), """
      %s = silu(%a) : f32[1, seq, 4] from "act"
      %y = mul(%s, %x) : f32[1, seq, 4]
      return %y, %s""", "act: its product stays apart: more than the product reads it"),
    (FuseActivation(), """
      %s = sigmoid(%one) : f32[1, seq, 1] from "act"
      %y = mul(%x, %s) : f32[1, seq, 4]
      return %y""", "act: its product stays apart: the product repeats one of its operands"),
    (FuseActivation(), """
      %s = relu(%a) : f32[1, seq, 4] from "act"
      %y = mul(%x, %s) : f32[1, seq, 4] with InStage{index = 1}
      return %y""", "act: its product stays apart: the product lies in another stage"),
    (FuseAddNorm(), """
      %s = add(%a, %x) : f32[1, seq, 4]
      %n = rms_norm(%s, @c) {eps = 0.5} : f32[1, seq, 4] from "norm" with InStage{index = 1}
      return %n""", "norm: the sum before it stays apart: the sum lies in another stage"),
    (FuseAddNorm(), """
      %s = add(%a, %one) : f32[1, seq, 4]
      %n = rms_norm(%s, @c) {eps = 0.5} : f32[1, seq, 4]
      return %n""", ""),
    (FuseAddNorm(), """
      %s = add(%a, %x) : f32[1, seq, 4]
      %g = neg(@c) : f32[4]
      %n = rms_norm(%s, %g) {eps = 0.5} : f32[1, seq, 4]
      return %n""", ""),
]  # fmt: skip


@pytest.mark.parametrize(("step", "body", "remark"), UNFUSED, ids=range(len(UNFUSED)))
def test_what_stays_apart_says_why(step, body: str, remark: str) -> None:
    graph = parse(f"{HEAD}{body}\n    }}", CLASSES)
    result = step.run(graph, PassContext())
    assert not result.changed
    assert result.remarks == ((remark,) if remark else ())


@pytest.mark.parametrize(
    ("op", "attrs", "kind"),
    [("silu", "", "silu"), ("relu", "", "relu"), ("gelu", ' {approximate = "tanh"}', "gelu_tanh"),
     ("gelu", ' {approximate = "none"}', "gelu"), ("tanh", "", "tanh")],
)  # fmt: skip
@pytest.mark.parametrize("order", ["%s, %x", "%x, %s"])
def test_an_activation_takes_its_product(op: str, attrs: str, kind: str, order: str) -> None:
    head = """
    graph "g" {
      symbol seq in 1..9
      input %a : f32[1, seq, 4]
      input %x : f32[1, seq, 4]
    """
    before = f"""{head}
      %s = {op}(%a){attrs} : f32[1, seq, 4]
      %y = mul({order}) : f32[1, seq, 4] from "mlp" with InStage{{index = 3}}
      return %y
    }}""".replace(f"{op}(%a){attrs} : f32[1, seq, 4]", f"{op}(%a){attrs} : f32[1, seq, 4] "
                  "with InStage{index = 3}")  # fmt: skip
    after = f"""{head}
      %gated = gated(%a, %x) {{activation = "{kind}"}} : f32[1, seq, 4] from "mlp" with InStage{{index = 3}}
      return %gated
    }}"""
    check_pass(FuseActivation(), before, after, notes=CLASSES)
    plain, made = parse(before, CLASSES), parse(after, CLASSES)
    inputs = {name: torch.randn(1, 3, 4) for name in ("a", "x")}
    assert torch.equal(run(plain, inputs).outputs[0], run(made, inputs).outputs[0])


def test_a_norm_takes_the_sum_before_it_and_gives_both() -> None:
    head = HEAD.replace("      weight @w : f32[4, 4] = unknown\n", "")
    before = f"""{head}
      %s = add(%a, %x) : f32[1, seq, 4] from "layer"
      %m = neg(%s) : f32[1, seq, 4]
      %n = rms_norm(%s, @c) {{eps = 0.5}} : f32[1, seq, 4] from "layer.norm"
      return %m, %n, %s
    }}"""
    after = f"""{head}
      %sum, %norm = add_rms_norm(%a, %x, @c) {{eps = 0.5}} : f32[1, seq, 4], f32[1, seq, 4] from "layer.norm"
      %m = neg(%sum) : f32[1, seq, 4]
      return %m, %norm, %sum
    }}"""
    check_pass(FuseAddNorm(), before, after)
