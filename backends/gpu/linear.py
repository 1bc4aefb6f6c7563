"""Products and look-ups: which dispatches `linear` and `embedding` become."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from optimum_compile.backends.gpu import outliers
from optimum_compile.backends.gpu.dispatch import NOTHING, Given, Launch
from optimum_compile.backends.gpu.frame import Frame, Matrix, Seen, is_even, matrix_of
from optimum_compile.backends.gpu.section import FIRST
from optimum_compile.backends.gpu.weights import (
    Stored,
    constants_of,
    is_aligned,
    params_of,
    parts_of,
    row_ranges,
    stored,
)
from optimum_compile.backends.native.program import Element, OperandKind, WeightKind
from optimum_compile.compiler.ir.shape import Dim, as_dim, symbol
from optimum_compile.passes.subtensor.notes import View

OUTPUTS = 3  # of the kernels
MOST_OUTPUTS = OUTPUTS  # that one product is given
FEW = 4  # tokens that matvec takes at once
MOST_GROUPS = 1 << 14  # workgroups along the rows; they go on with others
ROWS = 4  # of a workgroup of matvec: their tables of up to 8 bits fit its memory
WIDE = 64  # tokens from which a tile of matmul has 64 x 64 results
MATRIX = 1  # form


def ceil_div(dim: Dim, by: int) -> Dim:
    """The least whole number that is not below the quotient."""
    return as_dim((dim + by - 1) // by)


def linear(frame: Frame) -> Iterator[Launch]:
    """One product for each three outputs, or for as many rows as can be bound."""
    step = frame.step
    weight = stored(frame, step.inputs[1].index)
    x = frame.view(step.inputs[0])
    outputs = [frame.view(operand) for operand in step.outputs]
    places = [matrix_of(frame, seen, frame.seq) for seen in outputs]
    _require_halves(frame, outputs, places)
    begin = 0
    for at in range(0, len(outputs), MOST_OUTPUTS):
        some = slice(at, at + MOST_OUTPUTS)
        rows = sum(place.columns for place in places[some])
        for first, last in row_ranges(weight):
            low, high = max(first, begin), min(last, begin + rows)
            if low < high:
                made = _Product(frame, weight, x, outputs[some], places[some], begin)
                yield made.launch(low, high, first, last)
                if outliers.has_outliers(weight):
                    yield from made.outliers(low, high, first, last)
        begin += rows


class _Product:
    """Outputs of one dispatch; the first of them begins with row `begin` of the weight."""

    def __init__(
        self,
        frame: Frame,
        weight: Stored,
        x: Seen,
        outputs: Sequence[Seen],
        places: Sequence[Matrix],
        begin: int,
    ) -> None:
        self.frame, self.weight, self.x = frame, weight, x
        self.outputs, self.places, self.begin = outputs, places, begin
        self.logits = outputs[0].is_logits and frame.optional_head
        self.given = matrix_of(frame, x, frame.seq)
        if self.given.columns != weight.weight.columns:
            raise frame.refuse(f"{self.given.columns} columns of x for {weight.weight.name}")

    def launch(self, low: int, high: int, held: int, end: int) -> Launch:
        """The dispatch for rows `low` .. `high` - 1; parts are bound for rows `held` .. `end` - 1."""
        frame, weight = self.frame, self.weight
        tokens, x = self._tokens()
        bias, residual = self._bias(), self._residual()
        ends, at = [], self.begin
        for place in self.places:
            at += place.columns
            ends.append(at)
        ends += [ends[-1]] * (OUTPUTS - len(ends))
        outer = Matrix(0, 0, 1, 0, 0)
        params: dict[str, Dim | float] = {"tokens": tokens, **x.params("x")}
        params |= (residual[1] if residual else outer).params("residual")
        for index in range(OUTPUTS):
            place = self.places[index] if index < len(self.places) else outer
            # Rows of the first output count from 0, those of the others from where they begin.
            if index == 0 and self.begin:
                place = self._back(place)
            params |= place.params(f"y{index}")
        params |= {"end0": ends[0], "end1": ends[1]} | params_of(weight, low, high, held)
        aligned = is_aligned(weight) and self._even(x)
        half = [seen.half for seen in self.outputs] + [0] * OUTPUTS
        constants = {
            "ALIGNED": int(aligned),
            "X_HALF": self.x.half,
            "X_RUNS": int(x.inner != weight.weight.columns),
            "BIAS": int(bias is not NOTHING),
            "RESIDUAL": int(residual is not None),
            "RESIDUAL_HALF": residual[0].half if residual else 0,
            **{f"Y{index}_HALF": half[index] for index in range(OUTPUTS)},
            **constants_of(weight),
        }
        held_outputs = [_narrowed(s, p, low, high, self.begin) for s, p in self._pairs()]
        buffers = {"x": self.x.given, "bias": bias} | parts_of(frame, weight, held, end)
        buffers["residual"] = residual[0].given if residual else NOTHING
        for index in range(OUTPUTS):
            buffers[f"y{index}"] = held_outputs[index] if index < len(held_outputs) else NOTHING
        return self._shaped(buffers, params, constants, high - low, tokens)

    def outliers(self, low: int, high: int, held: int, end: int) -> Iterator[Launch]:
        """What outliers add to the same rows, one output after the other."""
        frame, weight, begin = self.frame, self.weight, self.begin
        tokens, x = self._tokens()
        kernel = outliers.kernel_of(weight)
        parts = outliers.parts_of(frame, weight, frame.step.inputs[1].index, held, end)
        for seen, place in self._pairs():
            first, last = max(low, begin), min(high, begin + place.columns)
            if first < last:
                y = _narrowed(seen, place, first, last, begin)
                params = x.params("x") | place.params("residual") | place.params("y")
                rows = {"row_begin": first, "row_end": last, "y_row": begin}
                params |= rows | {"columns": weight.weight.columns}
                params |= {"held": held} if kernel == outliers.KERNELS[True] else {}
                constants = {
                    "X_HALF": self.x.half,
                    "X_RUNS": int(x.inner != weight.weight.columns),
                    "RESIDUAL": 1,
                    "RESIDUAL_HALF": seen.half,
                    "Y_HALF": seen.half,
                    **outliers.constants_of(weight),
                }
                buffers = {"x": self.x.given, "residual": y, "y": y, **parts}
                groups = (min(-(-(last - first) // 8), MOST_GROUPS), tokens, 1)
                yield Launch(kernel, buffers, params, groups, constants, logits=self.logits)
            begin += place.columns

    def _shaped(
        self,
        buffers: dict[str, Given],
        params: dict[str, Dim | float],
        constants: dict[str, int],
        rows: int,
        tokens: Dim,
    ) -> Launch:
        """The kernel, its workgroups and their size."""
        frame, kind = self.frame, self.weight.kernel
        few = frame.seq if isinstance(frame.seq, int) and frame.seq <= FEW else 0
        # Of a prompt mostly the logits of its last token are wanted.
        if frame.whole(0) != MATRIX or few or self.logits:
            at_once = few or (FEW if self.logits else 1)
            groups = (min(-(-rows // ROWS), MOST_GROUPS), ceil_div(tokens, at_once), 1)
            constants = {"ROWS": ROWS, "TOKENS": at_once, **constants}
            return Launch(f"matvec_{kind}", buffers, params, groups, constants, logits=self.logits)
        local, tile_rows, tile_tokens = (
            (256, 64, 64) if frame.function.high > WIDE else (64, 32, 32)
        )
        groups = (min(-(-rows // tile_rows), MOST_GROUPS), ceil_div(tokens, tile_tokens), 1)
        return Launch(f"matmul_{kind}", buffers, params, groups, constants, local, self.logits)

    def _tokens(self) -> tuple[Dim, Matrix]:
        """How many tokens, and x from the first of them on."""
        seq = self.frame.seq
        if not self.logits or seq == 1:
            return seq, self.given
        first = symbol(FIRST)
        return as_dim(seq - first), replace(
            self.given, at=as_dim(self.given.at + first * self.given.token)
        )

    def _pairs(self) -> Iterator[tuple[Seen, Matrix]]:
        return zip(self.outputs, self.places, strict=True)

    def _back(self, place: Matrix) -> Matrix:
        if place.inner != place.columns:
            raise self.frame.refuse("more than three outputs, one of them in runs")
        return replace(place, at=as_dim(place.at - self.begin), inner=1 << 30)

    def _bias(self) -> Given:
        inputs = self.frame.step.inputs
        if len(inputs) < 3 or inputs[2].kind is OperandKind.NONE:
            return NOTHING
        weight = self.frame.program.weights[inputs[2].index]
        if weight.kind is not WeightKind.F32:
            raise self.frame.refuse(f"the bias {weight.name} is {weight.kind.name}")
        return self.frame.part(weight.parts[0])

    def _residual(self) -> tuple[Seen, Matrix] | None:
        inputs = self.frame.step.inputs
        if len(inputs) < 4 or inputs[3].kind is OperandKind.NONE:
            return None
        seen = self.frame.view(inputs[3])
        return seen, matrix_of(self.frame, seen, self.frame.seq)

    def _even(self, x: Matrix) -> bool:
        places = all(is_even(dim) for dim in (x.at, x.token, x.outer))
        runs = x.inner == self.weight.weight.columns or (
            isinstance(x.inner, int) and x.inner % 8 == 0
        )
        return places and runs


def _require_halves(frame: Frame, outputs: Sequence[Seen], places: Sequence[Matrix]) -> None:
    row = 0
    for seen, place in zip(outputs, places, strict=True):
        dims = (place.at, place.token, place.outer, place.columns, row)
        if seen.half and not (all(is_even(d) for d in dims) and is_even(place.inner)):
            raise frame.refuse(f"an output of fp16 begins or ends inside a word: {seen.view}")
        row += place.columns


def _narrowed(seen: Seen, place: Matrix, low: int, high: int, begin: int) -> Given:
    """An output with the part of its view that rows `low` .. `high` - 1 are, where that is one."""
    if seen.given.place != "arena" and not seen.is_logits:
        return seen.given
    first = max(low - begin, 0)
    last = min(high - begin, place.columns)
    if place.inner != place.columns or (first, last) == (0, place.columns) or last <= first:
        return seen.given
    view = seen.view
    count = view.shape[:-1] if view.shape[-1] == place.columns else None
    if count is None:
        return seen.given
    cut = View(view.buffer, as_dim(view.offset + first), (*count, last - first), view.strides)
    moved = as_dim(seen.given.moved * (last - first) // place.columns)
    return replace(seen.given, views=(cut,), moved=moved)


def embedding(frame: Frame) -> Iterator[Launch]:
    """Rows of the table by the ids of the tokens."""
    step = frame.step
    weight = stored(frame, step.inputs[1].index)
    if outliers.has_outliers(weight):
        raise frame.refuse(f"{weight.weight.name} has outliers, and rows of it are looked up")
    ids, y = frame.view(step.inputs[0]), frame.view(step.outputs[0])
    place, row = matrix_of(frame, y, frame.seq), matrix_of(frame, ids, frame.seq)
    if ids.dtype is not Element.I64 or (row.columns, row.token) not in ((1, 1), (1, 0)):
        raise frame.refuse("its ids are no row of tokens")
    _require_halves(frame, [y], [place])
    runs = place.inner == place.columns or (isinstance(place.inner, int) and place.inner % 8 == 0)
    aligned = is_aligned(weight) and runs and all(map(is_even, (place.at, place.token)))
    constants = {"ALIGNED": int(aligned), "Y_HALF": y.half, **constants_of(weight)}
    for begin, end in row_ranges(weight):
        params = {"ids_at": ids.at} | place.params("y") | params_of(weight, begin, end, begin)
        read = {
            name: replace(given, moved=as_dim(frame.seq * weight.row_bytes(name)))
            for name, given in parts_of(frame, weight, begin, end).items()
        }
        buffers = {"ids": ids.given, "y": y.given, **read}
        groups = (-(-weight.weight.columns // 512), frame.seq, 1)
        yield Launch(f"embed_{weight.kernel}", buffers, params, groups, constants)
