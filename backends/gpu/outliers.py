"""Outliers of packed weights: dispatches that add them, and where those of each row begin."""

from collections.abc import Mapping

import numpy as np

from optimum_compile.backends.gpu.dispatch import Given
from optimum_compile.backends.gpu.frame import Frame
from optimum_compile.backends.gpu.section import BufferKind, GpuSection
from optimum_compile.backends.gpu.weights import MOST_BOUND_BYTES, Stored, rows_of_part
from optimum_compile.backends.native.parts import PartWriter
from optimum_compile.backends.native.program import PARTS, Program, Weight
from optimum_compile.backends.native.weights import pack
from optimum_compile.compiler.quant.packed import PackedWeight

KERNELS = {False: "sparse_add", True: "sparse_add_scaled"}
WORD = np.dtype("<u4")


class Starts:
    """Packs weights as native programs have them, and stores the first outlier of each row beside."""

    def __init__(self) -> None:
        self._parts: dict[str, int] = {}

    def pack(self, name: str, packed: PackedWeight, writer: PartWriter) -> Weight:
        """See `native.weights.pack`."""
        made = pack(name, packed, writer)
        if packed.outliers is not None:
            starts = np.ascontiguousarray(packed.outliers.starts, WORD)
            self._parts[name] = writer.add(starts.view(np.uint8))
        return made

    def of(self, program: Program) -> dict[int, int]:
        """The part by the index of the weight."""
        named = {weight.name: at for at, weight in enumerate(program.weights)}
        return {named[name]: part for name, part in self._parts.items()}


def starts_of(program: Program, section: GpuSection) -> dict[int, int]:
    """The same, read from the dispatches of a file."""
    counts = {}
    for at, weight in enumerate(program.weights):
        if "counts" in PARTS[weight.kind]:
            counts[weight.parts[PARTS[weight.kind].index("counts")]] = at
    kernels = {at for at, each in enumerate(section.kernels) if each.name in KERNELS.values()}
    out: dict[int, int] = {}
    for launches in section.functions:
        for dispatch in launches.dispatches:
            if section.pipelines[dispatch.pipeline].kernel in kernels:
                parts = [b.index for b in dispatch.buffers if b.kind is BufferKind.PART]
                out[counts[parts[1]]] = parts[0]  # starts, counts: in the order of the interface
    return out


def has_outliers(stored: Stored) -> bool:
    """Whether a dispatch has to add some."""
    return bool(stored.numbers.get("run"))


def kernel_of(stored: Stored) -> str:
    """The kernel that adds them."""
    return KERNELS["outlier_scales" in stored.parts]


def constants_of(stored: Stored) -> dict[str, int]:
    """Its constants but for those of x and y."""
    out = {"RUN": stored.numbers["run"]}
    if "outlier_scales" in stored.parts:
        out |= {"BITS": stored.numbers["bits"], "GROUP": stored.group}
    return out


def parts_of(frame: Frame, stored: Stored, index: int, held: int, end: int) -> Mapping[str, Given]:
    """Its parts: of outliers all, of codes and scales the rows `held` .. `end` - 1.

    index: of the weight. Raises UnsupportedError where they cannot be bound.
    """
    scaled = "outlier_scales" in stored.parts
    names = ["counts", "places"] if scaled else ["counts", "places", "values"]
    if index not in frame.starts:
        raise frame.refuse(f"{stored.weight.name} has outliers, and nothing says where rows begin")
    found = {"starts": frame.part(frame.starts[index])}
    found |= {name: frame.part(stored.parts[name]) for name in names}
    for name, given in found.items():
        if given.bound.size_bytes > MOST_BOUND_BYTES:
            raise frame.refuse(f"{name} of {stored.weight.name}: {given.bound.size_bytes} bytes")
    if scaled:
        for name in ("codes", "scales", "outlier_scales"):
            found[name] = rows_of_part(frame, stored, name, held, end)
    return found
