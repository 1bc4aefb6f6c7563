"""Sessions on several threads: the same bits as on one, and numbers of threads that cannot be."""

import ctypes
import shutil
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest
from support.native_seeds import decoder, every_step

from optimum_compile.backends.native.library import library
from optimum_compile.backends.native.session import Logits, Model, Session
from optimum_compile.compiler.errors import InputError, ToolchainError
from optimum_compile.runtime_stub.build import runtime_program

PROMPT = [5, 17, 3, 88, 41, 9, 2, 60, 33, 12, 7]


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return decoder(tmp_path_factory.mktemp("threads"))


def answers(session: Session) -> tuple[np.ndarray, list[int]]:
    session.reset()
    return session.run(PROMPT, Logits.ALL), session.generate([1], 8)


@pytest.mark.parametrize("worth", [1, 131072])
def test_every_number_of_threads_gives_the_same_bits(model, worth) -> None:
    library().oc_probe_worth_sharing(ctypes.c_int64(worth))
    session = Model(model).session()
    logits, tokens = answers(session)
    for threads in (2, 3, 7, 1, 0, 2):
        session.set_threads(threads)
        found, made = answers(session)
        np.testing.assert_array_equal(found, logits)
        assert made == tokens
    library().oc_probe_worth_sharing(ctypes.c_int64(131072))


@pytest.mark.parametrize("threads", [-1, 257, 10_000])
def test_impossible_numbers_are_refused(model, threads) -> None:
    session = Model(model).session()
    with pytest.raises(InputError, match=f"{threads} threads: expected 1 to 256"):
        session.set_threads(threads)
    status = session._library.oc_session_set_threads(session._handle, threads)
    assert status == 1
    assert f"{threads} threads; 1 to 256" in session._library.oc_last_error().decode()
    np.testing.assert_array_equal(answers(session)[0], answers(Model(model).session())[0])


def test_sessions_on_threads_of_their_own(model) -> None:
    opened = Model(model)
    wanted, found = answers(opened.session())[0], []

    def work() -> None:
        session = opened.session()
        session.set_threads(2)
        found.append(answers(session)[0])

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    for logits in found:
        np.testing.assert_array_equal(logits, wanted)


def test_the_program_takes_threads(model) -> None:
    program = runtime_program("tools/oc_run.cpp")
    said = []
    for more in ([], ["--threads", "3"], ["--threads", "0"]):
        words = [str(program), str(model), "-p", "5,17,3", "-n", "6", *more]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
        said.append(done.stdout)
    assert said[0] == said[1] == said[2]
    words = [str(program), str(model), "-p", "5", "--threads", "10000"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "10000 threads" in done.stderr


@pytest.fixture(scope="module")
def sharing() -> list[str]:
    """A program that shares every step, however small, under the thread sanitizer."""
    flags = ("-g", "-O1", "-fsanitize=thread", "-DOC_SHARE_ALWAYS")
    try:
        program = runtime_program("tools/oc_run.cpp", flags)
    except ToolchainError as error:
        pytest.skip(f"the compiler has no thread sanitizer: {error}")
    # Old sanitizers do not know where new kernels put memory.
    return [*(("setarch", "-R") if shutil.which("setarch") else ()), str(program)]


@pytest.mark.slow
@pytest.mark.parametrize(("make", "count"), [(decoder, 3), (every_step, 0)])
def test_steps_that_are_shared_race_for_nothing_and_give_the_same_bits(
    sharing, make, count, tmp_path
) -> None:
    path, logits, said = make(tmp_path), tmp_path / "logits", []
    for threads in ("1", "2", "5"):
        words = [*sharing, str(path), "-p", "1,2,3,4,5", "-n", str(count), "--threads", threads]
        done = subprocess.run(
            [*words, "-l", str(logits)], capture_output=True, text=True, timeout=300, check=False
        )
        if "unexpected memory mapping" in done.stderr:
            pytest.skip(done.stderr)
        assert "WARNING" not in done.stderr
        assert done.returncode == 0, done.stderr
        said.append((done.stdout, logits.read_bytes()))
    assert said[0] == said[1] == said[2]
