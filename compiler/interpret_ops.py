"""What every op of the table computes, in plain torch: the meaning of the IR, executable.

A kernel gets a `Call` and returns its outputs; `compiler.interpret` brings them to the declared
element type and checks the declared shape. Kernels never change their inputs.
"""

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from optimum_compile.compiler.aten import DROPPED_TAGS, aten_overload
from optimum_compile.compiler.errors import InternalError, UserError
from optimum_compile.compiler.interpret_call import Call as Call
from optimum_compile.compiler.interpret_call import Kernel, row_numbers
from optimum_compile.compiler.interpret_call import torch_dtype as torch_dtype
from optimum_compile.compiler.interpret_fused import FUSED_KERNELS, rms_normed, rotated
from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.graph import Attr
from optimum_compile.compiler.ir.ops import OPS, dims, ints


def _embedding(c: Call) -> Tensor:
    table = c.tensor(1)
    return F.embedding(c.rows(0, table.shape[0]), table)


def _linear(c: Call) -> Tensor:
    return F.linear(c.tensor(0), c.tensor(1), c.optional(2))


def _rms_norm(c: Call) -> Tensor:
    return rms_normed(c.tensor(0), c.optional(1), c.float_attr("eps"))


def _layer_norm(c: Call) -> Tensor:
    x = c.tensor(0)
    return F.layer_norm(x, x.shape[-1:], c.optional(1), c.optional(2), c.float_attr("eps"))


def _hadamard(c: Call) -> Tensor:
    x, block = c.tensor(0), c.int_attr("block")
    y, half = x, 1
    while half < block:
        pairs = y.reshape(-1, 2, half)
        y = torch.stack((pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]), 1)
        half *= 2
    return y.reshape(x.shape) * block**-0.5


def _route(c: Call) -> Tensor:
    gates = torch.softmax(c.tensor(0), -1)
    chosen = route_mask(c.tensor(0), c.int_attr("top_k"))
    gates = torch.where(chosen, gates, torch.zeros_like(gates))
    return gates / gates.sum(-1, keepdim=True) if c.attr("renormalise") else gates


def route_mask(logits: Tensor, top_k: int) -> Tensor:
    """Where the `top_k` greatest of the last axis are; of equal ones the first. No gradient."""
    order = logits.detach().argsort(dim=-1, descending=True, stable=True)
    chosen = torch.zeros_like(logits, dtype=torch.bool)
    return chosen.scatter(-1, order[..., :top_k], True)


def _rope(c: Call) -> Tensor:
    x, past, inv_freq = c.tensor(0), c.past(1), c.tensor(2)
    seq, scale = x.shape[-2], c.float_attr("scale")
    positions = torch.arange(past, past + seq, dtype=inv_freq.dtype)
    angles = positions[:, None] * inv_freq[None, :]
    return rotated(x, angles.cos() * scale, angles.sin() * scale)


def _kv_write(c: Call) -> Tensor:
    cache, new, past, axis = c.tensor(0), c.tensor(1), c.past(2), c.int_attr("axis")
    seq, context = new.shape[axis], cache.shape[axis]
    if past + seq > context:
        raise UserError(
            f"{c.node.origin or 'kv_write'}: {past} tokens in the cache and {seq} new ones do not "
            f"fit the context of {context}; use a shorter prompt or a longer context"
        )
    out = cache.clone()
    out.narrow(axis, past, seq).copy_(new)
    return out


def _cache_attention(c: Call) -> Tensor:
    k, v, past, total = cached_inputs(c)
    return cached_rows(c, k, v, past, total)


def cached_inputs(c: Call) -> tuple[Tensor, Tensor, int, int]:
    """Keys, values, the tokens before this call of `cache_attention`, and those after it."""
    k, past = c.tensor(1), c.past(3)
    total = past + c.tensor(0).shape[-2]
    if total > k.shape[-2]:
        raise UserError(
            f"{c.node.origin or 'cache_attention'}: {total} tokens do not fit the context of "
            f"{k.shape[-2]}; use a shorter prompt or a longer context"
        )
    return k, c.tensor(2), past, total


def cached_rows(c: Call, k: Tensor, v: Tensor, first: int, end: int) -> Tensor:
    """`cache_attention` of the queries at the positions `first` to `end` - 1 over `k` and `v`."""
    past, window = c.past(3), c.int_attr("window")
    q = c.tensor(0)[..., first - past : end - past, :]
    # What lies beyond the last new position is masked for every row, so it is not read at all.
    k, v = k[..., :end, :], v[..., :end, :]
    rows = torch.arange(first, end)[:, None]
    columns = torch.arange(end)[None, :]
    mask = columns <= rows
    if window > 0:
        mask = mask & (columns > rows - window)
    return _attend(q, k, v, mask, c.float_attr("scale"))


def _attention(c: Call) -> Tensor:
    q, k, v, mask = c.tensor(0), c.tensor(1), c.tensor(2), c.optional(3)
    scale = None if c.attr("scale") is None else c.float_attr("scale")
    if not c.attr("causal"):
        return _attend(q, k, v, mask, scale)
    causal = torch.ones(q.shape[-2], k.shape[-2], dtype=torch.bool).tril()
    if mask is None or mask.dtype == torch.bool:
        return _attend(q, k, v, causal if mask is None else mask & causal, scale)
    return _attend(q, k, v, mask.masked_fill(~causal, float("-inf")), scale)


def _attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, scale: float | None) -> Tensor:
    heads, kv_heads = q.shape[1], k.shape[1]
    if heads % kv_heads:
        raise InternalError(f"attention: {heads} heads are not a multiple of {kv_heads}")
    if heads != kv_heads:
        k = k.repeat_interleave(heads // kv_heads, 1)
        v = v.repeat_interleave(heads // kv_heads, 1)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scale)


def _gather(c: Call) -> Tensor:
    x, axis = c.tensor(0), c.int_attr("axis")
    ids = c.rows(1, x.shape[axis])
    out = x.index_select(axis, ids.reshape(-1))
    return out.reshape(*x.shape[:axis], *ids.shape, *x.shape[axis + 1 :])


def _gather_elements(c: Call) -> Tensor:
    x, axis = c.tensor(0), c.int_attr("axis")
    return x.gather(axis, c.rows(1, x.shape[axis]))


def _gather_nd(c: Call) -> Tensor:
    x, ids = c.tensor(0), c.tensor(1).unbind(-1)
    return x[tuple(row_numbers(c.node, i, n) for i, n in zip(ids, x.shape, strict=False))]


def _index_copy(c: Call) -> Tensor:
    x, axis = c.tensor(0), c.int_attr("axis")
    return x.index_copy(axis, c.rows(1, x.shape[axis]), c.tensor(2))


def _slice(c: Call) -> Tensor:
    x, axis = c.tensor(0), c.int_attr("axis")
    start, stop = _bounds(c)
    index = [slice(None)] * x.ndim
    index[axis] = slice(start, stop, c.int_attr("step"))
    return x[tuple(index)]


def _bounds(c: Call) -> tuple[int, int]:
    start, stop = dims((c.attr("start"), c.attr("stop")))
    return c.number(start), c.number(stop)


def _arange(c: Call) -> Tensor:
    start, stop = _bounds(c)
    return torch.arange(start, stop, dtype=c.dtype_attr())


def _full(c: Call) -> Tensor:
    value = c.attr("value")
    if not isinstance(value, bool | int | float):
        raise InternalError(f"full at {c.node.origin}: value={value!r} is no number")
    return torch.full(c.shape_attr("shape"), value, dtype=c.dtype_attr())


def _div(c: Call) -> Tensor:
    a, b = c.tensor(0), c.tensor(1)
    if a.is_floating_point() or b.is_floating_point():
        return a / b
    return torch.div(a, b, rounding_mode="floor")


def _concat(c: Call) -> Tensor:
    return torch.cat([c.tensor(i) for i in range(len(c.inputs))], c.int_attr("axis"))


def _axes(c: Call) -> tuple[tuple[int, ...], bool]:
    return ints(c.attr("axes")), bool(c.attr("keepdims"))


def _gelu(c: Call) -> Tensor:
    return F.gelu(c.tensor(0), approximate=str(c.attr("approximate")))


def _unary(function: Callable[[Tensor], Tensor]) -> Kernel:
    return lambda c: function(c.tensor(0))


def _binary(function: Callable[[Tensor, Tensor], Tensor]) -> Kernel:
    return lambda c: function(c.tensor(0), c.tensor(1))


KERNELS: Mapping[str, Kernel] = {
    "embedding": _embedding,
    "linear": _linear,
    "rms_norm": _rms_norm,
    "layer_norm": _layer_norm,
    "hadamard": _hadamard,
    "route": _route,
    "rope": _rope,
    "kv_write": _kv_write,
    "cache_attention": _cache_attention,
    "attention": _attention,
    **FUSED_KERNELS,
    "silu": _unary(F.silu),
    "gelu": _gelu,
    **{
        name: _unary(getattr(torch, name))
        for name in (
            "relu tanh sigmoid exp log sqrt rsqrt neg abs cos sin erf reciprocal floor logical_not"
        ).split()
    },
    **{
        name: _binary(getattr(torch, name))
        for name in (
            "add sub mul pow maximum minimum eq ne lt le gt ge logical_and logical_or matmul"
        ).split()
    },
    "div": _div,
    "softmax": lambda c: torch.softmax(c.tensor(0), c.int_attr("axis")),
    "where": lambda c: torch.where(c.tensor(0), c.tensor(1), c.tensor(2)),
    "cast": lambda c: c.tensor(0).to(c.dtype_attr()),
    "mean": lambda c: torch.mean(c.tensor(0), *_axes(c)),
    "sum": lambda c: torch.sum(c.tensor(0), *_axes(c)),
    "max": lambda c: torch.amax(c.tensor(0), *_axes(c)),
    "reshape": lambda c: c.tensor(0).reshape(c.shape_attr("shape")),
    "permute": lambda c: c.tensor(0).permute(ints(c.attr("perm"))),
    "expand": lambda c: c.tensor(0).expand(c.shape_attr("shape")),
    "slice": _slice,
    "concat": _concat,
    "gather": _gather,
    "gather_elements": _gather_elements,
    "gather_nd": _gather_nd,
    "index_copy": _index_copy,
    "arange": _arange,
    "full": _full,
}


def execute(call: Call) -> tuple[Tensor, ...]:
    """Run one node. Raises UserError for inputs out of range, InternalError for an unknown op."""
    if call.node.op == "aten":
        return _aten(call)
    kernel = KERNELS.get(call.node.op)
    if kernel is None:
        known = (
            "is in the table but has no kernel" if call.node.op in OPS else "is not in the table"
        )
        raise InternalError(f"op {call.node.op!r} at {call.node.origin} {known}")
    result = kernel(call)
    return result if isinstance(result, tuple) else (result,)


def _aten(call: Call) -> tuple[Tensor, ...]:
    target, pairs = str(call.attr("target")), call.attr("args")
    overload = aten_overload(target)
    if not isinstance(pairs, tuple):
        raise InternalError(f"{target} at {call.node.origin}: args={pairs!r} is no tuple")
    by_name: dict[str, object] = {}
    for pair in pairs:
        if not (isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str)):
            raise InternalError(f"{target} at {call.node.origin}: {pair!r} is no (name, value)")
        name, value = str(pair[0]), pair[1]
        if isinstance(value, tuple) and value and value[0] in DROPPED_TAGS:
            continue
        by_name[name] = _argument(call, value)
    # Everything goes by name: `self` too, which torch accepts as a keyword for overloads.
    result = overload(**by_name)
    return (result,) if isinstance(result, Tensor) else tuple(result)


def _argument(call: Call, value: Attr) -> object:
    if not isinstance(value, tuple):
        return value
    tag = value[0] if value and isinstance(value[0], str) else ""
    if not tag.startswith("$"):
        return [_argument(call, item) for item in value]
    if tag == "$":
        return call.tensor(ints(value[1:])[0])
    if tag == "$list":
        return [None if i is None else call.tensor(ints((i,))[0]) for i in value[1:]]
    if tag == "$dtype":
        return torch_dtype(DType(str(value[1])), call.compute)
    if tag == "$dim":
        return call.number(dims(value[1:])[0])
    raise InternalError(f"aten at {call.node.origin}: unknown argument tag {tag!r}")
