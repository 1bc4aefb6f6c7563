"""Steps over rows and single numbers: norms, rotary angles, gates, arithmetic, copies."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from optimum_compile.backends.gpu.dispatch import NOTHING, Given, Launch
from optimum_compile.backends.gpu.frame import Frame, Seen, is_even, joint_runs
from optimum_compile.backends.gpu.linear import ceil_div
from optimum_compile.backends.native.program import Element, OperandKind, Weight, WeightKind
from optimum_compile.compiler.ir.shape import Dim, as_dim
from optimum_compile.passes.subtensor.notes import View

MOST_LEADING = 2  # axes of rows
MOST_AXES = 4  # of views of single numbers
MOST_BLOCK = 4096  # of a Hadamard transform


def rms_norm(frame: Frame) -> Iterator[Launch]:
    """A workgroup a row."""
    x, y = frame.view(frame.step.inputs[0]), frame.view(frame.step.outputs[0])
    weight = vector(frame, 1)
    constants = {"X_HALF": x.half, "W_HALF": 0, "Y_HALF": y.half, "HAS_WEIGHT": has(weight)}
    params, groups = rows_of(frame, {"x": x, "y": y})
    params["eps"] = frame.attribute(0)
    buffers = {"x": x.given, "w": weight, "y": y.given}
    yield Launch("rms_norm", buffers, params, groups, constants)


def layer_norm(frame: Frame) -> Iterator[Launch]:
    """A workgroup a row."""
    x, y = frame.view(frame.step.inputs[0]), frame.view(frame.step.outputs[0])
    weight, bias = vector(frame, 1), vector(frame, 2)
    constants = {"X_HALF": x.half, "W_HALF": 0, "B_HALF": 0, "Y_HALF": y.half}
    constants |= {"HAS_WEIGHT": has(weight), "HAS_BIAS": has(bias)}
    params, groups = rows_of(frame, {"x": x, "y": y})
    params["eps"] = frame.attribute(0)
    buffers = {"x": x.given, "w": weight, "b": bias, "y": y.given}
    yield Launch("layer_norm", buffers, params, groups, constants)


def add_rms_norm(frame: Frame) -> Iterator[Launch]:
    """The sum, and the norm of it."""
    a, b = (frame.view(operand) for operand in frame.step.inputs[:2])
    total, y = (frame.view(operand) for operand in frame.step.outputs)
    weight = vector(frame, 2)
    constants = {"A_HALF": a.half, "B_HALF": b.half, "W_HALF": 0, "SUM_HALF": total.half}
    constants |= {"Y_HALF": y.half, "HAS_WEIGHT": has(weight)}
    params, groups = rows_of(frame, {"a": a, "b": b, "sum": total, "y": y})
    params["eps"] = frame.attribute(0)
    buffers = {"a": a.given, "b": b.given, "w": weight, "sum": total.given, "y": y.given}
    yield Launch("add_rms_norm", buffers, params, groups, constants)


def rope(frame: Frame) -> Iterator[Launch]:
    """Turned heads. Threads have four channels each, or two where four do not divide a head."""
    x, y = frame.view(frame.step.inputs[0]), frame.view(frame.step.outputs[0])
    heads, width = heads_of(frame, x)
    if width % 2 or heads_of(frame, y) != (heads, width):
        raise frame.refuse(f"{heads} heads of {width}")
    table = frame.program.weights[frame.step.inputs[1].index]
    if table.kind is not WeightKind.F32 or table.columns != width:
        raise frame.refuse(
            f"the table {table.name} is {table.kind.name} of {table.columns} columns"
        )
    params: dict[str, Dim | float] = {
        "heads": heads,
        "width": width,
        "past": frame.attribute(0),
        **head_params(frame, "x", x),
        **head_params(frame, "y", y),
    }
    units = heads * (width // 4 if width % 4 == 0 else width // 2)
    buffers = {"x": x.given, "table": _angles(frame, table), "y": y.given}
    constants = {"X_HALF": x.half, "Y_HALF": y.half}
    yield Launch("rope", buffers, params, (-(-units // 64), frame.seq, 1), constants)


def _angles(frame: Frame, table: Weight) -> Given:
    """A table of which the rows of the call's positions are read."""
    return replace(frame.part(table.parts[0]), moved=as_dim(frame.seq * table.columns * 4))


def hadamard(frame: Frame) -> Iterator[Launch]:
    """Blocks of a row, each turned."""
    x, y = frame.view(frame.step.inputs[0]), frame.view(frame.step.outputs[0])
    params, (tokens, heads, _) = rows_of(frame, {"x": x, "y": y})
    block, width = frame.whole(0), int(params.pop("width"))
    if not 2 <= block <= MOST_BLOCK or heads != 1:
        raise frame.refuse(f"blocks of {block} in {heads} rows of a token")
    params = {"block": block} | {n: v for n, v in params.items() if not n.endswith("_head")}
    constants = {"X_HALF": x.half, "Y_HALF": y.half}
    buffers = {"x": x.given, "y": y.given}
    yield Launch("hadamard", buffers, params, (width // block, tokens, 1), constants)


def gated(frame: Frame) -> Iterator[Launch]:
    """An activation of one operand times the other."""
    gate, up = (frame.view(operand) for operand in frame.step.inputs)
    yield from _elements(frame, "gated", {"gate": gate, "up": up}, function=frame.whole(0))


def unary(frame: Frame) -> Iterator[Launch]:
    """A function of each number."""
    x = frame.view(frame.step.inputs[0])
    yield from _elements(frame, "unary", {"x": x}, function=frame.whole(0))


def binary(frame: Frame) -> Iterator[Launch]:
    """A function of two numbers."""
    a, b = (frame.view(operand) for operand in frame.step.inputs)
    yield from _elements(frame, "binary", {"a": a, "b": b}, function=frame.whole(0))


def copy(frame: Frame) -> Iterator[Launch]:
    """Numbers moved."""
    x = frame.view(frame.step.inputs[0])
    if Element.I64 in (x.dtype, frame.view(frame.step.outputs[0]).dtype):
        raise frame.refuse("ids are moved")
    yield from _elements(frame, "copy", {"x": x})


def _elements(
    frame: Frame, kernel: str, inputs: dict[str, Seen], function: int | None = None
) -> Iterator[Launch]:
    """Up to four axes; a thread has two numbers of the last one."""
    y = frame.view(frame.step.outputs[0])
    operands = inputs | {"y": y}
    runs = joint_runs([seen.view for seen in operands.values()])
    if len(runs) > MOST_AXES:
        raise frame.refuse(f"{len(runs)} axes, at most {MOST_AXES}")
    none = (0,) * len(operands)
    sizes: list[Dim] = [1] * (MOST_AXES - len(runs)) + [run.size for run in runs]
    strides = [none] * (MOST_AXES - len(runs)) + [run.strides for run in runs]
    if y.half and (not is_even(sizes[-1]) or strides[-1][-1] != 1):
        raise frame.refuse(f"numbers of fp16 with gaps: {y.view}")
    require_even(frame, y)
    params: dict[str, Dim | float] = {"width": sizes[3], "size_1": sizes[1]}
    for at, (name, seen) in enumerate(operands.items()):
        params[f"{name}_at"] = seen.at
        params |= {f"{name}_{axis}": strides[axis][at] for axis in range(MOST_AXES)}
    constants = {f"{name.upper()}_HALF": seen.half for name, seen in operands.items()}
    if function is not None:
        constants["FUNCTION"] = function
    groups = (ceil_div(sizes[3], 2 * 64), sizes[2], as_dim(sizes[0] * sizes[1]))
    buffers = {name: seen.given for name, seen in operands.items()}
    yield Launch(kernel, buffers, params, groups, constants)


# ---- operands


def vector(frame: Frame, index: int) -> Given:
    """A norm's weight or bias, which may be absent."""
    inputs = frame.step.inputs
    if index >= len(inputs) or inputs[index].kind is OperandKind.NONE:
        return NOTHING
    weight = frame.program.weights[inputs[index].index]
    if weight.kind is not WeightKind.F32:
        raise frame.refuse(f"{weight.name} is {weight.kind.name}, not float32")
    return frame.part(weight.parts[0])


def has(given: Given) -> int:
    """The constant that says whether there is a buffer."""
    return int(given is not NOTHING)


def rows_of(
    frame: Frame, operands: dict[str, Seen]
) -> tuple[dict[str, Dim | float], tuple[Dim, Dim, Dim]]:
    """Params and groups of operands that are rows of their last axis, under up to two others."""
    views = [seen.view for seen in operands.values()]
    width = views[0].shape[-1]
    for seen in operands.values():
        if seen.view.strides[-1] != 1 and width != 1:
            raise frame.refuse("rows have gaps")
        require_even(frame, seen)
    runs = joint_runs([_leading(view) for view in views])
    if len(runs) > MOST_LEADING:
        raise frame.refuse(f"rows lie under {len(runs)} axes, at most {MOST_LEADING}")
    sizes = [run.size for run in runs] + [1] * (MOST_LEADING - len(runs))
    strides = [run.strides for run in runs] + [(0,) * len(views)] * (MOST_LEADING - len(runs))
    params: dict[str, Dim | float] = {"width": width}
    for at, (name, seen) in enumerate(operands.items()):
        params |= {f"{name}_at": seen.at, f"{name}_token": strides[0][at]}
        params[f"{name}_head"] = strides[1][at]
    return params, (sizes[0], sizes[1], 1)


def _leading(view: View) -> View:
    return View(view.buffer, view.offset, view.shape[:-1], view.strides[:-1])


def require_even(frame: Frame, seen: Seen) -> None:
    """Raise UnsupportedError for fp16 numbers that begin inside a word."""
    axes = zip(seen.shape, seen.view.strides, strict=True)
    outer = [stride for size, stride in list(axes)[:-1] if size != 1]
    last = seen.shape[-1] if seen.shape else 1
    if seen.half and not all(is_even(dim) for dim in (seen.at, last, *outer)):
        raise frame.refuse(f"numbers of fp16 begin or end inside a word: {seen.view}")


def heads_of(frame: Frame, seen: Seen) -> tuple[int, int]:
    """Heads and width of an operand (1, heads, seq, width)."""
    shape = seen.shape
    if len(shape) != 4 or shape[0] != 1 or shape[2] != frame.seq:
        raise frame.refuse(f"{shape} is not (1, heads, {frame.seq}, width)")
    heads, width = shape[1], shape[3]
    if not isinstance(heads, int) or not isinstance(width, int):
        raise frame.refuse(f"{shape} has no known sizes")
    if width != 1 and seen.view.strides[3] != 1:
        raise frame.refuse("heads have gaps")
    require_even(frame, seen)
    return heads, width


def head_params(frame: Frame, name: str, seen: Seen) -> dict[str, Dim]:
    """Where heads of tokens are."""
    strides: Sequence[Dim] = seen.view.strides
    return {f"{name}_at": seen.at, f"{name}_token": strides[2], f"{name}_head": strides[1]}
