"""Every step of a native program against numpy and torch, on views in any order with gaps between."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from support.native_programs import Layout, Maker
from support.packed import SCHEMES, random_packed, vector_schemes

from optimum_compile.backends.native.program import BINARY, UNARY, Element, Op, Space
from optimum_compile.compiler.quant.kv import KvRole
from optimum_compile.compiler.quant.scheme import Float

SEEDS = st.integers(0, 10_000)
QUICK = settings(max_examples=25, deadline=None)
FLOATS = st.sampled_from([np.float32, np.float16])


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("steps")


def shapes(least=1, most=4, largest=6):
    return st.lists(st.integers(1, largest), min_size=least, max_size=most).map(tuple)


def numbers(rng, shape, dtype=np.float32):
    return rng.standard_normal(shape).astype(dtype)


def close(found, expected, tolerance=2e-6):
    assert found.shape == expected.shape
    scale = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=tolerance * scale)


@QUICK
@given(SCHEMES | vector_schemes(), st.integers(1, 4), st.integers(1, 12), SEEDS)
def test_linear_of_every_kind_of_weight(folder, scheme, count, rows, seed):
    rng = np.random.default_rng(seed)
    columns = 8 * int(rng.integers(1, 9))
    m = Maker(folder, rng)
    packed = random_packed(scheme, rows, columns, seed)
    x = numbers(rng, (1, count, columns), rng.choice([np.float32, np.float16]))
    bias, residual = numbers(rng, rows), numbers(rng, (1, count, rows))
    expected = x.astype(np.float64) @ packed.dequantize().astype(np.float64).T
    inputs = [m.array(x), m.packed(packed)]
    if seed % 2:
        inputs += [m.floats(bias), m.array(residual)]
        expected = expected + bias + residual
    m.step(Op.LINEAR, inputs, [m.output((1, count, rows))], int(count > 1))
    (found,) = m.run()
    close(found, expected, 1e-5)


@QUICK
@given(st.integers(1, 4), st.lists(st.integers(1, 3), min_size=1, max_size=4), SEEDS)
def test_linear_gives_its_rows_to_several_outputs_as_heads(folder, count, heads, seed):
    rng = np.random.default_rng(seed)
    width, columns = 4, 24
    weight = numbers(rng, (sum(heads) * width, columns), rng.choice([np.float32, np.float16]))
    x = numbers(rng, (1, count, 3, 8))
    m = Maker(folder, rng)
    outputs = [m.output((1, count, n, width)) for n in heads]
    m.step(Op.LINEAR, [m.array(x), m.floats(weight)], outputs, 1)
    product = x.reshape(count, columns) @ weight.astype(np.float32).T
    first = 0
    for found, n in zip(m.run(), heads, strict=True):
        part = product[:, first : first + n * width].reshape(1, count, n, width)
        close(found, part, 1e-5)
        first += n * width


@QUICK
@given(shapes(1, 3, 3), shapes(1, 4, 4), shapes(1, 3, 4), SEEDS)
def test_linear_takes_several_axes_for_tokens_and_for_columns(folder, lead, inner, outer, seed):
    rng = np.random.default_rng(seed)
    columns, rows = int(np.prod(inner)), int(np.prod(outer))
    x, weight = numbers(rng, (*lead, *inner)), numbers(rng, (rows, columns))
    m = Maker(folder, rng)
    m.step(Op.LINEAR, [m.array(x), m.floats(weight)], [m.output((*lead, *outer))], 1)
    expected = x.reshape(-1, columns) @ weight.T
    close(m.run()[0], expected.reshape(*lead, *outer), 1e-5)


def test_axes_are_one_only_where_each_continues_the_next(folder):
    rng = np.random.default_rng(0)
    weight, flat = numbers(rng, (3, 8)), numbers(rng, 16)
    m = Maker(folder)
    # The first of three axes has the stride of one that continues, but the second has not.
    layout, shape = Layout(0, (0, 4, 8, 1), 16), (1, 2, 2, 2)
    buffer = m.buffer(Space.CONSTANT, Element.F32, m.const(16), m.writer.add(flat))
    x = m.fixed(buffer, layout, shape)
    m.step(Op.LINEAR, [x, m.floats(weight)], [m.output((1, 3))], 0)
    close(m.run()[0], flat[layout.places(shape)].reshape(1, 8) @ weight.T)


@QUICK
@given(SCHEMES | vector_schemes(), shapes(1, 2), SEEDS)
def test_embedding_reads_rows_exactly(folder, scheme, shape, seed):
    rng = np.random.default_rng(seed)
    packed = random_packed(scheme, 9, 16, seed)
    ids = rng.integers(0, 9, shape)
    m = Maker(folder, rng)
    m.step(Op.EMBEDDING, [m.array(ids), m.packed(packed)], [m.output((*shape, 16))])
    (found,) = m.run()
    assert np.array_equal(found, packed.dequantize()[ids])


@QUICK
@given(shapes(), FLOATS, st.booleans(), st.booleans(), SEEDS)
def test_norms(folder, shape, dtype, has_weight, has_bias, seed):
    rng = np.random.default_rng(seed)
    x, y = numbers(rng, shape, dtype), numbers(rng, shape, dtype)
    weight, bias = numbers(rng, shape[-1], dtype), numbers(rng, shape[-1], dtype)
    m = Maker(folder, rng)
    w = [m.floats(weight)] if has_weight else []
    factor = torch.from_numpy(weight).float() if has_weight else None
    m.step(Op.RMS_NORM, [m.array(x), *w], [m.output(shape)], 1e-5)
    m.step(Op.ADD_RMS_NORM, [m.array(x), m.array(y), *w], [m.output(shape), m.output(shape)], 1e-5)
    b = [m.floats(bias)] if has_weight and has_bias else []
    m.step(Op.LAYER_NORM, [m.array(x), *w, *b], [m.output(shape)], 1e-5)
    one, two = torch.from_numpy(x).float(), torch.from_numpy(y).float()
    shift = torch.from_numpy(bias).float() if b else None
    normed, total, normed_total, layer = m.run()
    close(normed, F.rms_norm(one, shape[-1:], factor, 1e-5).numpy())
    close(total, (one + two).numpy())
    close(normed_total, F.rms_norm(one + two, shape[-1:], factor, 1e-5).numpy(), 1e-5)
    if shape[-1] > 1:  # of one number the variance is zero, and rounding is all that is left
        close(layer, F.layer_norm(one, shape[-1:], factor, shift, 1e-5).numpy(), 1e-4)


@QUICK
@given(shapes(), st.integers(0, 5), st.integers(1, 3), SEEDS)
def test_hadamard(folder, shape, power, times, seed):
    rng = np.random.default_rng(seed)
    block = 1 << power
    x = numbers(rng, (*shape[:-1], block * times))
    h = np.ones((1, 1))
    for _ in range(power):
        h = np.block([[h, h], [h, -h]])
    m = Maker(folder, rng)
    m.step(Op.HADAMARD, [m.array(x)], [m.output(x.shape)], block)
    expected = (x.reshape(*shape[:-1], times, block) @ h / np.sqrt(block)).reshape(x.shape)
    close(m.run()[0], expected)


@QUICK
@given(st.integers(1, 3), st.integers(1, 5), st.integers(1, 4), SEEDS)
def test_rope_reads_its_table_at_the_position(folder, heads, seq, half, seed):
    rng = np.random.default_rng(seed)
    past = int(rng.integers(0, 16 - seq + 1))
    x, table = numbers(rng, (1, heads, seq, 2 * half)), numbers(rng, (16, 2 * half))
    m = Maker(folder, rng)
    m.past = m.const(past)
    m.step(Op.ROPE, [m.array(x), m.floats(table)], [m.output(x.shape)], m.at_past)
    cos, sin = table[past : past + seq, :half], table[past : past + seq, half:]
    a, b = x[..., :half], x[..., half:]
    close(m.run()[0], np.concatenate([a * cos - b * sin, b * cos + a * sin], -1))


@pytest.mark.parametrize("name", UNARY)
def test_unary_and_gated(folder, name):
    rng = np.random.default_rng(len(name))
    x, up = numbers(rng, (2, 3, 5)) * 3, numbers(rng, (2, 3, 5))
    if name in ("log", "sqrt", "rsqrt", "reciprocal"):
        x = np.abs(x) + np.float32(0.1)
    functions = {
        "silu": F.silu,
        "relu": F.relu,
        "gelu": F.gelu,
        "gelu_tanh": lambda t: F.gelu(t, approximate="tanh"),
    }
    expected = functions.get(name, getattr(torch, name, None))(torch.from_numpy(x)).numpy()
    m = Maker(folder, rng)
    at = UNARY.index(name)
    m.step(Op.UNARY, [m.array(x)], [m.output(x.shape)], at)
    if at < 6:
        m.step(Op.GATED, [m.array(x), m.array(up)], [m.output(x.shape)], at)
    found = m.run()
    close(found[0], expected)
    if at < 6:
        close(found[1], expected * up)


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("shape", [(), (1,), (4,), (3, 1), (2, 3, 4), (2, 1, 4)])
def test_binary_repeats_what_has_a_stride_of_zero(folder, name, shape):
    rng = np.random.default_rng(7)
    a, b = numbers(rng, (2, 3, 4)), numbers(rng, shape)
    if name == "pow":
        a, b = np.abs(a), np.asarray(np.round(b), np.float32)
    m = Maker(folder, rng)
    inputs = [m.array(a), m.repeated(np.asarray(b), (2, 3, 4))]
    m.step(Op.BINARY, inputs, [m.output((2, 3, 4))], BINARY.index(name))
    function = {"div": np.divide, "mul": np.multiply, "sub": np.subtract, "pow": np.power}
    close(m.run()[0], function.get(name, getattr(np, name, None))(a, b))


@QUICK
@given(shapes(), st.data(), SEEDS)
def test_softmax_and_route(folder, shape, data, seed):
    rng = np.random.default_rng(seed)
    x = np.round(numbers(rng, shape) * 2)  # some are equal
    axis = data.draw(st.integers(0, len(shape) - 1))
    top = data.draw(st.integers(1, shape[-1]))
    m = Maker(folder, rng)
    m.step(Op.SOFTMAX, [m.array(x)], [m.output(shape)], axis)
    for renormalise in (0, 1):
        m.step(Op.ROUTE, [m.array(x)], [m.output(shape)], top, renormalise)
    soft, gates, shares = m.run()
    close(soft, torch.softmax(torch.from_numpy(x), axis).numpy())
    probabilities = torch.softmax(torch.from_numpy(x), -1)
    order = np.argsort(-x, -1, kind="stable")[..., :top]
    chosen = np.zeros(shape, bool)
    np.put_along_axis(chosen, order, True, -1)
    expected = np.where(chosen, probabilities.numpy(), 0)
    close(gates, expected)
    close(shares, expected / expected.sum(-1, keepdims=True))


@QUICK
@given(shapes(), st.data(), SEEDS)
def test_reduce(folder, shape, data, seed):
    rng = np.random.default_rng(seed)
    axes = data.draw(st.sets(st.integers(0, len(shape) - 1), min_size=1))
    x = numbers(rng, shape)
    left = tuple(1 if at in axes else n for at, n in enumerate(shape))
    m = Maker(folder, rng)
    for function in range(3):
        bits = sum(1 << at for at in axes)
        m.step(Op.REDUCE, [m.array(x)], [m.output(left)], function, bits)
    every = tuple(axes)
    for found, function in zip(m.run(), (np.mean, np.sum, np.max), strict=True):
        close(found, function(x, axis=every, keepdims=True), 1e-5)


@QUICK
@given(shapes(), FLOATS, SEEDS)
def test_copy_moves_and_converts(folder, shape, dtype, seed):
    rng = np.random.default_rng(seed)
    x = numbers(rng, shape, dtype)
    m = Maker(folder, rng)
    between = m.room(shape, Element.F16)
    m.step(Op.COPY, [m.array(x)], [between])
    m.step(Op.COPY, [between], [m.output(shape)])
    assert np.array_equal(m.run()[0], x.astype(np.float16).astype(np.float32))


@QUICK
@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 5), st.integers(0, 3), SEEDS)
def test_attention_over_rows_of_16_bits(folder, kv_heads, share, seq, window, seed):
    rng = np.random.default_rng(seed)
    width, out_width, heads = 8, 4, kv_heads * share
    q = numbers(rng, (1, heads, seq, width))
    k, v = numbers(rng, (1, kv_heads, seq, width)), numbers(rng, (1, kv_heads, seq, out_width))
    m = Maker(folder, rng)
    m.past = m.const(0)
    keys = m.cache(Float(16), KvRole.KEYS, kv_heads, width)
    values = m.cache(Float(16), KvRole.VALUES, kv_heads, out_width)
    shape = (1, heads, seq, out_width)
    m.step(Op.KV_WRITE, [m.array(k), keys], [], m.at_past)
    m.step(Op.KV_WRITE, [m.array(v), values], [], m.at_past)
    m.step(Op.ATTENTION, [m.array(q), keys, values], [m.output(shape)], m.at_past, 0.3, window)
    inputs = [m.array(q), m.array(k), m.array(v), keys, values]
    m.step(Op.KV_ATTENTION, inputs, [m.output(shape)], m.at_past, 0.3, window)
    k, v = (np.repeat(c.astype(np.float16).astype(np.float32), share, 1) for c in (k, v))
    row, column = np.arange(seq)[:, None], np.arange(seq)[None]
    hidden = (column > row) | ((column <= row - window) if window else False)
    scores = np.where(hidden, -np.inf, q @ np.swapaxes(k, -1, -2) * 0.3)
    expected = torch.softmax(torch.from_numpy(scores), -1).numpy() @ v
    for found in m.run():
        close(found, expected, 1e-5)


@QUICK
@given(shapes(2, 3), st.sampled_from(["all", "some", "none"]), FLOATS, SEEDS)
def test_skip(folder, shape, zeros, dtype, seed):
    """Where all gates are 0 the product is 0, whatever lay there, and nothing before it is computed."""
    rng = np.random.default_rng(seed)
    m = Maker(folder, rng)
    x, gates = numbers(rng, shape), 1 + np.abs(numbers(rng, (*shape[:-1], 1), dtype))
    if zeros == "all":
        gates[:] = 0
    elif zeros == "some":
        gates.reshape(-1)[:-1] = 0
    inner, product = m.room(shape), m.room(shape, Element.F16 if seed % 2 else Element.F32)
    given_x, expanded = m.array(x), m.array(np.broadcast_to(gates, shape).astype(np.float32))
    m.step(Op.COPY, [given_x], [product])
    m.step(Op.SKIP, [m.array(gates)], [], 2)
    m.step(Op.UNARY, [given_x], [inner], UNARY.index("silu"))
    m.step(Op.BINARY, [inner, expanded], [product], BINARY.index("mul"))
    m.step(Op.COPY, [product], [m.output(shape)])
    (found,) = m.run()
    expected = torch.nn.functional.silu(torch.from_numpy(x)).numpy() * gates.astype(np.float32)
    close(found, expected.astype(np.float16 if seed % 2 else np.float32), 1e-3)
    if zeros == "all":
        np.testing.assert_array_equal(found, 0)
