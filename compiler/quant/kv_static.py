"""A KV cache in few bits with constant scales: the vocabulary and the rounding itself.

Each channel of each head has one scale and one offset for all tokens, found beforehand on calibration
text: x = offset + scale * code. Nothing waits in fp16, every token is read from codes, the newest one
too. So a step writes one row of codes and nothing else, and what a query sees does not depend on where
a prompt is cut. In return, numbers outside the calibrated range are clipped.
"""

from dataclasses import dataclass

import numpy as np

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.quant.granularity import packed_bytes

STATIC_BITS = (8, 4)
NUMBER_BYTES = 8  # float32 scale and offset of a channel


@dataclass(frozen=True)
class KvStatic:
    """A cache of `bits` a number, codes from -2^(bits - 1) to 2^(bits - 1) - 1.

    bits: 8 or 4. scales, offsets: one float32 number for each channel of each head, heads first; both
    empty before calibration.
    """

    bits: int
    scales: tuple[float, ...] = ()
    offsets: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.bits, int) or self.bits not in STATIC_BITS:
            raise OptionError(f"kv bits={self.bits!r} with constant scales: expected 8 or 4")
        if len(self.scales) != len(self.offsets):
            raise OptionError(f"{len(self.scales)} scales, {len(self.offsets)} offsets: one each")

    @property
    def least(self) -> int:
        """The smallest code."""
        return -(1 << (self.bits - 1))

    @property
    def most(self) -> int:
        """The greatest code."""
        return (1 << (self.bits - 1)) - 1

    def stored_bytes(self, kv_heads: int, context: int, head_dim: int) -> int:
        """Bytes of the keys or the values of one layer: codes of all tokens, and the constant numbers."""
        codes = packed_bytes(kv_heads * context * head_dim, self.bits)
        return codes + NUMBER_BYTES * kv_heads * head_dim

    def numbers(self, kv_heads: int, head_dim: int) -> tuple[np.ndarray, np.ndarray]:
        """Scales and offsets, each float32 (kv_heads, 1, head_dim).

        Raises OptionError where there are none, or as many as another cache has.
        """
        if len(self.scales) != kv_heads * head_dim:
            raise OptionError(
                f"{self}: {len(self.scales)} scales for {kv_heads} heads of {head_dim} channels; "
                "calibrate the cache first"
            )
        shape = (kv_heads, 1, head_dim)
        scales, offsets = (np.array(n, np.float32) for n in (self.scales, self.offsets))
        return scales.reshape(shape), offsets.reshape(shape)

    def __str__(self) -> str:
        return f"kv{self.bits}:static"


def round_static(x: np.ndarray, scheme: KvStatic) -> np.ndarray:
    """Keys or values (..., kv_heads, tokens, head_dim) as they are read from codes, in the same type.

    Codes are the nearest ones, ties to even; what lies outside takes the last code.
    """
    scales, offsets = scheme.numbers(x.shape[-3], x.shape[-1])
    scales, offsets = scales.astype(x.dtype), offsets.astype(x.dtype)
    codes = np.clip(np.rint((x - offsets) / scales), scheme.least, scheme.most)
    return np.asarray(codes * scales + offsets, x.dtype)
