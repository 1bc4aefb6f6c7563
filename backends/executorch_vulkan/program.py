"""Values of a method outside of its delegates."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from optimum_compile.backends.executorch_vulkan.serialised import VulkanFile
from optimum_compile.compiler.errors import InputError

DTYPES = {
    0: torch.uint8,
    1: torch.int8,
    2: torch.int16,
    3: torch.int32,
    4: torch.int64,
    5: torch.float16,
    6: torch.float32,
    11: torch.bool,
}


class Constants:
    """What the program knows of the values of one method."""

    def __init__(self, file: VulkanFile, plan: Any) -> None:
        self.file, self.plan = file, plan
        self._known: dict[int, Tensor] = {}
        self._data: bytes | None = None

    def dtype(self, index: int) -> torch.dtype:
        """Of a tensor."""
        return DTYPES[int(self.plan.values[index].val.scalar_type)]

    def value(self, index: int, values: dict[int, Any]) -> Any:
        """A value as it is in `values`, or as the program has it. Raises InputError where neither knows."""
        if index in values:
            return values[index]
        value = self.plan.values[index].val
        kind = type(value).__name__
        if kind == "Null":
            return None
        if kind == "IntList":
            return [self.value(int(i), values) for i in value.items]
        if kind != "Tensor":
            return next(iter(vars(value).values()))
        if int(value.data_buffer_idx) == 0:
            raise InputError(f"{self.file.path}: value {index} is read before it is made")
        if index not in self._known:
            self._known[index] = self._tensor(value)
        return self._known[index]

    def _tensor(self, value: Any) -> Tensor:
        where = self.file.program.constant_segment
        at, number = int(value.data_buffer_idx), len(where.offsets)
        shape = [int(s) for s in value.sizes]
        dtype = DTYPES[int(value.scalar_type)]
        if not 0 < at < number:
            raise InputError(f"{self.file.path}: no constant {at}")
        if self._data is None:
            self._data = self.file.segment(int(where.segment_index))
        begin, size = int(where.offsets[at]), int(np.prod(shape)) * dtype.itemsize
        data = bytearray(self._data[begin : begin + size])
        if len(data) != size:
            raise InputError(f"{self.file.path}: constant {at} leaves its segment")
        return torch.frombuffer(data, dtype=dtype).reshape(shape)
