"""Views as arithmetic: what reshape, permute, slice and expand do to offset and strides.

Every function gives None where the result is no view, or where it cannot be shown that it is one for
every value of the symbols.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import sympy

from optimum_compile.compiler.ir.decide import Verdict, at_most
from optimum_compile.compiler.ir.shape import (
    Dim,
    Shape,
    SymbolRange,
    as_dim,
    evaluate,
    symbols_of,
)
from optimum_compile.passes.subtensor.notes import View

Strides = tuple[Dim, ...]
Ranges = Mapping[str, SymbolRange]


def product(sizes: Iterable[Dim]) -> Dim:
    """Number of elements."""
    total: Dim = 1
    for size in sizes:
        total = as_dim(total * size)
    return total


def dense(shape: Shape) -> Strides:
    """Strides of a tensor without gaps, the last axis innermost."""
    out: list[Dim] = []
    step: Dim = 1
    for size in reversed(shape):
        out.append(step)
        step = as_dim(step * size)
    return tuple(reversed(out))


def is_dense(view: View) -> bool:
    """Whether the elements lie one after the other, in order."""
    pairs = zip(view.shape, view.strides, dense(view.shape), strict=True)
    return all(size == 1 or found == wanted for size, found, wanted in pairs)


def has_rows(view: View) -> bool:
    """Whether the elements of the last axis are neighbours."""
    return not view.shape or view.shape[-1] == 1 or view.strides[-1] == 1


def same_place(left: View, right: View) -> bool:
    """Whether two views of one shape are the same elements; strides of axes of one element do not count."""
    if (left.buffer, left.offset, left.shape) != (right.buffer, right.offset, right.shape):
        return False
    axes = zip(left.shape, left.strides, right.strides, strict=True)
    return all(size == 1 or a == b for size, a, b in axes)


def repeats(view: View) -> bool:
    """Whether an axis reads one element again and again."""
    return any(
        size != 1 and stride == 0 for size, stride in zip(view.shape, view.strides, strict=True)
    )


def permuted(view: View, perm: Sequence[int]) -> View:
    """Axis i of the result is axis perm[i] of `view`."""
    shape = tuple(view.shape[p] for p in perm)
    return replace(view, shape=shape, strides=tuple(view.strides[p] for p in perm))


def sliced(view: View, axis: int, start: Dim, shape: Shape, step: int = 1) -> View:
    """The elements start, start + step, .. of one axis; `shape` is that of the result."""
    stride = view.strides[axis]
    offset = as_dim(view.offset + start * stride)
    strides = (*view.strides[:axis], as_dim(stride * step), *view.strides[axis + 1 :])
    return replace(view, offset=offset, shape=shape, strides=strides)


def expanded(view: View, shape: Shape) -> View:
    """Repeated to `shape`: new axes in front, and axes of one element, get the stride 0."""
    missing = len(shape) - len(view.shape)
    old = (1,) * missing + view.shape
    steps = (0,) * missing + view.strides
    strides = tuple(
        step if before == after else 0
        for before, after, step in zip(old, shape, steps, strict=True)
    )
    return replace(view, shape=shape, strides=strides)


def reshaped(view: View, shape: Shape) -> View | None:
    """The same elements in the same order under another shape.

    Axes that are merged must be neighbours in memory. For example [1, seq, 4, 16] with the strides
    (.., 64, 16, 1) becomes [1, seq, 64] with (.., 64, 1); with (.., 16, 16*seq, 1) it is no view.
    """
    runs = coalesced(view)
    left: Dim = 1  # of the innermost run that is not used up
    step: Dim = 1
    strides: list[Dim] = [0] * len(shape)
    for at in reversed(range(len(shape))):
        if shape[at] == 1:
            continue
        if left == 1:
            if not runs:
                return None
            left, step = runs.pop()
        rest = quotient(left, shape[at])
        if rest is None:
            return None
        strides[at] = step
        left, step = rest, as_dim(step * shape[at])
    if runs or left != 1:
        return None
    return replace(view, shape=shape, strides=_filled(shape, strides))


def coalesced(view: View) -> list[tuple[Dim, Dim]]:
    """Size and stride of each axis, outermost first: neighbours in memory merged, axes of 1 dropped."""
    runs: list[tuple[Dim, Dim]] = []
    for size, stride in zip(view.shape, view.strides, strict=True):
        if size == 1:
            continue
        if runs and runs[-1][1] == as_dim(stride * size):
            runs[-1] = (as_dim(runs[-1][0] * size), stride)
        else:
            runs.append((size, stride))
    return runs


def _filled(shape: Shape, strides: list[Dim]) -> Strides:
    """Axes of one element get the stride that a dense tensor would have there: it is never used."""
    out = list(strides)
    step: Dim = 1
    for at in reversed(range(len(shape))):
        if shape[at] == 1:
            out[at] = step
        else:
            step = as_dim(out[at] * shape[at])
    return tuple(out)


@lru_cache(maxsize=8192)
def quotient(total: Dim, part: Dim) -> Dim | None:
    """What times `part` is `total`, where that is a polynomial with whole coefficients."""
    if isinstance(total, int) and isinstance(part, int):
        return total // part if part and total % part == 0 else None
    if part == 0:
        return None
    found = sympy.cancel(sympy.sympify(total) / sympy.sympify(part))
    if found.is_Integer:
        return int(found)
    _, below = sympy.fraction(sympy.together(found))
    return as_dim(found) if below == 1 else None


def extent(view: View) -> Dim:
    """How far the last element is from the first, and one more."""
    total: Dim = 1
    for size, stride in zip(view.shape, view.strides, strict=True):
        total = as_dim(total + (size - 1) * stride)
    return total


def disjoint(left: View, right: View, ranges: Ranges) -> bool:
    """Whether two views certainly have no element in common."""
    if left.buffer != right.buffer:
        return True
    for low, high in ((left, right), (right, left)):
        if _at_most(low.offset + extent(low), high.offset, ranges):
            return True
        if _apart_on_an_axis(low, high, ranges):
            return True
    return False


def _apart_on_an_axis(low: View, high: View, ranges: Ranges) -> bool:
    """Slices of one tensor: the same strides, and an axis on which the ranges do not meet.

    On that axis `high` begins at least as many steps behind `low` as `low` has. Axes inside do not reach
    the next step, and axes outside move by multiples of a stride behind the end of `high`.
    """
    axes = [{stride: size for size, stride in coalesced(v)} for v in (low, high)]
    if any(len(a) != len(coalesced(v)) for a, v in zip(axes, (low, high), strict=True)):
        return False
    mine, other = axes
    order = sorted({*mine, *other}, key=lambda s: _greatest(s, ranges))
    distance = as_dim(high.offset - low.offset)
    inside: list[Dim] = [1, 1]  # how far the axes inside reach, in `low` and in `high`
    for at, stride in enumerate(order):
        sizes = (mine.get(stride, 1), other.get(stride, 1))
        steps = None if stride == 0 else quotient(distance, stride)
        if (
            steps is not None
            and _at_most(sizes[0], steps, ranges)
            and all(_at_most(reach, stride, ranges) for reach in inside)
            and _beyond(as_dim((steps + sizes[1]) * stride), order[at + 1 :], ranges)
        ):
            return True
        inside = [
            as_dim(reach + (size - 1) * stride) for reach, size in zip(inside, sizes, strict=True)
        ]
    return False


def _beyond(reach: Dim, outer: Sequence[Dim], ranges: Ranges) -> bool:
    """Whether no whole combination of the strides `outer` lies between 0 and `reach`."""
    if not outer:
        return True
    nested = all(quotient(stride, outer[0]) is not None for stride in outer)
    return nested and _at_most(reach, outer[0], ranges)


def _greatest(dim: Dim, ranges: Ranges) -> int:
    return evaluate(dim, {name: ranges[name].high for name in symbols_of(dim)})


@lru_cache(maxsize=8192)
def _decided(a: Dim, b: Dim, ranges: tuple[tuple[str, SymbolRange], ...]) -> bool:
    return at_most(a, b, dict(ranges)) is Verdict.YES


def _at_most(a: Dim, b: Dim, ranges: Ranges) -> bool:
    return _decided(a, b, tuple(sorted(ranges.items())))
