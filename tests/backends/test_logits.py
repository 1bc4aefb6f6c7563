"""The child that answers token windows: what it prints, how it fails, how it ends."""

import os

import numpy as np
import pytest

from optimum_compile.backends import logits as module
from optimum_compile.backends.logits import ArtifactLogits
from optimum_compile.compiler.errors import InputError, ResourceError

CHILD = """
import os, sys, time
import numpy as np
from optimum_compile.backends.logits import serve

print("loading")

def load(artifact):
    print("chatter of an SDK")
    os.write(1, b"chatter of its C++ part")
    return predict

def predict(tokens):
    {body}
    return np.eye(16, dtype=np.float32)[tokens]

serve(load, sys.argv[1:])
"""
TOKENS = np.array([3, 1, 2])


@pytest.fixture
def child(tmp_path, monkeypatch):
    def make(body="pass"):
        (tmp_path / "fake_logits_child.py").write_text(CHILD.format(body=body))
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        return ArtifactLogits("fake_logits_child", "fake runtime", tmp_path / "model.bin")

    return make


def test_one_child_answers_every_window_whatever_it_prints(child):
    with child('print("thinking")') as predict:
        pids = {predict._child.pid}
        for tokens in (TOKENS, TOKENS[:1], np.arange(16)):
            found = predict(tokens)
            assert np.array_equal(found.argmax(-1), tokens)
            pids.add(predict._child.pid)
        assert len(pids) == 1
        folder = predict._folder.name
    assert not os.path.exists(folder)  # noqa: PTH110
    with pytest.raises(ProcessLookupError):
        os.kill(pids.pop(), 0)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("os.abort()", r"model\.bin: the runtime failed \(signal 6\)"),
        ("raise ValueError('method missing')", r"failed \(exit 1\): ValueError: method missing"),
        ("sys.exit(3)", r"failed \(exit 3\)"),
        ("return np.zeros((2, 16), np.float32)", r"3 tokens gave float32 \(2, 16\); expected"),
        ("return np.zeros((3, 16), np.int32)", r"3 tokens gave int32 \(3, 16\); expected"),
    ],
)
def test_a_child_that_fails_is_an_error_with_its_own_words(child, body, message):
    with child(body) as predict, pytest.raises(InputError, match=message):
        predict(TOKENS)


def test_a_child_that_died_before_the_window_is_an_error_too(child):
    with child() as predict:
        predict(TOKENS)
        predict._child.kill()
        predict._child.wait()
        with pytest.raises(InputError, match=r"the runtime failed \(signal 9\)"):
            predict(TOKENS)


def test_a_child_that_never_answers_is_stopped(child, monkeypatch):
    monkeypatch.setattr(module, "TIMEOUT_S", 3)
    with child("time.sleep(1000)") as predict:
        with pytest.raises(ResourceError, match=r"model\.bin: no answer within 3 s"):
            predict(TOKENS)
        assert predict._child.wait(5) == -9


def test_a_child_that_is_busy_when_we_leave_is_ended(child, monkeypatch):
    monkeypatch.setattr(module, "CLOSE_TIMEOUT_S", 0.2)
    with child("time.sleep(1000)") as predict:
        predict._child.stdin.write(b"\n")
        process = predict._child
    assert process.returncode is not None


def test_a_missing_file_is_an_error_of_the_artifact(tmp_path):
    backend = "optimum_compile.backends.executorch.logits"
    with (
        ArtifactLogits(backend, "", tmp_path / "no.pte") as predict,
        pytest.raises(InputError, match=r"no\.pte: the runtime failed \(exit 1\)"),
    ):
        predict(TOKENS)
