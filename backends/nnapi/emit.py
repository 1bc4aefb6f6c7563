"""Emit an NNAPI package: a folder with one graph a function and stage, as `.onnx` and as `.ort`."""

import json
import shutil
from pathlib import Path
from typing import Any

from optimum_compile.backends.base import EmitOptions, EmitResult
from optimum_compile.backends.nnapi.check import Usability, check_usability
from optimum_compile.backends.nnapi.plan import (
    Piece,
    check_decoder,
    function_graph,
    functions_of,
    pieces_of,
)
from optimum_compile.backends.nnapi.program import (
    INDEX,
    CachePort,
    FunctionEntry,
    Program,
    StageFile,
)
from optimum_compile.backends.onnxruntime.emit import METADATA_KEY
from optimum_compile.backends.onnxruntime.ort_format import save_ort
from optimum_compile.backends.onnxruntime.toolchain import load_onnx
from optimum_compile.compiler.errors import OptimumCompileError, ToolchainError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.package.typed import parse_json

OPSET, IR_VERSION = 13, 7  # the least with one scale a row, for old phones
RANGES_KEY, STAGE_KEY = "optimum_compile.ranges", "optimum_compile.stage"
FUNCTION_KEY, TOKENS_KEY = "optimum_compile.function", "optimum_compile.tokens"
DEPRECATED = (
    "nnapi: the API is deprecated since Android 15: for older phones; new apps use android:executorch or "
    "android:onnxruntime"
)
AS_INT8 = (
    "nnapi: every matrix is int8 with one scale a row, whatever scheme it was given, and activations in "
    "front of and behind matrices are uint8 in calibrated ranges"
)
UNRUN = "nnapi: executed by ONNX Runtime's CPU kernels; NNAPI itself was not executed"


def emit(graph: Graph, options: EmitOptions, out: Path) -> EmitResult:
    """Write the folder `out`.

    Raises UnsupportedError for what is no plain decoder or too large for one file, ToolchainError where
    the SDK fails or a node is not on NNAPI's list.
    """
    load_onnx()
    check_decoder(graph)
    part = out.with_name(f".{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    try:
        functions, weight_bytes = [], 0
        for name, tokens in functions_of(graph).items():
            entry, weights = _function(graph, name, tokens, options, part)
            functions.append(entry)
            weight_bytes = max(weight_bytes, weights)
        program = Program(
            context=options.context,
            vocabulary=int(graph.outputs[0].type.shape[-1]),
            caches=_caches(graph),
            functions=tuple(functions),
            metadata=parse_json(options.metadata_json),
        )
        (part / INDEX).write_text(program.to_json(), "utf-8")
        shutil.rmtree(out, ignore_errors=True)
        part.replace(out)
    except (OptimumCompileError, OSError):
        raise
    except Exception as error:
        # onnx and its tools raise anything; their own words are kept.
        raise ToolchainError(f"onnx could not build {options.name}: {error!r}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    names = tuple(f.name for f in functions)
    return EmitResult(out, weight_bytes, names, (_judged(functions), AS_INT8, UNRUN, DEPRECATED))


def _judged(functions: list[FunctionEntry]) -> str:
    stages = [s for f in functions for s in f.stages]
    supported, nodes = sum(s.supported for s in stages), sum(s.nodes for s in stages)
    sizes = ", ".join(f"{f.name} {f.tokens}" for f in functions)
    return (
        f"nnapi: {supported} of {nodes} nodes in {len(stages)} graphs are supported according to "
        f"onnxruntime's usability checker; tokens of each function: {sizes}"
    )


def _caches(graph: Graph) -> tuple[CachePort, ...]:
    """Keys lie turned, so that their products need no transposition."""
    ports = []
    for node in graph.nodes:
        if node.op != "cache_attention":
            continue
        for index, axis in ((1, 3), (2, 2)):
            state = next(s for s in graph.states if s.written is node.input(index))
            one, heads, context, width = state.read.type.static_shape()
            shape = (one, heads, width, context) if axis == 3 else (one, heads, context, width)
            ports.append(CachePort(state.name, shape, axis))
    return tuple(ports)


def _function(
    graph: Graph, name: str, tokens: int, options: EmitOptions, folder: Path
) -> tuple[FunctionEntry, int]:
    made, weight_bytes = [], 0
    fixed = function_graph(graph, tokens)
    for piece in pieces_of(fixed):
        entry, weights = _stage(fixed, piece, name, tokens, options, folder)
        made.append(entry)
        weight_bytes += weights
    return FunctionEntry(name, tokens, tuple(made)), weight_bytes


def _stage(
    graph: Graph, piece: Piece, function: str, tokens: int, options: EmitOptions, folder: Path
) -> tuple[StageFile, int]:
    from onnx import checker, shape_inference

    from optimum_compile.backends.nnapi.lower_ops import lower_piece

    low = lower_piece(graph, piece, tokens, options.context)
    model = _model(low, f"{options.name}.{function}.{piece.name}")
    facts = {
        METADATA_KEY: options.metadata_json,
        RANGES_KEY: json.dumps(low.ranges, sort_keys=True, separators=(",", ":")),
        STAGE_KEY: piece.name,
        FUNCTION_KEY: function,
        TOKENS_KEY: str(tokens),
    }
    for key, text in sorted(facts.items()):
        model.metadata_props.add(key=key, value=text)
    checker.check_model(model, full_check=False)
    model = shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    found = check_usability(model)
    file = f"{function}.{piece.name}"
    path = folder / f"{file}.onnx"
    path.write_bytes(model.SerializeToString(deterministic=True))
    save_ort(path, path.with_suffix(".ort"))
    return _entry(low, piece, file, found), low.weight_bytes


def _model(low: Any, name: str) -> Any:
    from onnx import helper

    body = helper.make_graph(
        low.nodes, name, list(low.inputs.values()), low.outputs, list(low.tensors.values())
    )
    return helper.make_model(
        body,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="optimum-compile",
    )


def _entry(low: Any, piece: Piece, file: str, found: Usability) -> StageFile:
    return StageFile(
        stage=piece.name,
        file=file,
        inputs=tuple(low.inputs),
        outputs=tuple(v.name for v in low.outputs),
        ranges=dict(sorted(low.ranges.items())),
        nodes=found.nodes,
        supported=found.supported,
        partitions=found.partitions,
        verdict=found.verdict,
    )
