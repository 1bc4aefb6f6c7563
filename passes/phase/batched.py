"""An engine from a graph: many texts at once, in torch, with the oracle's arithmetic.

The canonical decoder takes one text. Its operators do not mix the elements of the leading axis, so the
same nodes serve a batch once the sizes that are written into them give way.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from optimum_compile.compiler.decoder import is_decoder
from optimum_compile.compiler.errors import InputError, OptionError, UnsupportedError
from optimum_compile.compiler.interpret_call import Call
from optimum_compile.compiler.interpret_ops import execute
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.ir.shape import Dim
from optimum_compile.compiler.quant.nested import at_width
from optimum_compile.compiler.quant.scheme import Nested
from optimum_compile.compiler.schedule import MOST_BITS
from optimum_compile.passes.precision.notes import Precision, Quantized

# Operators whose results for one text do not depend on the other texts of a batch.
_BATCHED = frozenset(
    "embedding rms_norm layer_norm linear rope cache_attention silu gelu mul add sub route "
    "relu tanh sigmoid hadamard".split()
)
# What an engine without nested weights calls its only width.
ONLY_WIDTH = MOST_BITS


class BatchedEngine:
    """`Engine` of a decoder graph; see the module."""

    def __init__(self, graph: Graph, *, original: bool = False) -> None:
        """Take the weights of every width into memory, in float32.

        Args:
            graph: a canonical decoder, with packed weights where they are rounded. Without nested
                weights its only width is `ONLY_WIDTH`.
            original: take the weights of the checkpoint instead of the packed ones.

        Raises:
            UnsupportedError: no decoder, or one with an operator that is not known to be safe.
        """
        if not is_decoder(graph):
            raise UnsupportedError(f"{graph.name}: no decoder of tokens and past with a cache")
        for node in graph.nodes:
            _require_batched(node)
        self._graph = graph
        self._shared: dict[Value, Tensor] = {}
        self._by_width: dict[int, dict[Value, Tensor]] = {}
        nested: dict[Value, Quantized] = {}
        for value in graph.weights.values():
            if not value.uses or value.weight is None:
                continue
            note = None if original else value.notes.get(Quantized)
            if note is not None and isinstance(note.scheme, Nested):
                nested[value] = note
            else:
                self._shared[value] = _stored(value, note, original)
        self._widths = _common_widths(nested)
        for width in self._widths if nested else ():
            self._by_width[width] = {
                value: _tensor(at_width(note.load(), _clamped(note, width)).dequantize(), value)
                for value, note in nested.items()
            }
        self._by_width = self._by_width or {ONLY_WIDTH: {}}
        self._states: dict[str, Tensor] = {}
        self._past = 0
        self._count = 0

    @property
    def widths(self) -> Sequence[int]:
        """See `Engine`."""
        return self._widths

    def start(self, count: int) -> None:
        """See `Engine`."""
        self._count, self._past = count, 0
        for state in self._graph.states:
            _, *rest = state.read.type.static_shape()
            self._states[state.name] = torch.zeros((count, *rest))

    def feed(self, tokens: np.ndarray, width: int) -> np.ndarray:
        """See `Engine`. Raises OptionError for an unknown width, InputError for another count."""
        if width not in self._by_width:
            known = ", ".join(map(str, self._widths))
            raise OptionError(f"width {width}: expected one of {known}")
        if tokens.ndim != 2 or len(tokens) != self._count:
            raise InputError(f"tokens {tokens.shape}: expected {self._count} rows, as at the start")
        with torch.no_grad():
            logits = self._run(np.ascontiguousarray(tokens, np.int64), self._by_width[width])
        self._past += tokens.shape[1]
        return logits

    def _run(self, tokens: np.ndarray, weights: dict[Value, Tensor]) -> np.ndarray:
        graph, seq = self._graph, tokens.shape[1]
        given = {"tokens": torch.from_numpy(tokens), "past": torch.tensor([self._past])}
        env = {value: given[value.name] for value in graph.inputs}
        env |= {state.read: self._states[state.name] for state in graph.states}

        def read(value: Value | None) -> Tensor | None:
            if value is None:
                return None
            for known in (env, weights, self._shared):
                found = known.get(value)
                if found is not None:
                    return found
            raise UnsupportedError(f"{value!r} has no tensor")

        number = _number(seq)
        for node in graph.nodes:
            call = Call(node, tuple(map(read, node.inputs)), number, torch.float32)
            env.update(zip(node.outputs, _results(call, self._count), strict=True))
        logits: np.ndarray = env[graph.outputs[0]].numpy()
        return logits


def _results(call: Call, count: int) -> tuple[Tensor, ...]:
    """Run a node for `count` texts. Caches are written in place: nobody reads the old ones."""
    if call.node.op == "reshape":
        return (call.tensor(0).reshape(count, *call.shape_attr("shape")[1:]),)
    if call.node.op == "cache_attention" and call.tensor(0).shape[-2] == 1:
        return (_attend_one(call),)
    if call.node.op != "kv_write":
        return execute(call)
    cache, new, past, axis = call.tensor(0), call.tensor(1), call.past(2), call.int_attr("axis")
    if past + new.shape[axis] > cache.shape[axis]:
        raise InputError(
            f"{past} tokens in the cache and {new.shape[axis]} new ones do not fit the context of "
            f"{cache.shape[axis]}; use shorter texts or a longer context"
        )
    cache.narrow(axis, past, new.shape[axis]).copy_(new)
    return (cache,)


def _attend_one(call: Call) -> Tensor:
    """`cache_attention` of one new token. Heads that share a cache go together: nothing is copied."""
    q, k, v, past = call.tensor(0), call.tensor(1), call.tensor(2), call.past(3)
    window, scale = call.int_attr("window"), call.float_attr("scale")
    first = max(0, past + 1 - window) if window > 0 else 0
    k, v = k[..., first : past + 1, :], v[..., first : past + 1, :]
    count, heads, _, width = q.shape
    grouped = q.reshape(count, k.shape[1], heads // k.shape[1], width)
    weights = (grouped @ k.transpose(-1, -2) * scale).softmax(dim=-1)
    return (weights @ v).reshape(count, heads, 1, v.shape[-1])


def _number(seq: int) -> Callable[[Dim], int]:
    def number(dim: Dim) -> int:
        return dim if isinstance(dim, int) else seq

    return number


def _require_batched(node: Node) -> None:
    attrs, leading = node.attrs, node.outputs[0].type.shape[0]
    fine = {
        "reshape": leading == 1 and node.input(0).type.shape[0] == 1,
        "permute": _first(attrs.get("perm")) == 0,
        "slice": attrs.get("axis") not in (0, None),
        "kv_write": attrs.get("axis") != 0,
    }.get(node.op, node.op in _BATCHED and leading == 1)
    if not fine:
        raise UnsupportedError(
            f"{node!r} at {node.origin}: not known to keep the texts of a batch apart"
        )


def _first(attr: object) -> object:
    return attr[0] if isinstance(attr, tuple) and attr else None


def _common_widths(nested: dict[Value, Quantized]) -> tuple[int, ...]:
    """Every width from the least to the greatest of any weight: each reads what it has next to it."""
    schemes = [n.scheme for n in nested.values() if isinstance(n.scheme, Nested)]
    if not schemes:
        return (ONLY_WIDTH,)
    return tuple(range(min(s.seed_bits for s in schemes), max(s.bits for s in schemes) + 1))


def _clamped(note: Quantized, width: int) -> int:
    widths = note.scheme.widths if isinstance(note.scheme, Nested) else range(width, width + 1)
    return min(max(width, widths[0]), widths[-1])


def _stored(value: Value, note: Quantized | None, original: bool) -> Tensor:
    if note is not None:
        return _tensor(note.load().dequantize(), value)
    if value.weight is None:
        raise UnsupportedError(f"{value!r} is no weight")
    data = value.weight.load()
    assigned = value.notes.get(Precision)
    if not original and assigned is not None and str(assigned.scheme) == "f16":
        data = data.astype(np.float16)
    return _tensor(data, value)


def _tensor(data: np.ndarray, value: Value) -> Tensor:
    shape = value.type.static_shape()
    kind = np.float32 if value.type.dtype.is_float else np.int64
    return torch.from_numpy(np.array(data, kind).reshape(shape))
