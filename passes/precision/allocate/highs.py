"""The integer programming of scipy, without what its solver prints."""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scipy.optimize import milp


def quiet_milp(*args: Any, **options: Any) -> Any:
    """`scipy.optimize.milp`; HiGHS writes a line to standard output now and then, which is for data.

    "HighsMipSolverData::transformNewIntegerFeasibleSolution tmpSolver.run();", whatever it is told
    (jump-dev/HiGHS.jl issue 312). It goes nowhere.
    """
    with _no_output():
        return milp(*args, **options)


@contextmanager
def _no_output() -> Iterator[None]:
    """File descriptor 1 leads nowhere meanwhile; for C, which knows no sys.stdout."""
    try:
        sys.stdout.flush()
        kept = os.dup(1)
    except (OSError, ValueError, AttributeError):  # closed, or there is none
        yield
        return
    flush = getattr(ctypes.CDLL(None), "fflush", None)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 1)
        yield
    finally:
        if flush is not None:
            flush(None)
        os.dup2(kept, 1)
        os.close(kept)
