"""Attention over a cache of few bits in the reference executor.

States keep every number as it was written; it is reading that rounds. What a query sees then depends on
its position alone: a token is read in codes by the queries for which its run has left the window, and as
the fp16 number that codes are counted from by those before. So one long call gives at every position
what single steps would give there, and it does not matter where a prompt is cut.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np
import torch
from torch import Tensor

from optimum_compile.compiler.bind import same_names
from optimum_compile.compiler.decoder import caches_of
from optimum_compile.compiler.errors import UserError
from optimum_compile.compiler.interpret_ops import Call, cached_inputs, cached_rows
from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.compiler.quant.kv import (
    KvRole,
    KvScheme,
    KvStored,
    round_keys,
    round_values,
)
from optimum_compile.compiler.quant.kv_static import KvStatic, round_static
from optimum_compile.compiler.quant.scheme import Float

CacheSchemes = Mapping[Node, Mapping[KvRole, KvStored]]


def cache_schemes(graph: Graph, kv: Mapping[str, KvStored]) -> CacheSchemes:
    """What each attention reads rounded, from schemes by state name; float32 is not rounded.

    Raises UserError for a name that is no state, or a state that is no cache of an attention.
    """
    if not kv:
        return {}
    same_names("state", {s.name: s.read for s in graph.states}, kv, missing_allowed=True)
    caches = caches_of(graph)
    unread = sorted(set(kv) - {cache.name for cache in caches})
    if unread:
        raise UserError(f"state {unread[0]!r}: no attention reads it as its keys or values")
    found: dict[Node, dict[KvRole, KvStored]] = {}
    for cache in caches:
        scheme = kv.get(cache.name)
        if scheme is not None and scheme != Float(32):
            for node in cache.readers:
                found.setdefault(node, {})[cache.role] = scheme
    return found


def quantised_attention(call: Call, schemes: Mapping[KvRole, KvStored]) -> Tensor:
    """What `cache_attention` gives when old keys and values are read from codes."""
    keys, values, past, total = cached_inputs(call)
    read_keys = _Reader(keys, total, schemes.get(KvRole.KEYS), round_keys)
    read_values = _Reader(values, total, schemes.get(KvRole.VALUES), round_values)
    parts = [
        cached_rows(call, read_keys.at(end), read_values.at(end), first, end)
        for first, end in _spans(past, total, schemes.values())
    ]
    return torch.cat(parts, -2)


def _spans(past: int, total: int, schemes: Iterable[KvStored]) -> Iterator[tuple[int, int]]:
    """Query positions from `past` to `total`, in pieces for which the same tokens are rounded."""
    used = tuple(s for s in schemes if isinstance(s, KvScheme))
    first = past
    for at in range(past + 1, total):
        # The query at `at` is the first with `at` + 1 tokens in the cache.
        if any(s.rounded_tokens(at + 1) != s.rounded_tokens(at) for s in used):
            yield first, at
            first = at
    yield first, total


class _Reader:
    """One cache: its old tokens rounded once, then put together with those that are fp16."""

    def __init__(
        self,
        cache: Tensor,
        total: int,
        scheme: KvStored | None,
        rounding: Callable[[np.ndarray, KvScheme], np.ndarray],
    ) -> None:
        # What is not in codes is fp16; a cache that has no scheme is not rounded.
        if isinstance(scheme, KvStatic):
            self.cache = torch.from_numpy(round_static(cache[..., :total, :].numpy(), scheme))
        else:
            self.cache = cache if scheme is None else cache.to(torch.float16).to(cache.dtype)
        self.scheme = scheme if isinstance(scheme, KvScheme) else None
        count = 0 if self.scheme is None else self.scheme.rounded_tokens(total)
        if self.scheme is not None and count:
            old = self.cache.narrow(-2, self.scheme.sinks, count)
            self.rounded = torch.from_numpy(rounding(old.numpy(), self.scheme))

    def at(self, tokens: int) -> Tensor:
        """The first `tokens` of the cache as they are read when it has no more."""
        exact = self.cache[..., :tokens, :]
        count = 0 if self.scheme is None else self.scheme.rounded_tokens(tokens)
        if self.scheme is None or not count:
            return exact
        sinks = self.scheme.sinks
        parts = (
            exact[..., :sinks, :],
            self.rounded[..., :count, :],
            exact[..., sinks + count :, :],
        )
        return torch.cat(parts, -2)
