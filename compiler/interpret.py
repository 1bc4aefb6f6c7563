"""The reference executor: runs a graph with torch, in float32 or float64, and gives gradients.

It is the oracle for every pass and every backend, so it favours plainness over speed: one node
after the other, every output checked against its declared type. Every float type of the program is
held in the compute type; a graph that says f16 is still computed in float32.

Memory: an intermediate lives until its last use and a weight for one node, unless a `WeightCache`
keeps it. Gradients keep what autograd saves, as in any torch program.
"""

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from optimum_compile.compiler.bind import bind_symbols, bound_numbers, same_names
from optimum_compile.compiler.errors import (
    InternalError,
    OptimumCompileError,
    ResourceError,
    UserError,
)
from optimum_compile.compiler.interpret_int8 import (
    integer_linear,
    linear_parts,
    load_codes,
    load_scales,
    rounded_input,
    row_scaled,
)
from optimum_compile.compiler.interpret_kv import (
    CacheSchemes,
    cache_schemes,
    quantised_attention,
)
from optimum_compile.compiler.interpret_ops import Call, execute, torch_dtype
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.ir.shape import Dim, evaluate
from optimum_compile.compiler.ir.types import TensorType
from optimum_compile.compiler.quant.activations import Activations
from optimum_compile.compiler.quant.kv import KvStored
from optimum_compile.compiler.weight_cache import WeightCache as WeightCache
from optimum_compile.passes.precision.notes import Precision, Quantized

WeightMode = Literal["float", "quantized"]
# One value of this many elements takes 32 GiB in float32: no machine that compiles has more to spare.
MAX_ELEMENTS = 1 << 33
Observe = Callable[[Node, tuple[Tensor, ...]], None]


@dataclass(frozen=True)
class RunResult:
    """What one call gave.

    outputs: in the order of `graph.outputs`. states: by state name, at the end of the call; pass
    them to the next call. weights: the leaves of `grad_weights`, whose `.grad` backward fills.
    """

    outputs: tuple[Tensor, ...]
    states: dict[str, Tensor]
    weights: dict[str, Tensor] = field(default_factory=dict)


def run(
    graph: Graph,
    inputs: Mapping[str, np.ndarray | Tensor],
    states: Mapping[str, Tensor] | None = None,
    *,
    weights: WeightMode = "float",
    grad_weights: Iterable[str] = (),
    replace_weights: Mapping[str, Tensor] | None = None,
    observe: Observe | None = None,
    cache: WeightCache | None = None,
    activations: Mapping[str, Activations] | None = None,
    kv: Mapping[str, KvStored] | None = None,
    dtype: torch.dtype = torch.float32,
) -> RunResult:
    """Execute `graph` once.

    Args:
        graph: what to run; it is not changed.
        inputs: a tensor for every graph input, by name. Their shapes bind the symbols.
        states: contents of the states at entry, by state name; a missing one starts as zeros.
        weights: "float" takes the original weights; "quantized" takes the packed form of a weight
            that has one, rounds a weight assigned to `Float(16)` through fp16, and leaves others.
        grad_weights: names of weights that become autograd leaves; nothing else records gradients.
        replace_weights: tensors to use instead of the named weights.
        observe: called with every node and its outputs just after it ran.
        cache: keeps weights between calls; without one each is loaded when a node needs it.
        activations: by the name of a weight, how the inputs of its linears are rounded before they
            are multiplied; on quantised weights with one scale a row, with the bits of integer
            kernels. Rounding has no gradient, so not together with `grad_weights`.
        kv: by the name of a state, how attention reads it as keys or values: what it reads is rounded
            (fp16 where the scheme is `f16`), the state itself keeps every number. Not together with
            `grad_weights` either.
        dtype: torch.float32 or torch.float64; every float value of the program is held in it.

    Raises:
        UserError: inputs that do not fit: missing, unknown, of another shape or out of range.
        ResourceError: one value would be too large for any memory.
        InternalError: the graph is wrong: a result differs from its declared type, no such op.
    """
    if dtype not in (torch.float32, torch.float64):
        raise UserError(f"dtype={dtype}: expected torch.float32 or torch.float64")
    if weights not in ("float", "quantized"):
        raise UserError(f"weights={weights!r}: expected 'float' or 'quantized'")
    runner = _Runner(graph, weights, cache, dtype)
    runner.bind(inputs, states or {})
    runner.take_weights(tuple(grad_weights), replace_weights or {}, activations or {})
    runner.take_caches(kv or {}, gradients=bool(runner.leaves))
    with torch.set_grad_enabled(bool(runner.leaves)):
        for node in graph.nodes:
            runner.step(node, observe)
        return runner.result()


def run_nodes(
    graph: Graph,
    nodes: Sequence[Node],
    values: Mapping[Value, Tensor],
    symbols: Mapping[str, int],
    wanted: Iterable[Value],
    *,
    weights: WeightMode = "float",
    observe: Observe | None = None,
    cache: WeightCache | None = None,
    gradients: bool = False,
    replace: Mapping[Value, Tensor] | None = None,
    kv: Mapping[str, KvStored] | None = None,
) -> dict[Value, Tensor]:
    """Execute a run of nodes of `graph`, given the values that come in from before it.

    States that a node reads begin as zeros. Returns the `wanted` values that were given or computed.
    With `gradients` autograd records what depends on given values that require them. `replace` has
    tensors to use instead of weights, `kv` is that of `run`.
    """
    runner = _Runner(graph, weights, cache, torch.float32)
    runner.take_caches(kv or {}, gradients=gradients)
    runner.fixed.update(replace or {})
    runner.symbols.update(symbols)
    runner.env.update(values)
    keep = dict.fromkeys(wanted)
    runner.kept |= set(keep)
    readers = {s.read for s in graph.states} - set(values)
    for state in {v for node in nodes for v in node.inputs if v is not None and v in readers}:
        kind = torch_dtype(state.type.dtype, torch.float32)
        runner.env[state] = torch.zeros(runner.shape_of(state), dtype=kind)
    # Only these nodes read: a value may go after the last of them.
    runner.remaining = dict.fromkeys(runner.remaining, 0)
    for node in nodes:
        for value in node.inputs:
            if value is not None:
                runner.remaining[value] += 1
    with torch.set_grad_enabled(gradients):
        for node in nodes:
            runner.step(node, observe)
    return {v: runner.env[v] for v in keep if v in runner.env}


class _Runner:
    """One execution: the environment and what is still needed of it."""

    def __init__(
        self, graph: Graph, mode: WeightMode, cache: WeightCache | None, dtype: torch.dtype
    ) -> None:
        self.graph = graph
        self.mode = mode
        self.cache = cache
        self.dtype = dtype
        self.symbols: dict[str, int] = {}
        self.env: dict[Value, Tensor] = {}
        self.leaves: dict[str, Tensor] = {}
        self.fixed: dict[Value, Tensor] = {}
        self.rounded: dict[str, Activations] = {}
        self.caches: CacheSchemes = {}
        self.remaining = {v: len(v.uses) for v in graph.values()}
        self.kept = {*graph.outputs, *(s.written for s in graph.states)}
        self._numbers: dict[Dim, int] = {}

    # ---- before the first node

    def bind(self, inputs: Mapping[str, np.ndarray | Tensor], states: Mapping[str, Tensor]) -> None:
        """Check inputs and states, bind the symbols, fill the environment."""
        known = {v.name: v for v in self.graph.inputs}
        same_names("input", known, inputs, missing_allowed=False)
        readers = {s.name: s.read for s in self.graph.states}
        same_names("state", readers, states, missing_allowed=True)
        given = [(v, _as_tensor(n, inputs[n], v.type, self.dtype)) for n, v in known.items()]
        given += [
            (v, _as_tensor(n, states[n], v.type, self.dtype))
            for n, v in readers.items()
            if n in states
        ]
        self.symbols.update(bound_numbers(self.graph, given))
        bind_symbols(self.graph, [(v, tuple(t.shape)) for v, t in given], self.symbols)
        self.env.update(given)
        for name, value in readers.items():
            if name not in states:
                shape = self._shape(value.type)
                self.env[value] = torch.zeros(
                    shape, dtype=torch_dtype(value.type.dtype, self.dtype)
                )

    def take_weights(
        self,
        grad: tuple[str, ...],
        replace: Mapping[str, Tensor],
        activations: Mapping[str, Activations],
    ) -> None:
        """Set the weights that are leaves, those that the caller brings, and how inputs are rounded."""
        for name in (*grad, *replace, *activations):
            if name not in self.graph.weights:
                raise UserError(f"weight {name!r}: the graph has none of that name")
        if grad and activations:
            raise UserError("activations: rounded ones have no gradient; give no grad_weights")
        self.rounded.update(activations)
        for name, tensor in replace.items():
            value = self.graph.weights[name]
            if tuple(tensor.shape) != self._shape(value.type):
                raise UserError(f"weight {name}: replacement {tuple(tensor.shape)}, {value.type}")
            self.fixed[value] = tensor.to(torch_dtype(value.type.dtype, self.dtype))
        for name in dict.fromkeys(grad):
            value = self.graph.weights[name]
            if not value.type.dtype.is_float:
                raise UserError(f"weight {name} is {value.type}: only float weights have gradients")
            start = self.fixed[value] if value in self.fixed else self._load(value)
            leaf = start.detach().clone().requires_grad_()
            self.leaves[name] = self.fixed[value] = leaf

    def take_caches(self, kv: Mapping[str, KvStored], *, gradients: bool) -> None:
        """Set how attention reads the caches."""
        self.caches = cache_schemes(self.graph, kv)
        if gradients and self.caches:
            raise UserError("kv: a rounded cache has no gradient; give no grad_weights")

    # ---- one node

    def step(self, node: Node, observe: Observe | None) -> None:
        """Run one node, check what it gave, let go what nobody reads any more."""
        for produced in node.outputs:
            self._bound_size(node, produced)
        results = self._rounded_linear(node) or self._execute(node)
        if len(results) != len(node.outputs):
            raise InternalError(
                f"{node!r} at {node.origin}: {len(results)} results for {len(node.outputs)} outputs"
            )
        outputs = tuple(
            self._settle(node, v, t) for v, t in zip(node.outputs, results, strict=True)
        )
        self.env.update(zip(node.outputs, outputs, strict=True))
        if observe is not None:
            observe(node, outputs)
        # Distinct values: a node may read one value twice.
        for value in dict.fromkeys((*node.inputs, *node.outputs)):
            if value is not None:
                self._release(node, value)

    def result(self) -> RunResult:
        """Outputs and states after the last node."""
        return RunResult(
            tuple(self._read(v) for v in self.graph.outputs),
            {s.name: self._read(s.written) for s in self.graph.states},
            self.leaves,
        )

    # ---- helpers

    def _execute(self, node: Node) -> tuple[Tensor, ...]:
        tensors = tuple(None if v is None else self._read(v) for v in node.inputs)
        call = Call(node, tensors, self._number, self.dtype)
        try:
            if node in self.caches:
                return (quantised_attention(call, self.caches[node]),)
            return execute(call)
        except OptimumCompileError:
            raise
        except (RuntimeError, TypeError, ValueError, IndexError) as error:
            shapes = ", ".join("-" if t is None else str(tuple(t.shape)) for t in tensors)
            raise InternalError(f"{node!r} at {node.origin}: {error} (inputs {shapes})") from error

    def _rounded_linear(self, node: Node) -> tuple[Tensor, ...]:
        """What a linear gives on rounded inputs; nothing for any other node."""
        parts = linear_parts(node)
        hows = {self.rounded.get(weight.name) for weight, _ in parts}
        if len(hows) > 1:
            raise UserError(f"{node!r} at {node.origin}: its inputs are rounded in two ways")
        how = next(iter(hows), None)
        if how is None:
            return ()
        x = self._read(node.input(0))
        found = [self._rounded_part(x, how, *part) for part in parts]
        return (found[0] + self._read(node.input(3)),) if node.op == "linear_add" else tuple(found)

    def _rounded_part(
        self, x: Tensor, how: Activations, weight: Value, bias: Value | None
    ) -> Tensor:
        """One linear on rounded inputs, of integers where its weight has the codes for it."""
        added = None if bias is None else self._read(bias)
        exact = self.mode != "float" and weight not in self.fixed
        form = row_scaled(weight, how) if exact else None
        if form is None:
            return F.linear(rounded_input(x, how), self._read(weight), added)
        codes = self._cached((repr(form), "codes"), lambda: load_codes(form))
        scales = self._cached((repr(form), "scales"), lambda: load_scales(form))
        return integer_linear(x, how, codes, scales, added)

    def _cached(self, key: Hashable, load: Callable[[], Tensor]) -> Tensor:
        return load() if self.cache is None else self.cache.get(key, load)

    def shape_of(self, value: Value) -> tuple[int, ...]:
        """Shape of a value under the bound symbols."""
        return self._shape(value.type)

    def _number(self, dim: Dim) -> int:
        if isinstance(dim, int):
            return dim
        if dim not in self._numbers:
            try:
                self._numbers[dim] = evaluate(dim, self.symbols)
            except KeyError as error:
                raise InternalError(f"symbol {error} of {dim} is bound by no input") from error
        return self._numbers[dim]

    def _shape(self, kind: TensorType) -> tuple[int, ...]:
        return tuple(self._number(d) for d in kind.shape)

    def _bound_size(self, node: Node, value: Value) -> None:
        elements = math.prod(self._shape(value.type))
        if elements > MAX_ELEMENTS:
            raise ResourceError(
                f"{node!r} at {node.origin}: {value.type} has {elements} elements here, more than "
                f"{MAX_ELEMENTS}; use shorter inputs"
            )

    def _settle(self, node: Node, value: Value, result: Tensor) -> Tensor:
        if tuple(result.shape) != self._shape(value.type):
            raise InternalError(
                f"{node!r} at {node.origin}: computed {tuple(result.shape)}, declared {value!r}"
            )
        return result.to(torch_dtype(value.type.dtype, self.dtype))

    def _read(self, value: Value) -> Tensor:
        found = self.env.get(value)
        if found is None and value in self.fixed:
            return self.fixed[value]
        if found is None and value.weight is not None:
            return self._load(value)
        if found is None:
            raise InternalError(f"{value!r} is read before it is computed")
        return found

    def _release(self, node: Node, value: Value) -> None:
        self.remaining[value] -= node.inputs.count(value)
        if self.remaining[value] <= 0 and value not in self.kept:
            self.env.pop(value, None)

    def _load(self, value: Value) -> Tensor:
        ref = value.weight
        if ref is None:
            raise InternalError(f"{value!r} is no weight")
        form = _stored_form(value) if self.mode == "quantized" else None

        def load() -> Tensor:
            if isinstance(form, Quantized):
                data = form.load().dequantize().reshape(ref.type.static_shape())
            else:
                wide = ref.edits and self.dtype == torch.float64
                data = ref.load_f64() if wide else ref.load()
                if form is not None:
                    data = data.astype(np.float16)
            kind = torch_dtype(value.type.dtype, self.dtype)
            return torch.from_numpy(np.require(data, requirements="W")).to(kind)

        # The key holds `inline` itself: WeightRef compares without it.
        key = (ref, ref.inline, None if form is None else repr(form), self.dtype)
        return self._cached(key, load)


def _stored_form(value: Value) -> Quantized | Precision | None:
    """What decides the stored numbers of a weight; None where the original ones stay."""
    packed = value.notes.get(Quantized)
    if packed is not None:
        return packed
    assigned = value.notes.get(Precision)
    rounds = assigned is not None and str(assigned.scheme) == "f16"
    return assigned if rounds and value.type.dtype.is_float else None


def _as_tensor(
    name: str, data: np.ndarray | Tensor, kind: TensorType, compute: torch.dtype
) -> Tensor:
    tensor = data if isinstance(data, Tensor) else torch.from_numpy(np.array(data))
    if tensor.is_floating_point() and not kind.dtype.is_float:
        raise UserError(f"{name}: got {tensor.dtype}, expected {kind}")
    return tensor.to(torch_dtype(kind.dtype, compute))
