"""Weights by reference: a name, a type, and where the bytes are; loaded when asked for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.ir.dtype import DType, bf16_to_f32
from optimum_compile.compiler.ir.types import TensorType


@dataclass(frozen=True)
class FileBytes:
    """`nbytes` bytes at `offset` of a file."""

    path: Path
    offset: int
    nbytes: int


@dataclass(frozen=True)
class WeightRef:
    """A tensor of the model. The bytes are in a file, or made on request by `inline`.

    `inline` is for constants of the program (a few kilobytes: masks, tables) and for benchmarks.
    """

    name: str
    type: TensorType
    source: FileBytes | None = None
    inline: Callable[[], np.ndarray] | None = field(default=None, compare=False)

    @property
    def nbytes(self) -> int:
        """Bytes in the source."""
        return self.type.elements() * self.type.dtype.itemsize

    def load(self) -> np.ndarray:
        """Read this tensor. bfloat16 comes back as float32, everything else in its own type.

        Raises InputError if the file became shorter or unreadable since it was opened.
        """
        shape = self.type.static_shape()
        if self.inline is not None:
            return np.ascontiguousarray(self.inline()).reshape(shape)
        if self.source is None:
            raise InputError(f"weight {self.name} has no bytes; it is a shape only")
        try:
            raw = np.fromfile(
                self.source.path, dtype=np.uint8, count=self.nbytes, offset=self.source.offset
            )
        except OSError as error:
            raise InputError(f"{self.source.path}: cannot read {self.name}: {error}") from error
        if raw.nbytes != self.nbytes:
            raise InputError(
                f"{self.source.path}: {self.name} needs {self.nbytes} bytes at "
                f"{self.source.offset}, found {raw.nbytes}; fetch the file again"
            )
        data = raw.view(self.type.dtype.numpy).reshape(shape)
        return bf16_to_f32(data) if self.type.dtype is DType.BF16 else data

    def load_f32(self) -> np.ndarray:
        """Read this tensor as float32."""
        return np.ascontiguousarray(self.load(), dtype=np.float32)


def inline_weight(name: str, data: np.ndarray, dtype: DType) -> WeightRef:
    """A weight whose bytes are held in memory."""
    return WeightRef(name, TensorType(dtype, tuple(data.shape)), inline=lambda: data)
