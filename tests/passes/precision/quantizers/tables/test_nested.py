"""Nested tables: degenerate rows, and feedback at every width."""

import numpy as np
import pytest
import torch

from optimum_compile.compiler.quant.nested import at_width
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Lut, Nested
from optimum_compile.passes.calibrate.moments import moments
from optimum_compile.passes.precision.quantizers.calibrated import quantize_calibrated
from optimum_compile.passes.precision.quantizers.feedback.grids import TableGrid
from optimum_compile.passes.precision.quantizers.feedback.rounding import damped, output_loss
from optimum_compile.passes.precision.quantizers.recipes import RECIPES, Recipe
from optimum_compile.passes.precision.quantizers.select import quantize_weight
from optimum_compile.passes.precision.quantizers.tables import nested_feedback
from optimum_compile.passes.precision.quantizers.tables.nested import quantize_nested
from optimum_compile.passes.precision.quantizers.tables.nested_feedback import descend_together

NARROW_TO_WIDE = Nested(2, 4, 4)


@pytest.mark.parametrize("importance", [None, np.geomspace(1e-3, 1, 32)])
@pytest.mark.parametrize("scheme", [NARROW_TO_WIDE, Nested(1, 8), Nested(3, 5, 7)])
def test_every_bit_more_is_worth_it(scheme: Nested, importance: np.ndarray | None) -> None:
    weight = np.random.default_rng(0).standard_normal((10, 32)).astype(np.float32)
    packed = quantize_weight(weight, scheme, importance=importance)
    mass = np.ones(32) if importance is None else importance
    errors = [
        float((mass * (at_width(packed, b).dequantize() - weight) ** 2).sum())
        for b in scheme.widths
    ]
    for wide, narrow in zip(errors[1:], errors, strict=False):
        assert wide <= 0.6 * narrow + 1e-5


def test_the_narrowest_width_is_the_palette_of_that_width() -> None:
    weight = np.random.default_rng(0).standard_normal((12, 64)).astype(np.float32)
    alone = quantize_weight(weight, Lut(2, 4))
    inside = at_width(quantize_weight(weight, NARROW_TO_WIDE), 2)
    np.testing.assert_array_equal(inside.dequantize(), alone.dequantize())


DEGENERATE = {
    "zero": np.zeros((5, 12), np.float32),
    "constant": np.full((5, 12), -0.25, np.float32),
    "two numbers": np.tile(np.array([0.5, -2], np.float32), (5, 6)),
    "three numbers, zero rows": np.vstack([np.zeros((2, 12)), np.tile([0, 1, -4], (3, 4))]).astype(
        np.float32
    ),
    "tiny": np.full((5, 12), 1e-12, np.float32),
    "one column": np.arange(5, dtype=np.float32)[:, None],
}


@pytest.mark.parametrize("recipe", ["mse", "auto", "gptq", "guided"])
@pytest.mark.parametrize("name", DEGENERATE)
def test_few_numbers_are_kept_exactly(name: str, recipe: str) -> None:
    weight = DEGENERATE[name]
    scheme = Nested(2, 4, 2)
    inputs = torch.randn(40, weight.shape[1], generator=torch.Generator().manual_seed(0))
    if recipe == "mse":
        packed = quantize_weight(weight, scheme)
    else:
        packed = quantize_calibrated(weight, scheme, moments("w", [inputs]), RECIPES[recipe])
    for width in scheme.widths:
        found = at_width(packed, width).dequantize()
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found, weight, atol=1e-6)


def test_no_token_and_dead_inputs_are_survived() -> None:
    weight = np.random.default_rng(0).standard_normal((8, 16)).astype(np.float32)
    for inputs in (torch.zeros(1, 16), torch.eye(16)[:3]):
        packed = quantize_calibrated(
            weight, NARROW_TO_WIDE, moments("w", [inputs]), RECIPES["auto"]
        )
        assert np.isfinite(packed.dequantize()).all()
        assert np.abs(packed.dequantize() - weight).max() < 1.5


def layer() -> tuple[np.ndarray, torch.Tensor]:
    """A matrix, and inputs whose channels depend on each other."""
    rng = np.random.default_rng(3)
    mix = rng.standard_normal((48, 48)) * np.geomspace(0.05, 1, 48)
    inputs = (rng.standard_normal((400, 48)) @ mix).astype(np.float32)
    return rng.standard_normal((24, 48)).astype(np.float32), torch.from_numpy(inputs)


def losses(packed: PackedWeight, weight: np.ndarray, inputs: torch.Tensor) -> list[float]:
    """Squared error of the outputs at every width."""
    assert isinstance(packed.scheme, Nested)
    x = inputs.numpy()
    return [
        float(((x @ (at_width(packed, b).dequantize() - weight).T) ** 2).mean())
        for b in packed.scheme.widths
    ]


def test_feedback_gains_at_every_width() -> None:
    weight, inputs = layer()
    seen = moments("w", [inputs])
    plain = quantize_calibrated(weight, NARROW_TO_WIDE, seen, Recipe("hessian"))
    fed = quantize_calibrated(weight, NARROW_TO_WIDE, seen, RECIPES["lnq"])
    gains = np.divide(losses(fed, weight, inputs), losses(plain, weight, inputs))
    assert (gains < [0.85, 0.65, 0.5]).all()


def test_one_code_for_all_widths_costs_the_narrow_ones_most() -> None:
    weight, inputs = layer()
    seen = moments("w", [inputs])
    fed = quantize_calibrated(weight, NARROW_TO_WIDE, seen, RECIPES["lnq"])
    for width, found in zip(NARROW_TO_WIDE.widths, losses(fed, weight, inputs), strict=True):
        alone = quantize_calibrated(weight, Lut(width, 4), seen, RECIPES["lnq"])
        own = float(((inputs.numpy() @ (alone.dequantize() - weight).T) ** 2).mean())
        assert found < {2: 2.4, 3: 1.8, 4: 1.3}[width] * own


def test_codes_of_many_bits_are_found_bit_by_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    weight, inputs = layer()
    seen, scheme = moments("w", [inputs]), Nested(2, 6, 4)
    found = losses(quantize_calibrated(weight, scheme, seen, RECIPES["lnq"]), weight, inputs)
    monkeypatch.setattr(nested_feedback, "EXACT_BITS", 8)
    tried = losses(quantize_calibrated(weight, scheme, seen, RECIPES["lnq"]), weight, inputs)
    assert sum(np.log(found)) < sum(np.log(tried)) + 0.1 * len(scheme.widths)


@pytest.mark.parametrize(("scheme", "gained"), [(NARROW_TO_WIDE, 0.8), (Nested(2, 7, 24), 0.97)])
def test_the_sum_of_all_losses_never_rises(scheme: Nested, gained: float) -> None:
    weight, inputs = layer()
    hessian = damped(moments("w", [inputs]).hessian, 0.01).float()
    packed = quantize_nested(weight, scheme)
    w, codes = torch.from_numpy(weight), torch.from_numpy(packed.codes.astype(np.int64))
    grids = [TableGrid.of(at_width(packed, b)) for b in scheme.widths]

    def spent(index: torch.Tensor) -> torch.Tensor:
        found = [g.numbers(index >> (scheme.bits - g.scheme.bits)) for g in grids]
        return torch.stack([output_loss(w, n, hessian).sum() for n in found])

    start = spent(codes)
    moved = spent(descend_together(w, codes, hessian, grids, 1))
    again = spent(descend_together(w, codes, hessian, grids, 4))
    assert float((again / start).sum()) <= float((moved / start).sum()) < gained * len(grids)


def test_groups_of_rows_with_hessians_of_their_own() -> None:
    weight, inputs = layer()
    seen = moments("w", [inputs])
    guided = type(seen)(**{**vars(seen), "guided": (seen.hessian, 2 * seen.hessian)})
    split = quantize_calibrated(weight, NARROW_TO_WIDE, guided, RECIPES["lnq"])
    for rows in (slice(0, 12), slice(12, 24)):
        alone = quantize_calibrated(weight[rows], NARROW_TO_WIDE, seen, RECIPES["lnq"])
        found = split.part(rows.start, rows.stop)
        np.testing.assert_array_equal(found.codes, alone.codes)
        np.testing.assert_array_equal(found.table, alone.table)
