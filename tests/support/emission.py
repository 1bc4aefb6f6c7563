"""From a small graph to an artifact and the oracle's cases, for the tests of backends."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from optimum_compile.backends.base import (
    Backend,
    Case,
    Conformance,
    EmitOptions,
    EmitResult,
    Tolerance,
)
from optimum_compile.backends.compare import judge
from optimum_compile.compiler.conformance import CaseOptions, caches_at, make_cases, widths_at
from optimum_compile.compiler.decoder import context_of
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.pass_manager import PassManager
from optimum_compile.compiler.quant.scheme import Scheme
from optimum_compile.passes.precision.assign import AssignPrecision
from optimum_compile.passes.precision.classes import ClassOptions
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.quantize import QuantizeWeights
from optimum_compile.passes.precision.units import units_of
from optimum_compile.passes.stages.cut import CutStages

METADATA = '{"stages":[{"name":"stage0_int8"}]}'


@dataclass(frozen=True)
class Emitted:
    graph: Graph
    result: EmitResult
    cases: tuple[Case, ...]


def quantised(graph: Graph, work: Path, backend: Backend, policy: str, bits: int = 8) -> Graph:
    """The graph with the notes that a backend expects."""
    assign = AssignPrecision(policy, bits, backends=(backend,), classes=ClassOptions())
    PassManager([assign, QuantizeWeights(work / "weights"), CutStages()]).run(graph)
    return graph


def with_schemes(graph: Graph, schemes: Mapping[str, Scheme], work: Path) -> Graph:
    """The graph with a scheme by weight name ("" for all others)."""
    for unit in units_of(graph):
        scheme = schemes.get(unit.name, schemes.get(""))
        assert scheme is not None
        graph.weights[unit.name].notes.put(Precision(scheme))
    PassManager([QuantizeWeights(work / "weights"), CutStages()]).run(graph)
    return graph


def emitted(graph: Graph, work: Path, backend: Backend, name: str = "model") -> Emitted:
    """Emit a quantised graph, and compute what the oracle expects of it."""
    seq = graph.symbols.get("seq")
    options = EmitOptions(
        name=name,
        context=context_of(graph) or 0,
        max_prefill=seq.high if seq else 1,
        metadata_json=METADATA,
        work=work,
    )
    result = backend.emit(graph, options, work / f"{name}{backend.suffix}")
    kv = caches_at(graph, backend)
    cases = make_cases(
        graph, None, None, None, CaseOptions(), kv=kv, widths=widths_at(graph, backend)
    )
    return Emitted(graph, result, cases)


def compared(made: Emitted, tolerance: Tolerance) -> Conformance:
    """Run the cases in this process (`Backend.verify` takes a child) and compare."""
    artifact = made.result.artifact
    got = run_cases(artifact, made.cases)
    return judge(artifact.name, "this process", got, made.cases, tolerance)


def run_cases(artifact: Path, cases: tuple[Case, ...]) -> list[list[list[np.ndarray]]]:
    """Outputs by case, call and output."""
    runs = {".mlpackage": _run_package, ".pte": _run_program, ".onnx": _run_model}
    return runs[artifact.suffix](artifact, cases)


def _run_package(artifact: Path, cases: tuple[Case, ...]) -> list[list[list[np.ndarray]]]:
    from optimum_compile.backends.coreml.interpreter import Package
    from optimum_compile.backends.coreml.runner import run_call

    package, out = Package(artifact), []
    for case in cases:
        package.reset()
        out.append([run_call(package, call) for call in case.calls])
    return out


def _run_model(artifact: Path, cases: tuple[Case, ...]) -> list[list[list[np.ndarray]]]:
    from optimum_compile.backends.onnxruntime.session import Model

    model, out = Model(artifact), []
    for case in cases:
        model.reset()
        out.append([model.call(call.inputs) for call in case.calls])
    return out


def _run_program(artifact: Path, cases: tuple[Case, ...]) -> list[list[list[np.ndarray]]]:
    from optimum_compile.backends.executorch.runner import run_call
    from optimum_compile.backends.executorch.session import Program

    out = []
    for case in cases:
        program = Program(artifact)
        out.append([run_call(program, call) for call in case.calls])
    return out
