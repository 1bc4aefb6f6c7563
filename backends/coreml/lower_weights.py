"""What reads packed weights in MIL: linears and lookups, with the parts that no constant can hold.

Two kinds of weights are no single constant. Outliers are a second matrix: both are read, the results
added. Vectors with one scale a row are read without their scales, which multiply what comes out: the
operation that would scale a constant may, by its description, follow the one that looks vectors up, but
coremltools itself avoids that order before iOS 26. Scales of groups have no other place than there.
"""

from typing import Any

import numpy as np
from coremltools.converters.mil import Builder as mb

from optimum_compile.backends.coreml.lower import Lowering
from optimum_compile.backends.coreml.schemes import scales_outputs
from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.graph import Node, Value
from optimum_compile.passes.precision.notes import Quantized


def lower_embedding(low: Lowering, node: Node) -> Any:
    """Rows of a table by index."""
    table, name = node.input(1), low.name(node)
    ids = low.var(node.input(0))

    def rows(source: Any, label: str) -> Any:
        return mb.gather(x=source, indices=ids, axis=0, validate_indices=False, name=label)

    sparse, scales = low.outliers(table), row_scales(low, table)
    if sparse is not None:
        dense = rows(low.var(table), low.name(node, "_dense"))
        return mb.add(x=dense, y=rows(sparse, low.name(node, "_outliers")), name=name)
    if scales is None:
        return rows(low.var(table), name)
    plain = rows(low.var(table), low.name(node, "_unscaled"))
    factor = mb.expand_dims(x=rows(scales, low.name(node, "_scales")), axes=[-1])
    return mb.mul(x=plain, y=factor, name=name)


def lower_linear(low: Lowering, node: Node) -> Any:
    """X W^T + b."""
    x, weight, name = low.var(node.input(0)), node.input(1), low.name(node)
    count = weight.type.static_shape()[0]
    given = node.inputs[2] if len(node.inputs) > 2 else None
    bias = low.no_bias(count) if given is None else low.var(given)
    scales = row_scales(low, weight)
    if scales is not None:
        zero, label = low.no_bias(count), low.name(node, "_unscaled")
        plain = mb.linear(x=x, weight=low.var(weight), bias=zero, name=label)
        if given is None:
            return mb.mul(x=plain, y=scales, name=name)
        return mb.add(x=mb.mul(x=plain, y=scales), y=bias, name=name)
    sparse = low.outliers(weight)
    if sparse is None:
        return mb.linear(x=x, weight=low.var(weight), bias=bias, name=name)
    # There is no sum of packed constants: two linears, each with its own, are added instead.
    dense = mb.linear(x=x, weight=low.var(weight), bias=bias, name=low.name(node, "_dense"))
    label = low.name(node, "_outliers")
    rest = mb.linear(x=x, weight=sparse, bias=low.no_bias(count), name=label)
    return mb.add(x=dense, y=rest, name=name)


def row_scales(low: Lowering, value: Value) -> Any:
    """Scales fp16 (rows,) that multiply what is read of a weight, or None."""
    note = value.notes.get(Quantized)
    if note is None or value.weight is None or not scales_outputs(note.scheme):
        return None
    key = ("scales", value)
    if key not in low.memo:
        scales = note.load().scales
        if scales is None:
            raise InternalError(f"{value.weight.name} has no scales")
        name = f"{value.weight.name}.scales".replace(".", "_")
        low.memo[key] = mb.const(val=scales[:, 0].astype(np.float16), name=name)
    return low.memo[key]
