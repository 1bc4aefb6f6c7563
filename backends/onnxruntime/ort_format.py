"""Models in ONNX Runtime's own format, which its small builds for phones load: `NAME.ort`.

It is what `onnxruntime.tools.convert_onnx_models_to_ort` writes at the level "basic": constants are
folded, and nothing is fused for one processor, so that every execution provider still finds its operators.

The runtime writes its table of operators in the order of a hash map, which differs from call to call. That
table is written again in the order of its keys, so that the same model gives the same bytes.
"""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from optimum_compile.backends.onnxruntime.toolchain import FATAL_ONLY, load_runtime
from optimum_compile.compiler.errors import ToolchainError

ORT_SUFFIX = ".ort"
IDENTIFIER = b"ORTM"
# Places of fields in the vtables of the format's schema (InferenceSession, and the tables of operators).
VERSION, MODEL, OPERATORS = 4, 6, 10
FIRST, SECOND = 4, 6
ALIGNMENT = 16
Rows = list[tuple[bytes, list[tuple[bytes, list[tuple[int, int]]]]]]


def forms_of(model: Path) -> tuple[Path, ...]:
    """The `.onnx` at `model`, and the `.ort` beside it if there is one."""
    other = model.with_suffix(ORT_SUFFIX)
    return (model, other) if other.is_file() else (model,)


def save_ort(model: Path, out: Path) -> None:
    """Write the `.onnx` at `model` in the format of `.ort` to `out`. Raises ToolchainError."""
    runtime = load_runtime()
    options = runtime.SessionOptions()
    options.log_severity_level = FATAL_ONLY
    options.intra_op_num_threads = 1
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(out)
    options.add_session_config_entry("session.save_model_format", "ORT")
    try:
        runtime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        with_sorted_operators(out)
    except Exception as error:  # its exceptions have no common base but Exception
        out.unlink(missing_ok=True)
        raise ToolchainError(f"{model.name}: cannot be saved as {out.name}: {error}") from error


def with_sorted_operators(path: Path) -> None:
    """Write the table of operators of a `.ort` in the order of its keys.

    The buffer is written from its end, the model first. So the table lies in front of the model, and what
    is behind it stays as it is.
    """
    data = path.read_bytes()
    flatbuffers: Any = import_module("flatbuffers")
    root = flatbuffers.table.Table(data, _word(data, 0))
    model = _target(root, MODEL)
    begin = min(model, model - int.from_bytes(data[model : model + 4], "little", signed=True))
    version, operators = _target(root, VERSION), _target(root, OPERATORS)
    if data[4:8] != IDENTIFIER or not (version > begin > operators > 0):
        raise ValueError("the parts of the file are not in the order that is known")
    rows = sorted(_rows(flatbuffers.table.Table(data, operators)))
    head = _head(flatbuffers, rows, model - begin, version - begin, (len(data) - begin))
    with path.open("wb") as file:
        file.write(head)
        file.write(memoryview(data)[begin:])


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def _target(table: Any, field: int) -> int:
    """Where a field's table or text lies."""
    at = table.Offset(field)
    if not at:
        raise ValueError(f"the file has no field {field}")
    return int(table.Indirect(at + table.Pos))


def _entries(table: Any, field: int) -> Iterator[Any]:
    """The tables of a vector."""
    at = table.Offset(field)
    begin, count = (table.Vector(at), table.VectorLen(at)) if at else (0, 0)
    for index in range(count):
        yield type(table)(table.Bytes, table.Indirect(begin + 4 * index))


def _rows(table: Any) -> Rows:
    """The table of operators: names of each one's types, and which arguments have them."""
    out = []
    for entry in _entries(table, FIRST):
        kinds = []
        for kind in _entries(entry, SECOND):
            places = [(_byte(a, FIRST), _long(a, SECOND)) for a in _entries(kind, SECOND)]
            kinds.append((_text(kind), places))
        out.append((_text(entry), sorted(kinds)))
    return out


def _text(table: Any) -> bytes:
    return bytes(table.String(table.Offset(FIRST) + table.Pos))


def _byte(table: Any, field: int) -> int:
    at = table.Offset(field)
    return table.Bytes[at + table.Pos] if at else 0


def _long(table: Any, field: int) -> int:
    at = table.Offset(field)
    return _word(table.Bytes, at + table.Pos) if at else 0


def _head(flatbuffers: Any, rows: Rows, model: int, version: int, length: int) -> bytes:
    """What comes before `length` bytes in which the model and the version begin at these places."""
    builder = flatbuffers.Builder(1 << 14)
    # A short stand-in for the bytes behind; offsets are counted from the end.
    short = 4 * ALIGNMENT + length % ALIGNMENT
    builder.minalign = ALIGNMENT
    builder.Pad(short)
    operators = _vector(builder, [_operator(builder, *row) for row in rows])
    builder.StartObject(1)
    builder.PrependUOffsetTRelativeSlot(0, operators, 0)
    resolver = builder.EndObject()
    builder.StartObject(4)
    builder.PrependUOffsetTRelativeSlot(3, resolver, 0)
    builder.PrependUOffsetTRelativeSlot(1, short - model, 0)
    builder.PrependUOffsetTRelativeSlot(0, short - version, 0)
    builder.Finish(builder.EndObject(), file_identifier=IDENTIFIER)
    return bytes(builder.Output()[:-short])


def _operator(builder: Any, name: bytes, kinds: list[tuple[bytes, list[tuple[int, int]]]]) -> Any:
    made = []
    for text, places in kinds:
        arguments = _vector(builder, [_argument(builder, *place) for place in places])
        made.append(_pair(builder, text, arguments))
    return _pair(builder, name, _vector(builder, made))


def _argument(builder: Any, kind: int, index: int) -> Any:
    builder.StartObject(2)
    builder.PrependUint32Slot(1, index, 0)
    builder.PrependInt8Slot(0, kind, 0)
    return builder.EndObject()


def _pair(builder: Any, text: bytes, rest: Any) -> Any:
    key = builder.CreateString(text)
    builder.StartObject(2)
    builder.PrependUOffsetTRelativeSlot(1, rest, 0)
    builder.PrependUOffsetTRelativeSlot(0, key, 0)
    return builder.EndObject()


def _vector(builder: Any, offsets: list[Any]) -> Any:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()
