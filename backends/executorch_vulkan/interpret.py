"""The serialised Vulkan graphs of a `.pte`, computed with torch.

Not the delegate's runtime, which no wheel has: what the file says, in the meaning that the SDK gives to its
operators. It shows that bytes, shapes and connections are right, and nothing about a GPU.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from optimum_compile.backends.executorch.toolchain import quiet
from optimum_compile.backends.executorch_vulkan.lower import EPSILON, register_operators
from optimum_compile.backends.executorch_vulkan.program import Constants
from optimum_compile.backends.executorch_vulkan.serialised import (
    DTYPES,
    VulkanFile,
    VulkanGraph,
    open_file,
)
from optimum_compile.compiler.errors import InputError, UnsupportedError

# Only what is known to compute and do nothing else: names come from a file.
KNOWN = frozenset(
    """
    et_vk.linear_q4gsw.default et_vk.embedding_q4gsw.default et_vk.rms_norm.default
    et_vk.apply_rotary_emb_hf.default aten._weight_int8pack_mm.default
    aten.add.Tensor aten.sub.Tensor aten.mul.Tensor aten.div.Tensor aten.minimum.default
    aten.sigmoid.default aten.tanh.default aten.gelu.default aten.relu.default aten.exp.default
    aten.sqrt.default aten.rsqrt.default aten.neg.default aten.abs.default aten.sin.default aten.cos.default
    aten._softmax.default aten.mean.dim aten.sum.dim_IntList aten.amax.default aten.bmm.default
    aten.view_copy.default aten.squeeze_copy.dims aten.unsqueeze_copy.default aten.permute_copy.default
    aten.expand_copy.default aten.slice_copy.Tensor aten.select_copy.int aten.cat.default
    aten.split_with_sizes_copy.default aten.embedding.default aten.index_select.default
    aten.native_layer_norm.default aten.clone.default aten._to_copy.default aten.full.default
    aten.arange.start_step aten.where.self aten.eq.Tensor aten.lt.Tensor aten.le.Tensor aten.gt.Tensor
    aten.ge.Tensor aten.logical_and.default aten.logical_or.default aten.logical_not.default
    aten.pow.Tensor_Scalar aten.repeat.default aten.linear.default
    """.split()
)
OUTSIDE = ("aten::embedding.out", "aten::_to_copy.out", "aten::view_copy.out")


class Interpreter:
    """One function of a file, with its caches. A new one begins with empty caches."""

    def __init__(self, path: Path, function: str = "forward") -> None:
        with quiet():
            register_operators()
        self.file = open_file(path)
        self.plan = self.file.plan(function)
        self.constants = Constants(self.file, self.plan)
        self.delegates = [Delegate(self.file, graph) for graph in self.file.delegates(function)]

    def call(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The outputs for arrays in the order of the function's inputs."""
        values: dict[int, Any] = {}
        for index, array in zip(self.plan.inputs, inputs, strict=True):
            values[int(index)] = torch.from_numpy(np.array(array))
        for chain in self.plan.chains:
            for instruction in chain.instructions:
                self._step(instruction.instr_args, values)
        return [values[int(index)].numpy() for index in self.plan.outputs]

    def _step(self, call: Any, values: dict[int, Any]) -> None:
        kind = type(call).__name__
        if kind == "DelegateCall":
            delegate = self.delegates[call.delegate_index]
            count = len(delegate.graph.graph.input_ids)
            given = [self.constants.value(i, values) for i in call.args[:count]]
            for index, made in zip(call.args[count:], delegate.call(given), strict=True):
                values[index] = made
        elif kind == "KernelCall":
            operator = self.plan.operators[call.op_index]
            self._kernel(f"{operator.name}.{operator.overload}", call.args, values)
        else:
            raise UnsupportedError(f"{self.file.path.name}: the interpreter has no {kind}")

    def _kernel(self, name: str, args: Sequence[int], values: dict[int, Any]) -> None:
        if name not in OUTSIDE:
            raise UnsupportedError(f"{self.file.path.name}: the interpreter has no {name}")
        # The result is named twice: as the tensor to write, and as what comes back.
        given = [self.constants.value(i, values) for i in args if i != args[-1]]
        if name == "aten::embedding.out":
            out = torch.nn.functional.embedding(given[1], given[0])
        elif name == "aten::view_copy.out":
            out = given[0].reshape(given[1])
        else:
            out = given[0]
        values[args[-1]] = out.to(self.constants.dtype(args[-1]))


class Delegate:
    """One Vulkan graph. Caches are constants that it writes."""

    def __init__(self, file: VulkanFile, graph: VulkanGraph) -> None:
        self.file, self.graph = file, graph
        self.constants: dict[int, Tensor] = {}

    def call(self, inputs: Sequence[Any]) -> list[Any]:
        """Its outputs."""
        values: dict[int, Any] = dict(zip(self.graph.graph.input_ids, inputs, strict=True))
        for call in self.graph.graph.chain:
            self._operator(call.name, call.args, values)
        return [values[i] for i in self.graph.graph.output_ids]

    def _get(self, index: int, values: dict[int, Any]) -> Any:
        if index in values:
            return values[index]
        if self.graph.is_constant(index):
            if index not in self.constants:
                self.constants[index] = torch.from_numpy(np.array(self.graph.constant(index)))
            return self.constants[index]
        value = self.graph.value(index)
        kind = type(value).__name__
        if kind == "ValueList":
            return [self._get(i, values) for i in value.items]
        if kind == "Null":
            return None
        if kind in ("VkTensor", "SymInt"):
            raise InputError(f"{self.file.path}: value {index} is read before it is made")
        return next(iter(vars(value).values()))

    def _operator(self, name: str, args: Sequence[int], values: dict[int, Any]) -> None:
        given = [self._get(i, values) for i in args[:-1]]
        if name in SPECIAL:
            made = SPECIAL[name](*given)
        elif name in KNOWN:
            made = _aten(name, given)
        else:
            raise UnsupportedError(f"{self.file.path.name}: the interpreter has no {name}")
        self._put(args[-1], made, values)

    def _put(self, index: int, made: Any, values: dict[int, Any]) -> None:
        value = self.graph.value(index)
        if type(value).__name__ == "ValueList":
            for at, part in zip(value.items, made, strict=False):
                self._put(at, part, values)
            return
        if isinstance(made, Tensor):
            made = made.to(getattr(torch, DTYPES[int(value.datatype)]))
            if made.dim() != len(value.dims) or any(
                a > b for a, b in zip(made.shape, value.dims, strict=True)
            ):
                raise InputError(
                    f"{self.file.path}: value {index} has the shape {tuple(made.shape)}, planned {value.dims}"
                )
        values[index] = made


def _aten(name: str, given: list[Any]) -> Any:
    space, operator, overload = name.split(".")
    function = getattr(getattr(getattr(torch.ops, space), operator), overload)
    arguments = function._schema.arguments
    positional = [v for v, a in zip(given, arguments, strict=True) if not a.kwarg_only]
    # Types of elements are not serialised: the result takes that of its value.
    named = {
        a.name: v for v, a in zip(given, arguments, strict=True) if a.kwarg_only and v is not None
    }
    ids = [v.long() if isinstance(v, Tensor) and v.dtype is torch.int32 else v for v in positional]
    return function(*(ids if operator.startswith(("embedding", "index")) else positional), **named)


def _choose(x: Tensor, mapping: str, block: list[int], _dtype: None, *rest: Any) -> Any:
    low, high, epsilon = rest[0], rest[1], rest[2]
    return torch.ops.torchao.choose_qparams_affine(
        *(x, mapping, block, torch.int8, low, high, epsilon or EPSILON, torch.float32, torch.int8)
    )


def _int8_inputs(
    x: Tensor, scale: Tensor, zero: Tensor, codes: Tensor, sums: Tensor, *rest: Any
) -> Tensor:
    """Inputs are rounded; the sums take part as the kernel uses them, so that wrong ones are seen."""
    scales, group, bias = rest
    shape = (*x.shape[:-1], 1)
    step, offset = scale.reshape(shape), zero.reshape(shape).float()
    rounded = (torch.round(x / step) + offset).clamp(-128, 127)
    out: Tensor = torch.ops.et_vk.linear_q4gsw(rounded, codes, scales, group, None)
    out = (out - offset * (sums[:, : scales.shape[1]].float() * scales).sum(0)) * step
    return out if bias is None else out + bias


def _attend(*given: Any) -> Tensor:
    """Write keys and values behind `start`, then attend to all rows up to each token's own."""
    q, k, v, keys, values, start = given[:6]
    tokens, heads, width = q.shape[1], q.shape[2], q.shape[3]
    keys[:, start : start + tokens], values[:, start : start + tokens] = k, v
    total = start + tokens
    each = heads // keys.shape[2]
    k, v = (c[:, :total].repeat_interleave(each, 2).transpose(1, 2) for c in (keys, values))
    scores = q.transpose(1, 2) @ k.transpose(2, 3) * width**-0.5
    row = torch.arange(start, total)[:, None]
    hidden = torch.arange(total)[None, :] > row
    out: Tensor = torch.softmax(scores.masked_fill(hidden, -torch.inf), -1) @ v
    return out.transpose(1, 2)


SPECIAL: dict[str, Callable[..., Any]] = {
    "et_vk.prepack.default": lambda x: x,
    "sym_size.int": lambda x, axis: int(x.shape[axis]),
    "et_vk.select_as_symint.default": lambda x, axis, at: int(x.select(axis, at)),
    "sdpa_with_kv_cache.default": _attend,
    "torchao.choose_qparams_affine.default": _choose,
    "et_vk.linear_dq8ca_q4gsw.default": _int8_inputs,
}
