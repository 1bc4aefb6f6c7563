"""Graphs with the notes that an NNAPI package needs."""

from pathlib import Path

from support.emission import quantised

from optimum_compile.backends.nnapi.backend import BACKEND
from optimum_compile.compiler.calibration import seeded_tokens
from optimum_compile.compiler.decoder import context_of, vocabulary
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.pass_manager import PassManager
from optimum_compile.passes.precision.activation_ranges import CalibrateActivations


def ready(graph: Graph, work: Path, policy: str = "uniform", bits: int = 8) -> Graph:
    """Quantised and calibrated on random tokens."""
    return calibrated(quantised(graph, work, BACKEND, policy, bits))


def calibrated(graph: Graph) -> Graph:
    """With ranges from random tokens."""
    windows = seeded_tokens(vocabulary(graph), 8, context_of(graph) or 8, 3)
    PassManager([CalibrateActivations(windows)]).run(graph)
    return graph
