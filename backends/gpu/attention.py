"""Attention and caches: one dispatch over fp16 rows, three over codes; long contexts in parts."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import sympy

from optimum_compile.backends.gpu.dispatch import Given, Launch
from optimum_compile.backends.gpu.frame import Frame, Seen
from optimum_compile.backends.gpu.linear import ceil_div
from optimum_compile.backends.gpu.rows import head_params, heads_of
from optimum_compile.backends.native.plan import attention_bytes
from optimum_compile.backends.native.program import Cache, OperandKind, Role
from optimum_compile.compiler.ir.graph import Node
from optimum_compile.compiler.ir.shape import Dim, as_dim
from optimum_compile.compiler.quant.kv import KvRole, KvScheme, KvStored
from optimum_compile.compiler.quant.kv_layout import kv_layout
from optimum_compile.compiler.quant.scheme import Float

MOST_WIDTH = 256  # channels of a head
MOST_ROWS = 16  # queries times heads of a workgroup
ROW_CHANNELS = 1024  # rows times the greater width
PART_TOKENS = 256  # of the context that one workgroup of a decode step takes at least
MOST_PARTS = 16
LOCAL = 128
WORD, FLOAT, HALF = 4, 4, 2  # bytes
KEPT = 16  # bits of a cache without codes


def split_parts(context: int, tokens: Dim) -> int:
    """In how many parts the tokens of a cache are taken: one token has too few heads to fill a GPU."""
    return 1 if tokens != 1 else max(1, min(MOST_PARTS, context // PART_TOKENS))


def scratch_bytes(node: Node) -> int:
    """Bytes of the arena in which a `cache_attention` works, on a GPU or a CPU."""
    query, keys, values = (node.input(at).type.shape for at in range(3))
    parts = split_parts(int(keys[2]), query[2])
    gpu = 0 if parts == 1 else int(query[1]) * parts * (2 + int(values[3])) * FLOAT
    return max(attention_bytes(node), gpu)


def kv_write(frame: Frame) -> Iterator[Launch]:
    """New rows into a cache of 16 bits."""
    x, index = frame.view(frame.step.inputs[0]), frame.step.inputs[1].index
    if frame.program.caches[index].bits != KEPT:
        raise frame.refuse("a cache in few bits, which attention stores")
    heads, width = heads_of(frame, x)
    _even_width(frame, width)
    params: dict[str, Dim | float] = {"heads": heads, "width": width, "past": frame.attribute(0)}
    params |= head_params(frame, "x", x)
    groups = (-(-heads * width // 128), frame.seq, 1)
    rows = as_dim(frame.seq * heads * width * HALF)
    buffers = {"x": x.given, "cache": frame.cache(index, rows)}
    yield Launch("kv_write", buffers, params, groups, {"X_HALF": x.half})


@dataclass(frozen=True)
class _Step:
    """What both forms of attention have."""

    q: Seen
    y: Seen
    keys: int
    values: int
    heads: int  # of keys
    share: int  # heads of queries to one of keys
    widths: tuple[int, int]  # of keys and values


def attention(frame: Frame) -> Iterator[Launch]:
    """Over rows of fp16."""
    step = _step(frame, 1)
    for index in (step.keys, step.values):
        if frame.program.caches[index].bits != KEPT:
            raise frame.refuse("codes are read where they are stored")
    constants = {"K_WIDTH": step.widths[0], "V_WIDTH": step.widths[1]}
    buffers = {"k_cache": _read(frame, step.keys), "v_cache": _read(frame, step.values)}
    params: dict[str, Dim | float] = {"heads": step.heads, "past": _past(frame), "seq": frame.seq}
    yield from _attend(frame, step, "attention", buffers, constants, params, 3)


def kv_attention(frame: Frame) -> Iterator[Launch]:
    """Runs that leave the window become codes, then attention reads, then the new rows are stored."""
    step = _step(frame, 3)
    new = tuple(frame.view(frame.step.inputs[at]) for at in (1, 2))
    caches = tuple(frame.program.caches[at] for at in (step.keys, step.values))
    constants: dict[str, int] = {}
    params: dict[str, Dim | float] = {"heads": step.heads, "past": _past(frame), "seq": frame.seq}
    groups = [cache.group for cache in caches if cache.bits != KEPT]
    for name, seen, cache, width in zip("kv", new, caches, step.widths, strict=True):
        if heads_of(frame, seen) != (step.heads, width):
            raise frame.refuse(f"{seen.shape} are not the rows of {cache.name}")
        side = name.upper()
        constants |= {f"{side}_NEW_HALF": seen.half, f"{side}_BITS": cache.bits}
        constants |= {f"{side}_GROUP": cache.group or groups[0], f"{side}_WIDTH": width}
        params |= head_params(frame, name, seen) | _side(frame, name, cache)
    names = ("k_new", "v_new", "k_cache", "v_cache")
    fresh = (new[0].given, new[1].given)
    # A token in `group` makes a run leave the window: its rows are read, and about as many codes written.
    rounded = [as_dim(seen.given.moved * 2) for seen in new]
    caches_at = zip((step.keys, step.values), rounded, strict=True)
    once = (*fresh, *(frame.cache(at, moved) for at, moved in caches_at))
    groups_of = (ceil_div(frame.seq, min(groups)), step.heads, 2)
    yield Launch(
        *("kv_round", dict(zip(names, once, strict=True)), params, groups_of, constants, LOCAL)
    )
    read = (*fresh, _read(frame, step.keys), _read(frame, step.values))
    sides = dict(zip(names, read, strict=True))
    yield from _attend(frame, step, "kv_attention", sides, constants, params, 5)
    rows = (as_dim(frame.seq * step.heads * width * HALF) for width in step.widths)
    caches_at = zip((step.keys, step.values), rows, strict=True)
    stored = (*fresh, *(frame.cache(at, moved) for at, moved in caches_at))
    pairs = step.heads * max(step.widths) // 2
    sides = dict(zip(names, stored, strict=True))
    yield Launch("kv_store", sides, params, (-(-pairs // 64), frame.seq, 2), constants)


def _attend(
    frame: Frame,
    step: _Step,
    kernel: str,
    buffers: dict[str, Given],
    constants: dict[str, int],
    params: dict[str, Dim | float],
    scratch_at: int,
) -> Iterator[Launch]:
    heads, queries = _tile(step, frame.seq)
    constants = constants | {"Q_HALF": step.q.half, "QUERIES": queries, "HEADS": heads}
    params = params | {"share": step.share, "window": frame.whole(2), "scale": frame.attribute(1)}
    params |= head_params(frame, "q", step.q)
    buffers = buffers | {"q": step.q.given}
    parts = split_parts(frame.program.caches[step.keys].context, frame.seq)
    blocks, rows = ceil_div(frame.seq, queries), step.heads * -(-step.share // heads)
    inputs = frame.step.inputs
    absent = len(inputs) <= scratch_at or inputs[scratch_at].kind is OperandKind.NONE
    if parts == 1 or absent:
        params |= head_params(frame, "y", step.y)
        yield Launch(
            *(kernel, buffers | {"y": step.y.given}, params, (blocks, rows, 1)),
            *(constants | {"Y_HALF": step.y.half}, LOCAL),
        )
        return
    scratch = frame.view(inputs[scratch_at])
    wanted = step.heads * step.share * parts * (2 + step.widths[1])
    if not isinstance(scratch.shape[0], int) or scratch.shape[0] < wanted:
        raise frame.refuse(f"a scratch of {scratch.shape} numbers, {wanted} are needed")
    partial = replace(scratch.given, moved=as_dim(frame.seq * wanted * FLOAT))
    place: dict[str, Dim | float] = {"parts": parts, "scratch_at": scratch.at}
    yield Launch(
        *(f"{kernel}_split", buffers | {"scratch": partial}, params | place),
        *((parts, rows, blocks), constants, LOCAL),
    )
    q_heads, width = step.heads * step.share, step.widths[1]
    place |= {"q_heads": q_heads, "width": width} | head_params(frame, "y", step.y)
    yield Launch(
        *("attention_join", {"scratch": partial, "y": step.y.given}, place),
        *((-(-q_heads * width // 128), frame.seq, 1), {"Y_HALF": step.y.half}),
    )


def _tile(step: _Step, seq: Dim) -> tuple[int, int]:
    """Heads and queries of a workgroup."""
    most = min(MOST_ROWS, ROW_CHANNELS // max(step.widths) // 4 * 4)
    heads = min(step.share, most)
    queries = most // heads
    return heads, min(queries, seq) if isinstance(seq, int) else queries


def _step(frame: Frame, first_cache: int) -> _Step:
    inputs = frame.step.inputs
    q, y = frame.view(inputs[0]), frame.view(frame.step.outputs[0])
    keys, values = inputs[first_cache].index, inputs[first_cache + 1].index
    held = frame.program.caches[keys], frame.program.caches[values]
    widths = held[0].width, held[1].width
    q_heads, width = heads_of(frame, q)
    heads = held[0].heads
    fits = width == widths[0] and heads_of(frame, y) == (q_heads, widths[1])
    if not fits or held[1].heads != heads or q_heads % heads:
        raise frame.refuse(f"{q.shape} and {y.shape} do not fit {held[0]} and {held[1]}")
    for each in widths:
        _even_width(frame, each)
    return _Step(q, y, keys, values, heads, q_heads // heads, widths)


def _read(frame: Frame, index: int) -> Given:
    """A cache with what attention reads of it: rows and codes of every token that a query may see."""
    cache = frame.program.caches[index]
    window = frame.whole(2)
    tokens = _past(frame) + frame.seq
    rounded: Dim = 0
    if cache.bits != KEPT:
        kept = cache.window + cache.sinks
        rounded = cache.group * (sympy.Max(0, tokens - kept) // cache.group)
    if window:
        tokens = sympy.Min(tokens, window + frame.seq - 1)
        rounded = sympy.Min(tokens, rounded)
    row = cache.heads * cache.width
    moved = (tokens - rounded) * row * HALF + rounded * row * cache.bits / 8
    if cache.bits != KEPT:
        channels = -(-cache.width // cache.group)
        scales = row / cache.group if cache.role is Role.KEYS else cache.heads * channels
        moved += rounded * sympy.nsimplify(scales) * 2 * HALF
    return frame.cache(index, sympy.sympify(moved))


def _even_width(frame: Frame, width: int) -> None:
    if width % 2 or width > MOST_WIDTH:
        raise frame.refuse(f"heads of {width} channels: even numbers up to {MOST_WIDTH}")


def _past(frame: Frame) -> Dim:
    found = frame.attribute(0)
    if isinstance(found, float):
        raise frame.refuse(f"past is {found}")
    return found


def _side(frame: Frame, name: str, cache: Cache) -> dict[str, Dim]:
    """Where the parts of a region are, in words, and how many rows it has."""
    role = KvRole.KEYS if cache.role is Role.KEYS else KvRole.VALUES
    scheme: KvStored = Float(16)
    window = 0
    if cache.bits != KEPT:
        scheme = KvScheme(cache.bits, cache.group, cache.window, cache.sinks)
        window = cache.window
    found = kv_layout(scheme, role, cache.heads, cache.context, cache.width)
    places = {"scales": found.scales, "lows": found.lows, "rows": found.rows}
    if any(at % WORD for at in places.values()):
        raise frame.refuse(f"{cache.name}: its parts begin inside a word: {found}")
    return {
        f"{name}_window": window,
        f"{name}_sinks": found.sinks,
        f"{name}_ring": found.ring,
        **{f"{name}_{part}": at // WORD for part, at in places.items()},
    }
