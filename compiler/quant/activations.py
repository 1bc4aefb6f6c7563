"""Activations rounded to int8, one scale a token or a block of one, as the runtimes do it.

Pure functions on numpy arrays; the last axis is a token's. What is not finite stays so.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

INT8_MIN, INT8_MAX = -128, 127
CHUNK_ELEMENTS = 1 << 22  # of weights that are float64 at a time


class ActivationKind(StrEnum):
    """How the input of an integer matrix product is rounded, with one scale a token."""

    SYMMETRIC_INT8 = "symmetric int8"  # QQQ's
    ASYMMETRIC_INT8 = "asymmetric int8"  # XNNPACK's


@dataclass(frozen=True)
class BlockInt8:
    """Rounded with one scale for each run of `size` columns of a token: ONNX Runtime's MatMulNBits."""

    size: int

    def __str__(self) -> str:
        return f"symmetric int8, blocks of {self.size}"


Activations = ActivationKind | BlockInt8


@dataclass(frozen=True)
class TokenCodes:
    """Rounded activations: number = (code - zero) * scale.

    codes: int8 (..., columns). scales: float32 (..., 1). zeros: int8 (..., 1); symmetric: all 0.
    """

    codes: np.ndarray
    scales: np.ndarray
    zeros: np.ndarray

    def numbers(self) -> np.ndarray:  # float32 (..., columns)
        """What the codes stand for."""
        out = self.codes.astype(np.float32)
        out -= self.zeros
        out *= self.scales
        return out


def symmetric_int8(x: np.ndarray) -> TokenCodes:
    """Round floats (..., columns) with scale max|x| / 127; a token of zeros has scale 1."""
    x = np.asarray(x, np.float32)
    scales = np.abs(x).max(-1, keepdims=True) / np.float32(INT8_MAX)
    scales = np.where(scales == 0, np.float32(1), scales)
    with np.errstate(invalid="ignore"):
        # A denormal scale is coarse: quotients may go beyond 127.
        codes = np.clip(np.rint(x / scales), -INT8_MAX, INT8_MAX).astype(np.int8)
    return TokenCodes(codes, scales, np.zeros(scales.shape, np.int8))


def asymmetric_int8(x: np.ndarray) -> TokenCodes:
    """Round floats (..., columns) as XNNPACK's dynamically quantised tensors (qd8) do.

    The range of a token, zero included, is spread over the codes -128 .. 127. All arithmetic is
    float32 and in XNNPACK's order: a code next to a tie must not depend on where it is computed.
    """
    x = np.asarray(x, np.float32)
    low = np.minimum(x.min(-1, keepdims=True), np.float32(0))
    high = np.maximum(x.max(-1, keepdims=True), np.float32(0))
    with np.errstate(all="ignore"):
        per_unit = np.float32(INT8_MAX - INT8_MIN) / (high - low)
        per_unit = np.where(low == high, np.float32(1), per_unit)
        bottom, top = low * per_unit, high * per_unit
        # The end of the range with the smaller error decides where zero lies.
        errors = (INT8_MIN + bottom) + (INT8_MAX + top)
        zeros = np.where(errors > 0, INT8_MIN - bottom, INT8_MAX - top)
        zeros = np.rint(np.clip(zeros, INT8_MIN, INT8_MAX))
        codes = np.clip(np.rint(x * per_unit), INT8_MIN - zeros, INT8_MAX - zeros) + zeros
        return TokenCodes(codes.astype(np.int8), 1 / per_unit, zeros.astype(np.int8))


def token_codes(x: np.ndarray, kind: ActivationKind) -> TokenCodes:
    """Floats (..., columns) as int8 codes."""
    return asymmetric_int8(x) if kind is ActivationKind.ASYMMETRIC_INT8 else symmetric_int8(x)


def rounded(x: np.ndarray, kind: Activations) -> np.ndarray:
    """Floats (..., columns) after rounding: float32, the same shape."""
    with np.errstate(invalid="ignore"):  # no number times an infinite scale
        if isinstance(kind, BlockInt8):
            return _rounded_blocks(x, kind.size)
        return token_codes(x, kind).numbers()


def _rounded_blocks(x: np.ndarray, size: int) -> np.ndarray:
    """Scale max|x| / 127 a block, the last of a token padded with zeros; a block of zeros stays.

    All arithmetic is float32 and in the runtime's order, which multiplies with the reciprocal.
    """
    x = np.asarray(x, np.float32)
    columns = x.shape[-1]
    padded = np.zeros((*x.shape[:-1], -(-columns // size), size), np.float32)
    padded.reshape(*x.shape[:-1], -1)[..., :columns] = x
    scales = np.abs(padded).max(-1, keepdims=True) / np.float32(INT8_MAX)
    with np.errstate(all="ignore"):
        per_unit = np.float32(1) / scales  # infinite for zeros, and for numbers next to zero
        per_unit = np.where(np.isinf(per_unit), np.float32(0), per_unit)
        codes = np.clip(np.rint(padded * per_unit), INT8_MIN, INT8_MAX)
        codes *= scales
    numbers: np.ndarray = codes.reshape(*x.shape[:-1], -1)[..., :columns]
    return numbers


def exact_product(
    x: TokenCodes, weights: np.ndarray, scales: np.ndarray, bias: np.ndarray | None = None
) -> np.ndarray:
    """What an integer kernel gives for x @ (weights * scales).T + bias: float32 (..., rows).

    The integers are summed exactly, the sum becomes a float32 number and takes the scale of the token,
    then that of the row; a bias comes with the latter in one fused step. Float64 holds every sum that
    an int32 holds, so its products serve.

    Args:
        x: activations (..., columns).
        weights: int8 (rows, columns).
        scales: float32 (rows,).
        bias: float32 (rows,).
    """
    numbers = x.codes.astype(np.float64)
    numbers -= x.zeros
    rows, columns = weights.shape
    out = np.empty((*x.codes.shape[:-1], rows), np.float32)
    step = max(1, CHUNK_ELEMENTS // max(1, columns))
    for begin in range(0, rows, step):
        part = slice(begin, begin + step)
        out[..., part] = numbers @ weights[part].astype(np.float64).T
    with np.errstate(invalid="ignore"):  # a scale that is infinite
        out *= x.scales
        if bias is None:
            out *= scales
            return out
        fused: np.ndarray = (out.astype(np.float64) * scales + bias).astype(np.float32)
        return fused
