"""A decoder `.pte` in the ExecuTorch runtime of this process."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from optimum_compile.backends.executorch.toolchain import quiet, require, silent_runtime
from optimum_compile.backends.forms import check_room, forms_of, steps
from optimum_compile.compiler.errors import InputError, ToolchainError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.package.signature import check_shapes, read_signature
from optimum_compile.runtime_stub.build import load_operators

_UNREAD = object()


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
                self._signature: object = _UNREAD
            except RuntimeError as error:
                raise ToolchainError(f"{path}: the runtime cannot load it: {error}") from error

    @property
    def functions(self) -> tuple[str, ...]:
        """Names of all methods, those with constants included."""
        return tuple(sorted(self._program.method_names))

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """Bits that a call may read nested weights with; none where its functions take no width."""
        if "widths" not in self.functions:
            return ()
        return tuple(int(width) for width in self.constant("widths"))

    def step(self, method: str, tokens: np.ndarray, past: int, width: int = 0) -> np.ndarray:
        """Logits (1, n, vocab) of one call of a function of a decoder.

        `width`: bits that nested weights are read with, each weight with the nearest number that it has;
        0 for all. Raises InputError for a width that the program does not have.
        """
        self.require_width(width)
        chosen = (np.array([width], np.int64),) if self.widths else ()
        return self.call(method, tokens, np.array([past], np.int64), *chosen)[0]

    def require_width(self, width: int) -> None:
        """Raise InputError for a width that the program does not have; 0 is all bits."""
        if width != 0 and width not in self.widths:
            held = ", ".join(map(str, self.widths)) or "none: it has no nested weights"
            raise InputError(f"a width of {width} bits; the program has {held}")

    def prompt(self, tokens: np.ndarray, past: int, width: int = 0) -> np.ndarray:
        """Logits (1, n, vocab) of n tokens (1, n), in as many calls as its functions need; see `step`."""
        longest, context = int(self.constant("max_prefill")), int(self.constant("context"))
        parts = []
        for step in steps(
            forms_of(self.functions, longest), tokens.shape[1], past, context, pads=False
        ):
            piece = tokens[:, step.at : step.at + step.taken]
            parts.append(self.step(step.function, piece, past + step.at, width))
        return np.concatenate(parts, axis=1)

    def call(self, method: str, *inputs: np.ndarray) -> list[np.ndarray]:
        """Run a method on arrays. Raises UserError for shapes that the model does not take."""
        import torch

        if method == "forward":
            self._check(inputs)
        tensors = tuple(torch.from_numpy(np.ascontiguousarray(i)) for i in inputs)
        try:
            if method in self._methods:
                outputs = self._methods[method].execute(tensors)
            else:
                with (
                    silent_runtime()
                ):  # it reports on the processor, at the latest with its threads
                    self._methods[method] = self._program.load_method(method)
                    outputs = self._methods[method].execute(tensors)
        except RuntimeError as error:
            raise ToolchainError(f"method {method} failed: {error}") from error
        # The runtime's outputs live in its own memory: copy before the next call.
        return [np.array(o) for o in outputs]

    def _check(self, inputs: Sequence[np.ndarray]) -> None:
        if self._signature is _UNREAD:
            packed = self.call("metadata")[0] if "metadata" in self.functions else None
            text = "" if packed is None else packed.tobytes().decode("utf-8", "replace")
            self._signature = read_signature(text)
        if isinstance(self._signature, Graph):
            names = [v.name for v in self._signature.inputs]
            check_shapes(self._signature, dict(zip(names, (i.shape for i in inputs), strict=False)))

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
        self._forms = forms_of(self._program.functions, self.max_prefill)
        self.past = 0
        self._width = 0

    @property
    def widths(self) -> tuple[int, ...]:
        """Bits that nested weights can be read with, the fewest first; none without such weights."""
        return self._program.widths

    def set_width(self, bits: int) -> None:
        """Read nested weights with `bits` bits from the next call on; 0: with all, as at the beginning.

        Tokens of any widths may follow each other. Raises InputError for a width that there is not.
        """
        self._program.require_width(bits)
        self._width = bits

    def prefill(self, tokens: Sequence[int]) -> np.ndarray:
        """Take in a prompt, in chunks; returns the logits (vocab,) of its last position.

        Each chunk takes the function that takes the most tokens of what is left.
        """
        logits = np.zeros(0, np.float32)
        check_room(self.past, len(tokens), self.context)
        for step in steps(self._forms, len(tokens), self.past, self.context, pads=False):
            logits = self._step(step.function, tokens[step.at : step.at + step.taken])
        return logits

    def decode(self, token: int) -> np.ndarray:
        """Take in one token; returns the logits (vocab,) after it."""
        return self._step("decode", [token])

    def _step(self, method: str, tokens: Sequence[int]) -> np.ndarray:
        check_room(self.past, len(tokens), self.context)
        ids = np.asarray(tokens, np.int64)[None]
        out = self._program.step(method, ids, self.past, self._width)
        self.past += len(tokens)
        last: np.ndarray = out[0, -1]
        return last
