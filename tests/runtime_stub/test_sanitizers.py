"""The runtime under the address and undefined-behaviour sanitizers: sound programs, and mutated ones."""

import os
import subprocess
from pathlib import Path

import pytest
from support.native_seeds import decoder, every_step

from optimum_compile.compiler.errors import ToolchainError
from optimum_compile.runtime_stub.build import runtime_program

SANITIZE = ("-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
QUICK, WHOLE = 1_000, 10_000


@pytest.fixture(scope="module")
def fuzzer() -> Path:
    try:
        return runtime_program("test/fuzz.cpp", SANITIZE)
    except ToolchainError as error:
        pytest.skip(f"the compiler has no sanitizers: {error}")


@pytest.fixture(scope="module")
def seeds(tmp_path_factory) -> tuple[Path, ...]:
    """A planned decoder with coded caches, one program with every step and kind of weight, one for GPUs."""
    return (
        decoder(tmp_path_factory.mktemp("decoder")),
        every_step(tmp_path_factory.mktemp("every")),
        decoder(tmp_path_factory.mktemp("gpu"), gpu=True),
    )


def fuzz(fuzzer: Path, seed: Path, count: int, first: int = 0) -> dict[str, dict[str, int]]:
    """How many mutated copies ended in each status, opening and running."""
    done = subprocess.run(
        [str(fuzzer), str(seed), str(count), str(first)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env={**os.environ, "UBSAN_OPTIONS": "print_stacktrace=1"},
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-4000:]
    assert "Sanitizer" not in said
    assert "runtime error" not in said
    found = {}
    for line in done.stdout.splitlines():
        name, _, counts = line.partition(":")
        pairs = (each.split(" ", 1) for each in counts.split("  ")[1:])
        found[name] = {text: int(number) for number, text in pairs}
    return found


@pytest.mark.parametrize("seed", range(6))
def test_every_step_on_odd_views_is_clean(fuzzer, tmp_path, seed):
    fuzz(fuzzer, every_step(tmp_path, seed), 0)


@pytest.mark.parametrize("at", [0, 1, 2])
def test_mutated_programs_end_in_a_status(fuzzer, seeds, at):
    found = fuzz(fuzzer, seeds[at], QUICK)
    assert sum(found["opened"].values()) > 0.9 * QUICK
    assert found["opened"]["the file is damaged or no native program"] > QUICK / 2
    # Forged copies get through to where the sizes of a call decide.
    assert found["ran"]["the program cannot run at these sizes"] > 0
    assert found["ran"]["ok"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("at", [0, 1, 2])
def test_ten_thousand_mutated_programs_end_in_a_status(fuzzer, seeds, at):
    found = fuzz(fuzzer, seeds[at], WHOLE, QUICK)
    assert sum(found["opened"].values()) > 0.9 * WHOLE
