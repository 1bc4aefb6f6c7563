"""The packed parts of matrices on their way to a file, and back."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from optimum_compile.backends.tvm.matrices import Matrix, arguments_of
from optimum_compile.compiler.errors import InputError, InternalError
from optimum_compile.compiler.ir.graph import Value
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Float, Scheme, Vector
from optimum_compile.compiler.quant.stored import from_parts, stored_parts
from optimum_compile.passes.precision.notes import Precision, Quantized

DIGEST = 16  # characters of a codebook's name


@dataclass(frozen=True)
class Stored:
    """A matrix in the artifact. keys: by part (codes, scales, zeros, ..) the tensor in the file."""

    rows: int
    columns: int
    scheme: Scheme
    keys: tuple[tuple[str, str], ...]

    @property
    def matrix(self) -> Matrix:
        """As a kernel without a bias sees it."""
        return Matrix(self.rows, self.columns, self.scheme)


def scheme_of(value: Value) -> Scheme:
    """What a matrix is stored in: the floats of one that nobody rounded stay."""
    packed, assigned = value.notes.get(Quantized), value.notes.get(Precision)
    if packed is not None:
        return packed.scheme
    return Float(32) if assigned is None else assigned.scheme


def load_packed(value: Value) -> PackedWeight:
    """The packed form of a matrix. Raises InternalError for one that should be quantised and is not."""
    note, scheme = value.notes.get(Quantized), scheme_of(value)
    if note is not None:
        return note.load()
    if value.weight is None or not isinstance(scheme, Float):
        raise InternalError(f"{value.name} was assigned {scheme}, but has no codes")
    kind = np.float16 if scheme.bits == 16 else np.float32
    return PackedWeight(scheme, value.weight.load_f32().astype(kind))


def part_arrays(name: str, packed: PackedWeight) -> tuple[Stored, dict[str, np.ndarray]]:
    """How a matrix is stored, and its arrays by the name of the tensor."""
    found = {f"{part}:{name}": part_data for part, part_data in _parts(packed).items()}
    keys = {key.partition(":")[0]: key for key in found}
    base = packed.base
    if isinstance(base.scheme, Vector) and base.scheme.codebook == "shared":
        if base.table is None:
            raise InternalError(f"{name}: {packed.scheme} lacks its codebook")
        table = np.ascontiguousarray(base.table, "<f2")
        keys["table"] = f"codebook:{hashlib.sha256(table.tobytes()).hexdigest()[:DIGEST]}"
        found[keys["table"]] = table.reshape(-1)
    return Stored(*packed.shape, packed.scheme, tuple(sorted(keys.items()))), found


def _parts(packed: PackedWeight) -> dict[str, np.ndarray]:
    return {name: np.ascontiguousarray(d).reshape(-1) for name, d in stored_parts(packed).items()}


def kernel_arrays(
    name: str, stored: Stored, data: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Arrays as the kernels of a matrix take them, by argument. Raises InputError for other sizes."""
    keys, out = dict(stored.keys), {}
    for argument in arguments_of(stored.matrix):
        found = data.get(keys.get(argument.name, ""))
        dtype = np.dtype(argument.dtype)
        if found is None or found.nbytes != argument.count * dtype.itemsize:
            raise InputError(
                f"{name}: its part {argument.name} is not of {argument.count} {dtype} numbers; the "
                "artifact is damaged"
            )
        out[argument.name] = np.ascontiguousarray(found).reshape(-1).view(dtype)
    return out


def unpacked(stored: Stored, data: Mapping[str, np.ndarray]) -> PackedWeight:
    """The packed weight whose parts these are."""
    keys = dict(stored.keys)
    shared = isinstance(stored.scheme, Vector) and stored.scheme.codebook == "shared"
    book = data[keys["table"]] if shared else None
    parts = {part: data[key] for part, key in stored.keys if not (shared and part == "table")}
    return from_parts(stored.scheme, (stored.rows, stored.columns), parts, book)
