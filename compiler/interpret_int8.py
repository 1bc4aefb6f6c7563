"""Linears on int8 activations in the reference executor, as the integer kernels compute them."""

import numpy as np
import torch
from torch import Tensor

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.graph import Node, Value
from optimum_compile.compiler.quant.activations import (
    Activations,
    BlockInt8,
    exact_product,
    rounded,
    token_codes,
)
from optimum_compile.compiler.quant.scheme import Affine, PerChannel
from optimum_compile.passes.precision.notes import Quantized


def linear_parts(node: Node) -> tuple[tuple[Value, Value | None], ...]:
    """Weight and bias of each linear that a node computes; nothing for nodes that are no linears."""
    if node.op in ("linear", "linear_add"):
        return ((node.input(1), node.inputs[2] if len(node.inputs) > 2 else None),)
    if node.op != "linears":
        return ()
    return tuple((node.input(at), node.inputs[at + 1]) for at in range(1, len(node.inputs), 2))


def row_scaled(weight: Value, kind: Activations) -> Quantized | None:
    """The packed form of a weight with signed codes and one scale a row; None for every other.

    Only there, and with one scale a token, does an integer kernel sum whole rows, so only there is
    there one exact result.
    """
    note = weight.notes.get(Quantized)
    if (
        isinstance(kind, BlockInt8)
        or note is None
        or not isinstance(note.scheme, Affine)
        or not note.scheme.symmetric
    ):
        return None
    return note if isinstance(note.scheme.group, PerChannel) else None


def load_codes(form: Quantized) -> Tensor:
    """Int8 (rows, columns)."""
    return torch.from_numpy(np.require(form.load().codes, np.int8, "W"))


def load_scales(form: Quantized) -> Tensor:
    """Float32 (rows,)."""
    scales = form.load().scales
    if scales is None:
        raise ValueError(f"{form.scheme}: the weight has no scales")
    return torch.from_numpy(scales[:, 0].astype(np.float32))


def rounded_input(x: Tensor, kind: Activations) -> Tensor:
    """The input as the numbers that its codes stand for, in its own dtype."""
    return torch.from_numpy(rounded(x.numpy(), kind)).to(x.dtype)


def integer_linear(
    x: Tensor, kind: Activations, codes: Tensor, scales: Tensor, bias: Tensor | None
) -> Tensor:
    """The bits of an integer kernel, see `exact_product`. Not for blocks, see `row_scaled`."""
    if isinstance(kind, BlockInt8):
        raise InternalError(f"{kind}: an integer kernel has no scale for whole rows")
    added = None if bias is None else bias.numpy().astype(np.float32)
    codes_of_x = token_codes(x.numpy(), kind)
    return torch.from_numpy(exact_product(codes_of_x, codes.numpy(), scales.numpy(), added))
