"""Run the MIL program of a saved package, on any machine: weights, states, every function.

The package is read back from disk with coremltools' own reader; every op is then computed here, in
float32 with each result rounded to its declared type. That is closer to the fp16 units of a phone
than to a float32 run, and independent of how the program was built.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from optimum_compile.backends.coreml.constexpr import materialise
from optimum_compile.backends.coreml.mil_ops import KERNELS
from optimum_compile.backends.coreml.toolchain import load, quiet
from optimum_compile.compiler.errors import InputError, InternalError


class Package:
    """A loaded package: functions by name, unpacked weights kept, states by name."""

    def __init__(self, path: Path) -> None:
        ct = load()
        with quiet():
            from coremltools.converters.mil.frontend.milproto import load as milproto

            try:
                model = ct.models.MLModel(str(path), skip_model_load=True)
                spec = model.get_spec()
                self.program = milproto.load(spec, spec.specificationVersion, model.weights_dir)
            except Exception as error:
                raise InputError(f"{path}: the package cannot be read: {error!r}") from error
        self.states: dict[str, Tensor] = {}
        self._constants: dict[tuple[str, str], Any] = {}

    @property
    def functions(self) -> tuple[str, ...]:
        """Names of the functions."""
        return tuple(self.program.functions)

    def count(self, function: str, op_type: str) -> int:
        """Ops of one type in a function."""
        return sum(op.op_type == op_type for op in self.program.functions[function].operations)

    def input_shape(self, function: str, name: str) -> tuple[int, ...]:
        """Declared shape of an input."""
        return tuple(int(d) for d in self.program.functions[function].inputs[name].shape)

    def context(self) -> int:
        """Length of the KV cache: the third axis of the first state of `decode`."""
        for var in self.program.functions["decode"].inputs.values():
            if hasattr(var.sym_type, "wrapped_type"):
                return int(var.sym_type.wrapped_type().get_shape()[2])
        raise InputError("the package has no state")

    def reset(self) -> None:
        """Forget every state."""
        self.states.clear()

    def call(self, function: str, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Run a function; states go on from the call before."""
        if function not in self.program.functions:
            raise InputError(f"no function {function!r}; there are {', '.join(self.functions)}")
        body = self.program.functions[function]
        env: dict[str, Any] = {}
        for name in body.inputs:
            if name not in inputs:
                continue
            env[name] = torch.from_numpy(np.ascontiguousarray(inputs[name]))
        for op in body.operations:
            self._run(function, op, env)
        return [env[var.name].numpy() for var in body.outputs]

    def _run(self, function: str, op: Any, env: dict[str, Any]) -> None:
        kind = op.op_type
        if kind == "const" or kind.startswith("constexpr"):
            env[op.outputs[0].name] = self._constant(function, op)
            return
        if kind == "read_state":
            env[op.outputs[0].name] = self._state(op.inputs["input"])
            return
        if kind == "coreml_update_state":
            name = op.inputs["state"].name
            self.states[name] = env[op.inputs["value"].name].clone()
            env[op.outputs[0].name] = self.states[name]
            return
        if kind not in KERNELS:
            raise InternalError(f"the interpreter has no MIL op {kind}")
        arguments = {k: self._argument(env, v) for k, v in op.inputs.items() if v is not None}
        try:
            out = KERNELS[kind](arguments)
        except (RuntimeError, ValueError, IndexError) as error:
            raise InputError(f"MIL op {kind} {op.name}: {error}") from error
        results = out if isinstance(out, tuple) else (out,)
        for var, value in zip(op.outputs, results, strict=True):
            env[var.name] = _rounded(var, value)

    def _argument(self, env: dict[str, Any], value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [self._argument(env, v) for v in value]
        return env[value.name]

    def _state(self, var: Any) -> Tensor:
        if var.name not in self.states:
            shape = var.sym_type.wrapped_type().get_shape()
            self.states[var.name] = torch.zeros([int(d) for d in shape])
        return self.states[var.name]

    def _constant(self, function: str, op: Any) -> Any:
        key = (function, op.outputs[0].name)
        if key not in self._constants:
            self._constants[key] = self._load(op)
        return self._constants[key]

    def _load(self, op: Any) -> Any:
        if op.op_type == "const":
            value = op.outputs[0].val
            if isinstance(value, (str, bool)) or np.asarray(value).dtype.kind in "US":
                return value
            array = np.asarray(value)
            if array.dtype.kind == "f":
                return torch.from_numpy(array.astype(np.float32))
            return torch.from_numpy(array.astype(np.bool_ if array.dtype == bool else np.int32))
        return torch.from_numpy(np.ascontiguousarray(self._dense_value(op)))

    def _dense_value(self, op: Any) -> np.ndarray:
        dense = materialise(op, self._raw)
        # The op's declared type is fp16: the unpacked weight is rounded to it, as everything is.
        return dense.astype(np.float16).astype(np.float32)

    def _raw(self, var: Any) -> np.ndarray:
        """A compressed constant's input, which may be compressed itself."""
        if var.op is not None and var.op.op_type.startswith("constexpr"):
            return self._dense_value(var.op)
        return np.asarray(var.val)


def _rounded(var: Any, value: Tensor) -> Tensor:
    kind = getattr(var.dtype, "__name__", "")
    if kind == "fp16" and value.is_floating_point():
        return value.half().float()
    if kind.startswith(("int", "uint")):
        return value.to(torch.int32)
    return value
