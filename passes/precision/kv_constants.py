"""Pass: the constant scales of KV caches, for targets whose attention takes no others.

Before:  state %k_cache.0 : f32[1, 4, 2048, 64] {KvPrecision(scheme=kv8:g32)}
After:   state %k_cache.0 : f32[1, 4, 2048, 64] {KvPrecision(scheme=kv8:g32) KvConstants(scheme=kv8:static)}
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from optimum_compile.compiler.decoder import Cache, caches_of
from optimum_compile.compiler.errors import InputError, UnsupportedError
from optimum_compile.compiler.interpret import WeightCache, run
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.pass_manager import PassContext, PassResult
from optimum_compile.compiler.quant.kv_static import KvStatic
from optimum_compile.passes.precision.notes import KvConstants

CACHE_BYTES = 1 << 30  # of weights that are kept between windows
SAMPLE_BYTES = 256 << 20  # of keys and values, all layers together
# How wide the range is beside what was seen. Eight bits have levels to spare for numbers that were not
# seen. Four have none, and a range that is cut for the least squared error does more harm than it saves:
# attention looks for the outliers. With a quarter more, the ends of what was seen, which the first token
# of every text has in some channels, would lie on ties between two codes.
MARGINS = {8: 1.2, 4: 1.0}


@dataclass(frozen=True)
class CalibrateCaches:
    """Run the windows through the model and write `KvConstants` on the caches in `wanted`.

    Each channel of each head gets the range that was seen there, see `MARGINS`. Keys that were rotated by
    their position count twice: as they are, and turned on by a number of positions drawn from the whole
    context, for a window shows only the first positions.
    """

    name: ClassVar[str] = "calibrate-caches"
    needs: ClassVar[tuple[type[Note], ...]] = ()
    writes: ClassVar[tuple[type[Note], ...]] = (KvConstants,)

    wanted: Mapping[str, KvStatic]
    windows: Sequence[Sequence[int]] = field(repr=False)

    def run(self, graph: Graph, ctx: PassContext) -> PassResult:
        """Raises InputError for keys or values that are not finite, UnsupportedError without writes."""
        caches = [cache for cache in caches_of(graph) if cache.name in self.wanted]
        if not caches:
            return PassResult(False)
        found = _samples(graph, caches, self.windows)
        rng = np.random.default_rng(ctx.seed)
        for at, cache in enumerate(caches):
            rows = found.pop(cache.name)
            if not np.isfinite(rows).all():
                raise InputError(
                    f"{cache.name}: NaN or infinite on the calibration text; repair the model, or give "
                    "another --calibration"
                )
            rows = np.concatenate([rows, *_turned(graph, cache, rows, rng)])
            scheme = fitted(rows, self.wanted[cache.name].bits)
            cache.value.notes.put(KvConstants(scheme))
            ctx.observer.progress("calibrate caches", at + 1, len(caches))
        return PassResult(True)


def fitted(rows: np.ndarray, bits: int) -> KvStatic:
    """Scales and offsets for the range of `rows` (tokens, heads, channels), float32."""
    empty = KvStatic(bits)
    low, high = rows.min(0), rows.max(0)
    middle, half = (low + high) / 2, (high - low) / 2 * np.float32(MARGINS[bits])
    scales = (2 * half / (empty.most - empty.least)).astype(np.float32)
    alike = scales < np.finfo(np.float32).tiny
    scales[alike] = 1  # then the offset is the number itself
    offsets = np.where(alike, middle, middle - half - empty.least * scales)
    offsets = offsets.astype(np.float32)
    return KvStatic(bits, tuple(scales.ravel().tolist()), tuple(offsets.ravel().tolist()))


def _written(graph: Graph, cache: Cache) -> Value:
    """The value with the new rows (1, kv_heads, seq, head_dim) of a cache."""
    state = next(s for s in graph.states if s.name == cache.name)
    node = state.written.producer
    if node is None or node.op != "kv_write" or node.input(1).producer is None:
        raise UnsupportedError(f"{cache.name}: no kv_write writes it; use --kv-bits 16")
    return node.input(1)


def _samples(
    graph: Graph, caches: Sequence[Cache], windows: Sequence[Sequence[int]]
) -> dict[str, np.ndarray]:
    """Rows (tokens, kv_heads, head_dim) that go into each cache, by its name."""
    wanted: dict[Node, list[str]] = {}
    for cache in caches:
        producer = _written(graph, cache).producer
        if producer is not None:
            wanted.setdefault(producer, []).append(cache.name)
    seen: dict[str, list[np.ndarray]] = {cache.name: [] for cache in caches}

    def observe(node: Node, outputs: tuple[Tensor, ...]) -> None:
        for name in wanted.get(node, ()):
            seen[name].append(outputs[0][0].transpose(0, 1).to(torch.float32).numpy().copy())

    weights = WeightCache(CACHE_BYTES)
    each = sum(4 * c.sizes[0] * c.sizes[2] for c in caches)
    longest = graph.symbols["seq"].high if "seq" in graph.symbols else 1
    left = SAMPLE_BYTES // max(each, 1)  # tokens
    context = min(c.sizes[1] for c in caches)
    with torch.no_grad():
        for window in windows:
            tokens = np.asarray(window[: min(context, max(left, 1))], np.int64)[None]
            states = None
            for at in range(0, tokens.shape[1], longest):
                call = {"tokens": tokens[:, at : at + longest], "past": np.array([at], np.int64)}
                done = run(graph, call, states, weights="quantized", observe=observe, cache=weights)
                states = done.states
            left -= tokens.shape[1]
            if left <= 0:
                break
    return {name: np.concatenate(rows) for name, rows in seen.items()}


def _turned(
    graph: Graph, cache: Cache, rows: np.ndarray, rng: np.random.Generator
) -> list[np.ndarray]:
    """Rotated keys once more, each at another position; nothing where no rotation makes the rows."""
    node = _written(graph, cache).producer
    if node is None or node.op != "rope" or node.input(2).weight is None:
        return []
    frequencies = node.input(2).weight.load_f32().astype(np.float64)  # type: ignore[union-attr]
    steps = rng.integers(0, cache.sizes[1], (len(rows), 1, 1))
    angle = steps * frequencies
    cos, sin = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
    half = len(frequencies)
    a, b = rows[..., :half], rows[..., half:]
    return [np.concatenate([a * cos - b * sin, b * cos + a * sin], -1)]
