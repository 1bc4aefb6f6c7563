"""The type of a value: element type and shape."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.shape import Dim, Shape, evaluate, format_dim, substitute


@dataclass(frozen=True)
class TensorType:
    """Element type and shape; a scalar has the shape ()."""

    dtype: DType
    shape: Shape

    @property
    def rank(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def is_static(self) -> bool:
        """Whether every dimension is a number."""
        return all(isinstance(d, int) for d in self.shape)

    def static_shape(self) -> tuple[int, ...]:
        """The shape as numbers. Raises ValueError where it is symbolic."""
        if not self.is_static:
            raise ValueError(f"{self} is symbolic")
        return tuple(int(d) for d in self.shape)

    def concrete(self, bindings: Mapping[str, int]) -> tuple[int, ...]:
        """The shape under `bindings` (symbol name -> number)."""
        return tuple(evaluate(d, bindings) for d in self.shape)

    def substituted(self, bindings: Mapping[str, Dim]) -> "TensorType":
        """This type with symbols replaced."""
        return TensorType(self.dtype, tuple(substitute(d, bindings) for d in self.shape))

    def elements(self, bindings: Mapping[str, int] | None = None) -> int:
        """Number of elements."""
        return math.prod(self.concrete(bindings or {}))

    def __str__(self) -> str:
        return f"{self.dtype.value}[{', '.join(format_dim(d) for d in self.shape)}]"
