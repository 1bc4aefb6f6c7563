"""Small readings of the export schema's entries, and what an operator's name says about it."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from optimum_compile.compiler.errors import UnsupportedError
from optimum_compile.compiler.ir.graph import Attr, Graph, State

VIEWS = frozenset(
    "view reshape slice select transpose permute t unsqueeze squeeze expand split chunk unbind "
    "alias narrow flatten unflatten diagonal as_strided detach".split()
)


_NOT_FINITE = {"Infinity": math.inf, "-Infinity": -math.inf, "NaN": math.nan}


def number(data: object) -> float:
    """A float of the schema, which writes what JSON has no number for as text. Raises ValueError."""
    if isinstance(data, str) and data in _NOT_FINITE:
        return _NOT_FINITE[data]
    if isinstance(data, bool) or not isinstance(data, (int, float)):
        raise ValueError(f"{data!r} is no number")
    return float(data)


def plain(data: object, kind: type[int] | type[str]) -> Any:
    """A value of the schema, of the type that it claims. Raises ValueError."""
    if not isinstance(data, kind):
        raise ValueError(f"{data!r} is no {kind.__name__}")
    return data


def text(data: object) -> str:
    """A text of the schema. A "$" begins the tags of `compiler.aten`, which no file may forge."""
    found = str(plain(data, str))
    if found.startswith("$"):
        raise ValueError(f"{data!r} is no text that an operator takes")
    return found


SCALARS: dict[str, Callable[[object], Attr]] = {
    "as_int": lambda data: plain(data, int),
    "as_bool": lambda data: plain(data, bool),
    "as_string": text,
    "as_float": number,
}


def constant(arg: Mapping[str, Any], *, as_float: bool) -> Attr:
    """A flag or a number given to one of our own operators. Raises ValueError, KeyError."""
    if "as_bool" in arg:
        return SCALARS["as_bool"](arg["as_bool"])
    value = number(arg["as_float"] if "as_float" in arg else arg["as_int"])
    return value if as_float else int(value)


def is_size(out: Mapping[str, Any]) -> bool:
    """Whether an output is a size or a flag rather than a tensor."""
    return "as_sym_int" in out or "as_sym_bool" in out or "as_sym_float" in out


def tensors(out: Mapping[str, Any], model: str) -> list[Mapping[str, Any]]:
    """The tensors of one output. Raises UnsupportedError that names the model."""
    if "as_tensor" in out:
        return [out["as_tensor"]]
    if "as_tensors" in out:
        return list(out["as_tensors"])
    raise UnsupportedError(f"{model}: an operator returns {sorted(out)}, which is not supported")


def origin(node: Mapping[str, Any]) -> str:
    """Module path, from entries "key,path,class" joined by semicolons."""
    stack = str((node.get("metadata") or {}).get("nn_module_stack", ""))
    fields = stack.rsplit(";", 1)[-1].split(",")
    path = fields[1] if len(fields) > 1 else ""
    return path if path.isascii() and len(path) < 500 else ""


def in_place(target: str) -> bool:
    """Whether an ATen operator writes its first argument."""
    name = str(target).removeprefix("torch.ops.aten.").split(".")[0]
    return (
        str(target).startswith("torch.ops.aten.") and name.endswith("_") and not name.endswith("__")
    )


def functional(target: str) -> str:
    """The pure form of an in-place operator."""
    space, name, overload = target.split(".")
    return f"{space}.{name.removesuffix('_')}.{overload}"


def is_view(target: Attr) -> bool:
    """Whether an `aten` target shares the memory of its input."""
    return isinstance(target, str) and target.split(".")[1] in VIEWS


def as_states(graph: Graph, names: list[str], first_input: int, first_output: int) -> None:
    """Turn the inputs from `first_input` on, with the outputs from `first_output`, into states."""
    reads, written = graph.inputs[first_input:], graph.outputs[first_output:]
    del graph.inputs[first_input:], graph.outputs[first_output:]
    for name, read, last in zip(names, reads, written, strict=True):
        read.name = graph.fresh_name(name)
        graph.states.append(State(name, read, last))
