"""The program `oc_run`: alone on this machine, and cross-built for aarch64 under qemu."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from support.native_seeds import decoder

from optimum_compile.backends.native.session import Model
from optimum_compile.runtime_stub.build import PORTABLE, RUNTIME, runtime_program

ROOT = Path(__file__).parents[2] / "runtime_stub"
CROSS, QEMU = "aarch64-linux-gnu-g++", "qemu-aarch64"
PROMPT = [5, 17, 3, 88, 41, 9, 2, 60, 33, 12, 7]


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return decoder(tmp_path_factory.mktemp("cross"))


def answers(command: list[str], model: Path, out: Path) -> tuple[list[int], np.ndarray]:
    """Greedy tokens, and the logits of the prompt."""
    ids = ",".join(map(str, PROMPT))
    words = [*command, str(model), "-c", "-p", ids, "-n", "6", "-l", str(out), "-v"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "0 of caches" in done.stderr
    tokens = [int(word) for word in done.stdout.split()]
    return tokens, np.fromfile(out, np.float32).reshape(len(PROMPT), -1)


def expected(model: Path) -> tuple[list[int], np.ndarray]:
    session = Model(model).session()
    logits = session.run(PROMPT)
    tokens = [int(logits[-1].argmax())]
    while len(tokens) < 6:
        tokens.append(int(session.decode(tokens[-1]).argmax()))
    return tokens, logits


def test_the_program_gives_what_the_library_gives(model, tmp_path):
    program = runtime_program("tools/oc_run.cpp")
    tokens, logits = answers([str(program)], model, tmp_path / "logits")
    wanted, other = expected(model)
    assert tokens == wanted
    np.testing.assert_array_equal(logits, other)


def test_cmake_builds_the_same_sources():
    (listed,) = re.findall(r"add_library\(optimum_compile\s([^)]*)\)", _cmake())
    assert sorted(listed.split()) == sorted([*PORTABLE, *RUNTIME])
    folders = (ROOT / "src" / "runtime", ROOT / "src" / "gpu")
    on_disk = {str(path.relative_to(ROOT)) for each in folders for path in each.glob("*.cpp")}
    assert on_disk == set(RUNTIME)


def _cmake() -> str:
    return (ROOT / "CMakeLists.txt").read_text()


def test_aarch64_under_qemu(model, tmp_path):
    missing = [name for name in (CROSS, QEMU) if shutil.which(name) is None]
    if missing:
        pytest.skip(
            f"{' and '.join(missing)} missing (Debian: apt-get install g++-aarch64-linux-gnu qemu-user)"
        )
    program = runtime_program("tools/oc_run.cpp", ("-static", "-O1"), CROSS)
    tokens, logits = answers([QEMU, str(program)], model, tmp_path / "logits")
    wanted, other = expected(model)
    assert tokens == wanted
    np.testing.assert_allclose(logits, other, rtol=1e-4, atol=1e-4 * float(np.abs(other).max()))


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "usage: oc_run"),
        (["-p", "1", "-n", "x"], 2, "usage: oc_run"),
        (["-p", "1 2,99999"], 1, "token 2 is 99999; the vocabulary has 96"),
        (["-p", ",".join(["1"] * 25)], 1, "0 tokens are in the cache and 25 new ones do not fit"),
        (["-p", "1", "-m", "10"], 1, "the limit of the session is 10"),
    ],
)
def test_what_cannot_be_done_is_said(model, arguments, code, said):
    program = runtime_program("tools/oc_run.cpp")
    words = [str(program), str(model), *arguments]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
