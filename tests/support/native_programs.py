"""Native programs made by hand: single steps on views of odd strides, and small decoders."""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from optimum_compile.backends.native import program as p
from optimum_compile.backends.native.encode import encode
from optimum_compile.backends.native.parts import ELEMENTS, PartWriter
from optimum_compile.backends.native.session import Model, Session
from optimum_compile.backends.native.weights import pack
from optimum_compile.compiler.quant.kv import KvRole, KvScheme, KvStored
from optimum_compile.compiler.quant.kv_layout import kv_buffer_bytes
from optimum_compile.compiler.quant.packed import PackedWeight

SENTINEL = np.float32(-12345)


@dataclass(frozen=True)
class Layout:
    """Where an array lies in a run of numbers."""

    offset: int
    strides: tuple[int, ...]
    size: int

    @staticmethod
    def odd(shape: Sequence[int], rng: np.random.Generator | None) -> "Layout":
        """Axes in any order with gaps between; without `rng` in their own order without gaps."""
        order = list(range(len(shape))) if rng is None else list(rng.permutation(len(shape)))
        strides, step = [0] * len(shape), 1 if rng is None else int(rng.integers(1, 3))
        for axis in reversed(order):
            strides[axis] = step
            step = step * shape[axis] + (0 if rng is None else int(rng.integers(0, 3)))
        offset = 0 if rng is None else int(rng.integers(0, 4))
        return Layout(offset, tuple(strides), offset + step)

    def places(self, shape: Sequence[int]) -> np.ndarray:
        """The index of each element."""
        out = np.full(tuple(shape), self.offset)
        for axis, stride in enumerate(self.strides):
            size = [1] * len(shape)
            size[axis] = shape[axis]
            out = out + (np.arange(shape[axis]) * stride).reshape(size)
        return out


class Maker:
    """A program of one function, step by step.

    rng: lays every array out oddly; None for rows of numbers. Outputs lie one after another in `logits`,
    whose size becomes the vocabulary unless that is given.
    """

    def __init__(
        self,
        folder: Path,
        rng: np.random.Generator | None = None,
        *,
        vocabulary: int | None = None,
        context: int = 16,
        seq: tuple[int, int] = (1, 1),
    ) -> None:
        self.folder, self.rng = folder, rng
        self.vocabulary, self.context, self.low_high = vocabulary, context, seq
        self.writer = PartWriter(folder / "weights")
        self.expressions: list[p.Expr] = []
        self._consts: dict[int, int] = {}
        self.seq = self.expr((p.ExprOp.SYMBOL, 0))
        self.past = self.expr((p.ExprOp.SYMBOL, 1))
        self.buffers: list[p.Buffer] = []
        self.views: list[p.View] = []
        self.weights: list[p.Weight] = []
        self.caches: list[p.Cache] = []
        self.steps: list[p.Step] = []
        self.guards: list[p.Guard] = []
        self.stages = [p.Stage("all", "FP16")]
        self.outputs: dict[int, np.ndarray] = {}  # places in logits by view
        self.arena_bytes = self.used = 0
        self.cache_bytes = {KvRole.KEYS: 0, KvRole.VALUES: 0}
        self._logits: int | None = None

    def expr(self, *items: tuple[p.ExprOp, int]) -> int:
        self.expressions.append(p.Expr(items))
        return len(self.expressions) - 1

    def const(self, value: int) -> int:
        if value not in self._consts:
            self._consts[value] = self.expr((p.ExprOp.CONST, value))
        return self._consts[value]

    def times(self, left: int, value: int) -> int:
        return self.expr((p.ExprOp.REF, left), (p.ExprOp.CONST, value), (p.ExprOp.MUL, 0))

    def buffer(self, space: p.Space, element: p.Element, elements: int, at: int) -> int:
        """`elements` and `at` as the file has them."""
        self.buffers.append(p.Buffer(f"b{len(self.buffers)}", space, element, elements, at))
        return len(self.buffers) - 1

    def view(
        self, buffer: int, offset: int, shape: Sequence[int], strides: Sequence[int]
    ) -> p.Operand:
        """All of them expressions."""
        self.views.append(p.View(buffer, offset, tuple(shape), tuple(strides)))
        return p.Operand(p.OperandKind.VIEW, len(self.views) - 1)

    def fixed(self, buffer: int, layout: Layout, shape: Sequence[int]) -> p.Operand:
        numbers = [self.const(n) for n in shape]
        strides = [self.const(n) for n in layout.strides]
        return self.view(buffer, self.const(layout.offset), numbers, strides)

    def array(self, data: np.ndarray) -> p.Operand:
        """A constant, laid out oddly."""
        layout = Layout.odd(data.shape, self.rng)
        flat = np.full(layout.size, 77, data.dtype)
        flat[layout.places(data.shape)] = data
        part = self.writer.add(flat)
        element = ELEMENTS[data.dtype]
        buffer = self.buffer(p.Space.CONSTANT, element, self.const(layout.size), part)
        return self.fixed(buffer, layout, data.shape)

    def repeated(self, data: np.ndarray, shape: Sequence[int]) -> p.Operand:
        """A constant expanded to a shape: strides of 0 where it has one element."""
        part = self.writer.add(np.ascontiguousarray(data))
        buffer = self.buffer(p.Space.CONSTANT, ELEMENTS[data.dtype], self.const(data.size), part)
        full = data.reshape((1,) * (len(shape) - data.ndim) + data.shape)
        strides = [
            0 if d == 1 else s // data.itemsize
            for d, s in zip(full.shape, full.strides, strict=True)
        ]
        return self.fixed(buffer, Layout(0, tuple(strides), data.size), shape)

    def room(self, shape: Sequence[int], element: p.Element = p.Element.F32) -> p.Operand:
        """A place in the arena, laid out oddly."""
        layout = Layout.odd(shape, self.rng)
        at = self.arena_bytes
        self.arena_bytes = -(-(at + layout.size * element.itemsize) // 64) * 64
        buffer = self.buffer(p.Space.ARENA, element, self.const(layout.size), self.const(at))
        return self.fixed(buffer, layout, shape)

    def output(self, shape: Sequence[int]) -> p.Operand:
        """A place in the logits, laid out oddly."""
        layout = Layout.odd(shape, self.rng)
        if self._logits is None:  # its size is known at the end
            self._logits = self.buffer(p.Space.OUTPUT, p.Element.F32, p.NONE, 0)
        moved = Layout(layout.offset + self.used, layout.strides, layout.size)
        self.used += layout.size
        found = self.fixed(self._logits, moved, shape)
        self.outputs[found.index] = moved.places(shape)
        return found

    def weight(self, made: p.Weight) -> p.Operand:
        self.weights.append(made)
        return p.Operand(p.OperandKind.WEIGHT, len(self.weights) - 1)

    def floats(self, data: np.ndarray) -> p.Operand:
        """A weight of plain numbers, f32 or f16."""
        rows, columns = data.shape if data.ndim == 2 else (1, data.size)
        kind = p.WeightKind.F16 if data.dtype == np.float16 else p.WeightKind.F32
        return self.weight(p.Weight("w", kind, rows, columns, (), (self.writer.add(data),)))

    def packed(self, data: PackedWeight) -> p.Operand:
        return self.weight(pack(f"w{len(self.weights)}", data, self.writer))

    def cache(self, scheme: KvStored, role: KvRole, heads: int, width: int) -> p.Operand:
        number = p.Role.KEYS if role is KvRole.KEYS else p.Role.VALUES
        offset = self.cache_bytes[role]
        size = kv_buffer_bytes(scheme, role, heads, self.context, width)
        self.cache_bytes[role] = -(-(offset + size) // 64) * 64
        sizes = (0, 0, 0)
        bits = 16
        if isinstance(scheme, KvScheme):
            bits, sizes = scheme.bits, (scheme.group, scheme.window, scheme.sinks)
        self.caches.append(
            p.Cache(
                f"c{len(self.caches)}", number, bits, heads, self.context, width, *sizes, offset
            )
        )
        return p.Operand(p.OperandKind.CACHE, len(self.caches) - 1)

    def step(
        self,
        op: p.Op,
        inputs: Sequence[p.Operand],
        outputs: Sequence[p.Operand],
        *attributes: int | float | p.Attribute,
        stage: int = 0,
    ) -> None:
        made = [
            a
            if isinstance(a, p.Attribute)
            else p.Attribute(
                p.AttributeKind.FLOAT if isinstance(a, float) else p.AttributeKind.INT, a
            )
            for a in attributes
        ]
        self.steps.append(p.Step(op, stage, tuple(inputs), tuple(outputs), tuple(made)))

    @property
    def at_past(self) -> p.Attribute:
        return p.Attribute(p.AttributeKind.EXPR, self.past)

    def program(self) -> p.Program:
        vocabulary = self.vocabulary or max(self.used, 1)
        low, high = self.low_high
        buffers = list(self.buffers)
        if self._logits is not None:
            size = self.times(self.seq, vocabulary)
            old = buffers[self._logits]
            buffers[self._logits] = p.Buffer(old.name, old.space, old.dtype, size, 0)
        function = p.Function(
            "all",
            low,
            high,
            self.const(self.arena_bytes),
            tuple(buffers),
            tuple(self.views),
            tuple(self.steps),
        )
        return p.Program(
            p.Sizes(vocabulary, self.context, high),
            (p.Symbol("seq", low, high), p.Symbol("past", 0, self.context)),
            tuple(self.expressions),
            tuple(self.guards),
            tuple(self.stages),
            tuple(self.writer.parts),
            tuple(self.weights),
            tuple(self.caches),
            (function,),
        )

    def save(self, name: str = "made.ocm") -> Path:
        """Write the file; nothing can be added after it."""
        program = self.program()
        self.writer.close()
        path = self.folder / name
        path.write_bytes(encode(program, "{}", self.writer.path.read_bytes()))
        return path

    def run(self) -> list[np.ndarray]:
        """One call with one token; returns the outputs. What lies between them has to stay as it was."""
        session = Model(self.save(), verify_weights=True).session()
        logits = np.full(session.model.info.vocabulary, SENTINEL)
        run_into(session, [0], logits)
        left = np.ones(logits.size, bool)
        for places in self.outputs.values():
            left[places] = False
        assert (logits[left] == SENTINEL).all()
        return [logits[places] for places in self.outputs.values()]


def run_into(session: Session, tokens: Sequence[int], logits: np.ndarray, which: int = 2) -> None:
    """Run tokens with the caller's array for logits. Raises AssertionError with the runtime's words."""
    ids = np.asarray(tokens, np.int64)
    status = session._library.oc_session_run(
        session._live,
        ids.ctypes.data,
        len(ids),
        which,
        logits.ctypes.data_as(ctypes.POINTER(ctypes.c_float)),
        logits.size,
    )
    assert status == 0, session._library.oc_last_error().decode()
