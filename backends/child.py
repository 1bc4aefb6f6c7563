"""Run an artifact in a child process: a damaged one may crash its runtime, but not the compiler."""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from optimum_compile.backends.base import Call, Case, Conformance, Tolerance
from optimum_compile.backends.compare import failed, judge
from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.package.cases import load_cases, save_cases

MEMORY_LIMIT_BYTES = 64 << 30
TIMEOUT_S = 3600
STDERR_CHARS = 800


def verify_in_child(
    module: str, by: str, artifact: Path, cases: tuple[Case, ...], tolerance: Tolerance
) -> Conformance:
    """Run `python -m module ARTIFACT CASES OUT` and compare what it wrote with the cases."""
    with tempfile.TemporaryDirectory(prefix="optimum-verify-") as folder:
        given, answer = Path(folder) / "cases.npz", Path(folder) / "out.npz"
        save_cases(given, cases)
        command = [sys.executable, "-P", "-m", module, str(artifact), str(given), str(answer)]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=TIMEOUT_S,
                check=False,
                preexec_fn=limit_resources,
                # Threads that wait for work must not spin: others may need the cores.
                env={"OMP_WAIT_POLICY": "PASSIVE", **os.environ, "PYTHONFAULTHANDLER": "0"},
            )
        except subprocess.TimeoutExpired:
            return failed(artifact.name, tolerance, f"no answer within {TIMEOUT_S} s")
        if done.returncode != 0:
            lines = [line for line in done.stderr.strip().splitlines() if line.strip()]
            last = lines[-1][-STDERR_CHARS:] if lines else ""
            how = f"signal {-done.returncode}" if done.returncode < 0 else f"exit {done.returncode}"
            return failed(artifact.name, tolerance, f"the runtime failed ({how}): {last}")
        try:
            answers = load_cases(answer)
        except InputError as error:
            return failed(artifact.name, tolerance, str(error))
    got = [[call.expected for call in case.calls] for case in answers]
    try:
        return judge(artifact.name, by, got, cases, tolerance)
    except ValueError as error:  # another number of calls or outputs than was asked for
        return failed(artifact.name, tolerance, f"the answers do not fit the cases: {error}")


def limit_resources() -> None:
    """In the child, before it starts: no core files, and a bound on its memory."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))


def answer(cases: Sequence[Case], outputs: Sequence[Sequence[Sequence]], path: Path) -> None:
    """Write what a child computed, in the form of cases."""
    made = tuple(
        Case(tuple(Call(c.function, {}, tuple(o)) for c, o in zip(case.calls, calls, strict=True)))
        for case, calls in zip(cases, outputs, strict=True)
    )
    save_cases(path, made)
