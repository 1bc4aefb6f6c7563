"""Second moments of a layer's inputs: the Hessian of its squared output error."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat

import torch
from torch import Tensor

from optimum_compile.compiler.errors import InputError


@dataclass(frozen=True)
class Moments:
    """What calibration saw at one place.

    hessian: mean of x x^T over tokens, float32 (columns, columns). magnitude: mean of |x| (columns,).
    tokens: how many were seen. cross: mean of (x_float - x) x^T where the float way was run beside.
    guided: for each group of output rows the mean of s_t x x^T with that group's saliency s.
    """

    hessian: Tensor
    magnitude: Tensor
    tokens: int
    cross: Tensor | None = None
    guided: tuple[Tensor, ...] = ()

    @property
    def importance(self) -> Tensor:
        """Mean square of each input (columns,)."""
        return self.hessian.diagonal()


def moments(
    name: str,
    inputs: Iterable[Tensor],
    originals: Iterable[Tensor] | None = None,
    weights: Iterable[Tensor] | None = None,
) -> Moments:
    """Moments of activations, (tokens, columns) a sample; `originals` are those of the float way.

    `weights` (tokens,) a sample make the means weighted ones; tokens of weight 0 do not count.

    Raises InputError where a value is not finite, or no token is there.
    """
    hessian = magnitude = cross = None
    tokens, total = 0, 0.0
    for x, original, weight in _together(inputs, originals, weights):
        if not torch.isfinite(x).all():
            raise InputError(
                f"the input of {name} is NaN or infinite on the calibration text; repair the model, "
                "or give another --calibration"
            )
        if hessian is None or magnitude is None:
            hessian = torch.zeros(x.shape[1], x.shape[1], dtype=torch.float64)
            magnitude = torch.zeros(x.shape[1], dtype=torch.float64)
            cross = None if original is None else torch.zeros_like(hessian)
        weighted = x if weight is None else x * weight[:, None]
        hessian += weighted.T @ x
        magnitude += weighted.abs().sum(0, dtype=torch.float64)
        tokens += len(x)
        total += len(x) if weight is None else float(weight.sum(dtype=torch.float64))
        if cross is not None and original is not None:
            cross += (original - x).T @ weighted
    if hessian is None or magnitude is None or tokens == 0:
        raise InputError(f"{name}: no token reached it; give more --calibration text")
    return Moments(
        (hessian / total).float(),
        (magnitude / total).float(),
        tokens,
        None if cross is None else (cross / total).float(),
    )


def _together(
    inputs: Iterable[Tensor],
    originals: Iterable[Tensor] | None,
    weights: Iterable[Tensor] | None,
) -> Iterator[tuple[Tensor, Tensor | None, Tensor | None]]:
    """Samples with what belongs to them, without the tokens that weigh nothing."""
    beside = repeat(None) if originals is None else originals
    weighing = repeat(None) if weights is None else weights
    for x, original, weight in zip(inputs, beside, weighing, strict=False):
        if weight is None:
            yield x, original, None
            continue
        kept = weight > 0
        yield x[kept], None if original is None else original[kept], weight[kept]


def shrunk(routed: Moments, overall: Moments, tokens: float) -> Moments:
    """An expert's own moments, drawn toward those of all tokens as if `tokens` of these were seen.

    H = (n H_routed + k H_all) / (n + k): with few tokens the expert's Hessian has few directions, and
    the quantiser would be free to ruin all others.
    """
    own = routed.tokens / (routed.tokens + tokens)

    def mixed(a: Tensor, b: Tensor) -> Tensor:
        return own * a + (1 - own) * b

    cross = None
    if routed.cross is not None and overall.cross is not None:
        cross = mixed(routed.cross, overall.cross)
    return Moments(
        mixed(routed.hessian, overall.hessian),
        mixed(routed.magnitude, overall.magnitude),
        routed.tokens,
        cross,
    )


def guided_hessians(inputs: Iterable[Tensor], saliency: Iterable[Tensor]) -> tuple[Tensor, ...]:
    """Mean of s_t x x^T for each group: inputs (tokens, columns), saliency (tokens, groups) a sample."""
    total: Tensor | None = None
    tokens = 0
    for x, weights in zip(inputs, saliency, strict=True):
        if total is None:
            total = torch.zeros(weights.shape[1], x.shape[1], x.shape[1], dtype=torch.float64)
        for group in range(weights.shape[1]):
            total[group] += (x * weights[:, group, None]).T @ x
        tokens += len(x)
    return () if total is None else tuple((total / max(1, tokens)).float())
