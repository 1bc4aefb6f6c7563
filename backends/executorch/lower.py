"""From the graph IR to a torch module that torch.export can trace: one small function an op.

Linears on XNNPACK are written as the quantise/dequantise pattern that its partitioner recognises,
around our own codes and scales; weight-only patterns are never written, because XNNPACK drops the
scale of those without a word. Everything that XNNPACK has no container for (2 bits, palettes, fp16,
tied tables) goes to the packed operators.

Attention, norms and rotary embedding stay portable ATen: they are a few percent of the work, a
bundle of 8- and 4-bit stages then needs only stock kernels, and no element-wise islands are left
for a partitioner to lower one by one.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from optimum_compile.backends.base import WeightUse
from optimum_compile.backends.executorch import custom_ops
from optimum_compile.backends.executorch.schemes import on_xnnpack
from optimum_compile.compiler.errors import InternalError, UnsupportedError
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.quant.pack import pack_codes
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Affine, Float, Lut
from optimum_compile.passes.precision.notes import Quantized


def buffer_name(name: str) -> str:
    """A name that torch accepts for a buffer."""
    return name.replace(".", "_")


class GraphModule(nn.Module):
    """A graph as a module. Several graphs may share `store`, and with it every tensor."""

    def __init__(self, graph: Graph, store: "TensorStore") -> None:
        super().__init__()
        custom_ops.load()
        self.graph = graph
        self.store = store
        for name, tensor in store.tensors.items():
            self.register_buffer(name, tensor, persistent=True)

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Run the nodes in order; states are buffers that are written in place."""
        from optimum_compile.backends.executorch.lower_ops import execute

        env: dict[Value, Tensor] = dict(zip(self.graph.inputs, inputs, strict=True))
        memo: dict[Any, Tensor] = {}
        for state in self.graph.states:
            env[state.read] = self.buffer(buffer_name(state.name))
        for node in self.graph.nodes:
            for value, tensor in zip(node.outputs, execute(self, node, env, memo), strict=True):
                env[value] = tensor
        return tuple(self._value(env, v) for v in self.graph.outputs)

    def buffer(self, name: str) -> Tensor:
        """A registered tensor."""
        found = getattr(self, name)
        if not isinstance(found, Tensor):
            raise InternalError(f"{name} is no tensor of the module")
        return found

    def _value(self, env: Mapping[Value, Tensor], value: Value) -> Tensor:
        return env[value] if value in env else self.plain(value)

    def plain(self, value: Value) -> Tensor:
        """A weight that is not a quantised matrix, in float32."""
        if value.weight is None:
            raise InternalError(f"%{value.name} was not computed")
        found = self.buffer(buffer_name(value.weight.name))
        return found.float() if found.dtype is torch.float16 else found


class TensorStore:
    """Every constant and state of a graph as torch tensors, made one weight at a time."""

    def __init__(self, graph: Graph) -> None:
        self.tensors: dict[str, Tensor] = {}
        for state in graph.states:
            shape = state.read.type.static_shape()
            self.tensors[buffer_name(state.name)] = torch.zeros(shape)
        for name, value in graph.weights.items():
            note = value.notes.get(Quantized)
            if note is not None:
                self._matrix(buffer_name(name), note.load(), use_of(value))
                continue
            if value.weight is None:
                raise InternalError(f"{name} has no bytes")
            data = value.weight.load()
            tensor = torch.from_numpy(np.ascontiguousarray(data))
            # Norms and biases are small, and rotary frequencies need every bit: float32 throughout.
            self.tensors[buffer_name(name)] = (
                tensor.float() if tensor.is_floating_point() else tensor
            )

    def _matrix(self, name: str, packed: PackedWeight, use: WeightUse) -> None:
        scheme = packed.scheme
        if isinstance(scheme, Float):
            self.tensors[name] = torch.from_numpy(packed.codes)
        elif isinstance(scheme, Affine) and on_xnnpack(scheme, use):
            if packed.scales is None:
                raise InternalError(f"{name} has no scales")
            self.tensors[name] = torch.from_numpy(packed.codes)
            self.tensors[f"{name}_scales"] = torch.from_numpy(packed.scales.astype(np.float32))
            self.tensors[f"{name}_zeros"] = torch.zeros(packed.scales.shape, dtype=torch.int8)
        else:
            self.tensors[name] = torch.from_numpy(pack_codes(packed.codes, scheme.bits))
            if isinstance(scheme, Lut):
                self.tensors[f"{name}_table"] = _tensor(packed.table)
                return
            self.tensors[f"{name}_scales"] = _tensor(packed.scales)
            # ExecuTorch takes no empty tensor: one byte stands for "no zero points".
            zeros = np.zeros(1, np.uint8) if packed.zeros is None else packed.zeros
            self.tensors[f"{name}_zeros"] = torch.from_numpy(zeros)


def _tensor(data: np.ndarray | None) -> Tensor:
    if data is None:
        raise InternalError("a packed weight lacks its scales or its table")
    return torch.from_numpy(np.ascontiguousarray(data))


def use_of(value: Value) -> WeightUse:
    """How the nodes of a graph use a weight."""
    rows, columns = value.type.static_shape()
    ops = {node.op for node, _ in value.uses}
    return WeightUse(value.name, rows, columns, "linear" in ops, "embedding" in ops)


def linear(module: GraphModule, x: Tensor, value: Value) -> Tensor:
    """X (..., columns) times a weight in whatever scheme it has."""
    note = value.notes.get(Quantized)
    if note is None or value.weight is None:
        return nn.functional.linear(x, module.plain(value))
    name, scheme = buffer_name(value.weight.name), note.scheme
    if isinstance(scheme, Affine) and on_xnnpack(scheme, use_of(value)):
        return _dynamic(module, x, name, scheme)
    return _packed(module, "linear", x, name, value)


def _dynamic(module: GraphModule, x: Tensor, name: str, scheme: Affine) -> Tensor:
    """int8 activations per token times integer weights: the pattern that XNNPACK takes."""
    ao = torch.ops.torchao
    codes, scales = module.buffer(name), module.buffer(f"{name}_scales")
    columns = codes.shape[1]
    token = [1] * (x.dim() - 1) + [columns]
    scale, zero = ao.choose_qparams_affine(
        x, "ASYMMETRIC", token, torch.int8, -128, 127, None, None, torch.int8
    )
    quantised = ao.quantize_affine(x, token, scale, zero, torch.int8, -128, 127)
    x = ao.dequantize_affine(quantised, token, scale, zero, torch.int8, -128, 127)
    low, high = (-128, 127) if scheme.bits == 8 else (-8, 7)
    block = [1, scheme.group_size(columns)]
    zeros = module.buffer(f"{name}_zeros")
    weight = ao.dequantize_affine(codes, block, scales, zeros, torch.int8, low, high)
    return nn.functional.linear(x, weight)


def _packed(module: GraphModule, kind: str, first: Tensor, name: str, value: Value) -> Tensor:
    ops = torch.ops.optimum_compile_rt
    note = value.notes.get(Quantized)
    rows, columns = value.type.static_shape()
    codes = module.buffer(name)
    if note is None:
        raise InternalError(f"{name} is not quantised")
    scheme = note.scheme
    if isinstance(scheme, Float):
        found: Tensor = getattr(ops, f"{kind}_f16")(first, codes)
    elif isinstance(scheme, Lut):
        table = module.buffer(f"{name}_table")
        found = getattr(ops, f"{kind}_lut")(
            first, codes, table, scheme.bits, rows, columns, scheme.rows_per_table
        )
    else:
        scales, zeros = module.buffer(f"{name}_scales"), module.buffer(f"{name}_zeros")
        group = scheme.group_size(columns)
        found = getattr(ops, f"{kind}_affine")(
            first, codes, scales, zeros, scheme.bits, rows, columns, group, scheme.symmetric
        )
    return found


def embedding(module: GraphModule, ids: Tensor, value: Value) -> Tensor:
    """Rows of a table in whatever scheme it has."""
    if value.notes.get(Quantized) is None or value.weight is None:
        return nn.functional.embedding(ids, module.plain(value))
    return _packed(module, "embedding", ids, buffer_name(value.weight.name), value)


def refuse_weight_only(node: Node) -> None:
    """Refuse by name the combination that XNNPACK miscompiles without a word."""
    raise UnsupportedError(
        f"{node.origin}: XNNPACK weight-only quantisation drops the scale and computes nonsense; "
        "use dynamic int8 activations or a packed operator"
    )


Kernel = Callable[[GraphModule, Node, dict[Value, Tensor], dict[Any, Tensor]], tuple[Tensor, ...]]
