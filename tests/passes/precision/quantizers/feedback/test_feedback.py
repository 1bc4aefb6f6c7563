"""Error feedback, coordinate descent and refitted grids, on matrices of known Hessians."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from optimum_compile.compiler.quant.scheme import E0M4, Affine, Lut, PerChannel, PerGroup, Scheme
from optimum_compile.compiler.quant.stored import from_parts, stored_parts
from optimum_compile.passes.calibrate.moments import Moments, moments
from optimum_compile.passes.precision.quantizers.calibrated import corrected, quantize_calibrated
from optimum_compile.passes.precision.quantizers.feedback.grids import AffineGrid, TableGrid
from optimum_compile.passes.precision.quantizers.feedback.group_descent import descend_groups
from optimum_compile.passes.precision.quantizers.feedback.refit import refit_scales, refit_tables
from optimum_compile.passes.precision.quantizers.feedback.rounding import (
    Feedback,
    damped,
    descend,
    inverse_factor,
    output_loss,
    round_with_feedback,
)
from optimum_compile.passes.precision.quantizers.recipes import RECIPES, Recipe
from optimum_compile.passes.precision.quantizers.select import quantize_weight

SCHEMES: list[Scheme] = [
    Affine(2, PerGroup(16)),
    Affine(3, PerGroup(16), symmetric=False),
    Affine(4, PerGroup(32), True, "bf16"),
    Affine(4, PerGroup(16), True, "u6"),
    Affine(4, PerChannel()),
    Affine(2, PerGroup(16), False, "u4", "u4"),
    Affine(3, PerGroup(16), False, "f16", "f16"),
    E0M4(PerGroup(16)),
    Lut(2, 1),
    Lut(2, 4),
    Lut(3, 2),
]


def problem(rows: int = 24, columns: int = 48, seed: int = 0) -> tuple[np.ndarray, Moments]:
    """A random matrix and correlated inputs, a few of them large."""
    rng = np.random.default_rng(seed)
    weight = rng.standard_normal((rows, columns)).astype(np.float32)
    mix = rng.standard_normal((columns, columns)) / columns**0.5 + np.eye(columns)
    scale = np.exp(rng.standard_normal(columns))
    x = (rng.standard_normal((400, columns)) @ mix * scale).astype(np.float32)
    return weight, moments("here", [torch.from_numpy(x)])


def loss(weight: np.ndarray, packed, seen: Moments) -> float:
    found = torch.from_numpy(packed.dequantize())
    return float(output_loss(torch.from_numpy(weight), found, seen.hessian).sum())


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_feedback_loses_less_than_rounding(scheme):
    weight, seen = problem()
    plain = loss(weight, quantize_weight(weight, scheme), seen)
    fed = loss(weight, quantize_calibrated(weight, scheme, seen, RECIPES["gptq"]), seen)
    best = loss(weight, quantize_calibrated(weight, scheme, seen, RECIPES["lnq"]), seen)
    assert fed < 0.8 * plain
    assert best < fed


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_codes_belong_to_the_scheme(scheme):
    weight, seen = problem()
    packed = quantize_calibrated(weight, scheme, seen, RECIPES["lnq"])
    assert packed.scheme == scheme
    assert packed.codes.dtype == quantize_weight(weight, scheme).codes.dtype
    top = 2**scheme.bits - 1
    low = -(2 ** (scheme.bits - 1)) if packed.codes.dtype == np.int8 else 0
    assert low <= packed.codes.min() <= packed.codes.max() <= low + top


@pytest.mark.parametrize("name", RECIPES)
def test_the_same_input_gives_the_same_codes(name):
    weight, seen = problem()
    first, second = (
        quantize_calibrated(weight, Affine(3, PerGroup(16)), seen, RECIPES[name]) for _ in range(2)
    )
    np.testing.assert_array_equal(first.codes, second.codes)
    np.testing.assert_array_equal(first.scales, second.scales)


def start(weight: np.ndarray, scheme: Scheme) -> tuple[Tensor, AffineGrid | TableGrid, Tensor]:
    packed = quantize_weight(weight, scheme)
    grid = TableGrid.of(packed) if isinstance(scheme, Lut) else AffineGrid.of(packed)
    return torch.from_numpy(weight), grid, torch.from_numpy(packed.codes.astype(np.float32))


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_a_grid_reads_codes_as_the_oracle_does(scheme):
    weight, _ = problem()
    _, grid, codes = start(weight, scheme)
    expected = quantize_weight(weight, scheme).dequantize()
    np.testing.assert_allclose(grid.numbers(codes).numpy(), expected, rtol=2e-6, atol=2e-6)
    for column in (0, 17, 47):
        got, number = grid.nearest(torch.from_numpy(expected[:, column]), column)
        np.testing.assert_allclose(number.numpy(), expected[:, column], rtol=2e-6, atol=2e-6)
        assert got.shape == (24,)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), scheme=st.sampled_from(SCHEMES))
def test_descent_and_refits_never_raise_the_loss(seed, scheme):
    weight, seen = problem(8, 32, seed)
    w, grid, codes = start(weight, scheme)
    hessian = damped(seen.hessian, 0.01).float()
    losses = [output_loss(w, grid.numbers(codes), hessian).sum()]
    for _ in range(2):
        codes = descend(w, codes, hessian, grid, 1)
        losses.append(output_loss(w, grid.numbers(codes), hessian).sum())
        refit = refit_tables if isinstance(grid, TableGrid) else refit_scales
        grid = refit(w, codes, hessian, grid)
        losses.append(output_loss(w, grid.numbers(codes), hessian).sum())
        if isinstance(grid, AffineGrid):
            grid = descend_groups(w, codes, hessian, grid)
            losses.append(output_loss(w, grid.numbers(codes), hessian).sum())
    for before, after in itertools.pairwise(losses):
        assert after <= before * (1 + 1e-4) + 1e-5


def test_uncorrelated_inputs_make_feedback_plain_rounding():
    weight, _ = problem()
    scheme = Affine(4, PerGroup(16))
    w, grid, codes = start(weight, scheme)
    found = round_with_feedback(w, torch.eye(48), grid, Feedback())
    np.testing.assert_array_equal(found.numpy(), codes.numpy())


def test_the_factor_is_that_of_the_inverse():
    _, seen = problem()
    factor = inverse_factor(seen.hessian, 0.01).double()
    expected = torch.linalg.inv(damped(seen.hessian, 0.01))
    torch.testing.assert_close(factor.T @ factor, expected, rtol=1e-4, atol=1e-6)
    assert torch.equal(factor, factor.triu())


def degenerate() -> list[tuple[str, np.ndarray, Moments]]:
    weight, seen = problem()
    dead = seen.hessian.clone()
    dead[:5], dead[:, :5] = 0, 0
    one = moments("one", [torch.ones(1, 48)])
    none = Moments(torch.zeros(48, 48), torch.zeros(48), 1)
    zero_rows = weight.copy()
    zero_rows[3:6] = 0
    return [
        ("dead inputs", weight, Moments(dead, seen.magnitude, seen.tokens)),
        ("one token", weight, one),
        ("inputs of zero", weight, none),
        ("rows of zero", zero_rows, seen),
        ("a constant", np.full_like(weight, 0.25), seen),
        ("huge", weight * 1e4, seen),
        ("tiny", weight * 1e-6, seen),
    ]


@pytest.mark.parametrize("name", ["gptq", "lnq", "auto"])
@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
@pytest.mark.parametrize("case", degenerate(), ids=lambda c: c[0])
def test_degenerate_inputs_give_numbers(case, scheme, name):
    label, weight, seen = case
    found = quantize_calibrated(weight, scheme, seen, RECIPES[name]).dequantize()
    assert np.isfinite(found).all(), label
    assert np.abs(found).max() <= 4 * np.abs(weight).max() + 1e-2


def test_a_correction_moves_weights_towards_what_the_inputs_were():
    rng = np.random.default_rng(0)
    original = rng.standard_normal((500, 16)).astype(np.float32)
    now = (original * 0.8 + 0.05 * rng.standard_normal((500, 16))).astype(np.float32)
    seen = moments("here", [torch.from_numpy(now)], [torch.from_numpy(original)])
    weight = rng.standard_normal((8, 16)).astype(np.float32)
    moved = corrected(weight, seen, 1.0)
    wanted = original @ weight.T
    before = np.linalg.norm(now @ weight.T - wanted)
    after = np.linalg.norm(now @ moved.T - wanted)
    assert after < 0.7 * before
    np.testing.assert_array_equal(corrected(weight, problem(8, 16)[1], 1.0), weight)


def test_a_recipe_without_feedback_is_the_search_alone():
    weight, seen = problem()
    scheme = Affine(4, PerGroup(16))
    found = quantize_calibrated(weight, scheme, seen, Recipe("mse"))
    np.testing.assert_array_equal(found.codes, quantize_weight(weight, scheme).codes)


@pytest.mark.parametrize("scheme", [s for s in SCHEMES if isinstance(s, Affine)], ids=str)
def test_a_better_grid_is_one_that_the_scheme_stores(scheme):
    weight, seen = problem()
    packed = quantize_calibrated(weight, scheme, seen, RECIPES["lnq"])
    again = from_parts(scheme, weight.shape, stored_parts(packed))
    np.testing.assert_array_equal(again.dequantize(), packed.dequantize())
