"""QQQ (arXiv 2406.09904): 4-bit weights and int8 activations a token, multiplied as integers.

A row has one number, so that the whole sum over the columns is one int32. Per channel the int8 weight
is the code in the upper half of the byte, 16 * code. Per group there is a second level: an fp16 step a
group in units of the row's number, and the int8 weight is the code times the step, rounded. That
rounding is part of the method, so codes are chosen with it in sight.
"""

from dataclasses import dataclass, replace

import numpy as np

from optimum_compile.compiler.errors import InternalError, OptionError
from optimum_compile.compiler.quant.activations import INT8_MAX, INT8_MIN, TokenCodes, exact_product
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Affine, Granularity, PerChannel
from optimum_compile.passes.precision.quantizers.affine.rtn import Clip, quantize_rtn

LOWEST, HIGHEST = -8, 7
UPPER_HALF = 16  # what a code is worth in the upper half of a byte
MAX_COLUMNS = (2**31 - 1) // (INT8_MAX * -INT8_MIN)  # an int32 holds their sum


@dataclass(frozen=True)
class W4A8:
    """A matrix (rows, columns) for int8 products; a weight is its int8 number times its row's scale.

    codes: int8 (rows, columns) in -8 .. 7. scales: float32 (rows,), fp16 numbers (per channel a
    sixteenth of such). steps: float16 (rows, groups),
    None per channel. size: columns that share a step.
    """

    codes: np.ndarray
    scales: np.ndarray
    steps: np.ndarray | None = None
    size: int = 0

    def int8_weights(self) -> np.ndarray:  # int8 (rows, columns)
        """What the kernel multiplies with. Raises InternalError where a step leaves int8's range."""
        if self.steps is None:
            upper: np.ndarray = self.codes * np.int8(UPPER_HALF)
            return upper
        # 4 bits times 11 are exact in float32, so this rounds once, as the fp16 multiply-add of the
        # kernel does: at 1152 the fp16 numbers are whole, and ties go to even in both.
        wide = np.rint(self.codes * self.spread_steps())
        if wide.size and not np.abs(wide).max() <= INT8_MAX:
            raise InternalError(f"int8 weights up to {np.abs(wide).max():g}: expected at most 127")
        rounded: np.ndarray = wide.astype(np.int8)
        return rounded

    def dequantize(self) -> np.ndarray:  # float32 (rows, columns)
        """The weights that the integers stand for."""
        weights: np.ndarray = self.int8_weights() * self.scales[:, None]
        return weights

    def packed(self) -> PackedWeight:
        """The same weights, bit for bit, in a scheme that artifacts carry and the oracle multiplies.

        Per channel that is int4. Per group no container has the second rounding, so the int8 numbers
        themselves are stored, at 8 bits.
        """
        if self.steps is None:
            scales = (self.scales * np.float32(UPPER_HALF)).astype(np.float16)
            return PackedWeight(Affine(4, PerChannel()), self.codes, scales=scales[:, None])
        scales = self.scales.astype(np.float16)
        return PackedWeight(Affine(8, PerChannel()), self.int8_weights(), scales=scales[:, None])

    def spread_steps(self) -> np.ndarray:  # float32 (rows, columns)
        """The step of every code. Raises InternalError for a weight without steps."""
        if self.steps is None:
            raise InternalError("one scale a channel: there are no steps")
        return self.steps.astype(np.float32)[:, np.arange(self.codes.shape[1]) // self.size]


def quantize_qqq(
    weight: np.ndarray,
    group: Granularity,
    clip: Clip = "mse",
    importance: np.ndarray | None = None,
) -> W4A8:
    """Quantise a finite (rows, columns) float32 matrix; arguments as in `quantize_rtn`.

    Per group each code is the one whose rounded int8 weight is nearest.
    """
    made = from_packed(quantize_rtn(weight, Affine(4, group), clip, importance))
    return made if made.steps is None else _nearest_codes(weight, made)


def from_packed(packed: PackedWeight) -> W4A8:
    """The integers of a symmetric 4-bit weight, whichever quantiser made it.

    Per group this rounds once more: the scale of a row is its greatest weight over 127, the step of a
    group its scale over that. Raises OptionError for other schemes.
    """
    scheme = packed.scheme
    if not isinstance(scheme, Affine) or scheme.bits != 4 or not scheme.symmetric:
        raise OptionError(f"{scheme}: QQQ takes symmetric 4-bit codes, int4 or int4:gN")
    if packed.scales is None:
        raise InternalError(f"{scheme}: the weight has no scales")
    scales = packed.scales.astype(np.float32)
    if isinstance(scheme.group, PerChannel):
        return W4A8(packed.codes, scales[:, 0] / np.float32(UPPER_HALF))
    greatest = np.abs(packed.dequantize()).max(1, initial=0)
    # A row of zeros: any number will do, as long as the steps are fp16 numbers.
    greatest = np.where(greatest > 0, greatest, scales.max(1))
    rows = _next_half(greatest / np.float32(INT8_MAX))
    steps = np.minimum(scales / rows[:, None], np.float32(INT8_MAX)).astype(np.float16)
    return W4A8(packed.codes, rows, steps, scheme.group_size(packed.shape[1]))


def _next_half(numbers: np.ndarray) -> np.ndarray:
    """The least fp16 number that is not smaller, as float32: the greatest weight stays within 127."""
    half = numbers.astype(np.float16)
    return np.where(half < numbers, np.nextafter(half, np.float16(np.inf)), half).astype(np.float32)


def _nearest_codes(weight: np.ndarray, made: W4A8) -> W4A8:
    steps = made.spread_steps()
    units = weight / made.scales[:, None]
    codes = made.codes
    best = np.abs(np.rint(codes * steps) - units)
    for change in (-1, 1):
        tried = np.clip(made.codes + np.int8(change), LOWEST, HIGHEST)
        wide = np.rint(tried * steps)
        error = np.where(np.abs(wide) <= INT8_MAX, np.abs(wide - units), np.inf)
        codes = np.where(error < best, tried, codes)
        best = np.minimum(error, best)
    return replace(made, codes=codes)


def integer_product(x: TokenCodes, weight: W4A8) -> np.ndarray:  # float32 (tokens, rows)
    """The product x @ weight.T as the kernel does it: int32 sums of int8 products, then both scales.

    Raises InternalError for activations with zero points, for other shapes or for more columns than
    an int32 can sum.
    """
    _check(x, weight)
    sums = x.codes.astype(np.int32) @ weight.int8_weights().astype(np.int32).T
    product: np.ndarray = sums.astype(np.float32) * x.scales * weight.scales
    return product


def simulated_product(x: TokenCodes, weight: W4A8) -> np.ndarray:  # float32 (tokens, rows)
    """The same numbers as the reference executor computes them."""
    _check(x, weight)
    return exact_product(x, weight.int8_weights(), weight.scales)


def _check(x: TokenCodes, weight: W4A8) -> None:
    columns = weight.codes.shape[1]
    if x.codes.ndim != 2 or x.codes.shape[1] != columns:
        raise InternalError(f"activations {x.codes.shape} for {columns} columns")
    if columns > MAX_COLUMNS:
        raise InternalError(f"{columns} columns: an int32 sums {MAX_COLUMNS} products at most")
    if x.zeros.any():
        raise InternalError("activations with zero points: QQQ's are symmetric")
