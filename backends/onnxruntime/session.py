"""An `.onnx`, or the same model as `.ort`, in ONNX Runtime on the processor of this machine."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from optimum_compile.backends.forms import check_room
from optimum_compile.backends.onnxruntime.emit import (
    CONTEXT_KEY,
    IN_PLACE_KEY,
    METADATA_KEY,
    PREFILL_KEY,
    read_model,
)
from optimum_compile.backends.onnxruntime.ort_format import ORT_SUFFIX
from optimum_compile.backends.onnxruntime.toolchain import FATAL_ONLY, load_runtime
from optimum_compile.compiler.errors import InputError, ToolchainError
from optimum_compile.compiler.package.signature import check_shapes, read_signature

PAST, PRESENT = "past.", "present."
DTYPES: dict[str, type[np.generic]] = {  # by the runtime's names
    "tensor(float)": np.float32,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(int16)": np.int16,
    "tensor(int8)": np.int8,
    "tensor(uint8)": np.uint8,
    "tensor(bool)": np.bool_,
}


class Model:
    """A loaded model and its states, which are zeros at first and go on from call to call."""

    def __init__(self, path: Path) -> None:
        if path.suffix != ORT_SUFFIX:
            read_model(path)
        self._ort = ort = load_runtime()
        options = ort.SessionOptions()
        options.log_severity_level = FATAL_ONLY
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = ort.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its exceptions have no common base but Exception
            raise ToolchainError(f"{path}: the runtime cannot load it: {error}") from error
        self.facts = dict(self._session.get_modelmeta().custom_metadata_map)
        self._signature = read_signature(self.facts.get(METADATA_KEY, ""))
        given = self._session.get_inputs()
        self.inputs = tuple(v.name for v in given if not v.name.startswith(PAST))
        self._states = {v.name: _state(path, v) for v in given if v.name.startswith(PAST)}
        self._in_place = self.facts.get(IN_PLACE_KEY) == "true"
        self._plain = [o.name for o in self._session.get_outputs() if not _is_state(o.name)]
        self.values: dict[str, Any] = {}
        self.reset()

    def reset(self) -> None:
        """Set every state to zeros."""
        zeros = {name: np.zeros(*kind) for name, kind in self._states.items()}
        self.values = {n: self._ort.OrtValue.ortvalue_from_numpy(z) for n, z in zeros.items()}

    def call(self, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Run once; where the model allows it, states are written in place.

        Raises UserError for shapes that the model does not take.
        """
        check_shapes(self._signature, {n: inputs[n].shape for n in self.inputs})
        bound = self._session.io_binding()
        for name in self.inputs:
            bound.bind_cpu_input(name, np.ascontiguousarray(inputs[name]))
        names = []  # of outputs, in the order in which they are bound
        for name, value in self.values.items():
            after = PRESENT + name.removeprefix(PAST)
            names.append(after)
            bound.bind_ortvalue_input(name, value)
            if self._in_place:
                bound.bind_ortvalue_output(after, value)
            else:
                bound.bind_output(after)
        for name in self._plain:
            bound.bind_output(name)
        try:
            self._session.run_with_iobinding(bound)
        except Exception as error:
            raise ToolchainError(f"the runtime failed: {error}") from error
        found = dict(zip([*names, *self._plain], bound.get_outputs(), strict=True))
        if not self._in_place:
            self.values = {n: found[PRESENT + n.removeprefix(PAST)] for n in self.values}
        return [found[name].numpy() for name in self._plain]


def _state(path: Path, port: Any) -> tuple[tuple[int, ...], type[np.generic]]:
    """Shape and type of a state. Raises InputError where they are not fixed."""
    if port.type not in DTYPES or not all(isinstance(size, int) for size in port.shape):
        raise InputError(f"{path}: {port.name} is {port.type} {port.shape}; expected fixed sizes")
    return tuple(port.shape), DTYPES[port.type]


def _is_state(name: str) -> bool:
    return name.startswith(PRESENT)


class Session:
    """Token by token generation."""

    def __init__(self, path: Path) -> None:
        self._model = Model(path)
        try:
            self.context = int(self._model.facts[CONTEXT_KEY])
            self.max_prefill = int(self._model.facts[PREFILL_KEY])
        except (KeyError, ValueError):
            raise InputError(f"{path}: no decoder of this program") from None
        self.past = 0

    def prefill(self, tokens: Sequence[int]) -> np.ndarray:
        """Take in a prompt, in chunks; returns the logits (vocab,) of its last position."""
        logits = np.zeros(0, np.float32)
        for at in range(0, len(tokens), self.max_prefill):
            logits = self._step(tokens[at : at + self.max_prefill])
        return logits

    def decode(self, token: int) -> np.ndarray:
        """Take in one token; returns the logits (vocab,) after it."""
        return self._step([token])

    def _step(self, tokens: Sequence[int]) -> np.ndarray:
        check_room(self.past, len(tokens), self.context)
        past = np.array([self.past], np.int64)
        out = self._model.call({"tokens": np.asarray(tokens, np.int64)[None], "past": past})[0]
        self.past += len(tokens)
        last: np.ndarray = out[0, -1]
        return last
