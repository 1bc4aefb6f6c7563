"""A `NAME.tvm` on the processor of this machine: kernels compute linears, the reference executor the rest.

The host module is code, and the folder may come from anywhere. So the kernels are compiled again from
what the folder says of them, and only an object file with exactly those bytes is linked and loaded.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from optimum_compile.backends.tvm.artifact import (
    HOST,
    OBJECT,
    WEIGHTS,
    Artifact,
    read_artifact,
)
from optimum_compile.backends.tvm.build import link, write_object
from optimum_compile.backends.tvm.kernels import Kernel
from optimum_compile.backends.tvm.parts import kernel_arrays, unpacked
from optimum_compile.backends.tvm.plan import is_stored, weight_name
from optimum_compile.backends.tvm.toolchain import has_vectors, load_tvm, require
from optimum_compile.compiler.bind import bind_symbols, bound_numbers, same_names
from optimum_compile.compiler.errors import InputError, ResourceError
from optimum_compile.compiler.frontend.safetensors_file import read_safetensors
from optimum_compile.compiler.interpret_ops import Call, execute, torch_dtype
from optimum_compile.compiler.ir.graph import Node, Value
from optimum_compile.compiler.ir.shape import Dim, evaluate
from optimum_compile.compiler.ir.weights import WeightRef
from optimum_compile.compiler.quant.packed import PackedWeight


class Kernels:
    """The host module of an artifact and the packed weights, as its kernels take them."""

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact
        self._refs = read_safetensors(artifact.folder / WEIGHTS)
        self._arguments: dict[str, dict[str, Any]] = {}
        self._vectors: dict[tuple[str, int], Any] = {}
        self._tvm = load_tvm()
        with tempfile.TemporaryDirectory(prefix="optimum-tvm-") as folder:
            self._module = link(_trusted(artifact, Path(folder)), Path(folder) / "kernels.so")

    def run(self, kernel: Kernel, nodes: tuple[Node, ...], x: np.ndarray) -> np.ndarray:
        """A kernel on the weights of `nodes`, row after row: (tokens, columns) -> (tokens, rows)."""
        if x.ndim != 2 or x.shape[1] != kernel.matrices[0].columns:
            raise InputError(f"{kernel.name}: got {x.shape}, expected {kernel.matrices[0].columns}")
        given = [buffer for node in nodes for buffer in self._parts(node).values()]
        source, target = (
            self._vector("x", x.shape[1]),
            self._vector("out", kernel.arguments[-1].count),
        )
        if len(nodes) > 1:
            given += [source, self._vector("hidden", kernel.matrices[0].rows), target]
        else:
            given += [source, target]
        function = self._module[kernel.name]
        out = np.empty((len(x), kernel.arguments[-1].count), np.float32)
        for at, row in enumerate(np.ascontiguousarray(x, np.float32)):
            source.copyfrom(row)
            function(*given)
            out[at] = target.numpy()
        return out

    def packed(self, name: str) -> PackedWeight:
        """A stored matrix."""
        stored = self.artifact.stored[name]
        data = {key: self.part(key) for _, key in stored.keys}
        kernel_arrays(name, stored, data)  # refuses other sizes
        return unpacked(stored, data)

    def plain(self, name: str) -> np.ndarray:
        """A weight that is no matrix."""
        return self.part(f"plain:{name}")

    def arguments(self, node: Node) -> dict[str, np.ndarray]:
        """The parts of a linear in the order of the kernel's arguments, bias last."""
        name = weight_name(node)
        stored = self.artifact.stored[name]
        found = kernel_arrays(name, stored, {key: self.part(key) for _, key in stored.keys})
        bias = node.inputs[2] if len(node.inputs) > 2 else None
        return found if bias is None else found | {"bias": self._bias(bias, stored.rows)}

    def _parts(self, node: Node) -> dict[str, Any]:
        """The same as buffers of TVM, which are kept."""
        bias = node.inputs[2] if len(node.inputs) > 2 else None
        key = f"{weight_name(node)} {'' if bias is None else bias.name}"
        if key not in self._arguments:
            found = self.arguments(node)
            self._arguments[key] = {n: self._tvm.runtime.tensor(a) for n, a in found.items()}
        return self._arguments[key]

    def _bias(self, value: Value, rows: int) -> np.ndarray:
        if value.weight is None:
            raise InputError(f"{value.name}: a bias that is computed")
        found = self.plain(value.weight.name).astype(np.float32).reshape(-1)
        if found.size != rows:
            raise InputError(f"{value.weight.name}: {found.size} numbers for {rows} rows")
        return found

    def _vector(self, role: str, count: int) -> Any:
        key = (role, count)
        if key not in self._vectors:
            self._vectors[key] = self._tvm.runtime.empty((count,), "float32")
        return self._vectors[key]

    def part(self, key: str) -> np.ndarray:
        """A tensor of the file, as it lies there."""
        ref: WeightRef | None = self._refs.get(key)
        if ref is None:
            raise InputError(f"{self.artifact.folder / WEIGHTS}: has no tensor {key!r:.200}")
        return ref.load()


def _trusted(artifact: Artifact, folder: Path) -> Path:
    """An object file whose bytes are those of the host module, made here from the kernels' descriptions.

    Raises ResourceError for another version of TVM or another processor, InputError for other bytes.
    """
    found = require()
    if artifact.tvm != found:
        raise ResourceError(
            f"{artifact.folder}: made by TVM {artifact.tvm}, installed is {found}; run: "
            f"pip install apache-tvm=={artifact.tvm}"
        )
    if artifact.target["mcpu"] == "x86-64-v3" and not has_vectors():
        raise ResourceError(
            f"{artifact.folder}: the host module needs AVX2, FMA and F16C; this has not"
        )
    made, given = folder / OBJECT, artifact.folder / HOST / OBJECT
    write_object(artifact.plan.kernels, artifact.target, made)
    try:
        same = (
            given.stat().st_size == made.stat().st_size and given.read_bytes() == made.read_bytes()
        )
    except OSError as error:
        raise InputError(f"{given}: cannot be read: {error.strerror}") from error
    if not same:
        raise InputError(f"{given}: is not what TVM makes of the kernels; it is not executed")
    return made


class Model:
    """A loaded artifact and its states, which are zeros at first and go on from call to call."""

    def __init__(self, path: Path) -> None:
        self.artifact = read_artifact(path)
        self.kernels = Kernels(self.artifact)
        self.graph = self.artifact.graph
        plan = self.artifact.plan
        chains = plan.chains.values()
        self._inside = {n for c in chains for n in (c.gate, c.up, *c.between)}
        self._last = {v: n for n in self.graph.nodes for v in _read_by(n, plan.chains)}
        self._weights: dict[Value, Tensor] = {}
        self._states: dict[str, Tensor] = {}

    def reset(self) -> None:
        """Set every state to zeros."""
        self._states = {}

    def call(self, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """One call: the outputs in order. Raises UserError for inputs that do not fit."""
        graph, symbols = self.graph, dict[str, int]()
        known = {v.name: v for v in graph.inputs}
        same_names("input", known, inputs, missing_allowed=False)
        given = [(v, _tensor(inputs[n], v)) for n, v in known.items()]
        symbols.update(bound_numbers(graph, given))
        bind_symbols(graph, [(v, tuple(t.shape)) for v, t in given], symbols)
        env = dict(given)
        for state in graph.states:
            held = self._states.get(state.name)
            env[state.read] = _zeros(state.read, symbols) if held is None else held
        with torch.no_grad():
            for node in graph.nodes:
                self._step(node, env, symbols)
        self._states = {s.name: env[s.written] for s in graph.states}
        return [self._value(env, v).float().numpy() for v in graph.outputs]

    def _step(self, node: Node, env: dict[Value, Tensor], symbols: Mapping[str, int]) -> None:
        plan = self.artifact.plan
        if node in self._inside:
            return
        chain, linear = plan.chains.get(node), plan.linears.get(node)
        if chain is not None:
            x = self._value(env, chain.gate.input(0))
            results: tuple[Tensor, ...] = (self._run(chain.kernel, chain.linears, x),)
        elif linear is not None:
            results = (self._run(linear, (node,), self._value(env, node.input(0))),)
        else:
            given = tuple(None if v is None else self._value(env, v) for v in node.inputs)
            results = execute(Call(node, given, lambda d: _number(d, symbols), torch.float32))
        for value, result in zip(node.outputs, results, strict=True):
            shape = tuple(_number(d, symbols) for d in value.type.shape)
            if tuple(result.shape) != shape:
                raise InputError(f"{node!r}: computed {tuple(result.shape)}, declared {value!r}")
            env[value] = result.to(torch_dtype(value.type.dtype, torch.float32))
        kept = {*self.graph.outputs, *(s.written for s in self.graph.states)}
        for value in _read_by(node, plan.chains):
            if self._last.get(value) is node and value not in kept:
                env.pop(value, None)

    def _run(self, kernel: Kernel, nodes: tuple[Node, ...], x: Tensor) -> Tensor:
        flat = x.reshape(-1, x.shape[-1]).numpy()
        return torch.from_numpy(self.kernels.run(kernel, nodes, flat)).reshape(*x.shape[:-1], -1)

    def _value(self, env: Mapping[Value, Tensor], value: Value) -> Tensor:
        found = env.get(value)
        if found is not None:
            return found
        if value.weight is None:
            raise InputError(f"{value!r} is read before it is computed")
        if value not in self._weights:
            name = value.weight.name
            stored = is_stored(value)
            data = self.kernels.packed(name).dequantize() if stored else self.kernels.plain(name)
            kind = torch_dtype(value.type.dtype, torch.float32)
            shaped = np.require(data, requirements="W").reshape(value.type.static_shape())
            self._weights[value] = torch.from_numpy(shaped).to(kind)
        return self._weights[value]


def _read_by(node: Node, chains: Mapping[Node, Any]) -> list[Value]:
    """What a step reads; an MLP reads the input of its gate."""
    if node in chains:
        return [chains[node].gate.input(0)]
    return [value for value in node.inputs if value is not None]


def _tensor(data: np.ndarray, value: Value) -> Tensor:
    return torch.from_numpy(np.array(data)).to(torch_dtype(value.type.dtype, torch.float32))


def _zeros(value: Value, symbols: Mapping[str, int]) -> Tensor:
    shape = tuple(_number(d, symbols) for d in value.type.shape)
    return torch.zeros(shape, dtype=torch_dtype(value.type.dtype, torch.float32))


def _number(dim: Dim, symbols: Mapping[str, int]) -> int:
    if isinstance(dim, int):
        return dim
    try:
        return evaluate(dim, symbols)
    except KeyError as error:
        raise InputError(f"symbol {error} of {dim} is bound by no input") from error
