import math

import numpy as np
import pytest

from optimum_compile.backends.base import Call, Case
from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.package.cases import (
    cases_for,
    load_answers,
    load_cases,
    save_answers,
    save_cases,
)


def test_round_trip(tmp_path):
    call = Call(
        "prefill", {"tokens": np.arange(4)[None], "past": np.zeros(1, int)}, (np.ones((1, 4, 3)),)
    )
    cases = (Case((call, call)), Case((call,)))
    save_cases(tmp_path / "c.npz", cases)
    again = load_cases(tmp_path / "c.npz")
    assert [[c.function for c in case.calls] for case in again] == [
        ["prefill", "prefill"],
        ["prefill"],
    ]
    assert np.array_equal(again[0].calls[1].inputs["tokens"], call.inputs["tokens"])
    assert np.array_equal(again[1].calls[0].expected[0], call.expected[0])


def test_equal_cases_give_equal_bytes(tmp_path):
    cases = (Case((Call("forward", {"x": np.ones(3)}, (np.zeros(2),)),)),)
    save_cases(tmp_path / "a.npz", cases)
    save_cases(tmp_path / "b.npz", cases)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_platforms_share_cases_or_have_their_own(tmp_path):
    def case(number):
        return Case((Call("forward", {"x": np.ones(3)}, (np.full(2, number),)),))

    shared, own = case(1.0), case(2.0)
    answers = {"ios": (shared,), "android": (shared, own), "none": ()}
    path = tmp_path / "c.npz"
    save_answers(path, answers)
    again = load_answers(path)
    assert {name: len(cases) for name, cases in again.items()} == {
        "ios": 1,
        "android": 2,
        "none": 0,
    }
    assert again["ios"][0] is again["android"][0]
    assert again["android"][1].calls[0].expected[0].tolist() == [2, 2]
    with np.load(path) as data:
        assert len([n for n in data if "_out_" in n]) == 2
    assert cases_for("ios", again, path) == again["ios"]
    with pytest.raises(InputError, match=r"no answers for 'web', it holds ios, android, none"):
        cases_for("web", again, path)
    with pytest.raises(InputError, match="no answers for 'one run'"):
        load_cases(path)


def test_margins_of_routing_are_kept_and_only_where_there_are_some(tmp_path):
    call = Call("forward", {"x": np.ones(3)}, (np.zeros(2),))
    cases = (Case((call,), 0.25), Case((call,)), Case((call,), 0.0))
    save_cases(tmp_path / "routed.npz", cases)
    save_cases(tmp_path / "dense.npz", cases[1:2])
    assert [c.margin for c in load_cases(tmp_path / "routed.npz")] == [0.25, math.inf, 0.0]
    assert [c.margin for c in load_cases(tmp_path / "dense.npz")] == [math.inf]
    with np.load(tmp_path / "dense.npz") as data:
        assert b"margins" not in bytes(data["index"])


@pytest.mark.parametrize(
    "index",
    [
        "[]",
        '{"cases": 3}',
        '{"cases": [], "platforms": {"ios": [0]}}',
        '{"cases": [[]], "margins": ["0.1"], "platforms": {}}',
        '{"cases": [[]], "margins": [0.1, 0.2], "platforms": {}}',
    ],
)
def test_an_index_that_is_not_ours_is_damage(tmp_path, index):
    np.savez(tmp_path / "c.npz", index=np.frombuffer(index.encode(), np.uint8))
    with pytest.raises(InputError, match="damaged"):
        load_answers(tmp_path / "c.npz")


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 broken", b"\x80\x04pickle"])
def test_damage_is_an_input_error(tmp_path, data):
    (tmp_path / "c.npz").write_bytes(data)
    with pytest.raises(InputError, match="damaged"):
        load_cases(tmp_path / "c.npz")
