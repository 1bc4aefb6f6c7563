"""Which function takes the next tokens: every prompt is covered once, in order, within the cache."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimum_compile.backends.forms import Form, Step, check_room, forms_of, steps
from optimum_compile.compiler.errors import InputError

NAMES = ("context", "decode", "metadata", "prefill", "prefill_8", "prefill_64", "prefill_x")


def taken(names, count, *, past=0, context=2048, pads=False, longest=512):
    found = steps(forms_of(names, longest), count, past, context, pads=pads)
    return [(s.function, s.taken) for s in found]


def test_forms_are_read_from_names():
    assert forms_of(NAMES, 512) == (
        Form("prefill_8", 8, True),
        Form("prefill_64", 64, True),
        Form("prefill", 512, False),
    )


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, [("decode", 1)]),
        (3, [("prefill", 3)]),
        (64, [("prefill_64", 64)]),
        (65, [("prefill", 65)]),
        (1025, [("prefill", 512), ("prefill", 512), ("decode", 1)]),
    ],
)
def test_the_largest_that_fits(count, expected):
    assert taken(NAMES, count) == expected


def test_fixed_lengths_alone():
    names = ("decode", "prefill_8", "prefill_64")
    assert taken(names, 75) == [("prefill_64", 64), ("prefill_8", 8)] + [("decode", 1)] * 3
    assert taken(names, 75, pads=True) == [("prefill_64", 64), ("prefill_8", 8), ("prefill_8", 3)]
    assert list(steps(forms_of(names, 1), 3, 0, 64, pads=True)) == [Step("prefill_8", 0, 3, 8)]
    # There is no room for the padding.
    assert taken(names, 3, past=60, context=64, pads=True) == [("decode", 1)] * 3


def test_decode_alone():
    assert taken(("decode",), 2) == [("decode", 1)] * 2


@given(
    st.lists(st.integers(2, 40), max_size=3),
    st.booleans(),
    st.integers(0, 120),
    st.integers(0, 40),
    st.booleans(),
)
def test_every_token_is_taken_once(lengths, symbolic, count, past, pads):
    names = ["decode", *(f"prefill_{n}" for n in lengths), *(["prefill"] if symbolic else [])]
    context, at = past + count + 5, 0
    for step in steps(forms_of(names, 30), count, past, context, pads=pads):
        assert step.at == at
        assert 1 <= step.taken <= step.length
        assert past + step.at + step.length <= context
        assert step.function in names
        if "_" in step.function:
            assert step.length == int(step.function.split("_")[1])
        at += step.taken
    assert at == count


def test_one_past_the_context_is_an_error_that_says_so():
    check_room(60, 4, 64)
    with pytest.raises(InputError, match=r"past=60 and seq=5: the cache holds 64 .* --context"):
        check_room(60, 5, 64)
