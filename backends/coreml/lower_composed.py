"""Ops that MIL has no single op for: Hadamard transforms, and the routing of experts, all in fp32."""

from typing import Any

import numpy as np
from coremltools.converters.mil import Builder as mb

from optimum_compile.backends.coreml.lower import Lowering
from optimum_compile.backends.coreml.lower_weights import row_scales
from optimum_compile.backends.coreml.schemes import hadamard_factors
from optimum_compile.compiler.ir.graph import Node


def hadamard(low: Lowering, node: Node) -> None:
    """H of n = left * right is the Kronecker product of two small ones: two products, in fp32."""
    block, kind = int(str(node.attrs["block"])), node.input(0).type
    left, right = hadamard_factors(block)
    x = mb.reshape(x=low.wide(node.input(0)), shape=[kind.elements() // block, left, right])
    x = mb.matmul(x=x, y=_walsh(low, right))
    x = mb.matmul(x=_walsh(low, left), y=x)
    low.wides[node.output] = mb.reshape(x=x, shape=kind.static_shape(), name=low.name(node))


def _walsh(low: Lowering, size: int) -> Any:
    """H / sqrt(size) of size x size, as a constant with a batch axis."""
    if ("walsh", size) not in low.memo:
        matrix: np.ndarray = np.ones((1, 1))
        while len(matrix) < size:
            matrix = np.kron(matrix, [[1, 1], [1, -1]])
        scaled = (matrix[None] / np.sqrt(size)).astype(np.float32)
        low.memo["walsh", size] = mb.const(val=scaled, name=f"walsh_{size}")
    return low.memo["walsh", size]


def router(low: Lowering, node: Node) -> None:
    """The linear before `route`, in fp32.

    In fp16 the logits would be rounded, which is most of the error there, and experts that are close
    would change places more often.
    """
    weight = mb.cast(x=low.var(node.input(1)), dtype="fp32")
    scales = row_scales(low, node.input(1))
    if scales is not None:
        factor = mb.expand_dims(x=mb.cast(x=scales, dtype="fp32"), axes=[-1])
        weight = mb.mul(x=weight, y=factor)
    made = mb.matmul(x=low.wide(node.input(0)), y=weight, transpose_y=True, name=low.name(node))
    bias = node.inputs[2] if len(node.inputs) > 2 else None
    low.wides[node.output] = made if bias is None else mb.add(x=made, y=low.wide(bias))


def route(low: Lowering, node: Node) -> Any:
    """An expert is chosen where fewer than top_k are ahead of it: greater, or equal and earlier.

    Comparisons say exactly what happens between equal logits; MIL's topk does not.
    """
    x, kind = low.wide(node.input(0)), node.input(0).type
    mine, other = mb.expand_dims(x=x, axes=[kind.rank]), mb.expand_dims(x=x, axes=[kind.rank - 1])
    equal = mb.logical_and(x=mb.equal(x=other, y=mine), y=_earlier(low, int(kind.shape[-1])))
    ahead = mb.logical_or(x=mb.greater(x=other, y=mine), y=equal)
    rank = mb.reduce_sum(x=mb.cast(x=ahead, dtype="fp32"), axes=[kind.rank], keep_dims=False)
    chosen = mb.less(x=rank, y=np.float32(int(str(node.attrs["top_k"]))))
    gates = mb.mul(x=mb.softmax(x=x, axis=-1), y=mb.cast(x=chosen, dtype="fp32"))
    if node.attrs["renormalise"]:
        gates = mb.real_div(x=gates, y=mb.reduce_sum(x=gates, axes=[-1], keep_dims=True))
    return mb.cast(x=gates, dtype="fp16", name=low.name(node))


def _earlier(low: Lowering, experts: int) -> Any:
    """[e, other]: whether `other` comes before e."""
    if ("earlier", experts) not in low.memo:
        matrix = np.tril(np.ones((experts, experts), bool), -1)
        low.memo["earlier", experts] = mb.const(val=matrix, name=f"earlier_{experts}")
    return low.memo["earlier", experts]
