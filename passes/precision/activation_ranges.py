"""Pass: ranges of activations, for targets that round them with constant scales.

Before:  %q_proj : f32[1, seq, 256]
After:   %q_proj : f32[1, seq, 256] {ValueRange(low=-7.25, high=8.5)}
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from optimum_compile.compiler.decoder import context_of
from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.interpret import Observe, WeightCache, run
from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.pass_manager import PassContext, PassResult
from optimum_compile.passes.precision.notes import ValueRange

CACHE_BYTES = 1 << 30  # of weights that are kept between windows
CALL_SAMPLES = 1 << 14  # numbers of a value that are kept of each call
SAMPLES = 1 << 18  # of all calls together, about
LEVELS = 255
# Shares of the range from the least to the greatest value that are tried. What lies outside is cut off.
SHARES = tuple(1 - step / 20 for step in range(15))


@dataclass(frozen=True)
class CalibrateActivations:
    """Run the windows through the quantised model; what linears read and give gets a range.

    What they give, keys and queries among it, keeps the whole range, for attention looks for the outliers.
    What they read gets the share of it that rounds a sample with the least squared error.
    """

    name: ClassVar[str] = "calibrate-activations"
    needs: ClassVar[tuple[type[Note], ...]] = ()
    writes: ClassVar[tuple[type[Note], ...]] = (ValueRange,)

    windows: Sequence[Sequence[int]] = field(repr=False)

    def run(self, graph: Graph, ctx: PassContext) -> PassResult:
        """Raises InputError for values that are not finite."""
        linears = [node for node in graph.nodes if node.op == "linear"]
        found = {node.output: _Seen(keeps=False) for node in linears}
        found |= {node.input(0): _Seen() for node in linears}
        rng = np.random.default_rng(ctx.seed)

        def observe(node: Node, outputs: tuple[Tensor, ...]) -> None:
            for value, data in zip(node.outputs, outputs, strict=True):
                if value in found:
                    found[value].add(data.numpy(), rng)

        cache = WeightCache(CACHE_BYTES)
        for at, window in enumerate(self.windows):
            _feed(graph, window, observe, cache)
            ctx.observer.progress("calibrate activations", at + 1, len(self.windows))
        changed = False
        for value, seen in found.items():
            if not np.isfinite([seen.low, seen.high]).all():
                raise InputError(
                    f"%{value.name}: NaN or infinite on the calibration text, or not computed; repair "
                    "the model, or give another --calibration"
                )
            note = seen.fitted()
            changed |= value.notes.get(ValueRange) != note
            value.notes.put(note)
        return PassResult(changed)


class _Seen:
    """Least and greatest number of a value, and a sample of its numbers if it `keeps` one."""

    def __init__(self, *, keeps: bool = True) -> None:
        self.low, self.high = np.inf, -np.inf
        self._keeps = keeps
        self._parts: list[np.ndarray] = []
        self._kept = 0

    def add(self, data: np.ndarray, rng: np.random.Generator) -> None:
        """Look at what one call computed."""
        # numpy's, because Python's forget a NaN.
        self.low = float(np.minimum(self.low, data.min()))
        self.high = float(np.maximum(self.high, data.max()))
        if not self._keeps:
            return
        flat = data.ravel()
        if flat.size > CALL_SAMPLES:
            flat = flat[rng.integers(0, flat.size, CALL_SAMPLES)]
        self._parts.append(flat.copy())
        self._kept += flat.size
        if self._kept > 2 * SAMPLES:
            self._parts = [rng.permutation(self.sample())[:SAMPLES]]
            self._kept = SAMPLES

    def sample(self) -> np.ndarray:
        """What was kept."""
        return np.concatenate(self._parts)

    def fitted(self) -> ValueRange:
        """The whole range, or the best of its shares."""
        if not self._parts:
            return ValueRange(self.low, self.high)
        sample = self.sample().astype(np.float64)
        errors = [_error(sample, self.low * share, self.high * share) for share in SHARES]
        share = SHARES[int(np.argmin(errors))]
        return ValueRange(self.low * share, self.high * share)


def _error(sample: np.ndarray, low: float, high: float) -> float:
    """Mean squared error of rounding to levels between `low` and `high`, zero among them."""
    low, high = min(low, 0.0), max(high, 0.0)
    step = (high - low) / LEVELS or 1.0
    zero = np.rint(-low / step)
    codes = (np.rint(sample / step) + zero).clip(0, LEVELS)
    return float(np.mean(((codes - zero) * step - sample) ** 2))


def _feed(graph: Graph, window: Sequence[int], observe: Observe, cache: WeightCache) -> None:
    """One window on empty caches, in calls as long as the program takes."""
    longest = graph.symbols["seq"].high if "seq" in graph.symbols else 1
    tokens = np.asarray(window[: context_of(graph)], np.int64)[None]
    states = None
    with torch.no_grad():
        for at in range(0, tokens.shape[1], longest):
            call = {"tokens": tokens[:, at : at + longest], "past": np.array([at], np.int64)}
            done = run(graph, call, states, weights="quantized", observe=observe, cache=cache)
            states = done.states
