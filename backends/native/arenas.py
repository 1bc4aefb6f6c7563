"""The memory that a native program takes, read from its file."""

import mmap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import sympy

from optimum_compile.backends.arenas import Arena, FileMemory, MemoryModel
from optimum_compile.backends.native.decode import decode
from optimum_compile.backends.native.encode import aligned
from optimum_compile.backends.native.program import (
    NONE,
    PART_ALIGNMENT,
    ExprOp,
    Function,
    Op,
    OperandKind,
    Program,
    Role,
    Space,
)
from optimum_compile.compiler.ir.shape import Dim, as_dim, symbol
from optimum_compile.compiler.quant.kv import KvRole, KvScheme, KvStored
from optimum_compile.compiler.quant.kv_layout import kv_buffer_bytes
from optimum_compile.compiler.quant.scheme import Float

ROLES = {Role.KEYS: KvRole.KEYS, Role.VALUES: KvRole.VALUES}


@dataclass(frozen=True)
class NativeMemory(MemoryModel):
    """A native program is the plan."""

    runtime: str = "native runtime"
    kv_alignment: int = PART_ALIGNMENT
    complete: bool = True

    def read(
        self, artifact: Path, functions: Mapping[str, tuple[int, int]]
    ) -> tuple[FileMemory | None, tuple[str, ...]]:
        """See `MemoryModel`."""
        return file_memory(artifact, self.kv_alignment), ()


def file_memory(artifact: Path, alignment: int = PART_ALIGNMENT) -> FileMemory:
    """What the program plans; caches are aligned. Raises FormatError for what is no program."""
    with (
        artifact.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        program = decode(data, check_weights=False).program
    return memory_of(program, alignment)


def memory_of(program: Program, alignment: int = PART_ALIGNMENT) -> FileMemory:
    """Arenas with the part that each stage takes, and the cache as the runtime reserves it."""
    dims = expressions(program)
    functions = tuple(_arena(program, function, dims) for function in program.functions)
    ends = [0, 0]
    for cache in program.caches:
        scheme: KvStored = Float(16)
        if cache.bits != 16:
            scheme = KvScheme(cache.bits, cache.group, cache.window, cache.sinks)
        size = kv_buffer_bytes(scheme, ROLES[cache.role], cache.heads, cache.context, cache.width)
        ends[cache.role] = max(ends[cache.role], cache.offset + aligned(size, alignment))
    return FileMemory(functions, sum(ends), _table_bytes(program))


def expressions(program: Program) -> list[Dim]:
    """The table of expressions as dimensions."""
    out: list[Dim] = []
    for expr in program.expressions:
        stack: list[Dim] = []
        for op, argument in expr.items:
            if op is ExprOp.CONST:
                stack.append(argument)
            elif op is ExprOp.SYMBOL:
                stack.append(symbol(program.symbols[argument].name))
            elif op is ExprOp.REF:
                stack.append(out[argument])
            else:
                right = stack.pop()
                stack.append(_joined(op, stack.pop(), right))
        out.append(as_dim(stack[-1]))
    return out


def _joined(op: ExprOp, left: Dim, right: Dim) -> Dim:
    if op is ExprOp.ADD:
        return as_dim(left + right)
    if op is ExprOp.SUB:
        return as_dim(left - right)
    if op is ExprOp.MUL:
        return as_dim(left * right)
    if op is ExprOp.FLOORDIV:
        return as_dim(sympy.floor(sympy.sympify(left) / right))
    choose = sympy.Max if op is ExprOp.MAX else sympy.Min
    return as_dim(choose(left, right))


def _arena(program: Program, function: Function, dims: Sequence[Dim]) -> Arena:
    """A buffer is alive from the first step that touches it to the last."""
    spans: dict[int, tuple[int, int]] = {}
    for at, step in enumerate(function.steps):
        for operand in (*step.inputs, *step.outputs):
            if operand.kind is not OperandKind.VIEW:
                continue
            buffer = function.views[operand.index].buffer
            if function.buffers[buffer].space is Space.ARENA:
                spans[buffer] = (spans.get(buffer, (at, at))[0], at)
    stages: dict[int, dict[Dim, None]] = {}
    for at, step in enumerate(function.steps):
        found = stages.setdefault(step.stage, {})
        for index, (first, last) in spans.items():
            if first <= at <= last:
                held = function.buffers[index]
                size = dims[held.elements] * held.dtype.itemsize
                found[as_dim(dims[held.at] + size)] = None
    return Arena(
        function.name,
        (function.low, function.high),
        (dims[function.arena],),
        _outputs(program, function, dims),
        {stage: tuple(found) for stage, found in stages.items()},
    )


def _outputs(program: Program, function: Function, dims: Sequence[Dim]) -> Dim:
    """Logits of the last position where the last linear may leave out the others, else of all."""
    buffers = {at for at, b in enumerate(function.buffers) if b.space is Space.OUTPUT}
    views = {at for at, view in enumerate(function.views) if view.buffer in buffers}
    alone = True
    for step in function.steps:
        alone &= not any(_lies_in(o.kind, o.index, views) for o in step.inputs)
        if any(_lies_in(o.kind, o.index, views) for o in step.outputs):
            alone &= step.op is Op.LINEAR and len(step.outputs) == 1
    if alone:
        return program.sizes.vocabulary * 4
    held = [function.buffers[at] for at in sorted(buffers)]
    return as_dim(sum(dims[b.elements] * b.dtype.itemsize for b in held))


def _lies_in(kind: OperandKind, index: int, views: set[int]) -> bool:
    return kind is OperandKind.VIEW and index in views


def _table_bytes(program: Program) -> int:
    """Bytes of tables that have a row for every position."""
    found = {
        operand.index
        for function in program.functions
        for step in function.steps
        if step.op is Op.ROPE
        for operand in step.inputs
        if operand.kind is OperandKind.WEIGHT
    }
    parts = {
        part
        for index in found
        for part in program.weights[index].parts
        if program.weights[index].rows == program.sizes.context and part != NONE
    }
    return sum(program.parts[part].size_bytes for part in parts) // program.sizes.context
