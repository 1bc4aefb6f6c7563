"""How much to scale each channel: the searches of AWQ and of QQQ, as functions of arrays.

Both move quantisation error between channels and never change what the float program computes.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.quant.activations import symmetric_int8
from optimum_compile.compiler.quant.scheme import Scheme

# The weight that is computed with after storing one (rows, columns) in a scheme.
Quantise = Callable[[np.ndarray, Scheme], np.ndarray]
# From the outputs of the linears, (tokens, rows) each, to what is compared.
Combine = Callable[[Sequence[np.ndarray]], np.ndarray]

RATIOS = tuple(i / 20 for i in range(20))
LEAST_MAGNITUDE = 1e-4  # of the largest: a dead channel must not blow up all others
LEAST_THRESHOLD = 0.1
MIN_STEPS, MAX_STEPS = 100, 400
STEP = 0.5
COARSE_STEPS = 16


@dataclass(frozen=True)
class Scaling:
    """What a search found.

    scale: float32 (columns,), all ones where nothing is better. error: squared error of the outputs
    a token with it; plain: without. setting: the exponent (AWQ) or the threshold (QQQ).
    """

    scale: np.ndarray
    error: float
    plain: float
    setting: float


def awq_scale(
    weights: Sequence[np.ndarray],
    magnitude: np.ndarray,
    hessian: np.ndarray,
    scheme: Scheme,
    quantise: Quantise,
    ratios: Sequence[float] = RATIOS,
) -> Scaling:
    """The power of the mean magnitude of its inputs that quantises a group of linears best.

    s = mean|x|^r / sqrt(max * min) (AWQ, arXiv 2306.00978), for the r with the least error of the
    outputs, tr(D H D^T) with D = Q(W s) / s - W.

    Args:
        weights: of all linears that read the input, each (rows, columns).
        magnitude: mean of |x| over tokens (columns,).
        hessian: mean of x x^T over tokens (columns, columns).
        scheme: what `quantise` stores the weights in.
        quantise: gives the weights as they come back.
        ratios: exponents to try; 0, no scaling, is always tried first.

    Raises InternalError for shapes that do not fit each other.
    """
    columns = _columns(weights)
    level, moment = np.asarray(magnitude, np.float64), np.asarray(hessian, np.float64)
    if level.shape != (columns,) or moment.shape != (columns, columns):
        raise InternalError(f"statistics {level.shape}, {moment.shape} for {columns} columns")
    best = plain = _awq_error(weights, np.ones(columns, np.float32), moment, scheme, quantise)
    scale, chosen = np.ones(columns, np.float32), 0.0
    top = float(level.max(initial=0.0))
    if top <= 0.0 or not np.isfinite(top):
        return Scaling(scale, plain, plain, chosen)
    level = np.maximum(level, LEAST_MAGNITUDE * top)
    for ratio in ratios:
        raised = level**ratio
        trial = (raised / np.sqrt(raised.max() * raised.min())).astype(np.float32)
        error = best if ratio == 0 else _awq_error(weights, trial, moment, scheme, quantise)
        if error < best:
            best, scale, chosen = error, trial, ratio
    return Scaling(scale, best, plain, chosen)


def smooth_scale(
    weights: Sequence[np.ndarray],
    inputs: np.ndarray,
    scheme: Scheme,
    quantise: Quantise,
    combine: Combine | None = None,
    pool: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Scaling:
    """QQQ's adaptive smoothing (arXiv 2406.09904) for int8 activations a token.

    Channels that go beyond a threshold t are brought down to it: s = max(1, max x / t, min x / -t).
    Of the thresholds from the largest |x| downwards the one wins with which quantised weights and
    inputs give the outputs nearest to the float ones. QQQ tries all; here the neighbours of the best of
    a few are tried, which takes a quarter of the time or less.

    Args:
        weights: of all linears that read the input, each (rows, columns).
        inputs: (tokens, columns).
        scheme: what `quantise` stores the weights in.
        quantise: gives the weights as they come back.
        combine: what the outputs become before they are compared, such as silu(gate) * up; without it
            they are compared as they are.
        pool: makes a scale (columns,) one that can be moved, where columns share a number of it.

    Raises InternalError for shapes that do not fit each other.
    """
    columns = _columns(weights)
    if inputs.ndim != 2 or inputs.shape[1] != columns or not len(inputs):
        raise InternalError(f"inputs {inputs.shape} for {columns} columns")
    x, join = inputs.astype(np.float32), combine or _side_by_side
    wanted = join([x @ w.T for w in weights])
    highest, lowest = x.max(0), x.min(0)
    thresholds = _thresholds(float(np.abs(x).max()))

    def attempt(at: int) -> tuple[float, np.ndarray]:
        trial = np.maximum(1, np.maximum(highest / thresholds[at], lowest / -thresholds[at]))
        trial = (trial if pool is None else pool(trial)).astype(np.float32)
        rounded = symmetric_int8(x / trial).numbers()
        outputs = [rounded @ quantise(w * trial, scheme).T for w in weights]
        return float(np.square(join(outputs) - wanted, dtype=np.float64).sum() / len(x)), trial

    tried = _coarse_to_fine(attempt, len(thresholds))
    best = min(tried, key=lambda at: (tried[at][0], at))
    error, scale = tried[best]
    return Scaling(scale, error, tried[0][0], float(thresholds[best]))


def _coarse_to_fine(
    attempt: Callable[[int], tuple[float, np.ndarray]], count: int
) -> dict[int, tuple[float, np.ndarray]]:
    """What some of `count` attempts gave: a few over all, then ever nearer to the best of them."""
    step = max(1, count // COARSE_STEPS)
    tried = {at: attempt(at) for at in range(0, count, step)}
    while step > 1:
        step = math.ceil(step / 4)
        best = min(tried, key=lambda at: (tried[at][0], at))
        near = range(best - 3 * step, best + 3 * step + 1, step)
        tried |= {at: attempt(at) for at in near if 0 <= at < count and at not in tried}
    return tried


def _thresholds(largest: float) -> np.ndarray:
    """From the largest magnitude down; the first one scales nothing."""
    if not LEAST_THRESHOLD < largest < np.inf:
        return np.array([max(largest, LEAST_THRESHOLD)])
    steps = min(MAX_STEPS, max(MIN_STEPS, int(largest / STEP)))
    return np.linspace(largest, LEAST_THRESHOLD, steps)


def _columns(weights: Sequence[np.ndarray]) -> int:
    sizes = {w.shape[1] if w.ndim == 2 else -1 for w in weights}
    if len(sizes) != 1 or sizes == {-1}:
        raise InternalError(f"weights {[w.shape for w in weights]} that do not read one input")
    return int(sizes.pop())


def _awq_error(
    weights: Sequence[np.ndarray],
    scale: np.ndarray,
    hessian: np.ndarray,
    scheme: Scheme,
    quantise: Quantise,
) -> float:
    total = 0.0
    for w in weights:
        difference = (quantise(w * scale, scheme) / scale - w).astype(np.float64)
        total += float(np.einsum("rc,rc->", difference @ hessian, difference))
    return total


def _side_by_side(outputs: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate(outputs, axis=-1)
