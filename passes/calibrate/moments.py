"""Second moments of a layer's inputs: the Hessian of its squared output error."""

from collections.abc import Iterable
from dataclasses import dataclass

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
    name: str, inputs: Iterable[Tensor], originals: Iterable[Tensor] | None = None
) -> Moments:
    """Moments of activations, (tokens, columns) a sample; `originals` are those of the float way.

    Raises InputError where a value is not finite.
    """
    hessian = magnitude = cross = None
    tokens = 0
    paired = (
        zip(inputs, originals, strict=True)
        if originals is not None
        else ((x, None) for x in inputs)
    )
    for x, original in paired:
        if not torch.isfinite(x).all():
            raise InputError(
                f"the input of {name} is NaN or infinite on the calibration text; repair the model, "
                "or give another --calibration"
            )
        if hessian is None or magnitude is None:
            hessian = torch.zeros(x.shape[1], x.shape[1], dtype=torch.float64)
            magnitude = torch.zeros(x.shape[1], dtype=torch.float64)
            cross = None if original is None else torch.zeros_like(hessian)
        hessian += x.T @ x
        magnitude += x.abs().sum(0, dtype=torch.float64)
        tokens += len(x)
        if cross is not None and original is not None:
            cross += (original - x).T @ x
    if hessian is None or magnitude is None or tokens == 0:
        raise InputError(f"{name}: no token reached it; give more --calibration text")
    return Moments(
        (hessian / tokens).float(),
        (magnitude / tokens).float(),
        tokens,
        None if cross is None else (cross / tokens).float(),
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
