"""The KV vocabulary: text, bytes against a count one by one, and the rounding of groups."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.quant.kv import (
    KvBits,
    KvRole,
    KvScheme,
    kv_stored_bytes,
    parse_kv_bits,
    parse_kv_scheme,
    round_groups,
    round_keys,
    round_values,
)
from optimum_compile.compiler.quant.scheme import Float

SCHEMES = st.builds(
    KvScheme,
    bits=st.sampled_from((8, 4, 2)),
    group=st.sampled_from((8, 16, 32, 40)),
    window=st.integers(0, 70),
    sinks=st.integers(0, 9),
)


@given(SCHEMES)
def test_text_reads_back(scheme: KvScheme) -> None:
    assert parse_kv_scheme(str(scheme)) == scheme


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("f16", Float(16)),
        ("kv4", KvScheme(4)),
        ("kv4:g32", KvScheme(4)),
        ("kv2:g64@w128,s0", KvScheme(2, 64, 128, 0)),
        ("kv8@s1", KvScheme(8, sinks=1)),
    ],
)
def test_forms(text: str, wanted: KvScheme | Float) -> None:
    assert parse_kv_scheme(text) == wanted


@pytest.mark.parametrize(
    "text",
    "kv kv3 kv16 kv4:32 kv4:g32@ kv4:g32@w1s2 kv4@,s1 kv4@w1, kv4:g12 kv4:g4 kv4:g9999 f32 4".split(),
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match=r"expected (f16|8|a whole|a multiple)"):
        parse_kv_scheme(text)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"bits": 3}, "kv bits=3: expected 8, 4 or 2"),
        ({"bits": 4.0}, "kv bits=4.0"),
        ({"bits": 4, "group": 0}, "kv group=0: expected a whole number from 8"),
        ({"bits": 4, "group": 12}, "kv group=12: expected a multiple of 8"),
        ({"bits": 4, "window": -1}, "kv window=-1"),
        ({"bits": 4, "sinks": True}, "kv sinks=True"),
    ],
)
def test_bad_schemes_name_the_value(values: dict, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        KvScheme(**values)


@pytest.mark.parametrize(
    ("text", "keys", "values", "shown"),
    [("16", 16, 16, "16"), ("4", 4, 4, "4"), ("4,2", 4, 2, "4,2"), (" 16 , 8", 16, 8, "16,8")],
)
def test_kv_bits(text: str, keys: int, values: int, shown: str) -> None:
    found = parse_kv_bits(text)
    assert (found.keys, found.values, str(found)) == (keys, values, shown)
    assert found.rounds == (text != "16")
    for role, width in ((KvRole.KEYS, keys), (KvRole.VALUES, values)):
        assert found.scheme(role) == (Float(16) if width == 16 else KvScheme(width))


def test_kv_bits_auto() -> None:
    assert parse_kv_bits("auto") == KvBits(auto=True)
    assert str(parse_kv_bits("auto")) == "auto"
    assert not parse_kv_bits("auto").rounds


@pytest.mark.parametrize("text", ["", "3", "4,4,4", "4,auto", "auto,4", "4,", "int4", "-4", "32"])
def test_other_kv_bits_are_refused(text: str) -> None:
    with pytest.raises(OptionError, match=r"kv_bits='.*': expected 16, 8, 4 or 2"):
        parse_kv_bits(text)


@settings(deadline=None)
@given(SCHEMES, st.integers(1, 3), st.integers(1, 200), st.integers(1, 70))
def test_bytes_are_those_of_a_count_one_by_one(
    scheme: KvScheme, heads: int, context: int, width: int
) -> None:
    """A cache filled token by token, every run looked at on its own."""
    coded = set()
    for first in range(scheme.sinks, context, scheme.group):
        run = range(first, first + scheme.group)
        if all(token < context - scheme.window for token in run):
            coded.update(run)
    exact = 2 * heads * width * (context - len(coded))
    bits = scheme.bits * heads * width * len(coded)
    assert bits % 8 == 0
    key_groups = {((t - scheme.sinks) // scheme.group, h, c)
                  for t in coded for h in range(heads) for c in range(width)}  # fmt: skip
    value_groups = {(t, h, c // scheme.group)
                    for t in coded for h in range(heads) for c in range(width)}  # fmt: skip
    for role, groups in ((KvRole.KEYS, key_groups), (KvRole.VALUES, value_groups)):
        wanted = exact + bits // 8 + 4 * len(groups)
        assert scheme.stored_bytes(role, heads, context, width) == wanted
        assert kv_stored_bytes(scheme, role, heads, context, width) == wanted
    assert kv_stored_bytes(Float(16), KvRole.KEYS, heads, context, width) == (
        2 * heads * width * context
    )


def test_bytes_of_a_known_cache() -> None:
    """2048 tokens, 8 heads of 128: 62 runs of 32 after 4 sinks, 28 tokens that wait, the window."""
    scheme = KvScheme(2)
    assert scheme.rounded_tokens(2048) == 62 * 32
    elements = 62 * 32 * 8 * 128
    exact = (2048 - 62 * 32) * 8 * 128 * 2
    # 2 bits a number, and 32 bits for each 32 of them.
    assert scheme.stored_bytes(KvRole.KEYS, 8, 2048, 128) == elements * 3 // 8 + exact
    assert scheme.stored_bytes(KvRole.VALUES, 8, 2048, 128) == elements * 3 // 8 + exact
    # A head that is narrower than a group is one group.
    assert scheme.channel_groups(6) == 1
    with pytest.raises(OptionError, match="context=0"):
        scheme.stored_bytes(KvRole.KEYS, 8, 0, 128)


@settings(deadline=None, max_examples=60)
@given(SCHEMES, st.integers(0, 2**32 - 1), st.floats(-6, 3), st.floats(-50, 50))
def test_rounding_stays_within_half_a_step(
    scheme: KvScheme, seed: int, magnitude: float, offset: float
) -> None:
    rng = np.random.default_rng(seed)
    x = (rng.standard_normal((5, scheme.group)) * 10**magnitude + offset).astype(np.float32)
    found = round_groups(x, scheme).astype(np.float64)
    low, high = x.min(-1, keepdims=True), x.max(-1, keepdims=True)
    scale = np.float64((high - low) / scheme.steps)
    half = scale.astype(np.float16).astype(np.float64)
    moved = abs(low - low.astype(np.float16)) + scheme.steps * abs(half - scale)
    slack = 1e-6 * (abs(x) + 1)  # float32 arithmetic
    bound = np.maximum(half, np.where(half == 0, scale * scheme.steps, half)) / 2 + moved + slack
    assert (abs(found - x) <= bound).all()
    # Codes: no more than 2^bits numbers a group.
    assert all(len(np.unique(row)) <= scheme.steps + 1 for row in found)


def test_rounding_is_the_formula_in_torch() -> None:
    x = torch.randn(7, 32, generator=torch.Generator().manual_seed(1))
    for bits in (8, 4, 2):
        low, high = x.min(-1, True).values, x.max(-1, True).values
        scale = ((high - low) / (2**bits - 1)).half().float()
        low = low.half().float()
        codes = torch.round((x - low) / scale).clamp(0, 2**bits - 1)
        found = round_groups(x.numpy(), KvScheme(bits))
        assert np.array_equal(found, (codes * scale + low).numpy())


def test_ties_go_to_even_codes_and_equal_numbers_stay() -> None:
    scheme = KvScheme(2, 8)
    x = np.array([[0, 0.5, 1, 1.5, 2, 2.5, 3, 3]], np.float32)
    assert round_groups(x, scheme).tolist() == [[0, 0, 1, 2, 2, 2, 3, 3]]
    same = np.full((1, 8), -1.25)
    assert np.array_equal(round_groups(same, scheme), same)


def test_groups_lie_along_tokens_for_keys_and_along_channels_for_values() -> None:
    scheme = KvScheme(4, 8)
    x = np.random.default_rng(0).standard_normal((1, 2, 16, 12)).astype(np.float32)
    keys, values = round_keys(x, scheme), round_values(x, scheme)
    for head in range(2):
        for channel in range(12):
            for at in (0, 8):
                run = x[0, head, at : at + 8, channel]
                assert np.array_equal(
                    keys[0, head, at : at + 8, channel], round_groups(run, scheme)
                )
        for token in range(16):
            for columns in (slice(0, 8), slice(8, 12)):
                run = x[0, head, token, columns]
                assert np.array_equal(values[0, head, token, columns], round_groups(run, scheme))
    with pytest.raises(ValueError, match="15 tokens are not a multiple of 8"):
        round_keys(x[..., :15, :], scheme)
