"""Learned schedulers in the runtime of this machine: a thin layer over `oc_schedule`."""

import weakref
from ctypes import byref, c_int64, c_void_p
from pathlib import Path

import numpy as np

from optimum_compile.backends.native.library import CSchedule, check, library
from optimum_compile.backends.native.session import Session
from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.schedule import Schedule


class Scheduler:
    """An opened file of `passes/phase/learned_file.py`."""

    def __init__(self, source: Path | bytes) -> None:
        """Read and check a file, or its bytes. Raises InputError for one that is damaged or none."""
        self._library = library()
        self._name = source if isinstance(source, Path) else "scheduler"
        handle = c_void_p()
        if isinstance(source, Path):
            name = str(source).encode("utf-8", "surrogateescape")
            check(self._library.oc_schedule_open(name, byref(handle)), source)
        else:
            status = self._library.oc_schedule_open_memory(source, len(source), byref(handle))
            check(status, self._name)
        self._handle = handle
        self.close = weakref.finalize(self, self._library.oc_schedule_close, handle)
        info = CSchedule()
        check(self._library.oc_schedule_describe(handle, byref(info)), self._name)
        self.model: str = info.model.decode("ascii")
        self.prefill, self.high, self.low = int(info.prefill), int(info.high), int(info.low)
        self.steps = tuple(self._step(at) for at in range(info.steps))

    def _step(self, index: int) -> int:
        found = c_int64()
        check(self._library.oc_schedule_step(self._handle, index, byref(found)), self._name)
        return found.value

    def choose(self, session: Session) -> tuple[int, np.ndarray]:
        """The decode step of the switch and the logits float32 (steps,), from what is in the cache.

        Raises InputError before a prompt, and for a model of other sizes, widths or states than it was
        trained for.
        """
        if not self.close.alive:
            raise InternalError(f"{self._name}: a scheduler used after it was closed")
        step, logits = c_int64(), np.empty(len(self.steps), np.float32)
        status = self._library.oc_session_schedule(
            *(session._live, self._handle, byref(step), logits.ctypes.data, logits.size)
        )
        check(status, self._name)
        return step.value, logits

    def schedule(self, session: Session) -> Schedule:
        """The whole schedule that it chooses; the last of its steps stands for never."""
        step, _ = self.choose(session)
        if step >= self.steps[-1]:
            return Schedule.fixed(self.prefill, self.high)
        return Schedule.two(self.prefill, self.high, self.low, step)
