"""Move a factor for each channel from one layer into the next; the program computes the same.

A channel that carries large numbers can be made small where it is made, and its column large where it
is read: that column is then rounded more finely. How large is the search of `scale_search`.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.edits import ScaleColumns, ScaleRows, vector
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.ir.weights import inline_weight
from optimum_compile.passes.precision.notes import Quantized
from optimum_compile.passes.rewrite.paths import gate_paths, linears_on, value_paths

Kind = Literal["norm", "value", "gate"]


@dataclass(frozen=True)
class ScalePair:
    """A node whose output may be divided by s, channel by channel, and all linears that read it.

    kind: "norm" is an RMS norm and the linears behind it; "value" is v_proj and o_proj, with
    attention between them; "gate" is up_proj and down_proj, with the product with the gate between.
    width: how many numbers s has. repeats: how often each run of `head_dim` of them stands in the
    columns of the readers, because that many query heads share a KV head.
    """

    kind: Kind
    producer: Node
    readers: tuple[Node, ...]
    width: int
    repeats: int = 1
    head_dim: int = 1

    def expand(self, scale: np.ndarray) -> np.ndarray:
        """The scale (width,) as it stands along the columns of the readers (columns,)."""
        if self.repeats == 1:
            return scale
        return np.repeat(scale.reshape(-1, 1, self.head_dim), self.repeats, 1).reshape(-1)

    def reduce(self, columns: np.ndarray) -> np.ndarray:
        """Means over the columns that share a number of s: (columns,) to (width,)."""
        if self.repeats == 1:
            return columns
        shared: np.ndarray = columns.reshape(-1, self.repeats, self.head_dim).mean(1)
        return shared.reshape(-1)

    def pooled(self, columns: np.ndarray) -> np.ndarray:
        """Numbers along the columns (columns,) made equal where they share a number of s."""
        return self.expand(self.reduce(columns))


def scalable_pairs(graph: Graph) -> tuple[ScalePair, ...]:
    """Every pair of a graph that a scale can be moved through, in the order of the program.

    Left out: a norm that anything but linears reads, and weights that are shared with other nodes
    (a norm before a tied head).
    """
    found = []
    for node in graph.nodes:
        if node.op == "rms_norm":
            readers = linears_on(graph, node.output)
            width = node.output.type.shape[-1]
            if readers and isinstance(width, int):
                found.append(ScalePair("norm", node, readers, width))
    for value in value_paths(graph):
        width, repeats = value.kv_heads * value.head_dim, value.heads // value.kv_heads
        pair = ScalePair("value", value.producer, value.readers, width, repeats, value.head_dim)
        found.append(pair)
    for gate in gate_paths(graph):
        width = gate.producer.input(1).type.static_shape()[0]
        found.append(ScalePair("gate", gate.producer, gate.readers, width))
    order = {node: at for at, node in enumerate(graph.nodes)}
    own = (pair for pair in found if all(_is_own(pair, v) for v in _weights(pair)))
    return tuple(sorted(own, key=lambda p: order[p.producer]))


def fold_scale(graph: Graph, pair: ScalePair, scale: np.ndarray) -> None:
    """Divide what `pair.producer` makes by `scale`, and multiply the columns of the readers by it.

    Weights are edited where they are loaded; a norm without a gain gets one.

    Args:
        graph: it is changed.
        pair: one of `scalable_pairs(graph)`.
        scale: positive, (pair.width,).

    Raises InternalError for a scale that is not positive and finite or has another length, and for
    weights that are quantised already.
    """
    if scale.shape != (pair.width,):
        raise InternalError(f"a scale of {scale.shape} for {pair.width} channels")
    small = scale.astype(np.float32)
    if not (np.isfinite(small).all() and (small > 0).all()):
        raise InternalError(f"the scale of {pair.producer.origin} is not positive and finite")
    if any(v is None or v.weight is None or v.notes.get(Quantized) for v in _weights(pair)):
        raise InternalError(f"{pair.producer.origin}: its weights are quantised; scale before that")
    divided = ScaleRows(vector(small), inverse=True)
    if pair.kind == "norm" and not _parameters(pair.producer):
        name = f"{pair.producer.origin or pair.producer.output.name}.scale"
        gain = graph.add_weight(inline_weight(name, np.ones(pair.width, np.float32), DType.F32))
        _set_gain(graph, pair.producer, gain)
    for value in _parameters(pair.producer):
        if value.weight is not None:
            value.weight = value.weight.edited(divided)
    multiplied = ScaleColumns(vector(pair.expand(small)))
    for weight in dict.fromkeys(node.input(1) for node in pair.readers):
        if weight.weight is not None:
            weight.weight = weight.weight.edited(multiplied)


def _parameters(producer: Node) -> tuple[Value, ...]:
    """The gain of a norm; weight and bias of a linear."""
    return tuple(v for v in producer.inputs[1:] if v is not None)


def _weights(pair: ScalePair) -> tuple[Value, ...]:
    return (*_parameters(pair.producer), *(node.input(1) for node in pair.readers))


def _is_own(pair: ScalePair, value: Value) -> bool:
    """Whether only the nodes of the pair read a weight, each in its own role."""
    producer = value in _parameters(pair.producer)
    allowed = {pair.producer} if producer else set(pair.readers)
    return value.weight is not None and all(node in allowed for node, _ in value.uses)


def _set_gain(graph: Graph, norm: Node, gain: Value) -> None:
    if len(norm.inputs) > 1:
        graph.set_input(norm, 1, gain)
        return
    norm.inputs = (*norm.inputs, None)
    graph.set_input(norm, 1, gain)
