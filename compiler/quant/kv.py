"""How a KV cache is stored in few bits: the vocabulary, the exact bytes, and the rounding itself.

Keys and values are rounded the way their numbers lie (KIVI, arXiv 2402.02750). Keys have channels that
are large for every token, so a group is one channel of `group` tokens. Values have none, so a group
is `group` channels of one token. A group has unsigned codes, an fp16 scale and an fp16 least value:
x = low + scale * code.

The first tokens of a text, to which attention returns (`sinks`), and the last ones (`window`) stay in
fp16. After the sinks, tokens are taken in runs of `group`; a run is rounded at once, from its fp16
numbers, as soon as every token of it is older than the window. Values could be rounded token by token,
but follow the same rule, so that keys and values of a token change together. Between the window and the
last rounded run lie up to `group` - 1 tokens that wait in fp16.
"""

import re
from dataclasses import dataclass
from enum import Enum

import numpy as np

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.quant.granularity import HALF_BYTES, packed_bytes
from optimum_compile.compiler.quant.kv_static import STATIC_BITS, KvStatic
from optimum_compile.compiler.quant.scheme import Float, Scheme

KV_BITS = (8, 4, 2)
KV_WIDTHS = (16, *KV_BITS)  # what can be asked for; 16 is a cache that is not rounded
MAX_TOKENS = 1 << 20
_SCHEME = re.compile(r"kv([248])(?::g(\d{1,4}))?(?:@w(\d{1,7})(?:,s(\d{1,7}))?|@s(\d{1,7}))?")


class KvRole(Enum):
    """What a cache holds, which decides how its numbers are grouped."""

    KEYS = "keys"
    VALUES = "values"


@dataclass(frozen=True)
class KvScheme:
    """A cache of `bits` a number.

    bits: 8, 4 or 2. group: tokens (keys) or channels (values) that share a scale, and how many tokens are
    rounded at once; a multiple of 8. window: newest tokens that stay in fp16, the current one included.
    sinks: first tokens that stay in fp16.
    """

    bits: int
    group: int = 32
    window: int = 32
    sinks: int = 4

    def __post_init__(self) -> None:
        if not isinstance(self.bits, int) or self.bits not in KV_BITS:
            raise OptionError(f"kv bits={self.bits!r}: expected 8, 4 or 2")
        _whole("group", self.group, 8, 1024)
        if self.group % 8:
            raise OptionError(f"kv group={self.group}: expected a multiple of 8, as 32")
        _whole("window", self.window, 0, MAX_TOKENS)
        _whole("sinks", self.sinks, 0, MAX_TOKENS)

    @property
    def steps(self) -> int:
        """The greatest code."""
        return (1 << self.bits) - 1

    def rounded_tokens(self, tokens: int) -> int:
        """How many tokens are held in codes once the cache has `tokens`; they follow the sinks."""
        return max(0, tokens - self.window - self.sinks) // self.group * self.group

    def channel_groups(self, head_dim: int) -> int:
        """Scales of one token of values; the last group of a head may be shorter."""
        return -(-head_dim // self.group)

    def stored_bytes(self, role: KvRole, kv_heads: int, context: int, head_dim: int) -> int:
        """Bytes of the keys or the values of one layer once the cache holds `context` tokens.

        Counted is what a full cache holds: packed codes, an fp16 scale and an fp16 least value a group,
        and in fp16 the sinks, the window and the tokens that wait for their run to fill. A runtime that
        rounds its buffers up for other lengths takes up to `group` - 1 more tokens in fp16.
        """
        _whole("kv_heads", kv_heads, 1, MAX_TOKENS)
        _whole("context", context, 1, MAX_TOKENS)
        _whole("head_dim", head_dim, 1, MAX_TOKENS)
        coded = self.rounded_tokens(context)
        if role is KvRole.KEYS:
            groups = coded // self.group * head_dim
        else:
            groups = coded * self.channel_groups(head_dim)
        codes = packed_bytes(kv_heads * coded * head_dim, self.bits)
        exact = (context - coded) * head_dim * HALF_BYTES
        return codes + kv_heads * (groups * 2 * HALF_BYTES + exact)

    def __str__(self) -> str:
        marks = [f"w{self.window}"] if self.window != 32 else []
        marks += [f"s{self.sinks}"] if self.sinks != 4 else []
        return f"kv{self.bits}:g{self.group}" + (f"@{','.join(marks)}" if marks else "")


KvStored = KvScheme | KvStatic | Float
AnyScheme = Scheme | KvScheme  # of a weight or of a cache that assignment chooses


@dataclass(frozen=True)
class KvBits:
    """What `--kv-bits` asks for: a width of keys and one of values, or the allocator's choice (`auto`)."""

    keys: int = 16
    values: int = 16
    auto: bool = False

    def __post_init__(self) -> None:
        for width in (self.keys, self.values):
            if width not in KV_WIDTHS:
                raise OptionError(f"kv_bits: {width} bits; expected 16, 8, 4 or 2")

    def scheme(self, role: KvRole) -> KvStored:
        """The scheme of keys or values, with default groups, window and sinks."""
        width = self.keys if role is KvRole.KEYS else self.values
        return Float(16) if width == 16 else KvScheme(width)

    @property
    def rounds(self) -> bool:
        """Whether fewer than 16 bits are asked for by number."""
        return min(self.keys, self.values) < 16

    def __str__(self) -> str:
        if self.auto:
            return "auto"
        same = self.keys == self.values
        return str(self.keys) if same else f"{self.keys},{self.values}"


def parse_kv_bits(text: str) -> KvBits:
    """Read 16, 8, 4, 2 (keys and values alike), two of them as 4,2 (keys, values), or auto."""
    words = [word.strip() for word in str(text).split(",")]
    if words == ["auto"]:
        return KvBits(auto=True)
    if len(words) > 2 or any(word not in map(str, KV_WIDTHS) for word in words):
        raise OptionError(
            f"kv_bits={text!r}: expected 16, 8, 4 or 2, two of them (keys, values) as 4,2, or auto"
        )
    return KvBits(int(words[0]), int(words[-1]))


def parse_kv_scheme(text: str) -> KvStored:
    """Read `str(scheme)` back: f16, kv4, kv4:g32, kv2:g64@w128,s0. Raises OptionError.

    kv8:static and kv4:static come back without their numbers.
    """
    if text == "f16":
        return Float(16)
    static = {str(scheme): scheme for scheme in map(KvStatic, STATIC_BITS)}
    if text in static:
        return static[text]
    match = _SCHEME.fullmatch(text)
    if match is None:
        raise OptionError(f"kv scheme {text!r}: expected f16, kv8, kv4:g32 or kv2:g64@w128,s4")
    bits, group, window, sinks, only_sinks = match.groups()
    given = {"group": group, "window": window, "sinks": sinks or only_sinks}
    return KvScheme(int(bits), **{key: int(n) for key, n in given.items() if n is not None})


def kv_stored_bytes(
    scheme: KvStored, role: KvRole, kv_heads: int, context: int, head_dim: int
) -> int:
    """Bytes of the keys or values of one layer: `stored_bytes` of its scheme, or all as floats."""
    if isinstance(scheme, Float):
        return scheme.stored_bytes(kv_heads * context, head_dim)
    if isinstance(scheme, KvStatic):
        return scheme.stored_bytes(kv_heads, context, head_dim)
    return scheme.stored_bytes(role, kv_heads, context, head_dim)


def round_groups(x: np.ndarray, scheme: KvScheme) -> np.ndarray:
    """The numbers that codes stand for, a group a row.

    The scale is (greatest - least) / (2^bits - 1) of the group, then it and the least value are rounded
    to fp16, then codes are counted from those: to the nearest, ties to even.

    Args:
        x: float32 or float64 (..., n), each row one group; within the range of fp16.
        scheme: how many codes.

    Returns:
        The same shape and type. Each number is within scale / 2 of its own, but for what rounding the
        scale and the least value to fp16 moves the ends of the grid.
    """
    low, high = x.min(-1, keepdims=True), x.max(-1, keepdims=True)
    with np.errstate(over="ignore", invalid="ignore"):  # infinite then, as in an fp16 cache
        scale = ((high - low) / scheme.steps).astype(np.float16).astype(x.dtype)
        low = low.astype(np.float16).astype(x.dtype)
    # A scale of zero: all numbers are alike, or so close that fp16 cannot tell them apart.
    divisor = np.where(scale == 0, np.ones_like(scale), scale)
    codes = np.clip(np.rint((x - low) / divisor), 0, scheme.steps)
    return np.asarray(codes * scale + low, x.dtype)


def round_keys(keys: np.ndarray, scheme: KvScheme) -> np.ndarray:
    """Keys (..., tokens, head_dim) as they are read from codes; tokens are whole runs of `group`."""
    tokens, width = keys.shape[-2:]
    if tokens % scheme.group:
        raise ValueError(f"{tokens} tokens are not a multiple of {scheme.group}")
    runs = keys.reshape(*keys.shape[:-2], -1, scheme.group, width)
    return np.swapaxes(round_groups(np.swapaxes(runs, -1, -2), scheme), -1, -2).reshape(keys.shape)


def round_values(values: np.ndarray, scheme: KvScheme) -> np.ndarray:
    """Values (..., tokens, head_dim) as they are read from codes."""
    width = values.shape[-1]
    parts = [
        round_groups(values[..., at : at + scheme.group], scheme)
        for at in range(0, width, scheme.group)
    ]
    return np.concatenate(parts, -1)


def _whole(key: str, value: object, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise OptionError(f"kv {key}={value!r}: expected a whole number from {low} to {high}")
