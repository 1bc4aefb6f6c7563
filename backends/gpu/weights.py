"""Packed weights as kernels take them: constants, params and parts, whole or from a row on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import gcd

from optimum_compile.backends.gpu.dispatch import NOTHING, Given
from optimum_compile.backends.gpu.frame import Frame
from optimum_compile.backends.native.program import (
    NONE,
    PARAMETERS,
    PARTS,
    Weight,
    WeightKind,
)
from optimum_compile.compiler.errors import UnsupportedError
from optimum_compile.compiler.quant.granularity import packed_bytes

# What every device can bind at once, and every kernel can count in bits.
MOST_BOUND_BYTES = 1 << 27
MOST_CODE_BITS = 1 << 32
SUFFIXES = {
    WeightKind.F32: "float",
    WeightKind.F16: "float",
    WeightKind.AFFINE: "affine",
    WeightKind.LUT: "lut",
    WeightKind.E0M4: "e0m4",
    WeightKind.NESTED: "nested",
    WeightKind.VECTORS: "vectors",
}


@dataclass(frozen=True)
class Stored:
    """A weight by the names of its kind, and what each row takes of a part that is stored by rows."""

    weight: Weight
    numbers: Mapping[str, int]
    parts: Mapping[str, int]
    row_bits: Mapping[str, int]  # by part

    @property
    def kernel(self) -> str:
        """How kernels for this kind of weight end."""
        return SUFFIXES[self.weight.kind]

    def row_bytes(self, buffer: str) -> int:
        """What reading one row touches of a buffer of the kernel."""
        bits = self.row_bits.get(buffer, 0)
        if buffer == "planes":
            bits = self.weight.columns * self.numbers["width"]
        if buffer == "table" and "rows_per_table" in self.numbers:
            bits = 16 << self.numbers["width" if self.kernel == "nested" else "bits"]
        return -(-bits // 8)

    def nested_bytes(self, name: str) -> int:
        """What a product with all rows reads of a part of bit planes: planes and tables of the width."""
        rows, width = self.weight.rows, self.numbers["width"]
        if name == "codes":
            return width * packed_bytes(rows * self.weight.columns, 1)
        return 2 * (-(-rows // self.numbers["rows_per_table"]) << width)

    @property
    def group(self) -> int:
        """Columns that share a scale; 0: all."""
        group = self.numbers.get("group", 0)
        return 0 if group >= self.weight.columns else group


def stored(frame: Frame, index: int) -> Stored:
    """A weight of the program; a nested one at the width of the frame, or the nearest that it has."""
    weight = frame.program.weights[index]
    kind = weight.kind
    numbers = dict(zip(PARAMETERS[kind], weight.parameters, strict=True))
    if kind is WeightKind.NESTED and frame.width:
        numbers["width"] = min(max(frame.width, numbers["seed_bits"]), numbers["bits"])
    named = zip(PARTS[kind], weight.parts, strict=True)
    parts = {name: part for name, part in named if part != NONE}
    return Stored(weight, numbers, parts, _row_bits(weight, numbers, parts))


def _row_bits(
    weight: Weight, numbers: Mapping[str, int], parts: Mapping[str, int]
) -> dict[str, int]:
    kind, columns = weight.kind, weight.columns
    if kind in (WeightKind.F32, WeightKind.F16):
        return {"codes": columns * (32 if kind is WeightKind.F32 else 16)}
    if kind is WeightKind.NESTED:
        return {}
    if kind is WeightKind.LUT:
        return {"codes": columns * numbers["bits"]}
    groups = -(-columns // numbers["group"])
    if kind is WeightKind.E0M4:
        return {"codes": columns * 4, "scales": groups * 16, "offsets": groups * 16}
    width = numbers.get("width", 1)
    out = {"codes": columns // width * numbers["bits"]}
    out["scales"] = groups * (numbers["scale_bits"] or 16)
    if "zeros" in parts:
        out["zeros"] = groups * (numbers["zero_bits"] or 16)
    if "outlier_scales" in parts:
        out["outlier_scales"] = groups * 16
    return out | ({"supers": 16} if "supers" in parts else {})


def row_ranges(stored: Stored) -> list[tuple[int, int]]:
    """Rows that one dispatch can take: all, or as many as can be bound, cut where every part is aligned.

    Raises UnsupportedError for a weight of bit planes that cannot be bound at once.
    """
    weight = stored.weight
    if not stored.row_bits:
        size = packed_bytes(weight.rows * weight.columns, stored.numbers["bits"])
        if size > MOST_BOUND_BYTES:
            raise UnsupportedError(
                f"gpu: {weight.name}: its bit planes have {size} bytes, {MOST_BOUND_BYTES} can be bound"
            )
        return [(0, weight.rows)]
    most = MOST_BOUND_BYTES * 8 // max(stored.row_bits.values())
    if weight.rows <= most:
        return [(0, weight.rows)]
    step = 2  # rows, so that outputs of fp16 are cut at whole words
    for bits in stored.row_bits.values():
        each = 256 * 8 // gcd(bits, 256 * 8)
        step = step * each // gcd(step, each)
    taken = most // step * step
    return [(at, min(at + taken, weight.rows)) for at in range(0, weight.rows, taken)]


def constants_of(stored: Stored) -> dict[str, int]:
    """Specialisation constants of a weight."""
    numbers, kind = stored.numbers, stored.weight.kind
    if kind in (WeightKind.F32, WeightKind.F16):
        return {"WEIGHT_HALF": int(kind is WeightKind.F16)}
    if kind is WeightKind.AFFINE:
        zeros = 0 if numbers["symmetric"] else 1 if numbers["zero_bits"] else 2
        return {
            "BITS": numbers["bits"],
            "GROUP": stored.group,
            "SCALE_BITS": numbers["scale_bits"],
            "ZEROS": zeros,
            "ZERO_BITS": numbers["zero_bits"] or numbers["bits"],
        }
    if kind is WeightKind.E0M4:
        return {"GROUP": stored.group}
    if kind is WeightKind.VECTORS:
        return {
            "BITS": numbers["bits"],
            "WIDTH": numbers["width"],
            "GROUP": stored.group,
            "SCALE_BITS": numbers["scale_bits"],
        }
    return {"BITS": numbers["width" if kind is WeightKind.NESTED else "bits"]}


def params_of(stored: Stored, begin: int, end: int, held: int) -> dict[str, int]:
    """Params of the rows `begin` .. `end` - 1 where parts are given from row `held` on."""
    weight, numbers = stored.weight, stored.numbers
    out = {"columns": weight.columns, "row_begin": begin, "row_end": end, "held": held}
    if weight.kind in (WeightKind.LUT, WeightKind.NESTED):
        out["rows_per_table"] = numbers["rows_per_table"]
    if weight.kind is WeightKind.NESTED:
        tables = -(-weight.rows // numbers["rows_per_table"])
        widths = range(numbers["seed_bits"], numbers["width"])
        out["table_at"] = sum(tables << bits for bits in widths)
        out["plane_bytes"] = packed_bytes(weight.rows * weight.columns, 1)
    return out


def parts_of(frame: Frame, stored: Stored, held: int, end: int) -> dict[str, Given]:
    """The parts of rows `held` .. `end` - 1 by the names of the kernel's buffers; tables whole."""
    names: dict[str, tuple[str, ...]] = {
        "float": ("codes",),
        "affine": ("codes", "scales", "zeros", "supers"),
        "lut": ("codes", "table"),
        "e0m4": ("codes", "scales", "offsets"),
        "nested": ("codes", "table"),
        "vectors": ("codes", "table", "scales", "supers"),
    }
    out = {}
    for name in names[stored.kernel]:
        shown = "planes" if stored.kernel == "nested" and name == "codes" else name
        out[shown] = NOTHING
        if name in stored.parts:
            out[shown] = rows_of_part(frame, stored, name, held, end)
    return out


def rows_of_part(frame: Frame, stored: Stored, name: str, held: int, end: int) -> Given:
    """Rows `held` .. `end` - 1 of a part; all of one that is not stored by rows."""
    index, bits = stored.parts[name], stored.row_bits.get(name)
    if bits is None or (held, end) == (0, stored.weight.rows):
        given = frame.part(index)
        nested = stored.weight.kind is WeightKind.NESTED
        return replace(given, moved=stored.nested_bytes(name)) if nested else given
    begin = held * bits // 8
    return frame.part(index, begin, -(-end * bits // 8) - begin)


def is_aligned(stored: Stored) -> bool:
    """Whether kernels may read eights of columns: see `ALIGNED` of weights.glsl."""
    return stored.weight.columns % 32 == 0 and stored.group % 8 == 0
