"""From the graph IR to a torch module whose matrices are the delegate's fused operators already.

The SDK makes these operators itself from a pattern of dequantised weights, whose recognition hangs on names
of modules and packs the codes again. Here they are called directly, with the codes as they are.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from optimum_compile.backends.executorch.lower import (
    Computed,
    DelegateStore,
    GraphModule,
    TensorStore,
    buffer_name,
)
from optimum_compile.backends.executorch_vulkan.attention import (
    SWAP,
    Attention,
    Source,
    attentions_of,
    live_nodes,
    swapped_attention,
)
from optimum_compile.backends.executorch_vulkan.constants import fused_matrix, sums_of
from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.graph import Graph, Node, State, Value
from optimum_compile.compiler.quant.scheme import Affine
from optimum_compile.passes.precision.notes import Quantized

PART = "{}__{}"
EPSILON = 2.0**-23  # least scale of int8 inputs


class VulkanStore(TensorStore):
    """Constants and states of a graph in the delegate's forms."""

    def __init__(self, graph: Graph, *, int8_inputs: bool = False) -> None:
        self.packs_caches = False
        self.nodes = graph.nodes
        self.int8_inputs = int8_inputs
        self.attentions = attentions_of(graph)
        self.live = live_nodes(graph, self.attentions)
        self.tensors: dict[str, Tensor] = {}
        for state in graph.states:
            self.tensors[buffer_name(state.name)] = _cache(state)
        for attention in self.attentions.values():
            if attention.rope is not None:
                self._angles(attention.rope, attention.keys.sizes[1])
        for value in self._weights():
            self._weight(value)

    def _weights(self) -> dict[Value, None]:
        """Weights that a live node reads, in order."""
        nodes = [n for n in self.nodes if n in self.live and n not in self.attentions]
        found = [v for n in nodes for v in n.inputs if v is not None and v.weight is not None]
        return dict.fromkeys(found)

    def _weight(self, value: Value) -> None:
        if value.weight is None:
            raise InternalError(f"{value.name} has no bytes")
        name, note = buffer_name(value.weight.name), value.notes.get(Quantized)
        if note is None:
            tensor = torch.from_numpy(np.ascontiguousarray(value.weight.load()))
            self.tensors[name] = tensor.float() if tensor.is_floating_point() else tensor
            return
        packed = note.load()
        matrix = fused_matrix(packed)
        uses = {node.op for node, _ in value.uses}
        self._put(name, "codes", matrix.codes)
        if "linear" in uses:
            self._put(name, "scales", matrix.linear_scales)
        if "embedding" in uses:
            self._put(name, "table_scales", matrix.scales)
        if "linear" in uses and self.int8_inputs and matrix.bits == 4:
            self._put(name, "sums", sums_of(packed, matrix.group))

    def _put(self, name: str, part: str, data: np.ndarray) -> None:
        self.tensors[PART.format(name, part)] = torch.from_numpy(np.require(data, None, ["C", "W"]))

    def _angles(self, rope: Node, context: int) -> None:
        """Cosines and sines (context, width) of one rotation, which layers share."""
        name = angles_name(rope)
        if name.format("cos") in self.tensors:
            return
        weight = rope.input(2).weight
        if weight is None:
            raise InternalError(f"{rope.origin}: its frequencies are computed")
        frequencies = torch.from_numpy(np.array(weight.load(), np.float32))
        angle = torch.arange(context, dtype=torch.float32)[:, None] * frequencies[None, :]
        scale = float(str(rope.attrs["scale"]))
        self.tensors[name.format("cos")] = (torch.cos(angle) * scale).repeat(1, 2)
        self.tensors[name.format("sin")] = (torch.sin(angle) * scale).repeat(1, 2)


class VulkanModule(GraphModule):
    """A graph as a module of the delegate's operators."""

    def __init__(self, graph: Graph, store: VulkanStore) -> None:
        super().__init__(graph, store, DelegateStore(graph, enabled=False))
        register_operators()
        self.store = store
        self.packed_writes = {
            c.write for a in store.attentions.values() for c in (a.keys, a.values)
        }

    def run(self, node: Node, env: Computed, memo: dict[Any, Tensor]) -> Computed:
        """See `GraphModule`: what has an operator of the delegate's own takes it."""
        if node in self.packed_writes:
            self.in_place.add(node.output)
            return {node.output: env[node.input(0)]}
        if node not in self.store.live:
            return {}
        found = self._own(node, env, memo)
        return super().run(node, env, memo) if found is None else {node.output: found}

    def _own(self, node: Node, env: Computed, memo: dict[Any, Tensor]) -> Tensor | None:
        attention = swapped_attention(node, self.store.attentions)
        if attention is not None:
            return memo[("tokens first", attention)]
        if node in self.store.attentions:
            made = self._attention(self.store.attentions[node], env, memo)
            memo[("tokens first", node)] = made
            return made.permute(SWAP)  # dropped where every reader puts tokens first again
        if node.op == "rms_norm" and len(node.inputs) > 1 and node.inputs[1] is not None:
            x, weight = self._value(env, node.input(0)), self.plain(node.input(1))
            out: Tensor = torch.ops.et_vk.rms_norm(x, weight, float(str(node.attrs["eps"])))
            return out
        if node.op in ("linear", "embedding"):
            weight = node.input(1)
            note = weight.notes.get(Quantized)
            if note is not None:
                matrix = _Matrix(self, weight, note)
                given = self._value(env, node.input(0))
                return (
                    matrix.rows(given)
                    if node.op == "embedding"
                    else matrix.linear(node, given, env, memo)
                )
        return None

    def value(self, env: Computed, value: Value) -> Tensor:
        """A value that was computed, or a weight as floats."""
        return self._value(env, value)

    def _attention(self, attention: Attention, env: Computed, memo: dict[Any, Tensor]) -> Tensor:
        start = self._start(env[attention.past], attention, memo)
        q, k, v = (self._tokens_first(s, env) for s in (attention.q, attention.k, attention.v))
        tokens, width = q.shape[1], attention.keys.sizes[2]
        context = attention.keys.sizes[1]
        torch._check(start + tokens <= context)
        if attention.rope is not None:
            name = angles_name(attention.rope)
            cos, sin = self.buffer(name.format("cos")), self.buffer(name.format("sin"))
            q, k = torch.ops.et_vk.apply_rotary_emb_hf(q, k, cos, sin, start)
        # The operator divides by the root of the width, and takes no other scale.
        scale = float(str(attention.node.attrs["scale"])) * width**0.5
        if abs(scale - 1) > 1e-6:
            q = q * scale
        caches = (
            self.buffer(buffer_name(c.state.name)) for c in (attention.keys, attention.values)
        )
        out: Tensor = torch.ops.llama.sdpa_with_kv_cache(
            *(q, k, v, *caches, start, tokens, None, 0.0, True, None)
        )
        return out

    def _start(self, past: Tensor, attention: Attention, memo: dict[Any, Any]) -> Any:
        """The number of tokens in the cache as a number, read once for all layers."""
        key = ("start", attention.past)
        if key not in memo:
            start = past[0].item()
            torch._check(start >= 0)
            torch._check(start < attention.keys.sizes[1])
            memo[key] = start
        return memo[key]

    def _tokens_first(self, source: Source, env: Computed) -> Tensor:
        found = self._value(env, source.value)
        return found if source.tokens_first else found.permute(SWAP)


class _Matrix:
    """A quantised weight as its operators see it."""

    def __init__(self, module: VulkanModule, weight: Value, note: Quantized) -> None:
        if weight.weight is None:
            raise InternalError(f"{weight.name} has no bytes")
        self.module, self.note = module, note
        self.name = buffer_name(weight.weight.name)
        self.count, self.columns = weight.type.static_shape()
        if not isinstance(note.scheme, Affine):
            raise InternalError(
                f"{weight.name}: the Vulkan delegate has no operator for {note.scheme}"
            )
        self.bits, self.group = note.scheme.bits, note.scheme.group_size(self.columns)

    def part(self, which: str) -> Tensor:
        return self.module.buffer(PART.format(self.name, which))

    def linear(self, node: Node, x: Tensor, env: Computed, memo: dict[Any, Any]) -> Tensor:
        """X (..., columns) times the matrix, with its bias."""
        bias_value = node.inputs[2] if len(node.inputs) > 2 else None
        bias = None if bias_value is None else self.module.value(env, bias_value)
        if self.bits == 8:
            flat = x if x.dim() == 2 else x.view(-1, self.columns)
            out = torch.ops.aten._weight_int8pack_mm(flat, self.part("codes"), self.part("scales"))
            out = out if x.dim() == 2 else out.view([*x.shape[:-1], self.count])
            return out if bias is None else out + bias
        rows = x if x.dim() in (2, 3) else x.view(-1, self.columns)
        given = (self.part("codes"), self.part("scales"), self.group, bias)
        if self.module.store.int8_inputs:
            scale, zero = self._rounding(node.input(0), rows, memo)
            codes, scales, group, bias = given
            made = torch.ops.et_vk.linear_dq8ca_q4gsw(
                *(rows, scale, zero, codes, self.part("sums"), scales, group, bias)
            )
        else:
            made = torch.ops.et_vk.linear_q4gsw(rows, *given)
        return made if rows is x else made.view([*x.shape[:-1], self.count])

    def _rounding(self, source: Value, x: Tensor, memo: dict[Any, Any]) -> tuple[Tensor, Tensor]:
        """Scale and zero of every token, once for all matrices that read it."""
        key = ("rounding", source)
        if key not in memo:
            block = [*([1] * (x.dim() - 1)), self.columns]
            memo[key] = torch.ops.torchao.choose_qparams_affine(
                *(x, "ASYMMETRIC", block, torch.int8, -128, 127, EPSILON, torch.float32, torch.int8)
            )
        scale, zero = memo[key]
        return scale, zero

    def rows(self, ids: Tensor) -> Tensor:
        """Rows of a table."""
        codes, scales = self.part("codes"), self.part("table_scales")
        if self.bits == 4:
            out: Tensor = torch.ops.et_vk.embedding_q4gsw(codes, scales, self.group, ids, True)
            return out
        # The delegate has no 8-bit table: the CPU copies rows of codes.
        return nn.functional.embedding(ids, codes).to(torch.float32) * nn.functional.embedding(
            ids, scales
        )


def angles_name(rope: Node) -> str:
    """A name for cosines and sines, with a place for the word."""
    weight = rope.input(2).weight
    name = "angles" if weight is None else buffer_name(weight.name)
    return f"{name}__{{}}_{rope.attrs['scale']}".replace(".", "_")


def register_operators() -> None:
    """Make the delegate's operators known to torch, and its partitioner take them as they are.

    The partitioner refuses integer constants unless they are part of a pattern that it fuses itself, so the
    finished operators become patterns of one node, with nothing to replace.
    """
    import executorch.backends.vulkan.custom_ops_lib  # noqa: F401
    import torchao.quantization  # noqa: F401
    from executorch.backends.vulkan.patterns import (
        PatternMatch,
        fusable_patterns,
        register_pattern_detector,
    )
    from executorch.exir.dialects._ops import ops
    from executorch.extension.llm.custom_ops import custom_ops  # noqa: F401

    if "finished_matrix" in fusable_patterns:
        return
    finished = (
        ops.edge.et_vk.linear_q4gsw.default,
        ops.edge.et_vk.linear_dq8ca_q4gsw.default,
        ops.edge.aten._weight_int8pack_mm.default,
    )

    def find(node: torch.fx.Node) -> Any:
        match = PatternMatch([], [node], [node], node)
        return match if node.op == "call_function" and node.target in finished else None

    register_pattern_detector("finished_matrix")(find)


def _cache(state: State) -> Tensor:
    """Zeros (1, context, heads, width)."""
    _, heads, context, width = state.read.type.static_shape()
    return torch.zeros(1, context, heads, width)


def fused_weights(graph: Graph, store: VulkanStore) -> Mapping[Node, Quantized]:
    """Every live linear with its quantised weight: each becomes one operator."""
    found = {}
    for node in graph.nodes:
        note = node.input(1).notes.get(Quantized) if node.op == "linear" else None
        if note is not None and node in store.live:
            found[node] = note
    return found
