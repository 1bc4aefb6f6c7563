from dataclasses import asdict, dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimum_compile.compiler.package.typed import JsonTypeError, parse_json, typed


@dataclass(frozen=True)
class Inner:
    at: tuple[int, int]
    limit: float | None = None


@dataclass(frozen=True)
class Outer:
    name: str
    ok: bool
    ratio: float
    parts: tuple[Inner, ...]
    sizes: dict[str, int]
    rest: dict[str, Any]


GOOD = {
    "name": "a",
    "ok": True,
    "ratio": 1,
    "parts": [{"at": [1, 2], "limit": None}, {"at": [3, 4], "limit": 0.5}],
    "sizes": {"x": 1},
    "rest": {"y": [None]},
}


def test_a_document_becomes_its_dataclass():
    made = typed(Outer, GOOD, "it")
    parts = (Inner((1, 2)), Inner((3, 4), 0.5))
    assert made == Outer("a", True, 1, parts, {"x": 1}, {"y": [None]})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": 5}, "it.name: expected str, found 5"),
        ({"ok": 1}, "it.ok: expected bool, found 1"),
        ({"ratio": True}, "it.ratio: expected float, found True"),
        ({"ratio": "1"}, "it.ratio: expected float"),
        ({"ratio": 10**400}, "it.ratio: expected a number of 64 bits"),
        ({"ratio": float("inf")}, "it.ratio: expected a number of 64 bits"),
        ({"ratio": float("nan")}, "it.ratio: expected a number of 64 bits"),
        ({"parts": {}}, "it.parts: expected list"),
        ({"parts": [{"at": [1]}]}, "it.parts[0]: missing or unknown keys: limit"),
        ({"parts": [{"at": [1], "limit": 1}]}, "it.parts[0].at: expected 2 items, found 1"),
        ({"parts": [{"at": [1, 2.0], "limit": 1}]}, "it.parts[0].at[1]: expected int, found 2.0"),
        ({"parts": [{"at": [1, 2], "limit": "x"}]}, "it.parts[0].limit: expected float or null"),
        ({"sizes": {"x": None}}, "it.sizes.x: expected int, found None"),
        ({"sizes": []}, "it.sizes: expected dict"),
        ({"more": 1}, "it: missing or unknown keys: more"),
    ],
)
def test_every_wrong_type_is_named_with_its_place(change, message):
    with pytest.raises(JsonTypeError) as refused:
        typed(Outer, GOOD | change, "it")
    assert str(refused.value).startswith(message)


def test_a_long_value_is_not_repeated_whole():
    with pytest.raises(JsonTypeError) as refused:
        typed(int, "x" * 10_000, "it")
    assert len(str(refused.value)) < 200


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@given(key=st.sampled_from(sorted(GOOD)), value=json_values)
def test_anything_is_taken_as_declared_or_refused(key, value):
    try:
        made = typed(Outer, GOOD | {key: value}, "it")
    except JsonTypeError:
        return
    again = asdict(made)[key]
    assert isinstance(again, type(value) if key != "parts" else tuple)
    assert not isinstance(again, float) or again == again


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}', "", "{", "'a'"])
def test_what_is_no_standard_json_is_refused(text):
    with pytest.raises(ValueError):
        parse_json(text)
