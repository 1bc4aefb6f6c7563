"""What a solver prints must not end up among the data on standard output."""

import ctypes
import sys

import numpy as np
import pytest
from scipy.optimize import Bounds

from optimum_compile.passes.precision.allocate import highs


def test_it_is_the_solver_of_scipy():
    found = highs.quiet_milp(
        np.array([-1.0, -2.0]), integrality=np.ones(2), bounds=Bounds(0, [1, 1.5])
    )
    assert found.x.tolist() == [1.0, 1.0]


def test_what_c_prints_goes_nowhere(monkeypatch, capfd):
    libc = ctypes.CDLL(None)

    def printing(*args, **options):
        libc.puts(b"from the solver")
        return "solved"

    monkeypatch.setattr(highs, "milp", printing)
    print("before")
    assert highs.quiet_milp(1) == "solved"
    print("after")
    libc.fflush(None)
    out, err = capfd.readouterr()
    assert out.split() == ["before", "after"]
    assert err == ""


def test_standard_output_comes_back_after_an_error(monkeypatch, capfd):
    def failing(*args, **options):
        raise ValueError("no")

    monkeypatch.setattr(highs, "milp", failing)
    with pytest.raises(ValueError, match="no"):
        highs.quiet_milp()
    print("still here")
    assert capfd.readouterr().out == "still here\n"


def test_a_process_without_standard_output_solves_too(monkeypatch):
    monkeypatch.setattr(highs, "milp", lambda: "solved")
    monkeypatch.setattr(sys, "stdout", None)
    assert highs.quiet_milp() == "solved"
