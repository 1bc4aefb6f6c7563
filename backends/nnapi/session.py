"""An NNAPI package on the processor of this machine: its graphs in turn, by ONNX Runtime's CPU kernels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from optimum_compile.backends.forms import DECODE, check_room, forms_of, steps
from optimum_compile.backends.nnapi.names import LOGITS, NEW, PAST, POSITIONS, TOKENS
from optimum_compile.backends.nnapi.program import FORMS, FunctionEntry, StageFile, read_program
from optimum_compile.backends.onnxruntime.toolchain import FATAL_ONLY, load_runtime
from optimum_compile.compiler.errors import InputError, ToolchainError


class Session:
    """Token by token generation. `form` is ".onnx" or ".ort".

    What an app does, too: it keeps the caches, hands hidden states from stage to stage, and writes the new
    rows that a stage gives behind the old ones. Functions are loaded at their first use.
    """

    def __init__(self, path: Path, form: str = FORMS[0]) -> None:
        self.path, self.form = path, form
        self.program = read_program(path)
        self.context = self.program.context
        self.functions = {f.name: f for f in self.program.functions}
        # Only a decoder that was made for one token at a time has no other function.
        if DECODE not in self.functions:
            raise InputError(f"{path}: no function {DECODE}; compile again")
        self.max_prefill = max(f.tokens for f in self.program.functions)
        self._forms = forms_of(
            (n for n in self.functions if n != DECODE), self.functions.get("prefill", _ONE).tokens
        )
        self._loaded: dict[str, Any] = {}
        self.caches: dict[str, np.ndarray] = {}
        self._axes = {c.name: c.axis for c in self.program.caches}
        self.past = 0
        self.reset()

    def reset(self) -> None:
        """Forget every token."""
        self.past = 0
        self.caches = {c.name: np.zeros(c.shape, np.float32) for c in self.program.caches}

    def prefill(self, tokens: Sequence[int]) -> np.ndarray:
        """Take in a prompt; returns the logits (vocab,) of its last position."""
        last: np.ndarray = self.feed(np.asarray(tokens, np.int64))[-1]
        return last

    def decode(self, token: int) -> np.ndarray:
        """Take in one token; returns the logits (vocab,) after it."""
        last: np.ndarray = self.feed(np.asarray([token], np.int64))[-1]
        return last

    def feed(self, tokens: np.ndarray) -> np.ndarray:
        """Take in tokens (n,); returns their logits (n, vocab). Raises InputError where they do not fit."""
        check_room(self.past, len(tokens), self.context)
        if len(tokens) and not (tokens.min() >= 0 and tokens.max() < self.program.vocabulary):
            raise InputError(f"tokens: expected 0 to {self.program.vocabulary - 1}")
        parts = []
        for step in steps(self._forms, len(tokens), self.past, self.context, pads=True):
            name = step.function
            # A prefill of one length is padded to it.
            padded = np.zeros((1, self.functions[name].tokens), np.int32)
            padded[0, : step.taken] = tokens[step.at : step.at + step.taken]
            parts.append(self._call(self.functions[name], padded, step.taken))
        return np.concatenate(parts)

    def _call(self, function: FunctionEntry, tokens: np.ndarray, taken: int) -> np.ndarray:
        positions = self.past + np.arange(function.tokens, dtype=np.int32)
        values: dict[str, np.ndarray] = {
            TOKENS: tokens,
            POSITIONS: np.minimum(positions, self.context - 1).astype(np.int32),
            PAST: np.array([self.past], np.float32),
        }
        for stage in function.stages:
            given = {name: self._value(values, name) for name in stage.inputs}
            try:
                made = self._session(stage).run(list(stage.outputs), given)
            except Exception as error:  # its exceptions have no common base but Exception
                raise ToolchainError(f"{stage.file}{self.form}: it failed: {error}") from error
            values.update(zip(stage.outputs, made, strict=True))
        for name, cache in self.caches.items():
            rows = self._value(values, f"{NEW}{name}")
            if self._axes[name] == 3:
                cache[:, :, :, self.past : self.past + taken] = rows[:, :, :, :taken]
            else:
                cache[:, :, self.past : self.past + taken] = rows[:, :, :taken]
        self.past += taken
        logits: np.ndarray = self._value(values, LOGITS)[0, :taken]
        return logits

    def _value(self, values: dict[str, np.ndarray], name: str) -> np.ndarray:
        found = values.get(name, self.caches.get(name))
        if found is None:
            raise InputError(f"{self.path}: no stage gives {name!r}; compile again")
        return found

    def _session(self, stage: StageFile) -> Any:
        if stage.file not in self._loaded:
            path = self.path / f"{stage.file}{self.form}"
            runtime = load_runtime()
            options = runtime.SessionOptions()
            options.log_severity_level = FATAL_ONLY
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
            try:
                self._loaded[stage.file] = runtime.InferenceSession(
                    str(path), options, providers=["CPUExecutionProvider"]
                )
            except Exception as error:
                raise ToolchainError(f"{path}: the runtime cannot load it: {error}") from error
        return self._loaded[stage.file]


_ONE = FunctionEntry(DECODE, 1, ())
