"""Rotary frequencies against the formulas of `transformers`, over their whole range of settings."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import LlamaConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from optimum_compile.compiler.frontend.config import Rope
from optimum_compile.compiler.frontend.rotary import attention_scale, inverse_frequencies

CONTEXT = 4096


def theirs(rope: dict[str, Any], head_dim: int) -> tuple[np.ndarray, float]:
    config = LlamaConfig(
        hidden_size=head_dim,
        num_attention_heads=1,
        head_dim=head_dim,
        max_position_embeddings=CONTEXT,
        rope_parameters=rope,
    )
    if rope["rope_type"] == "default":
        frequencies, scale = LlamaRotaryEmbedding.compute_default_rope_parameters(config)
    else:
        frequencies, scale = ROPE_INIT_FUNCTIONS[rope["rope_type"]](config)
    return frequencies.numpy(), scale


def assert_same(ours: Rope, rope: dict[str, Any], head_dim: int) -> None:
    wanted, scale = theirs(rope | {"rope_theta": ours.theta}, head_dim)
    found = inverse_frequencies(ours, head_dim)
    assert found.dtype == np.float32
    plain = inverse_frequencies(Rope(ours.theta), head_dim)  # theirs rounds to float32 on the way
    np.testing.assert_array_less(np.abs(found - wanted), 5e-6 * plain)
    assert attention_scale(ours) == pytest.approx(scale, rel=1e-12)


thetas = st.floats(10.0, 1e8)
dims = st.integers(1, 128).map(lambda half: 2 * half)
factors = st.floats(1.0, 64.0)
few = settings(max_examples=50, deadline=None)


@few
@given(thetas, dims)
def test_default(theta: float, head_dim: int) -> None:
    assert_same(Rope(theta), {"rope_type": "default"}, head_dim)


@few
@given(thetas, dims, factors)
def test_linear(theta: float, head_dim: int, factor: float) -> None:
    ours = Rope(theta, "linear", factor)
    assert_same(ours, {"rope_type": "linear", "factor": factor}, head_dim)


@few
@given(thetas, dims, factors, st.floats(0.5, 4.0), st.floats(0.5, 8.0), st.integers(64, CONTEXT))
def test_llama3(
    theta: float, head_dim: int, factor: float, low: float, more: float, original: int
) -> None:
    settings = {
        "factor": factor,
        "low_freq_factor": low,
        "high_freq_factor": low + more,
        "original_max_position_embeddings": original,
    }
    ours = Rope(theta, "llama3", factor, low, low + more, original)
    assert_same(ours, settings | {"rope_type": "llama3"}, head_dim)


@few
@given(
    theta=thetas,
    head_dim=dims,
    factor=factors,
    original=st.integers(64, CONTEXT),
    beta_slow=st.floats(0.5, 2.0),
    beta_fast=st.floats(4.0, 64.0),
    truncate=st.booleans(),
    scales=st.fixed_dictionaries(
        {},
        optional={
            "attention_factor": st.floats(0.1, 2.0),
            "mscale": st.floats(0.1, 2.0),
            "mscale_all_dim": st.floats(0.1, 2.0),
        },
    ),
)
def test_yarn(theta: float, head_dim: int, factor: float, original: int, **rest: Any) -> None:
    scales = rest.pop("scales")
    settings = {"factor": factor, "original_max_position_embeddings": original} | rest | scales
    ours = Rope(theta, "yarn", factor, original_context=original, **rest, **scales)
    assert_same(ours, settings | {"rope_type": "yarn"}, head_dim)


def test_the_stretched_ones_keep_fast_frequencies_and_slow_down_the_others() -> None:
    plain = inverse_frequencies(Rope(10000.0), 128)
    for kind in ("llama3", "yarn"):
        ratio = plain / inverse_frequencies(Rope(10000.0, kind, 8.0, original_context=4096), 128)
        assert ratio[0] == 1
        assert ratio[-1] == pytest.approx(8)
        assert (np.diff(ratio) >= -1e-6).all()
