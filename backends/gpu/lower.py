"""From a native program to the section `GPU`: every step becomes dispatches."""

from collections.abc import Callable, Iterator, Mapping

from optimum_compile.backends.gpu import attention, axes, linear, rows
from optimum_compile.backends.gpu.dispatch import Launch, Recorder
from optimum_compile.backends.gpu.frame import Frame
from optimum_compile.backends.gpu.hazards import Hazards
from optimum_compile.backends.gpu.section import GpuSection
from optimum_compile.backends.native.arenas import expressions
from optimum_compile.backends.native.program import Op, OperandKind, Program, Step, WeightKind
from optimum_compile.compiler.errors import InternalError

LOWERINGS: Mapping[Op, Callable[[Frame], Iterator[Launch]]] = {
    Op.EMBEDDING: linear.embedding,
    Op.LINEAR: linear.linear,
    Op.RMS_NORM: rows.rms_norm,
    Op.LAYER_NORM: rows.layer_norm,
    Op.ADD_RMS_NORM: rows.add_rms_norm,
    Op.HADAMARD: rows.hadamard,
    Op.ROPE: rows.rope,
    Op.KV_WRITE: attention.kv_write,
    Op.ATTENTION: attention.attention,
    Op.KV_ATTENTION: attention.kv_attention,
    Op.GATED: rows.gated,
    Op.UNARY: rows.unary,
    Op.BINARY: rows.binary,
    Op.SOFTMAX: axes.softmax,
    Op.ROUTE: axes.route,
    Op.COPY: rows.copy,
    Op.REDUCE: axes.reduce,
    Op.SKIP: lambda frame: iter(()),  # dispatches are recorded: nothing of them can be left out
}


def launches_of(frame: Frame) -> Iterator[Launch]:
    """The dispatches of the frame's step. Raises UnsupportedError where no kernel computes it."""
    return LOWERINGS[frame.step.op](frame)


def lower_section(program: Program, starts: Mapping[int, int] | None = None) -> GpuSection:
    """The dispatches of all functions; starts: see `Frame`.

    Raises UnsupportedError for what no kernel computes.
    """
    dims = expressions(program)
    recorder = Recorder((symbol.name for symbol in program.symbols), program.widths)
    for function in program.functions:
        frame = Frame(program, function, dims, starts)
        hazards = Hazards(frame.ranges, frame.alive)
        for step in function.steps:
            frame.step = step
            place = len(recorder)
            for launch in launches_of(frame):
                recorder.add(launch, step.stage, hazards)
            if _reads_nested(program, step):
                _change(recorder, frame, place)
        recorder.end_function(optional_head=frame.optional_head)
    return recorder.section()


def _change(recorder: Recorder, frame: Frame, place: int) -> None:
    """What the step of the frame, whose dispatches begin at `place`, is at each width."""
    for index, width in enumerate(recorder.widths):
        frame.width = width
        launches = list(launches_of(frame))
        if len(launches) != len(recorder) - place:
            raise InternalError(f"{frame.step.op.name}: {len(launches)} dispatches at {width} bits")
        for at, launch in enumerate(launches, place):
            recorder.change(index, at, launch)
    frame.width = 0


def _reads_nested(program: Program, step: Step) -> bool:
    held = (o.index for o in step.inputs if o.kind is OperandKind.WEIGHT)
    return any(program.weights[index].kind is WeightKind.NESTED for index in held)
