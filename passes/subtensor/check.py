"""Runs a placed function on flat buffers, exactly as its views say: the proof that they are right.

The numbers of each kernel are those of the reference executor; where they are read and written is what
the notes say. Buffers of the arena begin as NaN, elided nodes do nothing, and a value that was
overwritten too early, or read before it was there, gives another result than `interpret.run`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from optimum_compile.compiler.bind import bind_symbols
from optimum_compile.compiler.decoder import CACHE_INPUTS
from optimum_compile.compiler.errors import InternalError, UserError
from optimum_compile.compiler.interpret_kv import quantised_attention
from optimum_compile.compiler.interpret_ops import Call, execute, torch_dtype
from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.ir.shape import Dim, evaluate
from optimum_compile.compiler.quant.kv import KvRole, KvScheme
from optimum_compile.passes.memory.notes import MemoryPlan
from optimum_compile.passes.precision.notes import KvPrecision
from optimum_compile.passes.subtensor.caches import STORED, position_of
from optimum_compile.passes.subtensor.kernels import MOVES, POSITION, reads_as_weight
from optimum_compile.passes.subtensor.notes import (
    Buffer,
    Buffers,
    Cached,
    Elided,
    Space,
    Split,
    View,
)
from optimum_compile.passes.subtensor.place import operand_views
from optimum_compile.passes.subtensor.strides import same_place
from optimum_compile.passes.symbolic_shape.table import PAST

_HALF = {DType.F16: torch.float16, DType.BF16: torch.bfloat16, DType.F64: torch.float64}


@dataclass
class Memory:
    """What lives from call to call.

    flat: the numbers of each 16-bit cache, by buffer; widened to float32 where `exact`, so that results
    can be compared to the last bit. exact_rows: what was stored in caches of fewer bits, as the
    reference executor keeps it, [1, heads, context, width].
    """

    exact: bool = False
    flat: dict[str, Tensor] = field(default_factory=dict)
    exact_rows: dict[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class PlacedRun:
    """What one call gave, and the bytes that were only moved: in all, and to caches."""

    outputs: tuple[Tensor, ...]
    copied_bytes: int
    cache_bytes: int


def run_placed(
    graph: Graph, inputs: Mapping[str, np.ndarray | Tensor], memory: Memory
) -> PlacedRun:
    """Execute `graph` once, in float32, with its float weights.

    Where the graph has a `MemoryPlan`, the arena is one block of bytes with its offsets.

    Raises:
        UserError: inputs that do not fit.
        InternalError: the notes are missing or wrong: a view leaves its buffer, a value has none.
    """
    return _Machine(graph, inputs, memory).run()


class _Machine:
    def __init__(
        self, graph: Graph, inputs: Mapping[str, np.ndarray | Tensor], memory: Memory
    ) -> None:
        found = graph.notes.get(Buffers)
        if found is None:
            raise InternalError(f"graph {graph.name!r} has no note Buffers; run place-views first")
        self.graph, self.memory, self.buffers = graph, memory, found
        self.given = {n: torch.as_tensor(t) for n, t in inputs.items()}
        self.symbols: dict[str, int] = {}
        bind_symbols(
            graph, [(v, tuple(self.given[v.name].shape)) for v in graph.inputs], self.symbols
        )
        position = position_of(graph)
        if position is not None:
            self.symbols[PAST] = int(self.given[position.name].reshape(-1)[0])
            self._check_context()
        self.position = position
        self.arena: Tensor | None = None
        self.flat = {b.name: self._allocate(b) for b in found.buffers}
        self.copied = self.cache_bytes = 0

    def run(self) -> PlacedRun:
        for value in self.graph.inputs:
            if value.notes.get(View) is not None:
                self._write(value, self.given[value.name])
        for weight in self.graph.weights.values():
            if weight.notes.get(View) is not None:
                self._write(weight, self._weight(weight))
        for node in self.graph.nodes:
            if node.notes.get(Elided) is None:
                self._step(node)
        outputs = tuple(self._tensor(_view(v)).clone() for v in self.graph.outputs)
        return PlacedRun(outputs, self.copied, self.cache_bytes)

    # ---- steps

    def _step(self, node: Node) -> None:
        if node.op == "concat":
            self._concat(node)
            return
        if node.op == "kv_write":
            self._write_rows(node, _view(node.output))
            return
        results = self._computed(node)
        if node.op in MOVES:
            self._count(node.output)
        split = node.notes.get(Split)
        if split is not None:
            for rows in split.parts:
                self._tensor(rows.view).copy_(results[0][..., rows.begin : rows.end])
            return
        for value, result in zip(node.outputs, results, strict=True):
            self._write(value, result)

    def _computed(self, node: Node) -> tuple[Tensor, ...]:
        schemes: dict[KvRole, KvScheme] = {}
        tensors = [
            None if v is None else self._read(node, at, v) for at, v in enumerate(node.inputs)
        ]
        if node.op == "cache_attention":
            for role, at in CACHE_INPUTS:
                tensors[at] = self._cache(node.input(at))
                scheme = self._scheme(node.input(at))
                if scheme is not None:
                    schemes[role] = scheme
        call = Call(node, tuple(tensors), self._number, torch.float32)
        return (quantised_attention(call, schemes),) if schemes else execute(call)

    def _concat(self, node: Node) -> None:
        """Copy the operands that are not where they belong."""
        for at, wanted in enumerate(operand_views(node, _view(node.output))):
            if not same_place(_view(node.input(at)), wanted):
                self._tensor(wanted).copy_(self._tensor(_view(node.input(at))).clone())
                self._count(node.input(at))

    def _write_rows(self, node: Node, cache: View) -> None:
        rows = self._tensor(_view(node.input(1))).clone()
        past = self.symbols[PAST]
        self._tensor(cache)[:, :, past : past + rows.shape[2]] = rows.to(torch.float32)
        self.cache_bytes += rows.numel() * 2
        self.copied += rows.numel() * 2

    # ---- caches

    def _cache(self, value: Value) -> Tensor:
        """A cache as attention reads it, after it has stored rows that wait for that."""
        write = value.producer
        note = None if write is None else write.notes.get(Elided)
        waits = write is not None and note is not None and note.reason == STORED
        if value.notes.get(View) is not None:
            cache = self._tensor(_view(value))
        else:
            cache = self._exact_rows(value)
        if waits and write is not None:
            rows = self._tensor(_view(write.input(1)))
            past = self.symbols[PAST]
            cache[:, :, past : past + rows.shape[2]] = rows.to(cache.dtype)
        return cache.to(torch.float32)

    def _exact_rows(self, value: Value) -> Tensor:
        note = value.notes.get(Cached)
        if note is None:
            raise InternalError(f"%{value.name} is in no cache")
        if note.buffer not in self.memory.exact_rows:
            self.memory.exact_rows[note.buffer] = torch.zeros(value.type.static_shape())
        return self.memory.exact_rows[note.buffer]

    def _scheme(self, value: Value) -> KvScheme | None:
        for state in self.graph.states:
            if value in (state.read, state.written):
                note = state.read.notes.get(KvPrecision)
                return note.scheme if note and isinstance(note.scheme, KvScheme) else None
        return None

    def _check_context(self) -> None:
        seq = self.symbols.get("seq", self.graph.inputs[0].type.shape[-1])
        allowed = self.graph.symbols.get(PAST)
        if isinstance(seq, int) and allowed and self.symbols[PAST] + seq > allowed.high + 1:
            raise UserError(
                f"{self.symbols[PAST]} + {seq} tokens: the context is {allowed.high + 1}"
            )

    # ---- tensors

    def _read(self, node: Node, at: int, value: Value) -> Tensor:
        if POSITION.get(node.op) == at:
            return self.given[value.name]
        if value.weight is not None and reads_as_weight(node, at):
            return self._weight(value)
        if value.notes.get(Cached) is not None:
            return torch.empty(0)  # read by `_cache`
        found = self._tensor(_view(value)).clone()
        return found.to(torch_dtype(value.type.dtype, torch.float32))

    def _write(self, value: Value, result: Tensor) -> None:
        self._tensor(_view(value)).copy_(result)

    def _weight(self, value: Value) -> Tensor:
        if value.weight is None:
            raise InternalError(f"%{value.name} is no weight")
        data = torch.from_numpy(np.require(value.weight.load(), requirements="W"))
        return data.to(torch_dtype(value.type.dtype, torch.float32))

    def _tensor(self, view: View) -> Tensor:
        """The elements of a view, in place. Raises InternalError where they leave the buffer."""
        flat = self.flat[view.buffer]
        shape, strides = self._numbers(view.shape), self._numbers(view.strides)
        offset = self._number(view.offset)
        last = offset + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
        if 0 not in shape and not 0 <= offset <= last < flat.numel():
            raise InternalError(f"{view} reaches {offset}..{last} of {flat.numel()} elements")
        # as_strided counts from the beginning of the storage, which may be the whole arena.
        return flat.as_strided(shape, strides, int(flat.storage_offset()) + offset)

    def _allocate(self, buffer: Buffer) -> Tensor:
        size, kind = self._number(buffer.elements), _torch(buffer.dtype)
        if buffer.space in (Space.KEYS, Space.VALUES):
            kind = torch.float32 if self.memory.exact and buffer.dtype is DType.F16 else kind
            return self.memory.flat.setdefault(buffer.name, torch.zeros(size, dtype=kind))
        plan = self.graph.notes.get(MemoryPlan)
        if plan is None or buffer.space is not Space.ARENA:
            return _spoiled(size * buffer.dtype.itemsize).view(kind)
        if self.arena is None:
            self.arena = _spoiled(self._number(plan.peak_bytes))
        at = next(self._number(p.offset_bytes) for p in plan.placed if p.name == buffer.name)
        return self.arena[at : at + size * buffer.dtype.itemsize].view(kind)

    def _count(self, value: Value) -> None:
        elements = int(np.prod(self._numbers(value.type.shape)))
        self.copied += elements * value.type.dtype.itemsize

    def _number(self, dim: Dim) -> int:
        return evaluate(dim, self.symbols)

    def _numbers(self, dims: Sequence[Dim]) -> tuple[int, ...]:
        return tuple(map(self._number, dims))


def _view(value: Value) -> View:
    note = value.notes.get(View)
    if note is None:
        raise InternalError(f"%{value.name} has no view")
    return note


def _torch(dtype: DType) -> torch.dtype:
    return _HALF.get(dtype) or torch_dtype(dtype, torch.float32)


def _spoiled(size_bytes: int) -> Tensor:
    """Bytes that are NaN as floats of any width."""
    return torch.full((size_bytes,), 0xFF, dtype=torch.uint8)
