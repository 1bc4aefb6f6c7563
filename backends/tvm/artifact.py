"""The folder `NAME.tvm`: what lies where, and the reader that believes nothing.

kernels.json           versions, targets, kernels with their arguments and users, stored matrices
metadata.json          stages and provenance, as every artifact has them
program.txt            the graph that calls the kernels
weights.safetensors    packed parts of matrices; other weights in float32
host/kernels.o         executed here
aarch64-linux-android/kernels.o, opencl/*.cl, metal/*.metal   not executed
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optimum_compile.backends.tvm.build import ANDROID
from optimum_compile.backends.tvm.kernels import Kernel, MatVec, threads_for
from optimum_compile.backends.tvm.matrices import Matrix, find_units
from optimum_compile.backends.tvm.parts import Stored
from optimum_compile.backends.tvm.plan import KernelPlan, is_stored, plan_kernels
from optimum_compile.backends.tvm.program import read_program
from optimum_compile.compiler.errors import InputError, UserError
from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.stages.notes import InStage

FORMAT = 1
DOCUMENT, METADATA, PROGRAM = "kernels.json", "metadata.json", "program.txt"
WEIGHTS, OBJECT, HOST = "weights.safetensors", "kernels.o", "host"
MAX_TEXT_BYTES = 1 << 28
MAX_SIDE = 1 << 31
# What the reader compiles for, so that an artifact cannot ask for anything else.
HOST_TARGETS = (
    ("x86_64-linux-gnu", "x86-64-v3"),
    ("x86_64-linux-gnu", "x86-64"),
    ("aarch64-linux-gnu", "generic"),
)
LABELS = {
    f"{HOST}/{OBJECT}": "executed by verify, with the program's other nodes by the reference executor",
    f"{ANDROID['mtriple']}/{OBJECT}": "not executed: no Android device here",
    "opencl": "not executed: no Adreno GPU here",
    "metal": "not executed: no Apple GPU here",
}


@dataclass(frozen=True)
class Artifact:
    """What a folder holds, but for the bytes of weights and objects."""

    folder: Path
    tvm: str
    target: dict[str, str]
    graph: Graph
    stored: dict[str, Stored]
    plan: KernelPlan


def document_of(
    graph: Graph,
    plan: KernelPlan,
    stored: Mapping[str, Stored],
    target: Mapping[str, str],
    tvm: str,
) -> str:
    """The text of `kernels.json`."""
    content = {
        "format": FORMAT,
        "tvm": tvm,
        "host": dict(target),
        "android": ANDROID,
        "files": LABELS,
        "kernels": {kernel.name: _kernel(plan, kernel) for kernel in plan.kernels},
        "matrices": {
            name: {
                "rows": entry.rows,
                "columns": entry.columns,
                "scheme": str(entry.scheme),
                "parts": dict(entry.keys),
            }
            for name, entry in stored.items()
        },
    }
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def _kernel(plan: KernelPlan, kernel: Kernel) -> dict[str, Any]:
    uses = plan.uses(kernel)
    stages = {note.index for nodes in uses for note in map(_stage, nodes) if note is not None}
    found: dict[str, Any] = {
        "kind": "matvec" if isinstance(kernel, MatVec) else "mlp",
        "matrices": [_matrix(matrix) for matrix in kernel.matrices],
        "arguments": [[a.name, a.dtype, a.count] for a in kernel.arguments],
        "stages": sorted(stages),
        "modules": [[node.origin for node in nodes] for nodes in uses],
        "gpu": _launches(kernel),
    }
    return found if isinstance(kernel, MatVec) else found | {"activation": kernel.activation}


def _launches(kernel: Kernel) -> list[dict[str, Any]]:
    """GPU functions in order; their arguments have the names of the kernel's, sorted."""
    if isinstance(kernel, MatVec):
        threads, rows = threads_for(kernel.matrix), kernel.matrix.rows
        return [{"function": f"{kernel.name}_kernel", "workgroups": rows, "threads": threads}]
    threads = max(threads_for(kernel.gate), threads_for(kernel.up))
    last = {"workgroups": kernel.down.rows, "threads": threads_for(kernel.down)}
    return [
        {
            "function": f"{kernel.name}_kernel",
            "workgroups": kernel.gate.rows,
            "threads": threads,
        },
        {"function": f"{kernel.name}_kernel_1", **last},
    ]


def _matrix(matrix: Matrix) -> dict[str, Any]:
    shape = {"rows": matrix.rows, "columns": matrix.columns, "bias": matrix.bias}
    return shape | {"scheme": str(matrix.scheme)}


def _stage(node: Node) -> InStage | None:
    return node.notes.get(InStage)


def read_text(folder: Path, name: str) -> str:
    """A text file of an artifact. Raises InputError where there is none of a sane size."""
    path = folder / name
    try:
        if path.stat().st_size > MAX_TEXT_BYTES:
            raise InputError(
                f"{path}: more than {MAX_TEXT_BYTES} bytes; not a file of this program"
            )
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error


def read_metadata(folder: Path) -> str:
    """Stages and provenance (JSON text). Raises InputError for another folder."""
    return read_text(folder, METADATA)


def read_artifact(folder: Path) -> Artifact:
    """Everything but bytes. Raises InputError for a folder that was not made by `emit`, or is damaged."""
    document = _json(folder)
    graph = read_program(read_text(folder, PROGRAM))
    try:
        if document["format"] != FORMAT:
            raise InputError(f"format {document['format']!r}: expected {FORMAT}")
        target = {key: str(document["host"][key]) for key in ("mtriple", "mcpu")}
        if tuple(target.values()) not in HOST_TARGETS:
            raise InputError(f"a host {target!r:.200}: expected one of {HOST_TARGETS}")
        stored = {str(n): _stored(str(n), entry) for n, entry in document["matrices"].items()}
        _same_matrices(graph, stored)
        plan = plan_kernels(graph, {name: entry.scheme for name, entry in stored.items()})
        if [kernel.name for kernel in plan.kernels] != sorted(document["kernels"]):
            raise InputError("its kernels are not those of its program")
        return Artifact(folder, str(document["tvm"]), target, graph, stored, plan)
    except UserError as error:
        raise InputError(f"{folder / DOCUMENT}: {error}") from error
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{folder / DOCUMENT}: damaged: {error!r:.200}") from error


def _json(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads(read_text(folder, DOCUMENT))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{folder / DOCUMENT}: damaged: {error}") from error
    if not isinstance(found, dict):
        raise InputError(f"{folder / DOCUMENT}: expected a JSON object")
    return found


def _stored(name: str, entry: Mapping[str, Any]) -> Stored:
    rows, columns, scheme = entry["rows"], entry["columns"], parse_scheme(entry["scheme"])
    for side in (rows, columns):
        if not isinstance(side, int) or isinstance(side, bool) or not 1 <= side < MAX_SIDE:
            raise InputError(f"{name}: {side!r:.40} rows or columns")
    reason = find_units(scheme, rows, columns)
    if isinstance(reason, str):
        raise InputError(f"{name}: {reason}")
    keys = {str(part): str(key) for part, key in entry["parts"].items()}
    return Stored(rows, columns, scheme, tuple(sorted(keys.items())))


def _same_matrices(graph: Graph, stored: Mapping[str, Stored]) -> None:
    """Raise InputError where the program has other matrices than those that are stored."""
    wanted = {n: v.type.static_shape() for n, v in graph.weights.items() if is_stored(v)}
    if wanted != {name: (entry.rows, entry.columns) for name, entry in stored.items()}:
        raise InputError("its matrices are not those of its program")
