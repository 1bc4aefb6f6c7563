"""The runtime of this machine on an `.ocm`: a thin layer over the C interface (`optimum_compile.h`)."""

import ctypes
import weakref
from collections.abc import Sequence
from ctypes import POINTER, byref, c_float, c_int64, c_size_t, c_void_p
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from optimum_compile.backends.forms import check_room
from optimum_compile.backends.native.library import CFunction, COptions, CStage, check, library
from optimum_compile.compiler.errors import InputError, InternalError

if TYPE_CHECKING:
    from optimum_compile.backends.native.device import Device

VERIFY_WEIGHTS = 1
MOST_THREADS = 256


class Logits(IntEnum):
    """`oc_logits`: which logits a run gives."""

    NONE = 0
    LAST = 1
    ALL = 2
    KEEP = 3


@dataclass(frozen=True)
class Info:
    """`oc_info`: sizes of a model. Tokens, and bytes of the file, its weights and a session's caches."""

    vocabulary: int
    context: int
    max_prefill: int
    functions: int
    stages: int
    file_bytes: int
    weight_bytes: int
    key_bytes: int
    value_bytes: int


@dataclass(frozen=True)
class FunctionInfo:
    """`oc_function`."""

    name: str
    least_seq: int
    greatest_seq: int
    steps: int


@dataclass(frozen=True)
class StageInfo:
    """`oc_stage`."""

    name: str
    precision: str


@dataclass(frozen=True)
class Stats:
    """`oc_stats`: sums since the session was made or `clear_stats`; `arena_bytes` is the greatest."""

    calls: int
    tokens: int
    steps: int
    copied_bytes: int
    cache_copied_bytes: int
    kv_written_bytes: int
    weight_bytes: int
    last_weight_bytes: int
    stage_switches: int
    switch_ns: int
    total_ns: int
    arena_bytes: int


@dataclass(frozen=True)
class StageStats:
    """`oc_stage_stats` of one stage."""

    steps: int
    total_ns: int
    switch_ns: int


def _numbers(count: int) -> type[ctypes.Array[c_int64]]:
    return c_int64 * count


class Model:
    """An opened program; sessions of it share its weights, which stay in the file until they are read."""

    def __init__(
        self, path: Path, *, verify_weights: bool = False, session_bytes_max: int = 0
    ) -> None:
        """Map and check a file.

        Args:
            path: an `.ocm`.
            verify_weights: read all weights once and compare their checksum.
            session_bytes_max: most bytes that a session may take; 0 for no limit.

        Raises:
            InputError: no such file, or one that is damaged or of another version.
            ResourceError: no memory, or no compiler to build the runtime with.
        """
        self._library = library()
        self.path = path
        options = COptions(VERIFY_WEIGHTS * verify_weights, 0, session_bytes_max)
        handle = c_void_p()
        name = str(path).encode("utf-8", "surrogateescape")
        check(self._library.oc_model_open(name, byref(options), byref(handle)), path)
        self._handle = handle
        self.close = weakref.finalize(self, self._library.oc_model_close, handle)
        numbers = _numbers(9)()
        check(self._library.oc_model_info(handle, numbers), path)
        self.info = Info(*numbers)

    @property
    def functions(self) -> tuple[FunctionInfo, ...]:
        """The functions in the order of the file."""
        found = []
        for at in range(self.info.functions):
            one = CFunction()
            check(self._library.oc_model_function(self._live, at, byref(one)), self.path)
            numbers = (one.least_seq, one.greatest_seq, one.steps)
            found.append(FunctionInfo(one.name.decode("utf-8", "replace"), *numbers))
        return tuple(found)

    @property
    def stages(self) -> tuple[StageInfo, ...]:
        """The precision subgraphs in order."""
        found = []
        for at in range(self.info.stages):
            one = CStage()
            check(self._library.oc_model_stage(self._live, at, byref(one)), self.path)
            found.append(StageInfo(one.name.decode("utf-8", "replace"), one.precision.decode()))
        return tuple(found)

    @property
    def metadata(self) -> str:
        """The metadata that the file carries, JSON text."""
        text, size = c_void_p(), c_size_t()
        check(
            self._library.oc_model_metadata(self._live, byref(text), byref(size)),
            self.path,
        )
        return ctypes.string_at(text.value or 0, size.value).decode("utf-8", "replace")

    @property
    def widths(self) -> tuple[int, ...]:
        """Bits that nested weights can be read with, the fewest first; none without such weights."""
        least, greatest = c_int64(), c_int64()
        status = self._library.oc_model_widths(self._live, byref(least), byref(greatest))
        check(status, self.path)
        return tuple(range(least.value, greatest.value + 1)) if least.value else ()

    def planned_bytes(self, function: int, seq: int, past: int) -> int:
        """Bytes of the arena for `seq` tokens behind `past`, as planned."""
        found = c_int64()
        check(
            self._library.oc_model_planned_bytes(self._live, function, seq, past, byref(found)),
            self.path,
        )
        return found.value

    def session(self, device: "Device | None" = None) -> "Session":
        """An empty cache, on the CPU unless a device is given. Raises what `Session` raises."""
        return Session(self, device)

    @property
    def _live(self) -> c_void_p:
        if not self.close.alive:
            raise InternalError(f"{self.path}: used after it was closed")
        return self._handle


class Session:
    """Token by token generation, for one thread at a time."""

    def __init__(self, model: Model | Path, device: "Device | None" = None) -> None:
        """A new session of a model, or of the file at a path.

        Raises what `Model` raises, and ResourceError where it does not fit the memory or the limit, or where
        the file has nothing for the device.
        """
        self.model = Model(model) if isinstance(model, Path) else model
        self._library = library()
        handle = c_void_p()
        if device is None:
            status = self._library.oc_session_create(self.model._live, byref(handle))
        else:
            status = self._library.oc_session_create_on(
                self.model._live, device.handle, byref(handle)
            )
        check(status, self.model.path)
        self._handle = handle
        self.close = weakref.finalize(self, self._library.oc_session_destroy, handle)

    @property
    def widths(self) -> tuple[int, ...]:
        """Those of the model."""
        return self.model.widths

    @property
    def context(self) -> int:
        """Most tokens that the cache holds."""
        return self.model.info.context

    @property
    def max_prefill(self) -> int:
        """Tokens of one pass through the program at most; longer prompts take several."""
        return self.model.info.max_prefill

    @property
    def past(self) -> int:
        """Tokens in the cache."""
        found = c_int64()
        check(self._library.oc_session_past(self._live, byref(found)), self.model.path)
        return found.value

    def prefill(self, tokens: Sequence[int] | np.ndarray) -> np.ndarray:
        """Take in a prompt of any length; returns the logits (vocab,) of its last position."""
        (last,) = self.run(tokens, Logits.LAST)
        return np.asarray(last)

    def decode(self, token: int) -> np.ndarray:
        """Take in one token; returns the logits (vocab,) after it."""
        return self.prefill((token,))

    def run(self, tokens: Sequence[int] | np.ndarray, which: Logits = Logits.ALL) -> np.ndarray:
        """Take in tokens behind those in the cache; returns float32 logits (rows, vocab).

        Raises InputError for a token outside the vocabulary, and past the end of the context.
        """
        ids = np.ascontiguousarray(tokens, np.int64).reshape(-1)
        check_room(self.past, len(ids), self.context)
        rows = {Logits.LAST: 1, Logits.ALL: len(ids)}.get(which, 0)
        logits = np.empty((rows, self.model.info.vocabulary), np.float32)
        check(
            self._library.oc_session_run(
                self._live,
                ids.ctypes.data,
                len(ids),
                which,
                logits.ctypes.data_as(POINTER(c_float)),
                logits.size,
            ),
            self.model.path,
        )
        return logits

    def top(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Ids and logits of the likeliest tokens, after a run with `Logits.KEEP`."""
        ids, values = np.empty(count, np.int64), np.empty(count, np.float32)
        status = self._library.oc_session_top(
            self._live, count, ids.ctypes.data, values.ctypes.data
        )
        check(status, self.model.path)
        return ids, values

    def generate(
        self, prompt: Sequence[int] | np.ndarray, most: int, stops: Sequence[int] = ()
    ) -> list[int]:
        """The likeliest tokens behind a prompt: `most`, or up to a stop id or the end of the context."""
        ids = np.ascontiguousarray(prompt, np.int64).reshape(-1)
        check_room(self.past, len(ids), self.context)
        ends, out = np.array(stops, np.int64), np.empty(max(most, 1), np.int64)
        made = c_int64()
        status = self._library.oc_session_generate(
            *(self._live, ids.ctypes.data, len(ids), most),
            *(ends.ctypes.data, len(ends), out.ctypes.data, byref(made)),
        )
        check(status, self.model.path)
        return [int(id_) for id_ in out[: made.value]]

    def set_width(self, bits: int) -> None:
        """Read nested weights with `bits` bits from the next call on; 0: with all, as at the beginning.

        Tokens of any widths may follow each other. On a GPU the first pass at a width makes kernels for
        it. Raises InputError for a width that no weight has.
        """
        widths = self.model.widths
        if bits != 0 and bits not in widths:
            held = ", ".join(map(str, widths)) or "none: it has no nested weights"
            raise InputError(f"{self.model.path}: a width of {bits} bits; it has {held}")
        check(self._library.oc_session_set_width(self._live, bits), self.model.path)

    def set_threads(self, threads: int) -> None:
        """Compute with so many threads of the CPU from the next call on; 0: as many as it has fast cores.

        A session begins with one. The logits are the same for every number. Raises InputError for a number
        that is not 0 to 256.
        """
        if not 0 <= threads <= MOST_THREADS:
            raise InputError(
                f"{threads} threads: expected 1 to {MOST_THREADS}, or 0 for all fast cores"
            )
        check(self._library.oc_session_set_threads(self._live, threads), self.model.path)

    def reset(self) -> None:
        """Forget all tokens."""
        check(self._library.oc_session_reset(self._live), self.model.path)

    def stats(self) -> Stats:
        """What was done and moved since the session was made, or since `clear_stats`."""
        numbers = _numbers(12)()
        check(self._library.oc_session_stats(self._live, numbers), self.model.path)
        return Stats(*numbers)

    def stage_stats(self, stage: int) -> StageStats:
        """The same for one stage."""
        numbers = _numbers(3)()
        check(self._library.oc_session_stage_stats(self._live, stage, numbers), self.model.path)
        return StageStats(*numbers)

    def clear_stats(self) -> None:
        """Count from zero."""
        check(self._library.oc_session_clear_stats(self._live), self.model.path)

    @property
    def _live(self) -> c_void_p:
        if not self.close.alive:
            raise InternalError(f"{self.model.path}: a session used after it was closed")
        return self._handle
