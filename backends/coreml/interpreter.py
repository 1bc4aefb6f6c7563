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

from optimum_compile.backends.coreml.constexpr import materialise, sparse_shift_scale
from optimum_compile.backends.coreml.mil_ops import KERNELS
from optimum_compile.backends.coreml.program import Function, Op, Var, read_functions
from optimum_compile.compiler.errors import InputError, InternalError


class Package:
    """A loaded package: functions by name, states by name, weights unpacked once, to fp16."""

    def __init__(self, path: Path) -> None:
        self.bodies = read_functions(path)
        self.states: dict[str, Tensor] = {}
        self._makers = {name: body.makers() for name, body in self.bodies.items()}
        self._constants: dict[tuple[Any, ...], Any] = {}

    @property
    def functions(self) -> tuple[str, ...]:
        """Names of the functions."""
        return tuple(self.bodies)

    def count(self, function: str, op_type: str) -> int:
        """Ops of one type in a function."""
        return sum(op.op_type == op_type for op in self.bodies[function].operations)

    def input_shape(self, function: str, name: str) -> tuple[int, ...]:
        """Declared shape of an input."""
        return self.bodies[function].inputs[name].shape

    def context(self) -> int:
        """Length of the KV cache: the third axis of the first state of `decode`."""
        for state in self.bodies["decode"].states.values():
            return state.shape[2]
        raise InputError("the package has no state")

    def reset(self) -> None:
        """Forget every state."""
        self.states.clear()

    def call(self, function: str, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Run a function; states go on from the call before."""
        if function not in self.bodies:
            raise InputError(f"no function {function!r}; there are {', '.join(self.functions)}")
        body = self.bodies[function]
        env: dict[str, Any] = {}
        for name in body.inputs:
            if name in inputs:
                env[name] = torch.from_numpy(np.ascontiguousarray(inputs[name]))
        for op in body.operations:
            self._run(function, op, env)
        return [self._argument(function, env, var).numpy() for var in body.outputs]

    def constant(self, function: str, op: Op) -> Any:
        """What a const or constexpr op holds. Float weights come as fp16 or float32 tensors.

        Functions that share a weight share its unpacked form.
        """
        key = (op.op_type, *self._sources(self._makers[function], op))
        if key not in self._constants:
            if op.op_type == "const":
                self._constants[key] = _plain(op.outputs[0].value)
            else:
                dense = self._dense(self._makers[function], op)
                self._constants[key] = torch.from_numpy(np.ascontiguousarray(dense))
        return self._constants[key]

    def _run(self, function: str, op: Op, env: dict[str, Any]) -> None:
        kind, result = op.op_type, op.outputs[0].name
        if kind == "const" or kind.startswith("constexpr"):
            return  # made when an op reads it: codes and scales are read by constexpr ops alone
        if kind == "read_state":
            env[result] = self._state(self.bodies[function], op.given("input"))
            return
        if kind == "coreml_update_state":
            state, value = op.given("state"), op.given("value")
            if state is None or value is None:
                raise InputError(f"MIL op {kind} {op.name}: no state or value")
            self.states[state.name] = self._argument(function, env, value).clone()
            env[result] = self.states[state.name]
            return
        if kind not in KERNELS:
            raise InternalError(f"the interpreter has no MIL op {kind}")
        arguments = {k: self._argument(function, env, v) for k, v in op.inputs.items()}
        try:
            out = KERNELS[kind](arguments)
        except (RuntimeError, ValueError, IndexError) as error:
            raise InputError(f"MIL op {kind} {op.name}: {error}") from error
        results = out if isinstance(out, tuple) else (out,)
        for var, value in zip(op.outputs, results, strict=True):
            env[var.name] = _rounded(var, value)

    def _argument(self, function: str, env: dict[str, Any], value: Var | list[Var]) -> Any:
        if isinstance(value, list):
            return [self._argument(function, env, v) for v in value]
        if value.name in env:
            return env[value.name]
        found = self.constant(function, self._makers[function][value.name])
        is_half = isinstance(found, Tensor) and found.dtype is torch.float16
        return found.float() if is_half else found

    def _state(self, body: Function, var: Var | None) -> Tensor:
        if var is None:
            raise InputError("MIL op read_state: no state")
        if var.name not in self.states:
            self.states[var.name] = torch.zeros(body.states[var.name].shape)
        return self.states[var.name]

    def _sources(self, makers: dict[str, Op], op: Op) -> list[Any]:
        """What tells a constant from others: the arrays it is made of, or a small value itself."""
        if op.op_type == "const":
            value = op.outputs[0].value
            return [id(value) if isinstance(value, np.ndarray) else (type(value), value)]
        out: list[Any] = []
        for name, var in op.inputs.items():
            if isinstance(var, Var):
                out += [name, *self._sources(makers, makers[var.name])]
        return out

    def _dense(self, makers: dict[str, Op], op: Op) -> np.ndarray:
        # The op's declared type is fp16: the unpacked weight is rounded to it, as everything is.
        def value_of(var: Var) -> np.ndarray:
            maker = makers[var.name]
            if maker.op_type == "constexpr_sparse_blockwise_shift_scale":
                mask, numbers = sparse_shift_scale(maker, value_of)
                return mask if var.name == maker.outputs[0].name else numbers.astype(np.float16)
            if maker.op_type.startswith("constexpr"):
                return self._dense(makers, maker).astype(np.float32)
            return np.asarray(var.value)

        return materialise(op, value_of).astype(np.float16)


def _plain(value: Any) -> Any:
    """A constant as the kernels take it: text and truth as they are, numbers as tensors."""
    if isinstance(value, (str, bool)) or np.asarray(value).dtype.kind in "US":
        return value
    array = np.asarray(value)
    if array.dtype == np.float16 and array.ndim:
        return torch.from_numpy(np.require(array, requirements="W"))
    if array.dtype.kind == "f":
        return torch.from_numpy(array.astype(np.float32))
    return torch.from_numpy(array.astype(np.bool_ if array.dtype == bool else np.int32))


def _rounded(var: Var, value: Tensor) -> Tensor:
    if var.kind == "fp16" and value.is_floating_point():
        return value.half().float()
    if var.kind.startswith(("int", "uint")):
        return value.to(torch.int32)
    return value
