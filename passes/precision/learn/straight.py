"""The straight-through estimator (Bengio et al., arXiv 1308.3432)."""

from collections.abc import Callable

from torch import Tensor

from optimum_compile.compiler.quant.packed import PackedWeight

Load = Callable[[], PackedWeight]


def through(smooth: Tensor, stored: Tensor) -> Tensor:
    """`stored` forward, the gradient of `smooth` backward."""
    return smooth + (stored - smooth).detach()
