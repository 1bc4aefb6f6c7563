"""Emit an `.mlpackage`: build the functions, save them with shared weights, fix what is random."""

import json
import shutil
import uuid
from pathlib import Path
from typing import Any

import numpy as np

from optimum_compile.backends.base import EmitOptions, EmitResult
from optimum_compile.backends.coreml.schemes import PREFILL_TOKENS
from optimum_compile.backends.coreml.toolchain import load, quiet, scratch
from optimum_compile.compiler.errors import InternalError, OptimumCompileError, ToolchainError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.shape import Dim
from optimum_compile.passes.symbolic_shape.lengths import PREFILL, decoder_functions
from optimum_compile.passes.symbolic_shape.sizes import module_sizes
from optimum_compile.passes.symbolic_shape.specialize import specialize

METADATA_KEY = "com.optimum-compile.stages"
NAMESPACE = uuid.UUID("6f0d4f0e-2f6b-5b2d-9c1e-0c6b1c3f7a10")


def functions_of(graph: Graph, options: EmitOptions) -> dict[str, Graph]:
    """The functions of a graph, every shape a number.

    A decoder has `prefill`, a chunk of fixed length that the caller pads, and `decode`; with lengths of
    the user's, `prefill_64` and the like. Chunks are fixed because the runtime does not combine states
    with flexible shapes. What padding writes into the cache lies behind the prompt: the causal mask hides
    it until the next tokens overwrite it.
    """
    if graph.states and "seq" in graph.symbols:
        functions = decoder_functions(graph)
        if PREFILL in functions:
            chunk = min(PREFILL_TOKENS, options.max_prefill)
            functions[PREFILL] = specialize(graph, {"seq": chunk})
        return functions
    if graph.states and [v.name for v in graph.inputs] == ["tokens", "past"]:
        return {"decode": graph}
    fixed: dict[str, Dim] = {**module_sizes(graph)}
    return {"forward": specialize(graph, fixed) if fixed else graph}


def emit(graph: Graph, options: EmitOptions, out: Path) -> EmitResult:
    """Write the package `out`. Raises ToolchainError when the SDK fails."""
    ct = load()
    functions = functions_of(graph, options)
    work = options.work / "coreml"
    work.mkdir(parents=True, exist_ok=True)
    try:
        with quiet(), scratch(work):
            parts = {}
            for name, function in functions.items():
                parts[name] = work / f"{name}.mlpackage"
                _save_function(ct, function, options, parts[name])
            _join(ct, parts, out)
            _set_metadata(ct, out, options)
    except (OptimumCompileError, OSError):
        raise
    except Exception as error:
        # coremltools raises anything; its own words are kept.
        raise ToolchainError(f"coremltools could not build {options.name}: {error!r}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    _fix_manifest(out)
    weights = next(out.rglob("weight.bin"), None)
    size = weights.stat().st_size if weights is not None else 0
    return EmitResult(out, size, tuple(functions), ())


def _save_function(ct: Any, graph: Graph, options: EmitOptions, path: Path) -> None:
    program = build_program(graph, options)
    model = ct.convert(
        program,
        convert_to="mlprogram",
        minimum_deployment_target=ct.target.iOS18,
        pass_pipeline=_pipeline(ct),
        compute_precision=ct.precision.FLOAT32,  # the types in the program stand as they are
        skip_model_load=True,
    )
    model.save(str(path))


def _pipeline(ct: Any) -> Any:
    """No rewriting: the program is final. Three of the default passes would even break it.

    remove_redundant_ops merges state reads across writes, canonicalize_quantized_lut_pattern
    expands tables, and constant folding unpacks weights.
    """
    return ct.PassPipeline.EMPTY


def build_program(graph: Graph, options: EmitOptions) -> Any:
    """The MIL program of one function."""
    from coremltools.converters.mil import Builder as mb
    from coremltools.converters.mil.mil import Function, Program, types

    from optimum_compile.backends.coreml.lower import Lowering
    from optimum_compile.backends.coreml.lower_ops import lower_nodes

    inputs: dict[str, Any] = {}
    for value in graph.inputs:
        kind = types.fp32 if value.type.dtype.is_float else types.int32
        inputs[value.name] = mb.placeholder(value.type.static_shape(), dtype=kind)
    names = {s.name: s.name.replace(".", "_") for s in graph.states}
    for state in graph.states:
        shape = state.read.type.static_shape()
        inputs[names[state.name]] = mb.state_tensor_placeholder(shape, dtype=types.fp16)
    program = Program()
    import coremltools

    with Function(inputs, opset_version=coremltools.target.iOS18) as function:
        states = {s.name: function.inputs[names[s.name]] for s in graph.states}
        plain = {v.name: function.inputs[v.name] for v in graph.inputs}
        low = Lowering(graph, states, plain)
        low.memo["context"] = options.context
        outputs = []
        for index, var in enumerate(lower_nodes(low)):
            name = "logits" if graph.states and index == 0 else f"output{index}"
            is_float = graph.outputs[index].type.dtype.is_float
            outputs.append(mb.cast(x=var, dtype="fp32" if is_float else "int32", name=name))
        function.set_outputs(outputs)
    program.add_function("main", function)
    program.export_as_multifunction = False
    return program


def _join(ct: Any, parts: dict[str, Path], out: Path) -> None:
    if len(parts) == 1:
        shutil.copytree(next(iter(parts.values())), out)
        return
    joined = ct.utils.MultiFunctionDescriptor()
    for name, path in parts.items():
        joined.add_function(str(path), src_function_name="main", target_function_name=name)
    joined.default_function_name = "decode"
    ct.utils.save_multifunction(joined, str(out))


def _set_metadata(ct: Any, out: Path, options: EmitOptions) -> None:
    """Write the metadata into the specification itself.

    After joining, because `save_multifunction` drops it; deterministically, because protobuf maps
    are otherwise written in the order of a hash.
    """
    from coremltools.proto import Model_pb2

    file = next(out.rglob("model.mlmodel"))
    spec = Model_pb2.Model()
    spec.ParseFromString(file.read_bytes())
    spec.description.metadata.userDefined.clear()
    spec.description.metadata.userDefined[METADATA_KEY] = options.metadata_json
    spec.description.metadata.shortDescription = f"{options.name}, compiled by optimum-compile"
    file.write_bytes(spec.SerializeToString(deterministic=True))


def _fix_manifest(out: Path) -> None:
    """Replace the random identifiers of Manifest.json by ones that depend on the paths alone."""
    file = out / "Manifest.json"
    data = json.loads(file.read_text("utf-8"))
    entries = data["itemInfoEntries"]
    fixed = {str(uuid.uuid5(NAMESPACE, e["path"])).upper(): e for e in entries.values()}
    roots = [k for k, e in fixed.items() if e == entries[data["rootModelIdentifier"]]]
    if len(roots) != 1:
        raise InternalError(f"{file}: no root model among {len(fixed)} entries")
    data["itemInfoEntries"] = dict(sorted(fixed.items()))
    data["rootModelIdentifier"] = roots[0]
    file.write_text(json.dumps(data, indent=4, sort_keys=True) + "\n", "utf-8")


def read_metadata(artifact: Path) -> str:
    """The metadata of a package, from its specification alone."""
    load()
    from coremltools.proto import Model_pb2

    file = next(artifact.rglob("model.mlmodel"), None)
    if file is None:
        raise ToolchainError(f"{artifact}: no model.mlmodel in the package")
    spec = Model_pb2.Model()
    spec.ParseFromString(file.read_bytes())
    return str(spec.description.metadata.userDefined.get(METADATA_KEY, ""))


def pad_tokens(tokens: np.ndarray, chunk: int) -> np.ndarray:
    """Tokens (1, n) padded with zeros to (1, chunk)."""
    return np.pad(tokens, ((0, 0), (0, chunk - tokens.shape[1])))
