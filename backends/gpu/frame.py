"""One function of a program as the lowering sees it: operands with their place, type and dimensions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy

from optimum_compile.backends.gpu.dispatch import Given
from optimum_compile.backends.gpu.section import FIRST, Bound, BufferKind
from optimum_compile.backends.native.program import (
    PAST,
    Element,
    Function,
    Op,
    Operand,
    OperandKind,
    Program,
    Space,
    Step,
)
from optimum_compile.compiler.errors import InternalError, UnsupportedError
from optimum_compile.compiler.ir.shape import Dim, Shape, SymbolRange, as_dim, symbol
from optimum_compile.passes.subtensor.notes import View
from optimum_compile.passes.subtensor.strides import coalesced, product

SEQ = "seq"

# Elements of one axis of a dispatch: 128 a workgroup, and devices need not take more than 65,535 of those.
MOST_JOINED = 1 << 22


@dataclass(frozen=True)
class Seen:
    """An operand that is a view. at: its first element in what is bound, in elements."""

    view: View
    dtype: Element
    at: Dim
    given: Given
    is_logits: bool = False

    @property
    def half(self) -> int:
        """The constant of its buffer: 1 for fp16."""
        return int(self.dtype is Element.F16)

    @property
    def shape(self) -> Shape:
        """Sizes of its axes."""
        return self.view.shape


@dataclass(frozen=True)
class Matrix:
    """Tokens and columns: column c of token t is at `at + t * token + c // inner * outer + c % inner`."""

    at: Dim
    token: Dim
    inner: Dim
    outer: Dim
    columns: int

    def params(self, name: str) -> dict[str, Dim]:
        """As the params of a buffer `name`."""
        return {
            f"{name}_at": self.at,
            f"{name}_token": self.token,
            f"{name}_inner": self.inner,
            f"{name}_outer": self.outer,
        }


class Frame:
    """A function, the dimensions of the program's expressions, and who reads what from when to when."""

    def __init__(
        self,
        program: Program,
        function: Function,
        dims: Sequence[Dim],
        starts: Mapping[int, int] | None = None,
    ) -> None:
        """starts: of weights with outliers the part that says where those of each row begin."""
        self.program, self.function, self.dims = program, function, dims
        self.starts = starts or {}
        self.seq: Dim = function.low if function.low == function.high else symbol(SEQ)
        self.ranges: Mapping[str, SymbolRange] = {
            SEQ: SymbolRange(function.low, function.high),
            PAST: SymbolRange(0, program.sizes.context - 1),
            FIRST: SymbolRange(0, function.high),
        }
        self.alive = _alive(function)
        self.optional_head = _optional_head(function)
        self.step: Step = function.steps[0]
        self.width = 0  # bits that nested weights are read with; 0: as the program says

    def view(self, operand: Operand) -> Seen:
        """A view. Raises InternalError for another kind of operand."""
        if operand.kind is not OperandKind.VIEW:
            raise InternalError(
                f"{self.step.op.name}: a view was expected, not {operand.kind.name}"
            )
        found = self.function.views[operand.index]
        buffer = self.function.buffers[found.buffer]
        shape = tuple(self.dims[d] for d in found.shape)
        strides = tuple(self.dims[s] for s in found.strides)
        offset = self.dims[found.offset]
        view = View(_name(found.buffer, buffer.name), offset, shape, strides)
        at = offset
        moved = as_dim(_touched(view) * buffer.dtype.itemsize)
        if buffer.space is Space.ARENA:
            start = sympy.floor(sympy.sympify(self.dims[buffer.at]) / buffer.dtype.itemsize)
            at = as_dim(start + offset)
            given = Given(Bound(BufferKind.ARENA), "arena", (view,), moved)
        elif buffer.space in (Space.KEYS, Space.VALUES):
            given = self.cache(buffer.at, moved)
        elif buffer.space is Space.INPUT:
            given = Given(Bound(BufferKind.TOKENS), moved=moved)
        elif buffer.space is Space.OUTPUT:
            given = Given(Bound(BufferKind.LOGITS), "logits", (view,), moved)
        else:
            given = self.part(buffer.at)
        return Seen(view, buffer.dtype, at, given, buffer.space is Space.OUTPUT)

    def part(self, index: int, begin: int = 0, size: int | None = None) -> Given:
        """The bytes of a part, or `size` of them from `begin` on."""
        whole = self.program.parts[index].size_bytes
        taken = whole - begin if size is None else size
        return Given(Bound(BufferKind.PART, index, begin, -(-taken // 4) * 4), moved=taken)

    def cache(self, index: int, moved: Dim) -> Given:
        """The region of a cache, of which so many bytes are read or written."""
        return Given(Bound(BufferKind.CACHE, index), f"cache {index}", (), moved)

    def attribute(self, index: int) -> Dim | float:
        """A number of the step."""
        found = self.step.attributes[index]
        return self.dims[int(found.value)] if found.kind == 2 else found.value

    def whole(self, index: int) -> int:
        """A number of the step that is known."""
        found = self.attribute(index)
        if not isinstance(found, int):
            raise InternalError(f"{self.step.op.name}: attribute {index} is {found}")
        return found

    def refuse(self, why: str) -> UnsupportedError:
        """The error for a step that no kernel computes."""
        return UnsupportedError(
            f"gpu: {self.function.name}: no kernel for {self.step.op.name}: {why}"
        )


def matrix_of(frame: Frame, seen: Seen, tokens: Dim) -> Matrix:
    """The operand of a product: leading axes that are `tokens`, then axes that are columns."""
    shape, strides = seen.view.shape, seen.view.strides
    count = 0
    while product(shape[:count]) != tokens:
        count += 1
        if count > len(shape):
            raise frame.refuse(f"no axes of {shape} are {tokens} tokens")
    rows = coalesced(View("", 0, shape[:count], strides[:count]))
    columns = coalesced(View("", 0, shape[count:], strides[count:]))
    total = product(shape[count:])
    if len(rows) > 1 or len(columns) > 2 or not isinstance(total, int):
        raise frame.refuse("tokens or columns lie in several pieces")
    token: Dim = rows[0][1] if rows else 0
    if len(columns) == 2 and columns[1][1] == 1:
        return Matrix(seen.at, token, columns[1][0], columns[0][1], total)
    if len(columns) == 2:
        raise frame.refuse("columns lie in several pieces")
    step = columns[0][1] if columns else 1
    inner, outer = (total, 0) if step == 1 else (1, step)
    return Matrix(seen.at, token, inner, outer, total)


@dataclass(frozen=True)
class Run:
    """Axes that are one axis in all operands: its size, and the stride in each."""

    size: Dim
    strides: tuple[Dim, ...]


def joint_runs(views: Sequence[View]) -> list[Run]:
    """The axes of operands of one shape, outermost first; those of one element are dropped.

    Neighbours of known sizes are merged where they are neighbours in memory in every operand, up to
    `MOST_JOINED` elements.
    """
    runs: list[Run] = []
    for axis, size in enumerate(views[0].shape):
        if size == 1:
            continue
        strides = tuple(view.strides[axis] for view in views)
        last = runs[-1] if runs else None
        if last is not None and _follow(last, size, strides):
            runs[-1] = Run(as_dim(last.size * size), strides)
        else:
            runs.append(Run(size, strides))
    return runs


def _follow(last: Run, size: Dim, strides: tuple[Dim, ...]) -> bool:
    known = isinstance(last.size, int) and isinstance(size, int)
    if not known or int(last.size) * int(size) > MOST_JOINED:
        return False
    return last.strides == tuple(as_dim(stride * size) for stride in strides)


def is_even(dim: Dim) -> bool:
    """Whether a dimension is even whatever the symbols: a polynomial with even coefficients."""
    if isinstance(dim, int):
        return dim % 2 == 0
    terms = sympy.expand(dim).as_coefficients_dict()
    return all(c.is_Integer and int(c) % 2 == 0 for c in terms.values())


def _touched(view: View) -> Dim:
    """Elements of a view, those that repeat counted once."""
    axes = zip(view.shape, view.strides, strict=True)
    return product(1 if stride == 0 else size for size, stride in axes)


def _name(index: int, name: str) -> str:
    return f"{index} {name}"


def _alive(function: Function) -> dict[str, tuple[int, int]]:
    """From which step to which a buffer of the arena is touched."""
    out: dict[str, tuple[int, int]] = {}
    for at, step in enumerate(function.steps):
        for operand in (*step.inputs, *step.outputs):
            if operand.kind is OperandKind.VIEW:
                index = function.views[operand.index].buffer
                name = _name(index, function.buffers[index].name)
                out[name] = (out.get(name, (at, at))[0], at)
    return out


def _optional_head(function: Function) -> bool:
    """Whether the logits are made by one product and nothing else, so that rows may be left out."""
    buffers = {at for at, b in enumerate(function.buffers) if b.space is Space.OUTPUT}
    views = {at for at, view in enumerate(function.views) if view.buffer in buffers}

    def made(step: Step) -> bool:
        return any(o.kind is OperandKind.VIEW and o.index in views for o in step.outputs)

    def read(step: Step) -> bool:
        return any(o.kind is OperandKind.VIEW and o.index in views for o in step.inputs)

    makers = [step for step in function.steps if made(step)]
    alone = len(makers) == 1 and makers[0].op is Op.LINEAR and len(makers[0].outputs) == 1
    return alone and not any(read(step) for step in function.steps)
