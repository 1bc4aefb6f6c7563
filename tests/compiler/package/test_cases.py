import numpy as np
import pytest

from optimum_compile.backends.base import Call, Case
from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.package.cases import load_cases, save_cases


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


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 broken", b"\x80\x04pickle"])
def test_damage_is_an_input_error(tmp_path, data):
    (tmp_path / "c.npz").write_bytes(data)
    with pytest.raises(InputError, match="damaged"):
        load_cases(tmp_path / "c.npz")
