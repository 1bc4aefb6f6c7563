"""The table of types against the `gguf` package, and which scheme gets which."""

import gguf
import numpy as np
import pytest

from optimum_compile.backends.base import WeightUse
from optimum_compile.backends.gguf.backend import BACKEND
from optimum_compile.backends.gguf.types import LADDER, TYPES, GgmlType, stored_bytes, type_of
from optimum_compile.compiler.quant.scheme import Affine
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.precision.quantizers.select import quantize_weight


def use(columns=512, rows=48, name="model.layers.0.mlp.up_proj.weight"):
    return WeightUse(name, rows, columns, as_linear=True, as_table=False)


@pytest.mark.parametrize("kind", TYPES, ids=lambda k: k.name)
def test_sizes_and_numbers_are_those_of_ggml(kind):
    theirs = gguf.GGMLQuantizationType[kind.name]
    assert kind.number == theirs.value
    assert (kind.block, kind.bytes) == gguf.GGML_QUANT_SIZES[theirs]


@pytest.mark.parametrize("kind", TYPES, ids=lambda k: k.name)
def test_the_scheme_of_a_type_is_spelled_right_and_takes_nearly_its_bits(kind):
    scheme = parse_scheme(kind.scheme)
    assert str(scheme) == kind.scheme
    assert type_of(scheme, use()) == kind
    ours = 8 * scheme.stored_bytes(48, 512) / (48 * 512)
    # A K type has an fp16 number for 256 columns and a minimum's, ours one a row.
    assert abs(kind.bits_per_weight - ours) < 0.15
    assert stored_bytes(scheme, use()) == 48 * 512 * kind.bits_per_weight / 8


def test_the_ladder_climbs():
    sizes = [stored_bytes(parse_scheme(text), use()) for text in LADDER]
    assert sizes == sorted(sizes)
    assert BACKEND.ladder == LADDER


def blocks(weight, kind: GgmlType):
    """Our codes and scales in the bytes of a type of 32 columns."""
    rows, columns = weight.shape
    groups = columns // 32
    scale = np.repeat(weight.scales, groups // weight.scales.shape[1], 1)[..., None]
    codes = weight.codes.reshape(rows, groups, 32).astype(np.int16)
    if kind.name == "Q8_0":
        packed = codes.astype(np.int8).view(np.uint8)
    else:
        nibbles = (codes + (8 if kind.name == "Q4_0" else 0)).astype(np.uint8)
        packed = nibbles[..., :16] | nibbles[..., 16:] << 4
    head = [scale.astype(np.float16).view(np.uint8)]
    if kind.name == "Q4_1":
        zeros = np.repeat(weight.zeros, groups // weight.zeros.shape[1], 1)[..., None]
        low = -(scale.astype(np.float32) * zeros.astype(np.float32))
        head.append(low.astype(np.float16).view(np.uint8))
    return np.concatenate([*head, packed], -1).reshape(rows, groups * kind.bytes)


@pytest.mark.parametrize(
    ("text", "name", "error"),
    [
        ("int8:g32", "Q8_0", 0),
        ("int8:channel", "Q8_0", 0),
        ("int4:g32", "Q4_0", 0),
        ("int4:g32@bf16", "Q4_0", 0),
        ("int4:g128", "Q4_0", 0),
        ("int4:channel", "Q4_0", 0),
        ("uint4:g32@zf16", "Q4_1", 1e-3),  # the minimum is rounded to fp16
        ("uint4:g64", "Q4_1", 1e-3),
    ],
)
def test_a_type_of_32_columns_holds_the_very_weights(text, name, error):
    scheme = parse_scheme(text)
    kind = type_of(scheme, use(256))
    assert isinstance(kind, GgmlType)
    assert kind.name == name
    weight = np.random.default_rng(0).standard_normal((48, 256)).astype(np.float32)
    packed = quantize_weight(weight, scheme)
    got = gguf.dequantize(blocks(packed, kind), gguf.GGMLQuantizationType[name])
    np.testing.assert_allclose(got, packed.dequantize(), rtol=0, atol=error * np.abs(weight).max())


@pytest.mark.parametrize(
    ("text", "columns", "reason"),
    [
        ("uint4:g32@u6,zu6", 288, "Q4_K has blocks of 256 columns, which do not divide 288: use int4:g32"),
        ("int6:g16@u8", 288, "Q6_K has blocks of 256 columns, which do not divide 288: use int8:g32"),
        ("uint2:g16@u4,zu4", 320, "Q2_K has blocks of 256 columns, which do not divide 320: use int4:g32"),
        ("int8:channel", 48, "blocks have 32 columns, which do not divide 48: use f16"),
        ("int8:g48", 96, "blocks have 32 columns, groups of g48 are no whole ones: use g32"),
        ("int4:g16", 256, "blocks have 32 columns, groups of g16 are no whole ones: use g32"),
        ("uint2:g32", 256, "GGUF has no such grid of 2 bits: use uint2:g16@u4,zu4 (Q2_K)"),
        ("int3:g32", 256, "GGUF has no such grid of 3 bits: use int3:g16@u6 (Q3_K)"),
        ("int6:channel", 256, "GGUF has no such grid of 6 bits: use int6:g16@u8 (Q6_K)"),
        ("uint8", 256, "GGUF has no such grid of 8 bits: use int8:g32 (Q8_0)"),
        ("lut4:r1", 256, "GGUF has no palettes, vectors or outliers: use uint2:g16@u4,zu4 or wider"),
        ("vec8x4:channel@shared", 256, "GGUF has no palettes, vectors or outliers"),
    ],
)  # fmt: skip
def test_what_has_no_type_is_refused_with_what_to_use(text, columns, reason):
    verdict = BACKEND.supports_scheme(parse_scheme(text), use(columns))
    assert not verdict.ok
    assert verdict.reason.startswith(reason)


@pytest.mark.parametrize("columns", [256, 288, 48])
def test_what_a_refusal_recommends_is_taken(columns):
    for bits in (2, 3, 4, 5, 6, 8):
        for group in ("g16", "g32"):
            text = f"int{bits}:{group}"
            for _ in range(3):  # a wider type, then f16
                verdict = BACKEND.supports_scheme(parse_scheme(text), use(columns))
                if verdict.ok:
                    break
                hint = verdict.reason.split("use ")[1].split(" ")[0]
                text = f"int{bits}:{hint}" if hint == "g32" else hint
            assert verdict.ok, (bits, group, columns, verdict.reason)


def test_routers_stay_in_float32():
    router = use(512, 8, "model.layers.0.mlp.gate.weight")
    assert BACKEND.stored_bytes(parse_scheme("f16"), router) == 8 * 512 * 4
    verdict = BACKEND.supports_scheme(Affine(8), router)
    assert not verdict.ok
    assert "router" in verdict.reason
