import pytest

from optimum_compile.backends.base import BackendOptions, WeightUse
from optimum_compile.backends.executorch.backend import BACKEND
from optimum_compile.backends.executorch.schemes import aligned, on_xnnpack, stored_bytes
from optimum_compile.compiler.errors import UnsupportedError
from optimum_compile.compiler.quant.scheme import Affine, Float, Lut, PerChannel, PerGroup
from optimum_compile.compiler.quant.scheme_text import parse_scheme

LINEAR = WeightUse("w", 64, 96, True, False)
TIED = WeightUse("w", 64, 96, True, True)
G32 = Affine(4, PerGroup(32), True, "bf16")


@pytest.mark.parametrize("scheme", [Affine(8, PerChannel()), Affine(4, PerChannel()), G32])
def test_xnnpack_runs_what_it_has_a_container_for(scheme):
    assert on_xnnpack(scheme, LINEAR)
    assert not on_xnnpack(scheme, TIED)  # one copy, which the lookup reads too


@pytest.mark.parametrize(
    "scheme",
    [
        Float(16),
        Lut(2, 8),
        Affine(8, PerGroup(32)),
        Affine(4, PerGroup(32)),  # fp16 scales would be rounded to bfloat16
        Affine(4, PerGroup(16), True, "bf16"),
        Affine(4, PerGroup(64), True, "bf16"),  # 64 does not divide 96
        Affine(8, PerChannel(), False),
    ],
    ids=str,
)
def test_everything_else_goes_to_the_packed_operators(scheme):
    assert not on_xnnpack(scheme, LINEAR)


def test_bytes_are_padded_to_the_alignment():
    assert stored_bytes(G32, LINEAR) == aligned(64 * 96 // 2) + aligned(64 * 3 * 2)
    assert stored_bytes(Affine(8, PerChannel()), LINEAR) == 64 * 96 + 64 * 4
    assert stored_bytes(Affine(8, PerChannel()), LINEAR, xnnpack=False) == 64 * 96 + 128 + 16
    assert stored_bytes(Lut(2, 8), LINEAR) == 64 * 96 // 4 + 8 * 4 * 2


def test_weight_only_xnnpack_is_refused_by_name():
    with pytest.raises(UnsupportedError) as error:
        BACKEND.configured(BackendOptions("xnnpack", "float"))
    assert str(error.value) == (
        "executorch: weight-only quantisation on XNNPACK (executor xnnpack, activations float) is "
        "refused: it lowers and runs, but XNNPACK drops the scales and the numbers are nonsense; "
        "use --executor packed for float activations, or --activations int8"
    )


def test_float_weights_of_32_bits_are_refused():
    verdict = BACKEND.supports_scheme(Float(32), LINEAR)
    assert verdict.reason == "float32 weights are not stored; use f16"


def test_bytes_of_other_parts_are_padded_as_well():
    count = 64 * 3
    codes = 64 * 96 // 2
    assert of("int4:g32@u6") == codes + aligned(count * 6 // 8) + aligned(64 * 2) + 16
    assert of("uint4:g32") == codes + aligned(count * 2) + aligned(count // 2)
    assert of("uint4:g32@zu6") == codes + aligned(count * 2) + aligned(count * 6 // 8)
    assert of("uint4:g32@zf16") == codes + 2 * aligned(count * 2)
    assert of("e0m4:g32") == codes + 2 * aligned(count * 2)
    # 61 outliers: a byte a row and 7 bits each for their places.
    places = aligned(64) + aligned((61 * 7 + 7) // 8)
    assert of("int4:g32+s0.01") == of("int4:g32") + places + aligned(61 * 2)
    assert of("int4:g32+o0.01") == of("int4:g32") + places + aligned(count * 2)
    assert of("int4:g32+s0.0") == of("int4:g32")
    # The base of outliers never runs on XNNPACK.
    assert of("int8+s0.0") == stored_bytes(Affine(8, PerChannel()), LINEAR, xnnpack=False)


def of(text):
    return stored_bytes(parse_scheme(text), LINEAR)


@pytest.mark.parametrize("text", ["int4:g32@u6", "e0m4:g32", "int8+s0.01", "int4:g32@bf16+o0.1"])
def test_xnnpack_has_no_container_for_them(text):
    assert not on_xnnpack(parse_scheme(text), LINEAR)
