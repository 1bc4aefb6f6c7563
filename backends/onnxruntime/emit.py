"""Emit an `.onnx`: one graph with a symbolic length, and a file of weights beside it where it is large."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from optimum_compile.backends.base import EmitOptions, EmitResult
from optimum_compile.backends.onnxruntime.ort_format import ORT_SUFFIX, save_ort
from optimum_compile.backends.onnxruntime.schemes import fixed_bytes, stored_bytes
from optimum_compile.backends.onnxruntime.toolchain import load_onnx
from optimum_compile.compiler.decoder import is_decoder
from optimum_compile.compiler.errors import InputError, OptimumCompileError, ToolchainError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.kv import KvStored
from optimum_compile.passes.precision.notes import Quantized
from optimum_compile.passes.precision.units import units_of

METADATA_KEY = "optimum_compile.stages"
IN_PLACE_KEY = "optimum_compile.in_place"
CONTEXT_KEY, PREFILL_KEY = "optimum_compile.context", "optimum_compile.max_prefill"
DATA_SUFFIX = ".data"
OPSET, IR_VERSION = 21, 10  # with 4-bit types; every runtime that has 2-bit MatMulNBits has these
# Above this the weights lie in a file of their own: protobuf ends at 2 GiB and copies what it holds.
INLINE_BYTES = 512 << 20
# Numbers of groups are spread to blocks, and widened, when the `.ort` is made; so it is larger.
MOST_ORT_BYTES = 1 << 30
ALIGNMENT = 4096  # of tensors in that file, so that runtimes can map them
MAX_MODEL_BYTES = (1 << 31) - 1


def functions_of(graph: Graph) -> tuple[str, ...]:
    """What the one graph serves: prefill and decode are the same one with another length."""
    if not is_decoder(graph):
        return ("forward",)
    return ("prefill", "decode") if "seq" in graph.symbols else ("decode",)


def emit(
    graph: Graph,
    options: EmitOptions,
    out: Path,
    *,
    int8: bool = False,
    caches: Mapping[str, KvStored] | None = None,
    inline_bytes: int = INLINE_BYTES,
) -> EmitResult:
    """Write the model `out`, with more than `inline_bytes` of weights in `out`.data beside it.

    With `int8` the runtime rounds activations wherever it has a kernel that multiplies them. `caches`
    has the schemes of caches in codes by state name; others are float32.

    Raises ToolchainError when the SDK fails, UnsupportedError for a cache that cannot be in codes.
    """
    load_onnx()
    expected = fixed_bytes(graph) + sum(
        stored_bytes(note.scheme, unit.use, int8=int8)
        for unit in units_of(graph)
        if (note := graph.weights[unit.name].notes.get(Quantized)) is not None
    )
    data = None if expected <= inline_bytes else out.with_name(out.name + DATA_SUFFIX)
    part = out.with_name(f".{out.name}.part")
    data_part = out.with_name(f".{out.name}{DATA_SUFFIX}.part")
    try:
        with _Sink(data, data_part) as sink:
            model = _build(graph, options, sink, int8, caches or {})
        part.write_bytes(model.SerializeToString(deterministic=True))
        if data is not None:
            data_part.replace(data)
        part.replace(out)
        _check(out, data)
        remarks = _save_ort(out, sink.total)
    except (OptimumCompileError, OSError):
        raise
    except Exception as error:
        # onnx raises anything; its own words are kept.
        raise ToolchainError(f"onnx could not build {options.name}: {error!r}") from error
    finally:
        part.unlink(missing_ok=True)
        data_part.unlink(missing_ok=True)
    beside = () if data is None else (data,)
    return EmitResult(out, sink.total, functions_of(graph), remarks, beside)


def _save_ort(out: Path, weight_bytes: int) -> tuple[str, ...]:
    """The same model in ONNX Runtime's own format beside it, where one file can hold it."""
    if weight_bytes > MOST_ORT_BYTES:
        return (f"onnxruntime: no {ORT_SUFFIX} beside it, for these end at 2 GiB",)
    other = out.with_suffix(ORT_SUFFIX)
    save_ort(out, other)
    size = other.stat().st_size
    return (
        f"onnxruntime: {other.name} ({size} bytes) is the same model in ONNX Runtime's own format: an app "
        "needs one of the two, and sizes are those of the .onnx",
    )


def _check(out: Path, data: Path | None) -> None:
    """Let onnx check the finished model; what does not pass is removed."""
    try:
        load_onnx().checker.check_model(str(out))
    except BaseException:
        out.unlink(missing_ok=True)
        if data is not None:
            data.unlink(missing_ok=True)
        raise


class _Sink:
    """Initialisers, in the model itself or in a file beside it."""

    def __init__(self, data: Path | None, part: Path) -> None:
        self.tensors: list[Any] = []
        self.total = 0
        self._location = None if data is None else data.name
        self._part = part
        self._file: Any = None

    def __enter__(self) -> "_Sink":
        self._file = None if self._location is None else self._part.open("wb")
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, name: str, data: np.ndarray, kind: int, shape: Sequence[int]) -> None:
        """See `lower.Sink`."""
        from onnx import TensorProto

        raw = np.ascontiguousarray(data)
        tensor = TensorProto(name=name, data_type=kind, dims=shape)
        self.total += raw.nbytes
        if self._file is None:
            tensor.raw_data = raw.tobytes()
        else:
            self._file.write(b"\0" * (-self._file.tell() % ALIGNMENT))
            where = {"location": self._location, "offset": self._file.tell(), "length": raw.nbytes}
            tensor.data_location = TensorProto.EXTERNAL
            for key, value in where.items():
                tensor.external_data.add(key=key, value=str(value))
            self._file.write(raw.data)
        self.tensors.append(tensor)


def _build(
    graph: Graph, options: EmitOptions, sink: _Sink, int8: bool, caches: Mapping[str, KvStored]
) -> Any:
    from onnx import helper

    from optimum_compile.backends.onnxruntime.lower import PAST, Lowering, output_names, type_of
    from optimum_compile.backends.onnxruntime.lower_ops import finish, lower_nodes

    low = Lowering(graph, sink, int8=int8, caches=caches)
    lower_nodes(low)
    outputs = output_names(graph)
    finish(low, outputs)
    states = [low.port(s.read, f"{PAST}{s.name}") for s in graph.states]
    body = helper.make_graph(
        low.nodes,
        options.name,
        [type_of(v, v.name) for v in graph.inputs] + states,
        [low.port(value, name) for name, value in outputs],
        sink.tensors,
        value_info=low.shapes,
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(
        body, opset_imports=opsets, ir_version=IR_VERSION, producer_name="optimum-compile"
    )
    facts = {METADATA_KEY: options.metadata_json, IN_PLACE_KEY: str(_in_place(graph)).lower()}
    if graph.states:
        facts |= {CONTEXT_KEY: str(options.context), PREFILL_KEY: str(options.max_prefill)}
    helper.set_model_props(model, dict(sorted(facts.items())))
    return model


def _in_place(graph: Graph) -> bool:
    """Whether a caller may bind one buffer as every state before and after a call.

    It may where the only reader of the old value is the write that makes the new one.
    """
    return all(
        len(s.read.uses) == 1
        and s.written.producer is s.read.uses[0][0]
        and s.read.uses[0][0].op in ("kv_write", "index_copy")
        for s in graph.states
    )


def read_model(artifact: Path) -> Any:
    """The model without its external data. Raises InputError for what is no model of this program.

    What names files is checked: all weights outside lie in one plain file beside the model, named
    after it, and inside its length.
    """
    onnx = load_onnx()
    if not artifact.is_file() or artifact.stat().st_size > MAX_MODEL_BYTES:
        raise InputError(f"{artifact}: expected a file of at most {MAX_MODEL_BYTES} bytes")
    try:
        model = onnx.load(str(artifact), load_external_data=False)
    except Exception as error:  # protobuf's own errors differ between its implementations
        raise InputError(f"{artifact}: damaged: {error}") from error
    if model.functions or model.training_info or model.graph.sparse_initializer:
        raise InputError(f"{artifact}: not a model of this program: it has functions of its own")
    outside = [t for t in model.graph.initializer if t.data_location == onnx.TensorProto.EXTERNAL]
    if outside:
        _check_outside(artifact, outside)
    for node in model.graph.node:
        if any(a.t.external_data for a in node.attribute):
            raise InputError(f"{artifact}: node {node.name} keeps data in another file")
        if any(a.HasField("g") or a.graphs or a.tensors for a in node.attribute):
            raise InputError(f"{artifact}: node {node.name} has graphs or tensors inside")
    return model


def _check_outside(artifact: Path, tensors: Sequence[Any]) -> None:
    data = artifact.with_name(artifact.name + DATA_SUFFIX)
    if data.is_symlink() or not data.is_file() or data.stat().st_nlink != 1:
        raise InputError(f"{data}: expected a plain file with the weights of {artifact.name}")
    size = data.stat().st_size
    for tensor in tensors:
        found = {entry.key: entry.value for entry in tensor.external_data}
        where, length = found.get("offset", "0"), found.get("length", "")
        numbers = where.isdecimal() and length.isdecimal() and len(where + length) < 40
        if found.get("location") != data.name or not numbers or int(where) + int(length) > size:
            raise InputError(f"{artifact}: {tensor.name} lies outside {data.name}: {found}")


def read_metadata(artifact: Path) -> str:
    """The metadata of a model, from the file alone."""
    props = {p.key: p.value for p in read_model(artifact).metadata_props}
    return str(props.get(METADATA_KEY, ""))
