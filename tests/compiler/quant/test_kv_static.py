"""Caches with constant scales: codes, bytes, text, and what the oracle reads."""

import numpy as np
import pytest
import torch
from support.graphs import decoder

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.quant.kv import KvRole, kv_stored_bytes, parse_kv_scheme
from optimum_compile.compiler.quant.kv_layout import kv_buffer_bytes
from optimum_compile.compiler.quant.kv_static import KvStatic, round_static

HEADS, WIDTH = 2, 8
CHANNELS = HEADS * WIDTH


def made(bits: int, seed: int = 0, step: float = 0.01) -> KvStatic:
    rng = np.random.default_rng(seed)
    scales = (step * (1 + rng.random(CHANNELS))).astype(np.float32)
    offsets = rng.standard_normal(CHANNELS).astype(np.float32)
    return KvStatic(bits, tuple(scales.tolist()), tuple(offsets.tolist()))


@pytest.mark.parametrize("bits", [8, 4])
def test_codes_are_the_nearest_of_the_channel(bits: int) -> None:
    scheme = made(bits)
    x = np.random.default_rng(1).standard_normal((1, HEADS, 50, WIDTH)).astype(np.float32)
    found = round_static(x, scheme)
    for head in range(HEADS):
        for channel in range(WIDTH):
            at = head * WIDTH + channel
            codes = np.arange(-(1 << (bits - 1)), 1 << (bits - 1))
            grid = scheme.offsets[at] + scheme.scales[at] * codes
            column = x[0, head, :, channel]
            nearest = grid[np.abs(column[:, None] - grid).argmin(1)]
            np.testing.assert_allclose(found[0, head, :, channel], nearest, atol=1e-6)


def test_ties_go_to_even_codes_and_numbers_outside_to_the_ends() -> None:
    scheme = KvStatic(4, (0.5,) * 8, (1.0,) * 8)
    x = np.array([1.25, 1.75, 100, -100, 1, 4.5, -3, 0.75], np.float32).reshape(1, 1, 1, 8)
    np.testing.assert_array_equal(round_static(x, scheme).ravel(), [1, 2, 4.5, -3, 1, 4.5, -3, 1])


def test_bytes_are_codes_and_two_numbers_a_channel() -> None:
    for bits, codes in ((8, 2 * 100 * 8), (4, 100 * 8)):
        for role in KvRole:
            sizes = (2, 100, 8)
            assert kv_stored_bytes(KvStatic(bits), role, *sizes) == codes + 2 * 8 * 8
            assert kv_buffer_bytes(made(bits), role, *sizes) == codes + 2 * 8 * 8


def test_text_has_no_numbers() -> None:
    assert [str(made(bits)) for bits in (8, 4)] == ["kv8:static", "kv4:static"]
    assert parse_kv_scheme("kv4:static") == KvStatic(4)
    for text in ("kv2:static", "kv8:static@w3"):
        with pytest.raises(OptionError, match="kv scheme"):
            parse_kv_scheme(text)


def test_what_is_no_scheme_is_refused() -> None:
    with pytest.raises(OptionError, match="expected 8 or 4"):
        KvStatic(2)
    with pytest.raises(OptionError, match="2 scales, 1 offsets"):
        KvStatic(8, (1.0, 1.0), (0.0,))
    with pytest.raises(OptionError, match="0 scales for 2 heads of 8 channels; calibrate"):
        KvStatic(8).numbers(2, 8)


def test_the_oracle_reads_every_token_rounded_wherever_a_prompt_is_cut() -> None:
    graph = decoder(layers=1, context=32, max_prefill=32, kv_heads=HEADS)
    kv = {"k_cache.0": made(4, 1, 0.4), "v_cache.0": made(4, 2, 0.4)}
    tokens = np.random.default_rng(3).integers(0, 50, (1, 20))

    def logits(cuts, schemes):
        states, out = None, []
        for start, stop in zip((0, *cuts), (*cuts, 20), strict=True):
            call = {"tokens": tokens[:, start:stop], "past": np.array([start])}
            done = run(graph, call, states, kv=schemes, dtype=torch.float64)
            states = done.states
            out.append(done.outputs[0])
        return torch.cat(out, 1)

    whole = logits((), kv)
    torch.testing.assert_close(whole, logits((1, 7, 8), kv), rtol=1e-9, atol=1e-10)
    assert ((whole - logits((), None)).abs().amax((0, 2)) > 1e-3).all()
