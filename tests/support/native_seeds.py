"""Small native programs that between them have everything a program can have."""

from pathlib import Path

import numpy as np
from support.emission import with_schemes
from support.hf import save_folder, tiny_model
from support.native_programs import Maker
from support.packed import random_packed

from optimum_compile.backends.gpu.emit import lowered as lowered_for_gpu
from optimum_compile.backends.gpu.emit import plan as plan_for_gpu
from optimum_compile.backends.gpu.encode import encode_section
from optimum_compile.backends.gpu.lower import lower_section
from optimum_compile.backends.gpu.section import KIND
from optimum_compile.backends.native import program as p
from optimum_compile.backends.native.encode import encode
from optimum_compile.backends.native.lower import Lowered, lower
from optimum_compile.backends.native.plan import plan_functions
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.quant.kv import KvRole, KvScheme, KvStored
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.precision.notes import KvPrecision
from optimum_compile.passes.precision.units import units_of

Op, E = p.Op, p.ExprOp
# One of each kind of weight, and of each form that its scales, zero points and outliers have.
SCHEMES = (
    "f16",
    "f32",
    "int4:g32",
    "int8:channel",
    "uint3:g16@u6,zu6",
    "uint4:g32@zf16",
    "lut4:r8",
    "lut3:r4+s0.05",
    "e0m4:g32",
    "int4:g32+s0.05",
    "int4:channel+o0.05",
    "nest2-4:r8",
    "vec8x4:g32@u6",
    "vec8x2:channel@shared",
)
CACHES: tuple[KvStored, ...] = (
    Float(16),
    KvScheme(8, group=8, window=2, sinks=1),
    KvScheme(4, group=8, window=0, sinks=0),
    KvScheme(2, group=16, window=5, sinks=2),
)
STAGES = ("INT8", "INT4", "INT3", "INT2", "FP16")


def every_step(folder: Path, seed: int = 0, context: int = 64) -> Path:
    """One token a call through every op, on views in any order with gaps; every kind of weight and cache."""
    rng = np.random.default_rng(seed)
    m = Maker(folder, rng, context=context)
    m.stages = [p.Stage(name.lower(), name) for name in STAGES]
    m.guards = [p.Guard(m.seq, p.Relation.NOT_NEGATIVE, 0, "seq >= 0")]
    tokens = m.buffer(p.Space.INPUT, p.Element.I64, m.seq, 0)
    zero, one = m.const(0), m.const(1)
    ids = m.view(tokens, zero, (one, m.seq), (m.seq, one))
    _matrices(m, rng, ids)
    _rows(m, rng)
    for at, scheme in enumerate(CACHES):
        _attention(m, rng, scheme, at)
    _row_in_place(m, rng)
    m.vocabulary = max(m.used, 64)
    return m.save(f"every{seed}.ocm")


def _numbers(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape).astype(rng.choice([np.float32, np.float16]))


def _matrices(m: Maker, rng: np.random.Generator, ids: p.Operand) -> None:
    x = m.room((1, 1, 64))
    for at, text in enumerate(SCHEMES):
        stage = at % len(STAGES)
        table = m.packed(random_packed(parse_scheme(text), 64, 64, at))
        m.step(Op.EMBEDDING, [ids, table], [x], stage=stage)
        weight = m.packed(random_packed(parse_scheme(text), 12, 64, at))
        inputs = [x, weight, m.floats(_numbers(rng, 12))]
        if at % 2:
            made = [m.room((1, 1, 12))]
            inputs.append(m.array(_numbers(rng, 1, 1, 12)))
        else:
            made = [m.room((1, 1, 2, 4)), m.room((1, 1, 4), p.Element.F16)]
        m.step(Op.LINEAR, inputs, made, at % 2, stage=stage)


def _rows(m: Maker, rng: np.random.Generator) -> None:
    shape = (int(rng.integers(1, 5)), int(rng.integers(1, 5)), 8)
    x, y = m.array(_numbers(rng, *shape)), m.array(_numbers(rng, *shape))
    weight, bias = m.floats(_numbers(rng, 8)), m.floats(_numbers(rng, 8))
    m.step(Op.RMS_NORM, [x, weight], [m.output(shape)], 1e-5)
    m.step(Op.LAYER_NORM, [x, weight, bias], [m.output(shape)], 1e-5)
    m.step(Op.ADD_RMS_NORM, [x, y, weight], [m.output(shape), m.output(shape)], 1e-5)
    m.step(Op.HADAMARD, [x], [m.output(shape)], 4)
    m.step(Op.SOFTMAX, [x], [m.output(shape)], 1)
    m.step(Op.ROUTE, [x], [m.output(shape)], 2, 1)
    for function in (0, 1, 2):
        m.step(Op.REDUCE, [x], [m.output((shape[0], 1, 8))], function, 2)
    for function in range(len(p.UNARY)):
        m.step(Op.UNARY, [x], [m.room(shape, p.Element.F16)], function)
    for function in range(6):
        m.step(Op.GATED, [x, y], [m.room(shape)], function)
    row = m.repeated(_numbers(rng, 8), shape)
    for function in range(len(p.BINARY)):
        m.step(Op.BINARY, [x, row], [m.room(shape)], function)
    m.step(Op.COPY, [row], [m.output(shape)])


def _attention(m: Maker, rng: np.random.Generator, scheme: KvStored, layer: int) -> None:
    kv_heads, heads, width = 2, 4, 8
    keys = m.cache(scheme, KvRole.KEYS, kv_heads, width)
    values = m.cache(scheme, KvRole.VALUES, kv_heads, width)
    q, k, v = (m.room((1, n, 1, width)) for n in (heads, kv_heads, kv_heads))
    table = m.floats(rng.standard_normal((m.context, width)).astype(np.float32))
    for room, n in ((q, heads), (k, kv_heads), (v, kv_heads)):
        m.step(Op.ROPE, [m.array(_numbers(rng, 1, n, 1, width)), table], [room], m.at_past)
    inputs, out = [q, k, v, keys, values], m.output((1, heads, 1, width))
    if layer % 2:
        inputs.append(_scratch(m))
    if isinstance(scheme, Float):
        m.step(Op.KV_WRITE, [k, keys], [], m.at_past)
        m.step(Op.COPY, [v], [_row(m, values.index, kv_heads, width)])
        m.step(Op.ATTENTION, [q, keys, values], [out], m.at_past, 0.3, 3)
    m.step(Op.KV_ATTENTION, inputs, [out], m.at_past, 0.3, layer)


def _scratch(m: Maker) -> p.Operand:
    size = 4096
    at = m.arena_bytes
    m.arena_bytes += 4 * size
    buffer = m.buffer(p.Space.ARENA, p.Element.F32, m.const(size), m.const(at))
    return m.view(buffer, m.const(0), (m.const(size),), (m.const(1),))


def _row(m: Maker, cache: int, heads: int, width: int) -> p.Operand:
    """The row of this token in a cache of 16 bits: (1, heads, 1, width)."""
    size = m.const(m.context * heads * width)
    buffer = m.buffer(p.Space.VALUES, p.Element.F16, size, cache)
    shape = [m.const(n) for n in (1, heads, 1, width)]
    strides = [m.const(n) for n in (0, width, heads * width, 1)]
    return m.view(buffer, m.times(m.past, heads * width), shape, strides)


def _row_in_place(m: Maker, rng: np.random.Generator) -> None:
    """What may be made in its own place."""
    x = m.room((2, 3, 8))
    m.step(Op.COPY, [m.array(rng.standard_normal((2, 3, 8)).astype(np.float32))], [x])
    m.step(Op.RMS_NORM, [x], [x], 1e-5)
    m.step(Op.HADAMARD, [x], [x], 8)
    m.step(Op.SOFTMAX, [x], [x], 0)
    m.step(Op.ROUTE, [x], [x], 3, 0)
    m.step(Op.UNARY, [x], [x], 3)
    m.step(Op.BINARY, [x, x], [x], 2)


def decoder(
    folder: Path, context: int = 24, chunk: int = 8, *, gpu: bool = False, coded: bool = True
) -> Path:
    """A planned decoder, prefill and decode, with a scheme of its own for each matrix and coded caches.

    gpu: one for GPUs too, without outliers, which have no kernels there.
    """
    graph = open_model(save_folder(tiny_model("llama"), folder), context=context, max_prefill=chunk)
    made = graph.graph
    names = [text for text in SCHEMES if text not in ("f16", "f32") and not (gpu and "+" in text)]
    chosen = {
        unit.name: parse_scheme(names[at % len(names)]) for at, unit in enumerate(units_of(made))
    }
    with_schemes(made, chosen, folder)
    for at, state in enumerate(made.states):
        if at and coded:
            state.read.notes.put(KvPrecision(KvScheme((8, 4, 2)[at % 3], 8, 4, 1)))
    if gpu:
        return _with_dispatches(lowered_for_gpu(plan_for_gpu(made), folder), folder)
    lowered = lower(plan_functions(made).functions, folder)
    path = folder / "decoder.ocm"
    path.write_bytes(encode(lowered.program, '{"a":1}', lowered.weights.read_bytes()))
    return path


def _with_dispatches(made: Lowered, folder: Path) -> Path:
    path = folder / "decoder.gpu.ocm"
    more = {KIND: encode_section(lower_section(made.program))}
    path.write_bytes(encode(made.program, '{"a":1}', made.weights.read_bytes(), more))
    return path
