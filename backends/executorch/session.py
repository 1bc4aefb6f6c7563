"""A decoder `.pte` in the ExecuTorch runtime of this process."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from optimum_compile.backends.executorch.toolchain import quiet, require, silent_runtime
from optimum_compile.compiler.errors import InputError, ToolchainError
from optimum_compile.runtime_stub.build import load_operators


class Program:
    """A loaded `.pte`: its methods, with their mutable state."""

    def __init__(self, path: Path) -> None:
        require()
        if not path.is_file():
            raise InputError(f"{path}: no such file")
        with quiet():
            load_operators()
            from executorch.runtime import Runtime

            try:
                # Methods of one loaded program share their mutable buffers.
                self._program = Runtime.get().load_program(str(path))
                self._methods: dict[str, Any] = {}
            except RuntimeError as error:
                raise ToolchainError(f"{path}: the runtime cannot load it: {error}") from error

    def call(self, method: str, *inputs: np.ndarray) -> list[np.ndarray]:
        """Run a method on arrays."""
        import torch

        tensors = tuple(torch.from_numpy(np.ascontiguousarray(i)) for i in inputs)
        try:
            if method not in self._methods:
                with silent_runtime():  # it reports on the processor
                    self._methods[method] = self._program.load_method(method)
            outputs = self._methods[method].execute(tensors)
        except RuntimeError as error:
            raise ToolchainError(f"method {method} failed: {error}") from error
        # The runtime's outputs live in its own memory: copy before the next call.
        return [np.array(o) for o in outputs]

    def constant(self, name: str) -> Any:
        """A constant method's value."""
        found = self.call(name)[0]
        return found if found.ndim else found.item()


class Session:
    """Token by token generation."""

    def __init__(self, path: Path) -> None:
        self._program = Program(path)
        self.context = int(self._program.constant("context"))
        self.max_prefill = int(self._program.constant("max_prefill"))
        self.past = 0

    def prefill(self, tokens: Sequence[int]) -> np.ndarray:
        """Take in a prompt, in chunks; returns the logits (vocab,) of its last position."""
        logits = np.zeros(0, np.float32)
        for at in range(0, len(tokens), self.max_prefill):
            logits = self._step("prefill", tokens[at : at + self.max_prefill])
        return logits

    def decode(self, token: int) -> np.ndarray:
        """Take in one token; returns the logits (vocab,) after it."""
        return self._step("decode", [token])

    def _step(self, method: str, tokens: Sequence[int]) -> np.ndarray:
        if self.past + len(tokens) > self.context:
            raise InputError(f"{self.past + len(tokens)} tokens: the cache holds {self.context}")
        ids = np.asarray(tokens, np.int64)[None]
        out = self._program.call(method, ids, np.array([self.past], np.int64))[0]
        self.past += len(tokens)
        last: np.ndarray = out[0, -1]
        return last
