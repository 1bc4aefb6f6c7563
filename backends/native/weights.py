"""Weights as the runtime's kernels take them: a kind, its numbers, and its parts."""

from collections.abc import Callable, Mapping

import numpy as np

from optimum_compile.backends.native.parts import PartWriter
from optimum_compile.backends.native.program import (
    NONE,
    PARAMETERS,
    PARTS,
    Weight,
    WeightKind,
)
from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.graph import Value
from optimum_compile.compiler.ir.weights import WeightRef
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import (
    E0M4,
    Affine,
    Float,
    Lut,
    Nested,
    Scheme,
    Sparse,
    Vector,
)
from optimum_compile.compiler.quant.stored import stored_parts
from optimum_compile.passes.precision.notes import Quantized

Packer = Callable[[str, PackedWeight, PartWriter], Weight]


class WeightTable:
    """The weights of all functions of a program, each stored when it is first asked for."""

    def __init__(self, writer: PartWriter, packer: "Packer | None" = None) -> None:
        self.writer, self._pack = writer, packer or pack
        self.weights: list[Weight] = []
        self._known: dict[str, int] = {}
        self._constants: dict[str, int] = {}

    def matrix(self, value: Value) -> int:
        """Index of the weight of a linear or an embedding."""
        note = value.notes.get(Quantized)
        if note is None:
            return self.plain(value)
        name = _ref(value).name
        if name not in self._known:
            self._put(self._pack(name, note.load(), self.writer))
        return self._known[name]

    def plain(self, value: Value) -> int:
        """Index of a weight in float32: a vector (norm, bias) has one row."""
        ref = _ref(value)
        if ref.name not in self._known:
            data = ref.load_f32()
            rows, columns = data.shape if data.ndim == 2 else (1, data.size)
            if data.ndim > 2:
                raise InternalError(f"weight {ref.name} has {data.ndim} axes, a matrix has two")
            self._put(Weight(ref.name, WeightKind.F32, rows, columns, (), (self.writer.add(data),)))
        return self._known[ref.name]

    def constant(self, value: Value) -> int:
        """Index of the part of a weight that arithmetic reads as it reads activations."""
        ref = _ref(value)
        if ref.name not in self._constants:
            data = ref.load_f32() if ref.type.dtype.is_float else ref.load().astype("<i8")
            self._constants[ref.name] = self.writer.add(data)
        return self._constants[ref.name]

    def _put(self, weight: Weight) -> None:
        self._known[weight.name] = len(self.weights)
        self.weights.append(weight)


def pack(name: str, packed: PackedWeight, writer: PartWriter) -> Weight:
    """Store a quantised matrix. A shared codebook is stored with the first that reads it."""
    rows, columns = packed.shape
    found: dict[str, np.ndarray] = stored_parts(packed)
    base = packed.base
    if isinstance(base.scheme, Vector) and base.table is not None:
        found["table"] = base.table
    kind = kind_of(packed.scheme)
    numbers = numbers_of(packed.scheme, rows, columns)
    parts = tuple(writer.add(found.pop(part)) if part in found else NONE for part in PARTS[kind])
    if found:
        raise InternalError(f"{name}: {packed.scheme} has parts without a place: {list(found)}")
    return Weight(name, kind, rows, columns, tuple(numbers[n] for n in PARAMETERS[kind]), parts)


def kind_of(scheme: Scheme) -> WeightKind:
    """The kind that stores a scheme."""
    base = scheme.base if isinstance(scheme, Sparse) else scheme
    if isinstance(base, Float):
        return WeightKind.F16 if base.bits == 16 else WeightKind.F32
    kinds: Mapping[type, WeightKind] = {
        Affine: WeightKind.AFFINE,
        Lut: WeightKind.LUT,
        E0M4: WeightKind.E0M4,
        Nested: WeightKind.NESTED,
        Vector: WeightKind.VECTORS,
    }
    return kinds[type(base)]


def numbers_of(scheme: Scheme, rows: int, columns: int) -> dict[str, int]:
    """The parameters of a scheme by name. 16-bit zero points have no bits: they are numbers."""
    base = scheme.base if isinstance(scheme, Sparse) else scheme
    sparse = isinstance(scheme, Sparse) and scheme.count(rows, columns)
    run = scheme.runs(rows, columns).width if isinstance(scheme, Sparse) and sparse else 0
    if isinstance(base, Affine):
        packed_zeros = not base.symmetric and base.zero_dtype != "f16"
        return {
            "bits": base.bits,
            "group": base.group_size(columns),
            "symmetric": int(base.symmetric),
            "zero_bits": base.zero_bits if packed_zeros else 0,
            "scale_bits": base.scale_bits,
            "run": run,
        }
    if isinstance(base, Lut):
        return {"bits": base.bits, "rows_per_table": base.rows_per_table, "run": run}
    if isinstance(base, E0M4):
        return {"group": base.group_size(columns), "run": run}
    if isinstance(base, Nested):
        seeds = {"seed_bits": base.seed_bits, "bits": base.bits}
        return seeds | {"rows_per_table": base.rows_per_table, "width": base.bits}
    if isinstance(base, Vector):
        sizes = {"bits": base.bits, "width": base.width, "group": base.group_size(columns)}
        return sizes | {"scale_bits": base.scale_bits}
    return {}


def _ref(value: Value) -> WeightRef:
    if value.weight is None:
        raise InternalError(f"%{value.name} is computed; a weight was expected")
    return value.weight
