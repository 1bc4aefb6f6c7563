"""Write a folder `NAME.tvm`: kernels compiled for each target, the program that calls them, weights."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from optimum_compile.backends.base import EmitOptions, EmitResult
from optimum_compile.backends.tvm.artifact import (
    DOCUMENT,
    HOST,
    METADATA,
    OBJECT,
    PROGRAM,
    WEIGHTS,
    document_of,
)
from optimum_compile.backends.tvm.build import ANDROID, METAL, OPENCL, sources, write_object
from optimum_compile.backends.tvm.kernels import Kernel
from optimum_compile.backends.tvm.parts import Stored, load_packed, part_arrays, scheme_of
from optimum_compile.backends.tvm.plan import is_stored, plan_kernels
from optimum_compile.backends.tvm.program import plain_weights, program_text
from optimum_compile.backends.tvm.toolchain import host_target, require
from optimum_compile.compiler.decoder import is_decoder
from optimum_compile.compiler.errors import InternalError, UnsupportedError
from optimum_compile.compiler.ir.graph import Graph, Value
from optimum_compile.passes.symbolic_shape.lengths import DECODE, PREFILL, SEQ

GPUS = (("opencl", ".cl", OPENCL), ("metal", ".metal", METAL))
NOT_EXECUTED = "// Not executed where it was made: no such GPU there.\n"


def emit(graph: Graph, options: EmitOptions, out: Path) -> EmitResult:
    """Write the folder `out`. Raises UnsupportedError for a graph without a linear that kernels compute."""
    version, target = require(), host_target()
    matrices = {n: v for n, v in graph.weights.items() if graph.is_used(v) and is_stored(v)}
    plan = plan_kernels(graph, {name: scheme_of(value) for name, value in matrices.items()})
    if not plan.linears:
        raise UnsupportedError("tvm: the model has no linear, and nothing else is compiled here")
    out.mkdir()
    stored: dict[str, Stored] = {}
    arrays: dict[str, np.ndarray] = {}
    for name, value in matrices.items():
        stored[name], found = part_arrays(name, load_packed(value))
        arrays |= found
    for name, value in plain_weights(graph).items():
        arrays[f"plain:{name}"] = _plain(value)
    _write_weights(out / WEIGHTS, arrays)
    (out / PROGRAM).write_text(program_text(graph), "ascii")
    (out / METADATA).write_text(options.metadata_json, "utf-8")
    (out / DOCUMENT).write_text(document_of(graph, plan, stored, target, version), "utf-8")
    write_kernels(plan.kernels, target, out)
    total = sum(data.nbytes for data in arrays.values())
    names: tuple[str, ...] = (DECODE,) if is_decoder(graph) else ("forward",)
    if is_decoder(graph) and SEQ in graph.symbols:
        names = (PREFILL, DECODE)
    remark = (
        f"tvm: {len(plan.kernels)} kernels; host/{OBJECT} is executed by verify; "
        f"{ANDROID['mtriple']}/{OBJECT}, OpenCL and Metal sources are not executed here"
    )
    return EmitResult(out, total, names, (remark,))


def write_kernels(kernels: Iterable[Kernel], target: dict[str, str], out: Path) -> None:
    """Write objects and GPU sources into their folders below `out`."""
    each = tuple(kernels)
    for name, wanted in ((HOST, target), (ANDROID["mtriple"], ANDROID)):
        (out / name).mkdir()
        write_object(each, wanted, out / name / OBJECT)
    for name, suffix, gpu in GPUS:
        (out / name).mkdir()
        for function, text in sources(each, gpu).items():
            (out / name / f"{function}{suffix}").write_text(NOT_EXECUTED + text, "utf-8")


def _plain(value: Value) -> np.ndarray:
    ref = value.weight
    if ref is None:
        raise InternalError(f"%{value.name} is computed; a weight was expected")
    return np.ascontiguousarray(ref.load_f32() if ref.type.dtype.is_float else ref.load())


def _write_weights(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Tensors sorted by type and name, as the library writes them: equal ones give equal bytes."""
    from safetensors.numpy import save_file

    save_file(arrays, str(path))
