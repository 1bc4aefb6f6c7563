"""Where the parts of a packed KV cache lie: what the C++ kernels (`kv_cache.h`) work on.

The keys, or the values, of one layer are one region of bytes:

    codes   (runs, heads, group, width) of `bits` bits, least significant first, without gaps
    scales  fp16: keys (runs, heads, width), values (runs, heads, group, channel groups)
    lows    fp16, as scales
    rows    fp16 (sinks + ring, heads, width): the first tokens, then the newest ones in a ring

A region has room for every number of tokens up to the context. `KvScheme.stored_bytes` counts what a
full cache holds; the ring of `window` + `group` rows must also hold a run just before it is rounded, so
a region takes up to `group` fp16 rows more.

In two bits a number costs 2 bits of code and 32 / group bits of scale and least value, 3 bits with
groups of 32, before the tokens that stay in fp16: a cache gets about four times smaller than in fp16,
not eight times.
"""

from dataclasses import dataclass

from optimum_compile.compiler.quant.granularity import HALF_BYTES, packed_bytes
from optimum_compile.compiler.quant.kv import KvRole, KvScheme, KvStored
from optimum_compile.compiler.quant.kv_static import KvStatic

BLOCK = 32  # tokens that attention widens at once
POSITIONS = 16  # queries that share what was widened


@dataclass(frozen=True)
class KvLayout:
    """The parts of one region. `scales`, `lows` and `rows` are where they begin, in bytes."""

    runs: int  # that are ever rounded
    sinks: int  # rows
    ring: int  # rows behind them
    scales: int
    lows: int
    rows: int
    bytes: int


def kv_layout(
    scheme: KvStored, role: KvRole, kv_heads: int, context: int, head_dim: int
) -> KvLayout:
    """The region of keys or values of one layer. Floats are fp16 rows, one a token."""
    row = HALF_BYTES * kv_heads * head_dim
    if not isinstance(scheme, KvScheme):
        return KvLayout(0, 0, context, 0, 0, 0, context * row)
    runs = scheme.rounded_tokens(context) // scheme.group
    sinks = min(scheme.sinks, context)
    ring = min(context - sinks, scheme.window + scheme.group)
    blocks = runs * kv_heads
    each = head_dim if role is KvRole.KEYS else scheme.group * scheme.channel_groups(head_dim)
    scales = packed_bytes(blocks * scheme.group * head_dim, scheme.bits)
    lows = scales + HALF_BYTES * blocks * each
    rows = lows + HALF_BYTES * blocks * each
    return KvLayout(runs, sinks, ring, scales, lows, rows, rows + (sinks + ring) * row)


def kv_scratch_bytes(key_width: int, value_width: int, queries_a_head: int) -> int:
    """What attention of `kv_cache.h` works in: widened keys and values, scores and sums in float32.

    queries_a_head: heads of queries that share one of keys. Does not grow with the context.
    """
    widened = BLOCK * (key_width + value_width) + 2 * max(key_width, value_width)
    return 4 * (widened + BLOCK + 2 * POSITIONS * queries_a_head)


def kv_buffer_bytes(
    scheme: KvStored, role: KvRole, kv_heads: int, context: int, head_dim: int
) -> int:
    """Bytes of the region; with constant scales, of the codes and of the numbers beside them."""
    if isinstance(scheme, KvStatic):
        return scheme.stored_bytes(kv_heads, context, head_dim)
    return kv_layout(scheme, role, kv_heads, context, head_dim).bytes
