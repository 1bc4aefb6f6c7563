"""Changes to a weight that are made when it is loaded: its bytes stay where they are, in the file.

Rows are axis 0 and columns the last axis, so that the bias of a linear takes the same row edits as
its weight. Every edit works in place on a float32 or float64 array that the caller owns.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from optimum_compile.compiler.errors import InternalError

# What one step of a rotation holds at a time: small enough for the second-level cache.
CHUNK_ELEMENTS = 1 << 18
MAX_WIDTH = 1 << 24
_PREFIX = "optimum-compile rotation"


@dataclass(frozen=True)
class Vector:
    """Numbers that an edit multiplies with. Equal where the bytes are; the text holds the digest.

    data: little-endian float32; None where the vector was read from text.
    """

    sha256: str
    size: int
    data: bytes | None = field(default=None, compare=False, repr=False, metadata={"text": False})

    def __post_init__(self) -> None:
        _require(isinstance(self.sha256, str), f"sha256={self.sha256!r}: expected a text")
        _require_number("size", self.size, 0, MAX_WIDTH)

    def values(self) -> np.ndarray:
        """The numbers, float32 (size,). Raises InternalError where only the digest is known."""
        if self.data is None:
            raise InternalError(f"the numbers of vector {self.sha256} are not in the text form")
        return np.frombuffer(self.data, "<f4")


def vector(values: np.ndarray) -> Vector:
    """A vector of the given numbers (n,), which become float32."""
    if values.ndim != 1:
        raise InternalError(f"a vector has one axis, not the shape {values.shape}")
    data = np.ascontiguousarray(values, "<f4").tobytes()
    return Vector(hashlib.sha256(data).hexdigest(), len(values), data)


@dataclass(frozen=True)
class Rotation:
    """An orthogonal matrix R (width, width): random signs, then Walsh-Hadamard on each block.

    A row vector x becomes x R: fwht(x * signs) / sqrt(block) for each run of `block` coordinates.
    `block` is a power of two that divides `width`. On a longer axis R repeats.
    """

    seed: int
    width: int
    block: int

    def __post_init__(self) -> None:
        _require_number("seed", self.seed, 0, (1 << 63) - 1)
        _require_number("width", self.width, 1, MAX_WIDTH)
        _require_number("block", self.block, 1, self.width)
        if self.block & (self.block - 1) or self.width % self.block:
            raise ValueError(
                f"block={self.block}: expected a power of two that divides width={self.width}"
            )

    def signs(self) -> np.ndarray:
        """+1 or -1 for each coordinate, float32 (width,); the same on every machine."""
        text = f"{_PREFIX} {self.seed} {self.width}".encode()
        drawn = hashlib.shake_256(text).digest(-(-self.width // 8))
        bits = np.unpackbits(np.frombuffer(drawn, np.uint8), count=self.width)
        return (1 - 2 * bits.astype(np.int8)).astype(np.float32)


def widest_rotation(seed: int, width: int) -> Rotation:
    """The rotation whose blocks are as long as the factors of two in `width` allow."""
    return Rotation(seed, width, width & -width)


@dataclass(frozen=True)
class ScaleRows:
    """Row i times by[i], or divided by it."""

    by: Vector
    inverse: bool = False

    def __post_init__(self) -> None:
        _require_scale(self.by, self.inverse)

    def apply(self, data: np.ndarray) -> np.ndarray:
        """See the module."""
        _fits(self, data.shape[0], self.by.size)
        factors = self.by.values().astype(data.dtype).reshape(-1, *(1,) * (data.ndim - 1))
        return _scaled(data, factors, self.inverse)


@dataclass(frozen=True)
class ScaleColumns:
    """Column j times by[j], or divided by it."""

    by: Vector
    inverse: bool = False

    def __post_init__(self) -> None:
        _require_scale(self.by, self.inverse)

    def apply(self, data: np.ndarray) -> np.ndarray:
        """See the module."""
        _fits(self, data.shape[-1], self.by.size)
        factors = self.by.values().astype(data.dtype)
        return _scaled(data, factors, self.inverse)


@dataclass(frozen=True)
class RotateRows:
    """R^T W, so that the outputs of a linear come out rotated."""

    rotation: Rotation

    def __post_init__(self) -> None:
        _require(isinstance(self.rotation, Rotation), f"rotation={self.rotation!r}")

    def apply(self, data: np.ndarray) -> np.ndarray:
        """See the module."""
        rows, rotation = data.shape[0], self.rotation
        _fits(self, rows % rotation.width, 0)
        flat = data.reshape(rows, -1)
        signs = _tiled(rotation, rows, data.dtype)[:, None]
        for part in _runs(flat.shape[1], rows):
            piece = flat[:, part] * signs
            flat[:, part] = hadamard_rows(piece, rotation.block)
        return data


@dataclass(frozen=True)
class RotateColumns:
    """W R, so that a linear takes rotated inputs."""

    rotation: Rotation

    def __post_init__(self) -> None:
        _require(isinstance(self.rotation, Rotation), f"rotation={self.rotation!r}")

    def apply(self, data: np.ndarray) -> np.ndarray:
        """See the module."""
        columns, rotation = data.shape[-1], self.rotation
        _fits(self, columns % rotation.width, 0)
        flat = data.reshape(-1, columns)
        signs = _tiled(rotation, columns, data.dtype)
        for part in _runs(flat.shape[0], columns):
            # Transposed, so that every step adds and subtracts long contiguous runs.
            piece = np.ascontiguousarray((flat[part] * signs).T)
            flat[part] = hadamard_rows(piece, rotation.block).T
        return data


Edit: TypeAlias = ScaleRows | ScaleColumns | RotateRows | RotateColumns
EDITS: tuple[type[Edit], ...] = (ScaleRows, ScaleColumns, RotateRows, RotateColumns)


def hadamard_rows(data: np.ndarray, block: int) -> np.ndarray:
    """H / sqrt(block) on each run of `block` rows of a contiguous (rows, n) array, in place."""
    half = 1
    while half < block:
        pairs = data.reshape(data.shape[0] // (2 * half), 2, half * data.shape[1])
        left, right = pairs[:, 0], pairs[:, 1]
        difference = left - right
        left += right
        right[...] = difference
        half *= 2
    data *= data.dtype.type(block**-0.5)
    return data


def _scaled(data: np.ndarray, factors: np.ndarray, inverse: bool) -> np.ndarray:
    if inverse:
        data /= factors
    else:
        data *= factors
    return data


def _tiled(rotation: Rotation, length: int, dtype: np.dtype) -> np.ndarray:
    return np.tile(rotation.signs().astype(dtype), length // rotation.width)


def _runs(count: int, size: int) -> Iterator[slice]:
    step = max(1, CHUNK_ELEMENTS // max(1, size))
    return (slice(at, at + step) for at in range(0, count, step))


def _fits(edit: object, found: int, wanted: int) -> None:
    if found != wanted:
        raise InternalError(f"{edit!r} does not fit the weight: {found}, expected {wanted}")


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _require_scale(by: object, inverse: object) -> None:
    _require(isinstance(by, Vector), f"by={by!r}: expected a Vector")
    _require(isinstance(inverse, bool), f"inverse={inverse!r}: expected true or false")


def _require_number(name: str, value: object, low: int, high: int) -> None:
    plain = isinstance(value, int) and not isinstance(value, bool)
    _require(plain and low <= int(str(value)) <= high, f"{name}={value!r}: expected {low}..{high}")
