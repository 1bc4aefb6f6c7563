"""The searches for scales: against brute force, on data where they must win, and degenerate ones."""

import numpy as np
import pytest

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.quant.activations import symmetric_int8
from optimum_compile.compiler.quant.scheme import Affine, PerGroup, Scheme
from optimum_compile.passes.precision.quantizers.affine.rtn import quantize_rtn
from optimum_compile.passes.rewrite.scale_search import (
    RATIOS,
    awq_scale,
    smooth_scale,
)

INT4 = Affine(4, PerGroup(32), symmetric=False)
INT3 = Affine(3, PerGroup(32))


def stored(weight: np.ndarray, scheme: Scheme) -> np.ndarray:
    assert isinstance(scheme, Affine)
    return quantize_rtn(weight, scheme, "minmax").dequantize()


def layers(seed: int, outliers: int = 4) -> tuple[list[np.ndarray], np.ndarray]:
    """Two linears (rows, 64), and inputs (256, 64) some channels of which are 30 times larger."""
    rng = np.random.default_rng(seed)
    weights = [rng.standard_normal((rows, 64)).astype(np.float32) for rows in (16, 24)]
    x = rng.standard_normal((256, 64)).astype(np.float32)
    x[:, rng.choice(64, outliers, replace=False)] *= 30
    return weights, x


def statistics(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.abs(x).mean(0), x.T @ x / len(x)


@pytest.mark.parametrize("scheme", [INT4, INT3], ids=str)
def test_awq_finds_the_best_of_its_grid(scheme: Affine) -> None:
    weights, x = layers(0)
    magnitude, hessian = statistics(x)
    found = awq_scale(weights, magnitude, hessian, scheme, stored)
    errors = []
    for ratio in RATIOS:
        s = magnitude**ratio
        s /= np.sqrt(s.max() * s.min())
        outputs = [((stored(w * s, scheme) / s - w) @ x.T) for w in weights]
        errors.append(sum(float(np.square(o).sum()) for o in outputs) / len(x))
    assert found.setting == RATIOS[int(np.argmin(errors))]
    assert found.error == pytest.approx(min(errors), rel=1e-3)
    assert found.plain == pytest.approx(errors[0], rel=1e-3)
    assert found.error < 0.5 * found.plain
    assert np.sqrt(found.scale.max() * found.scale.min()) == pytest.approx(1, rel=1e-5)


def test_awq_leaves_even_channels_alone() -> None:
    weights, x = layers(1, outliers=0)
    exact = awq_scale(weights, *statistics(x), INT4, lambda w, scheme: w)
    assert (exact.setting, exact.error) == (0.0, 0.0)
    assert (exact.scale == 1).all()


def test_awq_on_degenerate_statistics() -> None:
    weights, x = layers(2)
    x[:, :8] = 0  # dead channels
    found = awq_scale(weights, *statistics(x), INT4, stored)
    assert np.isfinite(found.scale).all()
    assert (found.scale > 0).all()
    assert found.error <= found.plain
    none = awq_scale(weights, np.zeros(64), np.zeros((64, 64)), INT4, stored)
    assert (none.scale == 1).all()
    one = awq_scale(weights, *statistics(x[:1]), INT4, stored)
    assert one.error <= one.plain


def test_smoothing_finds_a_threshold_as_good_as_the_best() -> None:
    weights, x = layers(3)
    found = smooth_scale(weights, x, INT4, stored)
    wanted = [x @ w.T for w in weights]

    def error(s: np.ndarray) -> float:
        made = [symmetric_int8(x / s).numbers() @ stored(w * s, INT4).T for w in weights]
        return sum(float(np.square(m - o).sum()) for m, o in zip(made, wanted, strict=True)) / len(
            x
        )

    top, bottom, largest = x.max(0), x.min(0), float(np.abs(x).max())
    trials = np.linspace(largest, 0.1, max(100, int(largest / 0.5)))
    scales = [np.maximum(1, np.maximum(top / t, bottom / -t)).astype(np.float32) for t in trials]
    errors = [error(s) for s in scales]
    assert found.error <= 1.02 * min(errors)
    assert found.plain == pytest.approx(error(np.ones(64, np.float32)), rel=1e-5)
    assert found.error < 0.5 * found.plain
    at = int(np.argmin(np.abs(trials - found.setting)))
    np.testing.assert_array_equal(found.scale, scales[at])
    assert found.error == pytest.approx(errors[at], rel=1e-5)
    assert (found.scale >= 1).all()


def test_smoothing_judges_by_what_the_outputs_become() -> None:
    weights, x = layers(4)
    weights = [weights[0], weights[1][:16]]
    alone = smooth_scale(weights, x, INT3, stored)
    gated = smooth_scale(weights, x, INT3, stored, lambda o: np.maximum(o[0], 0) * o[1])
    assert gated.error <= gated.plain
    assert gated.error != alone.error
    second = smooth_scale(weights, x, INT3, stored, lambda o: o[1])
    only = smooth_scale(weights[1:], x, INT3, stored)
    assert second.error == pytest.approx(only.error, rel=1e-6)


def test_a_smoothing_that_columns_share_is_judged_as_it_is_moved() -> None:
    weights, x = layers(6)

    def halves(scale: np.ndarray) -> np.ndarray:  # column c and c + 32 share a number
        return np.tile(scale.reshape(2, 32).mean(0), 2)

    found = smooth_scale(weights, x, INT4, stored, pool=halves)
    np.testing.assert_array_equal(found.scale[:32], found.scale[32:])
    made = [
        symmetric_int8(x / found.scale).numbers() @ stored(w * found.scale, INT4).T for w in weights
    ]
    wanted = [x @ w.T for w in weights]
    error = sum(float(np.square(m - o).sum()) for m, o in zip(made, wanted, strict=True)) / len(x)
    assert found.error == pytest.approx(error, rel=1e-5)
    assert found.error < 0.6 * found.plain


def test_smoothing_on_degenerate_inputs() -> None:
    weights, x = layers(5)
    silent = smooth_scale(weights, np.zeros_like(x), INT4, stored)
    assert (silent.scale == 1).all()
    assert silent.error == 0
    tiny = smooth_scale(weights, x * np.float32(1e-4), INT4, stored)
    assert (tiny.scale == 1).all()
    one = smooth_scale(weights, x[:1], INT4, stored)
    assert one.error <= one.plain


@pytest.mark.parametrize("shape", [(3,), (3, 5)])
def test_shapes_that_do_not_fit_are_errors(shape: tuple[int, ...]) -> None:
    w = np.ones((2, 4), np.float32)
    with pytest.raises(InternalError, match="4 columns"):
        awq_scale([w], np.ones(shape[-1]), np.eye(4), INT4, stored)
    with pytest.raises(InternalError, match="4 columns"):
        smooth_scale([w], np.ones(shape, np.float32), INT4, stored)
    with pytest.raises(InternalError, match="one input"):
        awq_scale([w, np.ones((2, 5), np.float32)], np.ones(4), np.eye(4), INT4, stored)
