"""Operators of the recipes that ATen has no single operator for.

They are real torch operators (meta and CPU), so a recipe can be exported without weights and also
run eagerly; torch.export keeps them whole, and the importer maps each to one IR op.
"""

import torch
from torch import Tensor

NAMESPACE = "optimum_compile"
_LIBRARY: list[torch.library.Library] = []


def rope(x: Tensor, past: Tensor, inv_freq: Tensor, scale: float) -> Tensor:
    """Rotate (batch, heads, seq, head_dim) by positions past..past+seq-1, halves paired."""
    position = past + torch.arange(x.shape[2], device=x.device)
    angle = position[:, None].float() * inv_freq[None, :]
    cos, sin = angle.cos() * scale, angle.sin() * scale
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1).to(x.dtype)


def kv_write(cache: Tensor, new: Tensor, past: Tensor, axis: int) -> Tensor:
    """The cache with `new` at past..past+seq-1 of `axis`."""
    where = past + torch.arange(new.shape[axis], device=new.device)
    return cache.index_copy(axis, where, new)


def cache_attention(
    q: Tensor, k: Tensor, v: Tensor, past: Tensor, scale: float, window: int
) -> Tensor:
    """Causal attention of q (batch, heads, seq, d) over a cache (batch, kv_heads, context, d)."""
    groups = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
    row = past + torch.arange(q.shape[2], device=q.device)
    column = torch.arange(k.shape[2], device=q.device)
    seen = column[None, :] <= row[:, None]
    if window > 0:
        seen = seen & (column[None, :] > row[:, None] - window)
    scores = (q @ k.transpose(-1, -2)) * scale
    return scores.masked_fill(~seen, float("-inf")).softmax(-1) @ v


def route(logits: Tensor, top_k: int, renormalise: bool) -> Tensor:
    """Gates (..., experts): the softmax of the `top_k` greatest logits, 0 elsewhere."""
    gates = logits.softmax(-1)
    order = logits.detach().argsort(dim=-1, descending=True, stable=True)
    chosen = torch.zeros_like(logits, dtype=torch.bool).scatter(-1, order[..., :top_k], True)
    gates = gates * chosen
    return gates / gates.sum(-1, keepdim=True) if renormalise else gates


SCHEMAS = (
    "rope(Tensor x, Tensor past, Tensor inv_freq, float scale) -> Tensor",
    "kv_write(Tensor cache, Tensor new, Tensor past, int axis) -> Tensor",
    "cache_attention(Tensor q, Tensor k, Tensor v, Tensor past, float scale, int window) -> Tensor",
    "route(Tensor logits, int top_k, bool renormalise) -> Tensor",
)


def load() -> None:
    """Register the operators once; calling it again does nothing."""
    if _LIBRARY:
        return
    library = torch.library.Library(NAMESPACE, "FRAGMENT")
    functions = (rope, kv_write, cache_attention, route)
    for schema, function in zip(SCHEMAS, functions, strict=True):
        name = schema.split("(")[0]
        library.define(schema)
        library.impl(name, function, "CompositeExplicitAutograd")
        first = _like_first
        torch.library.register_fake(f"{NAMESPACE}::{name}", first, lib=library)
    _LIBRARY.append(library)


def _like_first(first: Tensor, *rest: object) -> Tensor:
    return torch.empty_like(first)
