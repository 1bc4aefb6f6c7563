"""From the graph IR to a torch module that torch.export can trace: one small function an op.

A region that XNNPACK runs becomes one placeholder operator, which `emit` exchanges for the delegate.
Everything that XNNPACK has no container for (2 bits, palettes, fp16, tied tables) goes to the packed
operators.

Attention over a KV cache is one operator as well (`caches`). Norms and rotary embedding stay portable
ATen: they are a few percent of the work, and no element-wise islands are left for a partitioner to
lower one by one.
"""

from collections.abc import Container, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from optimum_compile.backends.executorch import custom_ops
from optimum_compile.backends.executorch.caches import packed_caches, packed_states
from optimum_compile.backends.executorch.delegate import Delegate, build
from optimum_compile.backends.executorch.operands import (
    call_of,
    codebook_name,
    part_name,
    parts_of,
)
from optimum_compile.backends.executorch.regions import Region, regions_of
from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.passes.precision.narrow import widths_of
from optimum_compile.passes.precision.notes import Quantized

Computed = dict[Value, Tensor]  # values of the graph as they are made


def chosen_widths(graph: Graph) -> tuple[int, ...]:
    """Widths of nested weights that calls of this graph's functions choose from: those of a decoder."""
    return widths_of(graph) if graph.states else ()


def buffer_name(name: str) -> str:
    """A name that torch accepts for a buffer."""
    return name.replace(".", "_")


class GraphModule(nn.Module):
    """A graph as a module. Several graphs may share `store`, and with it every tensor."""

    def __init__(self, graph: Graph, store: "TensorStore", delegates: "DelegateStore") -> None:
        super().__init__()
        custom_ops.load()
        self.graph = graph
        self.delegates = delegates
        self.regions = regions_of(graph) if delegates.enabled else ()
        self.caches = packed_caches(graph) if store.packs_caches else {}
        self.packed_writes = {cache.write for pair in self.caches.values() for cache in pair}
        self.in_place: set[Value] = set()  # values that are the buffer of a state
        self.takes_width = bool(chosen_widths(graph))
        self.width: Tensor | None = None  # of nested weights, in this call
        for name, tensor in store.tensors.items():
            self.register_buffer(name, tensor, persistent=True)

    def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
        """Run the nodes in order; states are buffers that are written in place.

        A decoder of nested weights takes their width, i64[1], behind the inputs of the graph.
        """
        inputs = given[:-1] if self.takes_width else given
        self.width = given[-1] if self.takes_width else None
        env: dict[Value, Tensor] = dict(zip(self.graph.inputs, inputs, strict=True))
        memo: dict[Any, Tensor] = {}
        self.in_place = {state.read for state in self.graph.states}
        for state in self.graph.states:
            env[state.read] = self.buffer(buffer_name(state.name))
        first = {region.nodes[0]: region for region in self.regions}
        inside = {node for region in self.regions for node in region.nodes}
        for node in self.graph.nodes:
            if node in first:
                env |= self._delegate(first[node], env)
            elif node not in inside:
                env |= self.run(node, env, memo)
        outputs = tuple(self._value(env, v) for v in self.graph.outputs)
        for state in self.graph.states:
            if state.written not in self.in_place:
                self.buffer(buffer_name(state.name)).copy_(self._value(env, state.written))
        self.width = None  # torch.export refuses modules that keep what was traced
        return outputs

    def run(self, node: Node, env: dict[Value, Tensor], memo: dict[Any, Tensor]) -> Computed:
        """The outputs of one node. `memo` holds what several nodes share, positions for one."""
        from optimum_compile.backends.executorch.lower_ops import execute

        return dict(zip(node.outputs, execute(self, node, env, memo), strict=True))

    def _delegate(self, region: Region, env: Mapping[Value, Tensor]) -> Computed:
        """A placeholder of the delegate with the right shapes; `emit` puts the delegate there."""
        widths = [int(v.type.shape[-1]) for v in region.outputs]
        at = self.delegates.add(self.graph, region)
        out = torch.ops.optimum_compile_rt.delegate(self._value(env, region.input), at, widths)
        return dict(zip(region.outputs, out, strict=True))

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
    """Constants and states of a graph as torch tensors, but for the matrices of the delegates."""

    def __init__(
        self, graph: Graph, delegated: Container[str], *, packs_caches: bool = True
    ) -> None:
        self.packs_caches = packs_caches
        self.tensors: dict[str, Tensor] = {}
        packed = packed_states(graph) if packs_caches else {}
        for state in graph.states:
            if state.name in packed:
                memory = torch.zeros(packed[state.name].bytes, dtype=torch.uint8)
            else:
                memory = torch.zeros(state.read.type.static_shape())
            self.tensors[buffer_name(state.name)] = memory
        for name, value in graph.weights.items():
            if name in delegated:
                continue
            note = value.notes.get(Quantized)
            if note is not None:
                self._matrix(buffer_name(name), note.load())
                continue
            if value.weight is None:
                raise InternalError(f"{name} has no bytes")
            data = value.weight.load()
            tensor = torch.from_numpy(np.ascontiguousarray(data))
            # Norms and biases are small, and rotary frequencies need every bit: float32 throughout.
            self.tensors[buffer_name(name)] = (
                tensor.float() if tensor.is_floating_point() else tensor
            )

    def _matrix(self, name: str, packed: PackedWeight) -> None:
        for part, data in parts_of(packed).items():
            self.tensors[part_name(name, part)] = torch.from_numpy(np.ascontiguousarray(data))
        shared = codebook_name(packed.scheme)
        if shared is not None and packed.table is not None:
            self.tensors[shared] = torch.from_numpy(np.ascontiguousarray(packed.table))


class DelegateStore:
    """Every delegate once, whatever the number of functions that call it."""

    def __init__(self, graph: Graph, *, enabled: bool = True) -> None:
        self.enabled = enabled
        regions = regions_of(graph) if enabled else ()
        self.constants = {name for region in regions for name in region.constants}
        self.delegates: list[Delegate] = []
        self._by_weights: dict[tuple[str, ...], int] = {}

    def add(self, graph: Graph, region: Region) -> int:
        """Index of the region's delegate, built when its weights are new."""
        if region.weights not in self._by_weights:
            self._by_weights[region.weights] = len(self.delegates)
            self.delegates.append(build(graph, region))
        return self._by_weights[region.weights]


def linear(module: GraphModule, x: Tensor, value: Value) -> Tensor:
    """X (..., columns) times a weight in whatever scheme it has."""
    note = value.notes.get(Quantized)
    if note is None or value.weight is None:
        return nn.functional.linear(x, module.plain(value))
    return _packed(module, "linear", x, buffer_name(value.weight.name), value)


def _packed(module: GraphModule, kind: str, first: Tensor, name: str, value: Value) -> Tensor:
    note = value.notes.get(Quantized)
    if note is None:
        raise InternalError(f"{name} is not quantised")

    def part(which: str) -> Tensor | None:
        shared = codebook_name(note.scheme) if which == "table" else None
        found = shared or part_name(name, which)
        return module.buffer(found) if hasattr(module, found) else None

    form, arguments = call_of(note.scheme, value.type.static_shape(), part, module.width)
    out: Tensor = getattr(torch.ops.optimum_compile_rt, f"{kind}_{form}")(first, *arguments)
    return out


def embedding(module: GraphModule, ids: Tensor, value: Value) -> Tensor:
    """Rows of a table in whatever scheme it has."""
    if value.notes.get(Quantized) is None or value.weight is None:
        return nn.functional.embedding(ids, module.plain(value))
    return _packed(module, "embedding", ids, buffer_name(value.weight.name), value)
