"""What each IR op becomes in ATen. See `lower` for the weights."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from optimum_compile.backends.executorch.lower import GraphModule, embedding, linear
from optimum_compile.compiler.aten import aten_overload
from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.graph import Attr, Node, Value
from optimum_compile.compiler.ir.ops import dims, ints
from optimum_compile.compiler.ir.shape import Dim, symbols_of

DTYPES = {
    DType.F32: torch.float32,
    DType.F16: torch.float32,
    DType.BF16: torch.float32,
    DType.F64: torch.float32,
    DType.I64: torch.int64,
    DType.I32: torch.int32,
    DType.I16: torch.int16,
    DType.I8: torch.int8,
    DType.U8: torch.uint8,
    DType.BOOL: torch.bool,
}


class Frame:
    """One node being lowered."""

    def __init__(
        self, module: GraphModule, node: Node, env: dict[Value, Tensor], memo: dict[Any, Tensor]
    ) -> None:
        self.module, self.node, self.env, self.memo = module, node, env, memo

    def x(self, index: int = 0) -> Tensor:
        """Input `index` as a tensor."""
        return self.value(self.node.input(index))

    def value(self, value: Value) -> Tensor:
        """A value as a tensor."""
        return self.env[value] if value in self.env else self.module.plain(value)

    def optional(self, index: int) -> Tensor | None:
        """Input `index`, or None where it is absent."""
        absent = index >= len(self.node.inputs) or self.node.inputs[index] is None
        return None if absent else self.x(index)

    def attr(self, key: str) -> Any:
        """An attribute."""
        return self.node.attrs[key]

    def size(self, dim: Dim) -> Any:
        """A dimension: a number, or the traced size that the symbol has."""
        if isinstance(dim, int):
            return dim
        sizes = {s: self._symbol(s) for s in symbols_of(dim)}
        if len(sizes) == 1 and str(dim) in sizes:
            return sizes[str(dim)]
        out: Any = 0
        for term, factor in dim.as_coefficients_dict().items():
            product: Any = int(factor)
            for base, power in term.as_powers_dict().items():
                if base == 1:
                    continue
                product = product * sizes[str(base)] ** int(power)
            out = out + product
        return out

    def _symbol(self, name: str) -> Any:
        for value, tensor in self.env.items():
            for axis, dim in enumerate(value.type.shape):
                if not isinstance(dim, int) and str(dim) == name:
                    return tensor.shape[axis]
        raise InternalError(f"no tensor carries the size {name}")

    def positions(self, past: Tensor, count: Any) -> Tensor:
        """Past .. past+count-1, computed once for all layers."""
        key = ("positions", id(past))
        if key not in self.memo:
            self.memo[key] = past + torch.arange(count, dtype=torch.int64)
        return self.memo[key]


def _rms_norm(f: Frame) -> Tensor:
    x, weight = f.x(), f.optional(1)
    out = x * torch.rsqrt((x * x).mean(-1, keepdim=True) + f.attr("eps"))
    return out if weight is None else out * weight


def _layer_norm(f: Frame) -> Tensor:
    x = f.x()
    return nn.functional.layer_norm(x, x.shape[-1:], f.optional(1), f.optional(2), f.attr("eps"))


def _hadamard(f: Frame) -> Tensor:
    """Sums and differences of halves, in log2(block) steps; no constant is stored."""
    x, block, half = f.x(), int(f.attr("block")), 1
    y, width = x, int(x.shape[-1])
    while half < block:
        pairs = y.view([*x.shape[:-1], width // (2 * half), 2, half])
        a, b = pairs.select(-2, 0), pairs.select(-2, 1)
        y = torch.stack([a + b, a - b], -2)
        half *= 2
    return y.view(x.shape) * block**-0.5


def _route(f: Frame) -> Tensor:
    """An expert is chosen where fewer than top_k are ahead of it: greater, or equal and earlier.

    Comparisons say exactly what happens between equal logits; the runtime's topk does not.
    """
    x = f.x()
    key = ("earlier", int(x.shape[-1]))
    if key not in f.memo:
        number = torch.arange(key[1], dtype=torch.int64)
        f.memo[key] = number[None, :] < number[:, None]
    mine, other = x.unsqueeze(-1), x.unsqueeze(-2)
    equal = torch.logical_and(other == mine, f.memo[key])
    ahead = torch.logical_or(other > mine, equal)
    chosen = ahead.to(torch.float32).sum(-1) < int(f.attr("top_k"))
    gates = torch.softmax(x, -1) * chosen.to(torch.float32)
    return gates / gates.sum(-1, keepdim=True) if f.attr("renormalise") else gates


def _rope(f: Frame) -> Tensor:
    x, past = f.x(0), f.x(1)
    key = ("rope", id(past), f.node.inputs[2], f.attr("scale"))
    if (*key, "cos") not in f.memo:
        angle = f.positions(past, x.shape[2]).float()[:, None] * f.x(2)[None, :]
        f.memo[(*key, "cos")] = torch.cos(angle) * f.attr("scale")
        f.memo[(*key, "sin")] = torch.sin(angle) * f.attr("scale")
    cos, sin = f.memo[(*key, "cos")], f.memo[(*key, "sin")]
    half = x.shape[-1] // 2
    # Without the batch axis of size 1: its stride is ambiguous, and torch.export would guard on it.
    rows = x.view(x.shape[1:]) if x.shape[0] == 1 else x
    a, b = rows[..., :half], rows[..., half:]
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1).view(x.shape)


def _kv_write(f: Frame) -> Tensor:
    if f.node in f.module.packed_writes:  # the attention that reads the cache writes it first
        f.module.in_place.add(f.node.output)
        return f.x(0)
    new, axis = f.x(1), int(f.attr("axis"))
    return _copy_rows(f, f.positions(f.x(2), new.shape[axis]), new)


def _index_copy(f: Frame) -> Tensor:
    return _copy_rows(f, f.x(1), f.x(2))


def _copy_rows(f: Frame, rows: Tensor, new: Tensor) -> Tensor:
    """In place on a state's buffer: the runtime's memory plan keeps it between calls.

    Where something still reads the old value, into a copy.
    """
    old, axis = f.node.input(0), int(f.attr("axis"))
    if old not in f.module.in_place or len(old.users) > 1:
        return f.x(0).index_copy(axis, rows, new)
    f.module.in_place.add(f.node.output)
    return f.x(0).index_copy_(axis, rows, new)


def _cache_attention(f: Frame) -> Tensor:
    if f.node in f.module.caches:
        return _packed_attention(f)
    return _float_attention(f)


def _packed_attention(f: Frame) -> Tensor:
    """Write the new rows and attend, both on the bytes of the cache."""
    keys, values = f.module.caches[f.node]
    new = (f.value(cache.write.input(1)) for cache in (keys, values))
    out: Tensor = torch.ops.optimum_compile_rt.kv_attention(
        *(f.x(0), *new, f.x(3), f.x(1), f.x(2), keys.sizes[1]),
        *(*keys.numbers, *values.numbers, f.attr("scale"), int(f.attr("window"))),
    )
    return out


def _float_attention(f: Frame) -> Tensor:
    """One pair of matrix products a query head of each group, so that K and V are never repeated.

    One product with all heads of a group stacked would do, but a view that joins the group with the
    symbolic length makes torch.export guard on that length.
    """
    q, k, v, past = f.x(0), f.x(1), f.x(2), f.x(3)
    batch, heads, seq, width = q.shape
    kv, context = k.shape[1], k.shape[2]
    mask = _mask(f, past, seq, context)
    keys, values = k.view(kv, context, width).transpose(1, 2), v.view(kv, context, width)
    rows = q.view(kv, heads // kv, seq, width) * f.attr("scale")
    parts = []
    for group in range(heads // kv):
        scores = torch.bmm(rows[:, group], keys) + mask
        parts.append(torch.bmm(torch.softmax(scores, -1), values))
    return torch.stack(parts, dim=1).view(batch, heads, seq, width)


def _mask(f: Frame, past: Tensor, seq: Any, context: int) -> Tensor:
    """Additive mask (seq, context), made once for all layers."""
    window = int(f.attr("window"))
    key = ("mask", id(past), context, window)
    if key not in f.memo:
        row = f.positions(past, seq)[:, None]
        column = torch.arange(context, dtype=torch.int64)[None, :]
        hidden = column > row
        if window > 0:
            hidden = torch.logical_or(hidden, column <= row - window)
        zero = torch.zeros((), dtype=torch.float32)
        f.memo[key] = torch.where(hidden, torch.full((), float("-inf")), zero)
    return f.memo[key]


def _attention(f: Frame) -> Tensor:
    q, k, v, mask = f.x(0), f.x(1), f.x(2), f.optional(3)
    if k.shape[-3] != q.shape[-3] and q.dim() == 4:
        groups = q.shape[1] // k.shape[1]
        k, v = k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
    return nn.functional.scaled_dot_product_attention(
        q, k, v, attn_mask=mask, is_causal=bool(f.attr("causal")), scale=f.attr("scale")
    )


def _linear(f: Frame) -> Tensor:
    out = linear(f.module, f.x(0), f.node.input(1))
    bias = f.optional(2)
    return out if bias is None else out + bias


def _shape(f: Frame) -> list[Any]:
    return [f.size(d) for d in dims(f.attr("shape"))]


def _permute(f: Frame) -> Tensor:
    # A copy in plain order, which is what the runtime makes of any permute: strides that depend on
    # the length of a dynamic prompt would make torch.export guard on it.
    perm, shape = ints(f.attr("perm")), f.node.input(0).type.shape
    moved = [axis for axis in perm if shape[axis] != 1]
    if moved == sorted(moved):  # only axes of size 1 move, as in a decode step: nothing to copy
        return f.x().view([f.size(shape[axis]) for axis in perm])
    return torch.ops.aten.permute_copy.default(f.x(), perm)


def _slice(f: Frame) -> Tensor:
    x, axis = f.x(), int(f.attr("axis"))
    start, stop = (f.size(dims((f.attr(k),))[0]) for k in ("start", "stop"))
    return torch.ops.aten.slice.Tensor(x, axis, start, stop, int(f.attr("step")))


def _full(f: Frame) -> Tensor:
    return torch.full(_shape(f), f.attr("value"), dtype=DTYPES[DType(f.attr("dtype"))])


def _arange(f: Frame) -> Tensor:
    start, stop = (f.size(dims((f.attr(k),))[0]) for k in ("start", "stop"))
    return torch.arange(start, stop, dtype=DTYPES[DType(f.attr("dtype"))])


def _gather(f: Frame) -> Tensor:
    x, ids, axis = f.x(0), f.x(1), int(f.attr("axis"))
    flat = torch.index_select(x, axis, ids.reshape(-1))
    return flat.reshape([*x.shape[:axis], *ids.shape, *x.shape[axis + 1 :]])


def _unary(function: Callable[[Tensor], Tensor]) -> Callable[[Frame], Tensor]:
    return lambda f: function(f.x())


def _binary(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Frame], Tensor]:
    return lambda f: function(f.x(0), f.x(1))


def _div(a: Tensor, b: Tensor) -> Tensor:
    return a / b


def _reduce(function: Any) -> Callable[[Frame], Tensor]:
    return lambda f: function(f.x(), ints(f.attr("axes")), bool(f.attr("keepdims")))


KERNELS: dict[str, Callable[[Frame], Tensor]] = {
    "embedding": lambda f: embedding(f.module, f.x(0), f.node.input(1)),
    "linear": _linear,
    "rms_norm": _rms_norm,
    "layer_norm": _layer_norm,
    "hadamard": _hadamard,
    "route": _route,
    "rope": _rope,
    "kv_write": _kv_write,
    "cache_attention": _cache_attention,
    "attention": _attention,
    "silu": _unary(nn.functional.silu),
    **{
        name: _unary(getattr(torch, name))
        for name in "relu tanh sigmoid exp log sqrt rsqrt neg abs cos sin erf reciprocal floor".split()
    },
    "gelu": lambda f: nn.functional.gelu(f.x(), approximate=f.attr("approximate")),
    "softmax": lambda f: torch.softmax(f.x(), int(f.attr("axis"))),
    **{
        name: _binary(getattr(torch, name))
        for name in (
            "add sub mul pow maximum minimum eq ne lt le gt ge logical_and logical_or matmul".split()
        )
    },
    "div": _binary(_div),
    "logical_not": _unary(torch.logical_not),
    "where": lambda f: torch.where(f.x(0), f.x(1), f.x(2)),
    "cast": lambda f: f.x().to(DTYPES[DType(f.attr("dtype"))]),
    "mean": _reduce(torch.mean),
    "sum": _reduce(torch.sum),
    "max": _reduce(torch.amax),
    "reshape": lambda f: f.x().view(_shape(f)),
    "permute": _permute,
    "expand": lambda f: f.x().expand(_shape(f)),
    "slice": _slice,
    "concat": lambda f: torch.cat([f.x(i) for i in range(len(f.node.inputs))], int(f.attr("axis"))),
    "gather": _gather,
    "gather_elements": lambda f: f.x(0).gather(int(f.attr("axis")), f.x(1)),
    "gather_nd": lambda f: f.x(0)[tuple(f.x(1).unbind(-1))],
    "index_copy": _index_copy,
    "arange": _arange,
    "full": _full,
}


def execute(
    module: GraphModule, node: Node, env: dict[Value, Tensor], memo: dict[Any, Tensor]
) -> tuple[Tensor, ...]:
    """The outputs of one node."""
    frame = Frame(module, node, env, memo)
    if node.op == "aten":
        return _aten(frame)
    return (KERNELS[node.op](frame),)


def _aten(f: Frame) -> tuple[Tensor, ...]:
    given = f.attr("args")
    arguments = {str(p[0]): _argument(f, p[1]) for p in given if isinstance(p, tuple)}
    out = aten_overload(str(f.attr("target")))(**arguments)
    return (out,) if isinstance(out, Tensor) else tuple(out)


def _argument(f: Frame, value: Attr) -> Any:
    if not isinstance(value, tuple) or not value:
        return value
    if value[0] == "$":
        return f.x(int(str(value[1])))
    if value[0] == "$list":
        return [None if i is None else f.x(int(str(i))) for i in value[1:]]
    if value[0] == "$dtype":
        return DTYPES[DType(str(value[1]))]
    if value[0] == "$dim":
        return f.size(dims((value[1],))[0])
    return [_argument(f, v) for v in value]
