"""The section `GPU` as it grows. Here, and only here, what a dispatch gives is held against its kernel."""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from optimum_compile.backends.gpu.hazards import Hazards, Touch
from optimum_compile.backends.gpu.interfaces import Interface, interface
from optimum_compile.backends.gpu.section import (
    FIRST,
    Bound,
    BufferKind,
    Change,
    Dispatch,
    Flags,
    GpuSection,
    Kernel,
    Launches,
    Param,
    ParamKind,
    Pipeline,
)
from optimum_compile.backends.native.exprs import Expressions
from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.shape import Dim
from optimum_compile.passes.subtensor.notes import View

HALF_BITS, BITS = 1 << 31, 1 << 32
LOCAL = 64  # threads of a workgroup, where a kernel wants nothing else


@dataclass(frozen=True)
class Given:
    """A buffer of a dispatch: what is bound, and the views in it that the kernel touches; none: all.

    place: see `Touch`; "" where nothing is ever written. moved: bytes that are read or written, each once.
    """

    bound: Bound
    place: str = ""
    views: tuple[View, ...] = ()
    moved: Dim = 0


NOTHING = Given(Bound(BufferKind.NONE))


@dataclass(frozen=True)
class Launch:
    """One dispatch by names. params: dimensions, or floats. logits: left out where none are wanted."""

    kernel: str
    buffers: Mapping[str, Given]
    params: Mapping[str, Dim | float]
    groups: tuple[Dim, Dim, Dim]
    constants: Mapping[str, int] = field(default_factory=dict)
    local: int = LOCAL
    logits: bool = False


class Recorder:
    """Collects kernels, expressions and pipelines of all functions, and the dispatches of each."""

    def __init__(self, symbols: Iterable[str], widths: Sequence[int] = ()) -> None:
        """widths: of nested weights, the fewest bits first."""
        self.widths = tuple(widths)
        self.exprs = Expressions((*symbols, FIRST))
        self._kernels: dict[str, int] = {}
        self._pipelines: dict[Pipeline, int] = {}
        self._functions: list[Launches] = []
        self._dispatches: list[Dispatch] = []
        self._changes: list[list[Change]] = [[] for _ in self.widths]

    def __len__(self) -> int:
        """Dispatches of the function so far."""
        return len(self._dispatches)

    def add(self, launch: Launch, stage: int, hazards: Hazards) -> Flags:
        """Append a dispatch; returns its flags. Raises InternalError for one that does not fit its kernel."""
        kernel = interface(launch.kernel)
        touches = [
            Touch(given.place, view, kernel.writes(name))
            for name, given in launch.buffers.items()
            if given.place
            for view in given.views or (None,)
        ]
        flags = hazards.flags(touches, logits=launch.logits)
        self._dispatches.append(self._made(launch, stage, flags))
        return flags

    def change(self, width: int, place: int, launch: Launch) -> None:
        """What the dispatch at `place` is where calls name a width, which is given by its place.

        Raises InternalError where it is another kernel then, or has other buffers.
        """
        old = self._dispatches[place]
        new = self._made(launch, old.stage, old.flags)
        pairs = zip(old.params, new.params, strict=False)
        params = tuple((at, b) for at, (a, b) in enumerate(pairs) if a != b)
        change = Change(place, new.pipeline, new.groups, params)
        pipelines = tuple(self._pipelines)
        same = pipelines[new.pipeline].kernel == pipelines[old.pipeline].kernel
        if not same or change.of(old) != new:
            raise InternalError(f"{launch.kernel}: other buffers at {self.widths[width]} bits")
        if new != old:
            self._changes[width].append(change)

    def end_function(self, *, optional_head: bool) -> None:
        """What was added since the last call is a function."""
        changes = tuple(map(tuple, self._changes))
        self._functions.append(Launches(optional_head, tuple(self._dispatches), changes))
        self._dispatches, self._changes = [], [[] for _ in self.widths]

    def section(self) -> GpuSection:
        """Everything so far."""
        return GpuSection(
            self.widths,
            tuple(Kernel(name, interface(name).crc32) for name in self._kernels),
            tuple(self.exprs.table),
            tuple(self._pipelines),
            tuple(self._functions),
        )

    def _made(self, launch: Launch, stage: int, flags: Flags) -> Dispatch:
        kernel = interface(launch.kernel)
        _same(kernel, "constants", launch.constants, [name for name, _ in kernel.constants])
        _same(kernel, "params", launch.params, [name for name, _ in kernel.params])
        _same(kernel, "buffers", launch.buffers, [name for name, _ in kernel.buffers])
        constants = (launch.local, *(launch.constants[name] for name, _ in kernel.constants))
        x, y, z = (self.exprs.add(group) for group in launch.groups)
        return Dispatch(
            self._pipeline(kernel, constants),
            stage,
            flags,
            (x, y, z),
            tuple(launch.buffers[name].bound for name, _ in kernel.buffers),
            tuple(self._param(kernel, name, kind, launch) for name, kind in kernel.params),
        )

    def _pipeline(self, kernel: Interface, constants: tuple[int, ...]) -> int:
        number = self._kernels.setdefault(kernel.name, len(self._kernels))
        made = Pipeline(number, constants)
        return self._pipelines.setdefault(made, len(self._pipelines))

    def _param(self, kernel: Interface, name: str, kind: str, launch: Launch) -> Param:
        value = launch.params[name]
        if kind == "f32":
            (bits,) = struct.unpack("<I", struct.pack("<f", float(value)))
            return Param(ParamKind.FLOAT, bits)
        if isinstance(value, float):
            raise InternalError(f"{kernel.name}: {name} is {kind}, not {value}")
        if not isinstance(value, int):
            return Param(ParamKind.EXPR, self.exprs.add(value))
        least, most = -HALF_BITS, HALF_BITS if kind == "i32" else BITS  # unsigned ones wrap
        if not least <= value < most:
            raise InternalError(f"{kernel.name}: {name} is {kind}, {value} does not fit")
        return Param(ParamKind.BITS, value % BITS)


def _same(kernel: Interface, what: str, given: Mapping[str, object], wanted: list[str]) -> None:
    missing, extra = sorted(set(wanted) - set(given)), sorted(set(given) - set(wanted))
    if missing or extra:
        raise InternalError(
            f"{kernel.name}: {what} without a value: {', '.join(missing) or 'none'}; that it has not: "
            f"{', '.join(extra) or 'none'}"
        )
