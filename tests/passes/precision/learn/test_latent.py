"""Trainable forms of quantised weights: exact forward, straight-through backward, storable always."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.compiler.quant.stored import from_parts, stored_parts
from optimum_compile.passes.precision.learn.latent import latent_of
from optimum_compile.passes.precision.quantizers.select import quantize_weight

SCHEMES = (
    "int4:channel",
    "int3:g16",
    "uint4:g16",
    "uint2:g8@u4,zu4",
    "int4:g16@u6",
    "int4:g16@bf16",
    "uint3:g16@zf16",
    "e0m4:g16",
    "lut2:r4",
    "lut4:r3",
    "vec6x4:channel",
    "vec5x2:g20@u6",
    "vec6x4:channel@shared",
)


def weight(seed=0, rows=10, columns=40):
    return np.random.default_rng(seed).standard_normal((rows, columns)).astype(np.float32)


def made(text, target=True, seed=0):
    matrix = weight(seed)
    book = np.random.default_rng(9).standard_normal((64, 4)).astype(np.float16)
    shared = book if text.endswith("shared") else None
    start = quantize_weight(matrix, parse_scheme(text), codebook=shared)
    return start, latent_of(lambda: start, matrix if target else None)


def same(a, b):
    left, right = stored_parts(a), stored_parts(b)
    return left.keys() == right.keys() and all(np.array_equal(left[k], right[k]) for k in left)


@pytest.mark.parametrize("text", SCHEMES)
@pytest.mark.parametrize("target", [True, False])
def test_it_begins_at_the_weight_it_was_made_from(text, target):
    start, latent = made(text, target)
    assert same(latent.packed(), start)
    assert np.allclose(latent.weight().detach().numpy(), start.dequantize(), rtol=1e-5, atol=2e-6)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(SCHEMES), st.integers(0, 100))
def test_whatever_is_learned_can_be_stored(text, seed):
    _, latent = made(text, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for part in (*latent.codes, *latent.grid):
            part += torch.randn(part.shape, generator=generator)
    packed = latent.packed()
    shared = packed.table if text.endswith("shared") else None
    again = from_parts(packed.scheme, packed.shape, stored_parts(packed), shared)
    assert np.array_equal(again.dequantize(), packed.dequantize())
    shown = latent.weight().detach().numpy()
    assert np.allclose(shown, packed.dequantize(), rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("text", SCHEMES)
def test_gradients_reach_codes_and_grids(text):
    _, latent = made(text)
    (latent.weight() * torch.from_numpy(weight(1))).sum().backward()
    assert float(latent.codes[0].grad.abs().sum()) > 0
    assert all(float(part.grad.abs().sum()) > 0 for part in latent.grid)
    assert (text == "e0m4:g16") == (latent.grid == ())


def test_a_code_moves_one_step_when_its_point_does():
    start, latent = made("int4:g16")
    with torch.no_grad():
        latent.codes[0][2, 3] = float(start.codes[2, 3]) + (1 if start.codes[2, 3] < 7 else -1)
    moved = latent.packed().codes.astype(int) - start.codes
    assert abs(moved[2, 3]) == 1
    assert np.abs(moved).sum() == 1


def test_rows_of_zeros_stay_zeros():
    matrix = weight()
    matrix[3] = 0
    start = quantize_weight(matrix, parse_scheme("int3:g16"))
    latent = latent_of(lambda: start, matrix)
    assert not latent.weight()[3].detach().numpy().any()


@pytest.mark.parametrize("text", ["f16", "int4:g16+s0.01"])
def test_a_form_with_nothing_to_learn_is_left(text):
    start = quantize_weight(weight(), parse_scheme(text))
    assert latent_of(lambda: start, weight()) is None
