"""Weights by reference: a name, a type, and where the bytes are; loaded when asked for."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from optimum_compile.compiler.errors import InputError, InternalError
from optimum_compile.compiler.ir.dtype import DType, bf16_to_f32
from optimum_compile.compiler.ir.edits import Edit
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
    `edits` are made in order on what was read; `type` and `nbytes` stay those of the source.
    """

    name: str
    type: TensorType
    source: FileBytes | None = None
    inline: Callable[[], np.ndarray] | None = field(default=None, compare=False)
    edits: tuple[Edit, ...] = ()

    @property
    def nbytes(self) -> int:
        """Bytes in the source."""
        return self.type.elements() * self.type.dtype.itemsize

    def edited(self, *edits: Edit) -> "WeightRef":
        """This weight with more edits, made after those that it has."""
        if not self.type.dtype.is_float:
            raise InternalError(f"weight {self.name} is {self.type}: only float weights are edited")
        return replace(self, edits=(*self.edits, *edits))

    def load(self) -> np.ndarray:
        """Read this tensor and make its edits.

        bfloat16 and edited tensors come back as float32, everything else in its own type.

        Raises InputError if the file became shorter or unreadable since it was opened.
        """
        return self._edit(np.dtype(np.float32)) if self.edits else self._read()

    def load_f32(self) -> np.ndarray:
        """Read this tensor as float32."""
        return np.ascontiguousarray(self.load(), dtype=np.float32)

    def load_f64(self) -> np.ndarray:
        """Read this tensor as float64, edits made in float64 too: the reference of a rewrite."""
        return self._edit(np.dtype(np.float64))

    def _edit(self, dtype: np.dtype) -> np.ndarray:
        data = np.array(self._read(), dtype, order="C")  # a copy: the edits change it in place
        for edit in self.edits:
            data = edit.apply(data)
        return data

    def _read(self) -> np.ndarray:
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


def inline_weight(name: str, data: np.ndarray, dtype: DType) -> WeightRef:
    """A weight whose bytes are held in memory."""
    return WeightRef(name, TensorType(dtype, tuple(data.shape)), inline=lambda: data)
