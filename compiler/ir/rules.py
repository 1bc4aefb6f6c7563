"""What the rules of the op table are made of: attributes and dimensions, read and checked."""

from collections.abc import Callable, Mapping

from optimum_compile.compiler.ir.graph import Attr
from optimum_compile.compiler.ir.shape import Dim, parse_dim
from optimum_compile.compiler.ir.simplify import same
from optimum_compile.compiler.ir.types import TensorType

Types = list[TensorType | None]
Infer = Callable[[Types, Mapping[str, Attr]], tuple[TensorType, ...]]


class ShapeError(ValueError):
    """Input types that an op cannot take."""


def need(types: Types, index: int) -> TensorType:
    """The type of an input that must be there."""
    kind = types[index] if index < len(types) else None
    if kind is None:
        raise ShapeError(f"input {index} is absent")
    return kind


def int_of(attrs: Mapping[str, Attr], key: str) -> int:
    """An attribute that is an integer."""
    value = attrs[key]
    if not isinstance(value, int):
        raise ShapeError(f"{key}={value!r}: expected an integer")
    return value


def ints(value: Attr) -> tuple[int, ...]:
    """An attribute that is a tuple of integers."""
    if not isinstance(value, tuple):
        raise ShapeError(f"{value!r}: expected a tuple of integers")
    out = []
    for item in value:
        if not isinstance(item, int):
            raise ShapeError(f"{value!r}: expected a tuple of integers")
        out.append(item)
    return tuple(out)


def dims(value: Attr) -> tuple[Dim, ...]:
    """An attribute that is a tuple of dimensions: integers, or expressions as text."""
    if not isinstance(value, tuple):
        raise ShapeError(f"{value!r}: expected a tuple of dimensions")
    out: list[Dim] = []
    for item in value:
        if isinstance(item, str):
            out.append(parse_dim(item))
        elif isinstance(item, int):
            out.append(item)
        else:
            raise ShapeError(f"{item!r}: expected a dimension")
    return tuple(out)


def dim_attr(value: Attr) -> Dim:
    """An attribute that is one dimension: an integer, or an expression as text."""
    return dims((value,))[0]


def broadcast(left: tuple[Dim, ...], right: tuple[Dim, ...]) -> tuple[Dim, ...]:
    """Shape of an element-wise op. Raises ShapeError where the dimensions differ."""
    rank = max(len(left), len(right))
    a = (1,) * (rank - len(left)) + left
    b = (1,) * (rank - len(right)) + right
    out: list[Dim] = []
    for p, q in zip(a, b, strict=True):
        if p != 1 and q != 1 and not same(p, q):
            raise ShapeError(f"cannot broadcast {left} with {right}: {p} against {q}")
        out.append(q if p == 1 else p)
    return tuple(out)
