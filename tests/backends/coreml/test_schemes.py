import pytest

from optimum_compile.backends.base import WeightUse
from optimum_compile.backends.coreml.schemes import blob, stored_bytes, supports_scheme
from optimum_compile.compiler.quant.scheme import Affine, Float, Lut, PerChannel, PerGroup
from optimum_compile.compiler.quant.scheme_text import parse_scheme

USE = WeightUse("w", 64, 96, True, False)


@pytest.mark.parametrize(
    "scheme",
    [
        Float(16),
        Affine(8, PerChannel()),
        Affine(4, PerGroup(32)),
        Lut(2, 8),
        Lut(3, 1),
        Lut(4, 64),
        parse_scheme("uint4:g32@zf16"),
        parse_scheme("int4:g32@u6"),
        parse_scheme("lut2:r8+s0.01"),
        parse_scheme("int4:g32+o0.08"),
    ],
)
def test_what_ios_18_holds_is_supported(scheme):
    assert supports_scheme(scheme, USE).ok


@pytest.mark.parametrize(
    ("scheme", "reason"),
    [
        (Float(32), "activations are fp16"),
        (Affine(2, PerChannel()), "integer grids have 4 or 8 bits, not 2: use lut2"),
        (Affine(4, PerGroup(64)), "groups of 64 do not divide 96 columns"),
        (Lut(2, 7), "7 rows a table do not divide 64 rows"),
        (parse_scheme("e0m4:g32"), "offsets come before scales: use uint4:g32@zf16"),
        (parse_scheme("e0m4:g32+s0.01"), "offsets come before scales"),
        (parse_scheme("int3:g32@u6"), "integer grids have 4 or 8 bits, not 3: use lut3"),
        (parse_scheme("int4:g64+s0.01"), "groups of 64 do not divide 96 columns"),
    ],
)
def test_what_it_cannot_hold_is_refused_with_a_reason(scheme, reason):
    verdict = supports_scheme(scheme, USE)
    assert not verdict.ok
    assert reason in verdict.reason


@pytest.mark.parametrize(("size", "stored"), [(0, 64), (1, 128), (64, 128), (65, 192)])
def test_a_blob_has_a_header_and_padding(size, stored):
    assert blob(size) == stored


def test_bytes_of_a_weight_are_those_of_its_blobs():
    assert stored_bytes(Affine(4, PerGroup(32)), USE) == blob(64 * 96 // 2) + blob(64 * 3 * 2)
    assert stored_bytes(Lut(2, 8), USE) == blob(64 * 96 // 4) + blob(8 * 4 * 2)
    assert stored_bytes(Affine(8, PerChannel(), False), USE) == blob(6144) + blob(128) + blob(64)


def test_bytes_of_other_parts():
    codes, scales, mask = blob(64 * 96 // 2), blob(64 * 3 * 2), blob(64 * 96 // 8)
    assert of("int4:g32@u6") == codes + scales  # the scales that apply are stored, in fp16
    assert of("uint4:g32@zf16") == codes + 2 * scales
    # A mask of one bit a weight, whatever their number; 61 outliers.
    assert of("int4:g32+s0.01") == codes + scales + mask + blob(61 * 2)
    assert of("int4:g32+o0.01") == codes + scales + mask + blob(31) + scales
    assert of("int4:g32+s0.0") == codes + scales


def of(text):
    return stored_bytes(parse_scheme(text), USE)
