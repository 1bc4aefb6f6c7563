"""Which scheme gets which form, and in how many bytes."""

import pytest

from optimum_compile.backends.base import WeightUse
from optimum_compile.backends.mlx.backend import BACKEND
from optimum_compile.backends.mlx.forms import LADDER, Form, form_of, stored_bytes
from optimum_compile.compiler.quant.scheme_text import parse_scheme


def use(columns=512, rows=48):
    name = "model.layers.0.mlp.up_proj.weight"
    return WeightUse(name, rows, columns, as_linear=True, as_table=False)


@pytest.mark.parametrize("text", LADDER)
def test_the_schemes_that_are_proposed_have_a_form_of_the_very_bytes(text):
    scheme = parse_scheme(text)
    found = form_of(scheme, use())
    assert isinstance(found, Form)
    assert found.bits == scheme.bits
    # Codes, and an fp16 scale and bias a group: what our own form takes.
    assert stored_bytes(scheme, use()) == scheme.stored_bytes(48, 512)


def test_bits_per_weight_are_those_that_mlx_tells():
    for bits in (2, 3, 4, 5, 6, 8):
        for group in (32, 64, 128):
            size = Form(bits, group).stored_bytes(48, 512)
            assert 8 * size / (48 * 512) == bits + 32 / group


@pytest.mark.parametrize(
    ("text", "columns", "form"),
    [
        ("int8:channel", 512, Form(8, 128)),
        ("int8:channel", 192, Form(8, 64)),
        ("int8:channel", 96, Form(8, 32)),
        ("int4:g32@bf16", 512, Form(4, 32)),
        ("uint2:g64", 512, Form(2, 64)),
        ("int4:g256", 512, Form(4, 128)),
        ("int4:g96", 192, Form(4, 32)),
        ("uint4:g64@zf16", 96, Form(4, 32)),  # the last group is half a one
        ("uint4:g32@u6,zu6", 512, Form(4, 32)),
        ("f16", 50, Form(16)),
    ],
)
def test_an_integer_grid_gets_the_longest_groups_that_hold_it(text, columns, form):
    assert form_of(parse_scheme(text), use(columns)) == form


@pytest.mark.parametrize(
    ("text", "columns", "reason"),
    [
        ("uint2:g16@u4,zu4", 512, "groups have 32, 64 or 128 columns, 16 are no whole ones: use g32 or g64"),
        ("int4:g48", 96, "groups have 32, 64 or 128 columns, 48 are no whole ones"),
        ("int8:channel", 80, "groups have 32, 64 or 128 columns, which do not divide 80: use f16"),
        ("lut4:r1", 512, "MLX has integer grids only: use uint4:g64@zf16"),
        ("f32", 512, "mlx_lm.convert has one type for all floats: use f16"),
    ],
)  # fmt: skip
def test_other_schemes_are_refused_with_what_to_use(text, columns, reason):
    verdict = BACKEND.supports_scheme(parse_scheme(text), use(columns))
    assert not verdict.ok
    assert verdict.reason.startswith(reason)
