"""Graphs with schemes by name, for targets that store no weights, and the real tools they are for."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from optimum_compile.backends.base import Backend, EmitOptions, EmitResult
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.units import units_of


def assigned(folder: Path, scheme_of: Callable[[str, int], str]) -> Graph:
    """The graph of a folder with a scheme on every matrix, by its name and its place."""
    graph = open_model(folder).graph
    for at, unit in enumerate(units_of(graph)):
        graph.weights[unit.name].notes.put(Precision(parse_scheme(scheme_of(unit.name, at))))
    return graph


def emit_rules(graph: Graph, backend: Backend, folder: Path, name: str = "tiny") -> EmitResult:
    """What a backend without weights writes."""
    options = EmitOptions(name, 8, 8, '{"target":"test"}', folder)
    return backend.emit(graph, options, folder / f"{name}{backend.suffix}")


def given_tool(variable: str, command: str | None = None) -> str:
    """The program that an environment variable names, or one on the PATH. Skips the test without."""
    found = os.environ.get(variable) or (shutil.which(command) if command else None)
    if not found:
        where = f", or {command} on the PATH" if command else ""
        pytest.skip(f"needs the program that {variable} names{where}")
    return str(found)


def run_tool(*arguments: str | Path, env: Mapping[str, str] | None = None) -> str:
    """Run a program; returns what it printed, and fails the test where it fails."""
    done = subprocess.run(
        [str(a) for a in arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **(env or {})},
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    return done.stdout + done.stderr
