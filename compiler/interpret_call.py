"""One node about to run in the reference executor, with its tensors."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from optimum_compile.compiler.errors import InputError, InternalError, UserError
from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.graph import Attr, Node
from optimum_compile.compiler.ir.ops import dims, ints
from optimum_compile.compiler.ir.shape import Dim

_TORCH = {
    DType.I64: torch.int64,
    DType.I32: torch.int32,
    DType.I16: torch.int16,
    DType.I8: torch.int8,
    DType.U8: torch.uint8,
    DType.BOOL: torch.bool,
}


def torch_dtype(dtype: DType, compute: torch.dtype) -> torch.dtype:
    """The torch type that holds `dtype`: every float type is held in `compute`."""
    return compute if dtype.is_float else _TORCH[dtype]


@dataclass(frozen=True)
class Call:
    """One node about to run, with its tensors."""

    node: Node
    inputs: tuple[Tensor | None, ...]
    number: Callable[[Dim], int]  # a dimension under the call's symbol bindings
    compute: torch.dtype

    def tensor(self, index: int) -> Tensor:
        """Input `index`, which must be present."""
        value = self.inputs[index] if index < len(self.inputs) else None
        if value is None:
            raise InternalError(f"{self.node!r} at {self.node.origin}: input {index} is absent")
        return value

    def optional(self, index: int) -> Tensor | None:
        """Input `index`, or None where it is absent."""
        return self.inputs[index] if index < len(self.inputs) else None

    def attr(self, key: str) -> Attr:
        """An attribute of the node."""
        return self.node.attrs[key]

    def int_attr(self, key: str) -> int:
        """An integer attribute."""
        return ints((self.attr(key),))[0]

    def float_attr(self, key: str) -> float:
        """A number attribute as a float."""
        value = self.attr(key)
        if not isinstance(value, int | float):
            raise InternalError(f"{self.node!r} at {self.node.origin}: {key}={value!r}")
        return float(value)

    def shape_attr(self, key: str) -> tuple[int, ...]:
        """An attribute that is a shape, as numbers."""
        return tuple(self.number(d) for d in dims(self.attr(key)))

    def dtype_attr(self) -> torch.dtype:
        """The `dtype` attribute."""
        return torch_dtype(DType(str(self.attr("dtype"))), self.compute)

    def past(self, index: int) -> int:
        """Input `index` as the number of tokens already in the cache."""
        past = int(self.tensor(index).reshape(-1)[0])
        if past < 0:
            raise UserError(f"past={past}: expected the number of tokens in the cache, 0 or more")
        return past

    def rows(self, index: int, size: int) -> Tensor:
        """Input `index` as row numbers of a table of `size` rows; negative ones count from the end.

        Raises InputError for a number outside the table.
        """
        return row_numbers(self.node, self.tensor(index), size)


# One result, or those of an op with several outputs.
Kernel = Callable[[Call], Tensor | tuple[Tensor, ...]]


def row_numbers(node: Node, ids: Tensor, size: int) -> Tensor:
    """Row numbers of a table of `size` rows, as `Call.rows` gives them."""
    ids = ids.long()
    if ids.numel() and not (-size <= int(ids.min()) and int(ids.max()) < size):
        bad = int(ids.max()) if int(ids.max()) >= size else int(ids.min())
        raise InputError(
            f"{node.origin or node.op}: index {bad} is outside 0..{size - 1}; "
            "were the inputs made for another model (tokenizer and vocabulary differ)?"
        )
    return torch.where(ids < 0, ids + size, ids)
