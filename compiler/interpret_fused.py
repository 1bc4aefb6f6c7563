"""What the fused ops compute: the same sums in the same order as the ops that they replace."""

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from optimum_compile.compiler.errors import InternalError, UserError
from optimum_compile.compiler.interpret_call import Call, Kernel

ACTIVATE: Mapping[str, Callable[[Tensor], Tensor]] = {
    "silu": F.silu,
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
}


def _linears(c: Call) -> tuple[Tensor, ...]:
    pairs = range(1, len(c.inputs), 2)
    return tuple(F.linear(c.tensor(0), c.tensor(at), c.optional(at + 1)) for at in pairs)


def _linear_add(c: Call) -> Tensor:
    return F.linear(c.tensor(0), c.tensor(1), c.optional(2)) + c.tensor(3)


def _gated(c: Call) -> Tensor:
    activate = ACTIVATE.get(str(c.attr("activation")))
    if activate is None:
        raise InternalError(f"{c.node!r} at {c.node.origin}: no {c.attr('activation')!r}")
    return activate(c.tensor(0)) * c.tensor(1)


def _add_rms_norm(c: Call) -> tuple[Tensor, ...]:
    total = c.tensor(0) + c.tensor(1)
    return total, rms_normed(total, c.optional(2), c.float_attr("eps"))


def _rope_table(c: Call) -> Tensor:
    x, past, table = c.tensor(0), c.past(1), c.tensor(2)
    seq, half, context = x.shape[-2], x.shape[-1] // 2, table.shape[0]
    if past + seq > context:
        raise UserError(
            f"{c.node.origin or 'rope_table'}: {past} tokens in the cache and {seq} new ones do not "
            f"fit the context of {context}; use a shorter prompt or a longer context"
        )
    rows = table[past : past + seq]
    return rotated(x, rows[:, :half], rows[:, half:])


def rms_normed(x: Tensor, weight: Tensor | None, eps: float) -> Tensor:
    """`rms_norm` over the last axis."""
    out = x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps)
    return out if weight is None else out * weight


def rotated(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Pairs (i, i + half) of the last axis turned; cos, sin (seq, half)."""
    half = x.shape[-1] // 2
    a, b = x[..., :half], x[..., half:]
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)


FUSED_KERNELS: Mapping[str, Kernel] = {
    "linears": _linears,
    "linear_add": _linear_add,
    "gated": _gated,
    "add_rms_norm": _add_rms_norm,
    "rope_table": _rope_table,
}
