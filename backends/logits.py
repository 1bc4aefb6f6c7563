"""Logits of an emitted decoder, window by window, from a child process.

A damaged artifact may crash its runtime, but not this program; and memory holds one window at a
time, whatever the length of the text. Parent and child share a folder with two files: the tokens
asked for and the logits that answer them. One byte on a pipe says that a file is ready.
"""

import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np

from optimum_compile.backends.child import STDERR_CHARS, TIMEOUT_S, limit_resources
from optimum_compile.compiler.errors import InputError, ResourceError

Predict = Callable[[np.ndarray], np.ndarray]  # token ids (n,) -> logits (n, vocab)
TOKENS, LOGITS = "tokens.npy", "logits.npy"
CLOSE_TIMEOUT_S = 10


class ArtifactLogits:
    """The logits of one artifact; `executed_by` names the runtime. Use it as a context manager."""

    def __init__(self, module: str, executed_by: str, artifact: Path, width: int = 0) -> None:
        """width: bits that nested weights are read with, where the module's `load` takes one; 0 for all."""
        self.executed_by = executed_by
        self.artifact = artifact
        self._module = module
        self._width = width
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._replies = -1

    def __enter__(self) -> "ArtifactLogits":
        self._folder = tempfile.TemporaryDirectory(prefix="optimum-logits-")
        # A pipe of its own, because SDKs print to stdout when they like.
        self._replies, theirs = os.pipe()
        where = [str(self.artifact), self._folder.name, str(theirs)]
        if self._width:
            where.append(str(self._width))
        with (Path(self._folder.name) / "stderr").open("wb") as errors:
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-m", self._module, *where],
                bufsize=0,  # else closing stdin of a dead child writes what is left, and fails
                stdin=subprocess.PIPE,
                stdout=errors,
                stderr=errors,
                pass_fds=(theirs,),
                preexec_fn=limit_resources,
                # Threads that wait for work must not spin: two processes share the cores.
                env={"OMP_WAIT_POLICY": "PASSIVE", **os.environ, "PYTHONFAULTHANDLER": "0"},
            )
        os.close(theirs)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()
        if self._folder is not None:
            self._folder.cleanup()

    def __call__(self, tokens: np.ndarray) -> np.ndarray:
        """Logits (n, vocab) float32 after each of the tokens (n,), on empty states.

        Raises InputError when the artifact cannot be run, ResourceError when it never answers.
        """
        child, folder = self._child, self._folder
        if child is None or folder is None or child.stdin is None:
            raise RuntimeError("ArtifactLogits is a context manager; enter it first")
        np.save(Path(folder.name) / TOKENS, np.asarray(tokens, np.int64), allow_pickle=False)
        try:
            child.stdin.write(b"\n")
        except BrokenPipeError:
            raise self._failure(child, Path(folder.name)) from None
        if not select.select([self._replies], [], [], TIMEOUT_S)[0]:
            child.kill()
            raise ResourceError(f"{self.artifact}: no answer within {TIMEOUT_S} s")
        if not os.read(self._replies, 1):
            raise self._failure(child, Path(folder.name))
        try:
            logits: np.ndarray = np.load(Path(folder.name) / LOGITS, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise InputError(f"{self.artifact}: its answer cannot be read: {error}") from error
        if logits.ndim != 2 or len(logits) != len(tokens) or logits.dtype.kind != "f":
            raise InputError(
                f"{self.artifact}: {len(tokens)} tokens gave {logits.dtype} {logits.shape}; "
                "expected float logits, a row for each token"
            )
        return logits

    def _failure(self, child: "subprocess.Popen[bytes]", folder: Path) -> InputError:
        code = child.wait()
        text = (folder / "stderr").read_text("utf-8", "replace")
        lines = [line for line in text.splitlines() if line.strip()]
        last = lines[-1][-STDERR_CHARS:] if lines else ""
        how = f"signal {-code}" if code < 0 else f"exit {code}"
        return InputError(f"{self.artifact}: the runtime failed ({how}): {last}")

    def _stop(self) -> None:
        child = self._child
        if child is None:
            return
        if child.stdin is not None:
            child.stdin.close()
        os.close(self._replies)
        try:
            child.wait(CLOSE_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        self._child = None


def serve(load: Callable[..., Predict], arguments: Sequence[str]) -> None:
    """The child's side: `arguments` are the artifact, the folder, the pipe for replies, and maybe a width.

    `load` is given the artifact, and the width where there is one. Answers each byte on stdin until it is
    closed.
    """
    artifact, folder, replies = Path(arguments[0]), Path(arguments[1]), int(arguments[2])
    predict = load(artifact, *(int(width) for width in arguments[3:]))
    while os.read(0, 1):
        tokens = np.load(folder / TOKENS, allow_pickle=False)
        np.save(folder / LOGITS, predict(tokens), allow_pickle=False)
        os.write(replies, b"\n")
