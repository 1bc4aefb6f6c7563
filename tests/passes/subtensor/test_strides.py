"""Arithmetic of views against torch, and proofs that two views are apart against counting."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from optimum_compile.compiler.ir.shape import SymbolRange, parse_dim, symbol
from optimum_compile.passes.subtensor.notes import View
from optimum_compile.passes.subtensor.strides import (
    coalesced,
    dense,
    disjoint,
    has_rows,
    is_dense,
    permuted,
    quotient,
    repeats,
    reshaped,
    same_place,
    sliced,
)

SEQ = symbol("seq")
RANGES = {"seq": SymbolRange(1, 64)}


def view(*shape: int, offset: int = 0) -> View:
    return View("b", offset, shape, dense(shape))


def elements(v: View) -> set[int]:
    places = itertools.product(*(range(n) for n in v.shape))
    return {v.offset + sum(i * s for i, s in zip(at, v.strides, strict=True)) for at in places}


shapes = st.lists(st.sampled_from([1, 2, 3, 4, 6]), min_size=1, max_size=4).map(tuple)


@settings(max_examples=200, deadline=None)
@given(shapes, shapes, st.randoms(use_true_random=False))
def test_reshape_is_a_view_exactly_where_torch_has_one(old, new, random) -> None:
    perm = random.sample(range(len(old)), len(old))
    tensor = torch.arange(view(*old).strides[0] * old[0]).view(old).permute(perm)
    ours = permuted(view(*old), perm)
    if tensor.numel() != torch.Size(new).numel():
        assert reshaped(ours, new) is None
        return
    try:
        wanted = tensor.view(new)
    except RuntimeError:
        assert reshaped(ours, new) is None
        return
    found = reshaped(ours, new)
    assert found is not None
    assert same_place(found, View("b", 0, new, wanted.stride()))


def test_reshapes_with_symbols() -> None:
    rows = View("b", 0, (1, SEQ, 64), dense((1, SEQ, 64)))
    heads = reshaped(rows, (1, SEQ, 4, 16))
    assert heads.strides[1:] == (64, 16, 1)
    assert same_place(reshaped(heads, (SEQ, 64)), View("b", 0, (SEQ, 64), (64, 1)))
    turned = permuted(heads, (0, 2, 1, 3))
    assert turned.shape == (1, 4, SEQ, 16)
    assert reshaped(turned, (1, SEQ * 4, 16)) is None
    assert reshaped(turned, (1, SEQ, 64)) is None
    assert reshaped(view(6), (4, 2)) is None
    flat = reshaped(View("b", 0, (4, SEQ, 16), dense((4, SEQ, 16))), (SEQ * 64,))
    assert flat.strides == (1,)
    assert reshaped(flat, (SEQ, 64)).strides == (64, 1)
    odd = parse_dim("(seq+1)//2")
    halves = View("b", 0, (odd, 8), dense((odd, 8)))
    assert reshaped(halves, (odd * 8,)).strides == (1,)


@pytest.mark.parametrize(
    ("total", "part", "wanted"),
    [
        (64, 16, 4),
        (64, 48, None),
        (64 * SEQ, SEQ, 64),
        (SEQ * SEQ + SEQ, SEQ, SEQ + 1),
        (SEQ + 2, 2, None),
        (16, SEQ, None),
        (2 * SEQ + 4, SEQ + 2, 2),
    ],
)
def test_quotients(total, part, wanted) -> None:
    assert quotient(total, part) == wanted


@settings(max_examples=300, deadline=None)
@given(shapes, st.data())
def test_what_is_called_apart_is_apart(shape, data) -> None:
    base = view(*shape)
    pair = []
    for _ in range(2):
        v = base
        for axis, size in enumerate(shape):
            start = data.draw(st.integers(0, size - 1))
            stop = data.draw(st.integers(start + 1, size))
            step = data.draw(st.sampled_from([1, 1, 2]))
            left = -(-(stop - start) // step)
            v = sliced(v, axis, start, (*v.shape[:axis], left, *v.shape[axis + 1 :]), step)
        if data.draw(st.booleans()):
            v = permuted(v, data.draw(st.permutations(range(len(shape)))))
        pair.append(v)
    if disjoint(*pair, {}):
        assert not elements(pair[0]) & elements(pair[1])
        assert disjoint(pair[1], pair[0], {})


def test_slices_of_one_axis_are_apart() -> None:
    """What in-place writing of a gate needs: its half of a fused projection, and not the other."""
    whole = View("b", 0, (1, SEQ, 256), dense((1, SEQ, 256)))
    gate, up = (sliced(whole, 2, at, (1, SEQ, 128)) for at in (0, 128))
    assert disjoint(gate, up, RANGES)
    assert not disjoint(gate, sliced(whole, 2, 127, (1, SEQ, 128)), RANGES)
    assert disjoint(reshaped(gate, (1, SEQ, 8, 16)), up, RANGES)
    q, k = View("b", 0, (SEQ, 64), (64, 1)), View("b", 64 * SEQ, (SEQ, 32), (32, 1))
    assert disjoint(q, k, RANGES)
    assert not disjoint(q, View("b", 64 * SEQ - 1, (SEQ, 32), (32, 1)), RANGES)
    assert disjoint(q, View("other", 0, (SEQ, 64), (64, 1)), RANGES)


def test_questions() -> None:
    assert is_dense(view(2, 3))
    assert not is_dense(permuted(view(2, 3), (1, 0)))
    assert not has_rows(permuted(view(2, 3), (1, 0)))
    assert has_rows(permuted(view(2, 1, 3), (1, 0, 2)))
    assert repeats(View("b", 0, (2, 3), (0, 1)))
    assert not repeats(View("b", 0, (1, 3), (0, 1)))
    assert coalesced(View("b", 0, (2, 3, 1, 4), (12, 4, 9, 1))) == [(24, 1)]
    assert coalesced(View("b", 0, (2, 3), (1, 2))) == [(2, 1), (3, 2)]
