"""`check_rule`: one ATen operator as text, what the pass makes of it, and the numbers of both."""

import re
from collections.abc import Callable
from textwrap import indent
from typing import Any

import pytest
import torch
from support.passes import check_pass

from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.parser import parse
from optimum_compile.compiler.ir.shape import evaluate
from optimum_compile.compiler.ir.types import TensorType
from optimum_compile.passes.canonicalize.canonicalize import Canonicalize

HEADER = """\
symbol n in 1..8
input %x : f32[n, 4]
input %y : f32[n, 4]
input %fix : f32[3, 4]
input %i : i64[n, 4]
input %b : bool[n, 4]
input %ids : i64[3]
input %at : i64[1]
input %q : f32[1, 4, n, 8]
input %cache : f32[1, 4, 16, 8]
input %s : f32[]
input %v : f32[4]
input %few : i64[2, 2]
input %m : f32[4, 6]
input %k : f32[1, 4, 8, n]
input %p : f32[2, 3, 4]
input %r : f32[2, 4, 3]
"""
WEIGHTS = {
    "w": "f32[6, 4]",
    "bias": "f32[6]",
    "one": "f32[1]",
    "scale": "f32[4]",
    "table": "f32[9, 4]",
}
N = 3


def framed(body: str) -> str:
    used = [f"weight @{k} : {v} = unknown\n" for k, v in WEIGHTS.items() if f"@{k}" in body]
    return f'graph "g" {{\n{indent(HEADER + "".join(used) + body, "  ")}\n}}\n'


def written(value: Any, operands: list[str]) -> str:
    """An argument as the text form of an `aten` node has it."""
    if isinstance(value, str) and value[0] in "%@":
        operands.append(value)
        return f'("$", {len(operands) - 1})'
    if isinstance(value, list):
        numbers = [(operands.append(v), len(operands) - 1)[1] if v else "none" for v in value]
        return f'("$list", {", ".join(map(str, numbers))})'
    if isinstance(value, tuple):
        inner = ", ".join(written(v, operands) for v in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, DType):
        return f'("$dtype", "{value.value}")'
    if isinstance(value, str):
        return f'"{value}"'
    return repr(value).lower()


def aten(target: str, args: dict[str, Any], kinds: str) -> str:
    """One `aten` node that gives %z, or %z0, %z1, ... where it gives several."""
    operands: list[str] = []
    pairs = tuple(f'("{name}", {written(value, operands)})' for name, value in args.items())
    given = f"({', '.join(pairs)}{',' if len(pairs) == 1 else ''})"
    count = len(re.findall(r"\[", kinds))
    names = ", ".join(f"%z{k}" for k in range(count)) if count > 1 else "%z"
    attrs = f'{{args = {given}, target = "aten.{target}"}}'
    return f"{names} = aten({', '.join(operands)}) {attrs} : {kinds}\nreturn {names}"


def random(kind: TensorType) -> torch.Tensor:
    shape = [evaluate(d, {"n": N}) for d in kind.shape]
    noise = torch.Generator().manual_seed(len(shape) + sum(shape))
    if kind.dtype is DType.BOOL:
        return torch.randn(shape, generator=noise) > 0
    if kind.dtype is DType.I64:
        return torch.randint(0, 3, shape, generator=noise)
    return torch.randn(shape, generator=noise, dtype=torch.float64)


def numbers(graph: Graph) -> tuple[torch.Tensor, ...]:
    inputs = {value.name: random(value.type) for value in graph.inputs}
    weights = {name: random(value.type) for name, value in graph.weights.items()}
    return run(graph, inputs, replace_weights=weights, dtype=torch.float64).outputs


def _overload(target: str) -> Any:
    _, packet, overload = target.split(".")
    return getattr(getattr(torch.ops.aten, packet), overload)


@pytest.fixture
def check_rule(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Compare text and numbers.

    `after` None: the operator stays as it is. Without "return" its last value is returned.
    """
    monkeypatch.setattr("optimum_compile.compiler.interpret_ops.aten_overload", _overload)

    def check(target: str, args: dict[str, Any], kinds: str, after: str | None) -> None:
        before = framed(aten(target, args, kinds))
        if after is not None and "return" not in after:
            after += f"\nreturn {after.splitlines()[-1].split(' = ')[0]}"
        result = check_pass(Canonicalize(), before, before if after is None else framed(after))
        for left, right in zip(numbers(parse(before)), numbers(result), strict=True):
            torch.testing.assert_close(left, right, rtol=1e-6, atol=1e-12, equal_nan=True)

    return check
