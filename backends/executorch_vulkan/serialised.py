"""The Vulkan graphs in a `.pte`, as they were serialised: operators, values and constants."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from optimum_compile.backends.executorch.copies import read_program
from optimum_compile.backends.executorch.toolchain import quiet
from optimum_compile.compiler.errors import InputError

BACKEND_ID = "VulkanBackend"
HEADER = 30  # bytes of the header of a delegate
NAMED = 2**64 - 1  # the constant lies in the named data of the program
MAX_GRAPH_BYTES = 1 << 28
DTYPES = {
    0: "bool",
    1: "uint8",
    2: "int8",
    3: "int32",
    4: "float16",
    5: "float32",
    6: "float64",
    7: "int64",
}


@dataclass(frozen=True)
class VulkanFile:
    """A `.pte`, opened for reading."""

    path: Path
    program: Any
    segments_at: int

    def segment(self, index: int) -> bytes:
        """Bytes of a segment. Raises InputError for one that leaves the file."""
        if not 0 <= index < len(self.program.segments):
            raise InputError(f"{self.path}: no segment {index}")
        found = self.program.segments[index]
        at, size = self.segments_at + int(found.offset), int(found.size)
        if at < 0 or size < 0 or at + size > self.path.stat().st_size:
            raise InputError(f"{self.path}: segment {index} leaves the file")
        with self.path.open("rb") as file:
            file.seek(at)
            return file.read(size)

    @cached_property
    def named(self) -> dict[str, int]:
        """Segments of the named data."""
        return {str(d.key): int(d.segment_index) for d in self.program.named_data or []}

    def plan(self, function: str) -> Any:
        """The instructions of a function. Raises InputError where there is none of that name."""
        for plan in self.program.execution_plan:
            if plan.name == function:
                return plan
        raise InputError(f"{self.path}: no method {function!r}")

    def delegates(self, function: str) -> tuple["VulkanGraph", ...]:
        """The delegates of a function by index. Raises InputError where one is no Vulkan graph."""
        out = []
        for delegate in self.plan(function).delegates:
            if delegate.id != BACKEND_ID:
                raise InputError(f"{self.path}: a delegate of {delegate.id}, expected {BACKEND_ID}")
            if int(delegate.processed.location) != 1:
                raise InputError(f"{self.path}: a delegate within the program, expected a segment")
            out.append(VulkanGraph(self, self.segment(int(delegate.processed.index))))
        return tuple(out)


@dataclass(frozen=True)
class VulkanGraph:
    """One delegate."""

    file: VulkanFile
    data: bytes

    @cached_property
    def graph(self) -> Any:
        """The SDK's tables. Raises InputError for bytes that are none."""
        from executorch.backends.vulkan.serialization.vulkan_graph_serialize import (
            flatbuffer_to_vk_graph,
        )

        if self.data[4:8] != b"VH00" or len(self.data) < HEADER:
            raise InputError(f"{self.file.path}: a delegate without the header of Vulkan graphs")
        at, size = (int.from_bytes(self.data[i : i + 4], "little") for i in (10, 14))
        if not 0 < size <= MAX_GRAPH_BYTES or at + size > len(self.data):
            raise InputError(
                f"{self.file.path}: a Vulkan graph of {size} bytes leaves its delegate"
            )
        with quiet():
            try:
                return flatbuffer_to_vk_graph(self.data[at : at + size])
            except Exception as error:  # whatever flatc meets in bytes that are no graph
                raise InputError(
                    f"{self.file.path}: a Vulkan graph is damaged: {error!r}"
                ) from error

    @property
    def operators(self) -> list[str]:
        """Names of its operators, in order."""
        return [call.name for call in self.graph.chain]

    def value(self, index: int) -> Any:
        """The table of a value. Raises InputError for an index that has none."""
        if not 0 <= index < len(self.graph.values):
            raise InputError(f"{self.file.path}: no value {index}")
        return self.graph.values[index].value

    def is_constant(self, index: int) -> bool:
        """Whether a value is a tensor with bytes of its own."""
        return int(getattr(self.value(index), "constant_id", -1)) >= 0

    def constant(self, index: int) -> np.ndarray:
        """The numbers of a constant tensor. Raises InputError where its bytes do not fit its shape."""
        tensor = self.value(index)
        number = int(getattr(tensor, "constant_id", -1))
        if not 0 <= number < len(self.graph.constants):
            raise InputError(f"{self.file.path}: value {index} is no constant")
        found = self.graph.constants[number]
        if int(found.offset) != NAMED or found.named_key not in self.file.named:
            raise InputError(f"{self.file.path}: constant {number} is not in the named data")
        data = self.file.segment(self.file.named[found.named_key])[: int(found.length)]
        dtype = np.dtype(DTYPES[int(tensor.datatype)])
        shape = tuple(int(d) for d in tensor.dims)
        if len(data) != int(np.prod(shape, dtype=np.int64)) * dtype.itemsize:
            raise InputError(
                f"{self.file.path}: constant {number} has {len(data)} bytes for {shape} {dtype}"
            )
        return np.frombuffer(data, dtype).reshape(shape)

    def scalar(self, index: int) -> int:
        """A value that is a whole number."""
        return int(self.value(index).int_val)


def open_file(path: Path) -> VulkanFile:
    """Read the program of a `.pte`, without its weights. Raises InputError for a file that is none."""
    program = read_program(path)
    with path.open("rb") as file:
        head = file.read(32)
    return VulkanFile(path, program, int.from_bytes(head[24:32], "little"))


def outside_operators(file: VulkanFile, function: str) -> list[str]:
    """Operators of a function that the CPU runs, in order."""
    plan = file.plan(function)
    calls = (i.instr_args for chain in plan.chains for i in chain.instructions)
    indices = (c.op_index for c in calls if type(c).__name__ == "KernelCall")
    return [f"{plan.operators[i].name}.{plan.operators[i].overload}".rstrip(".") for i in indices]
