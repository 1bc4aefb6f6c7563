"""Frequencies of rotary embeddings: default, linear, llama3 and yarn.

llama3: the rule of Llama 3.1's reference code. yarn: Peng et al., "YaRN" (arXiv 2309.00071).
"""

import math

import numpy as np

from optimum_compile.compiler.frontend.config import Rope


def inverse_frequencies(rope: Rope, head_dim: int) -> np.ndarray:
    """(head_dim / 2,) float32."""
    base = 1.0 / rope.theta ** (np.arange(0, head_dim, 2, dtype=np.float64) / head_dim)
    if rope.kind == "linear":
        base = base / rope.factor
    elif rope.kind == "llama3":
        base = _llama3(rope, base)
    elif rope.kind == "yarn":
        base = _yarn(rope, base, head_dim)
    return base.astype(np.float32)


def attention_scale(rope: Rope) -> float:
    """Factor on cosine and sine; 1 but for yarn."""
    if rope.kind != "yarn":
        return 1.0
    if rope.attention_factor is not None:
        return rope.attention_factor
    if rope.mscale and rope.mscale_all_dim:
        return _mscale(rope.factor, rope.mscale) / _mscale(rope.factor, rope.mscale_all_dim)
    return _mscale(rope.factor, 1.0)


def _mscale(factor: float, weight: float) -> float:
    return 1.0 if factor <= 1 else 0.1 * weight * math.log(factor) + 1.0


def _llama3(rope: Rope, base: np.ndarray) -> np.ndarray:
    wavelength = 2 * math.pi / base
    long = rope.original_context / rope.low_freq_factor
    short = rope.original_context / rope.high_freq_factor
    span = rope.high_freq_factor - rope.low_freq_factor
    blend = (rope.original_context / wavelength - rope.low_freq_factor) / span
    middle = (1 - blend) * base / rope.factor + blend * base
    inner = np.where(wavelength < short, base, middle)
    out: np.ndarray = np.where(wavelength > long, base / rope.factor, inner)
    return out


def _yarn(rope: Rope, base: np.ndarray, head_dim: int) -> np.ndarray:
    def dimension(rotations: float) -> float:
        turns = rope.original_context / (rotations * 2 * math.pi)
        return head_dim * math.log(turns) / (2 * math.log(rope.theta))

    low, high = dimension(rope.beta_fast), dimension(rope.beta_slow)
    if rope.truncate:
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, head_dim - 1)
    # A range that is reversed (very short contexts) gives a falling ramp, as in the trained models.
    span = high - low if high != low else 0.001
    ramp = np.clip((np.arange(head_dim // 2) - low) / span, 0, 1)
    out: np.ndarray = base / rope.factor * ramp + base * (1 - ramp)
    return out
