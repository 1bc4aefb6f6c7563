"""Schemes from text: the way back from `str(scheme)`."""

import re

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.quant.scheme import (
    E0M4,
    Affine,
    Float,
    Lut,
    Nested,
    PerChannel,
    PerGroup,
    Scheme,
    Sparse,
    Vector,
)

_AFFINE = re.compile(r"(u?)int([2-8])(?::(channel|g(\d{1,5})))?(?:@([a-z0-9,]{1,20}))?")
_LUT = re.compile(r"lut([1-8])(?::r(\d{1,6}))?")
_NESTED = re.compile(r"nest([1-8])-([1-8])(?::r(\d{1,6}))?")
_E0M4 = re.compile(r"e0m4(?::(channel|g(\d{1,5})))?")
_VECTOR = re.compile(r"vec([4-8])x([248])(?::(channel|g(\d{1,5})))?(?:@([a-z0-9,]{1,20}))?")
_SPARSE = re.compile(r"(.{1,60})\+([so])(\d\.\d{1,20}|\de-\d{1,3}|\d\.\d{1,20}e-\d{1,3}|0)")


def parse_scheme(text: str) -> Scheme:
    """Read `str(scheme)` back.

    f16, int8, int4:g32, uint4:g64, int4:g32@bf16, int4:g32@u6 (6-bit scale codes), uint4:g64@zf16
    (fp16 zero points), uint2:g16@u6,zu4 (scale codes and 4-bit fixed-point zero points), lut2:r1,
    vec8x4:g32@u4,shared (8-bit indices for 4 weights each, scale codes, one codebook for the model),
    nest2-4:r4 (tables of 2, 3 and 4 bits in one), e0m4:g32, int4:g128+s0.005 (fp16 outliers),
    int4:g128+o0.08 (outliers with scales of their own).
    Raises OptionError that names the forms.
    """
    if text in ("f16", "f32"):
        return Float(int(text[1:]))
    match = _SPARSE.fullmatch(text)
    if match:
        base = parse_scheme(match.group(1))
        if isinstance(base, Float | Nested | Vector | Sparse):
            raise OptionError(f"{text!r}: {base} takes no outliers; expected a grid or a palette")
        form = "added" if match.group(2) == "s" else "scaled"
        return Sparse(base, float(match.group(3)), form)
    match = _AFFINE.fullmatch(text)
    if match:
        unsigned, bits, _, size, marks = match.groups()
        group = PerGroup(int(size)) if size else PerChannel()
        scale, zero = _marks(text, marks or "")
        return Affine(int(bits), group, not unsigned, scale, zero)
    match = _LUT.fullmatch(text)
    if match:
        return Lut(int(match.group(1)), int(match.group(2) or 1))
    match = _NESTED.fullmatch(text)
    if match:
        return Nested(int(match.group(1)), int(match.group(2)), int(match.group(3) or 1))
    match = _VECTOR.fullmatch(text)
    if match:
        bits, width, _, size, given = match.groups()
        group = PerGroup(int(size)) if size else PerChannel()
        return Vector(int(bits), int(width), group, *_vector_marks(text, given or ""))
    match = _E0M4.fullmatch(text)
    if match:
        return E0M4(PerGroup(int(match.group(2))) if match.group(2) else PerChannel())
    raise OptionError(
        f"scheme {text!r}: expected f16, f32, [u]intN[:channel|:gN], lutN[:rN], nestN-N[:rN], "
        "vecNxW[:channel|:gN] or e0m4[:gN]; after [u]intN @ and a type of scales (bf16, u4, u6, "
        "u8), of zero points (zf16, zu4, zu6, zu8) or both with a comma; after vecNxW @ and a type "
        "of scales (u4, u6, u8), shared, or both; and for outliers +s or +o with their fraction"
    )


def _marks(text: str, marks: str) -> tuple[str, str]:
    """Scale type and zero point type after the @."""
    given = marks.split(",") if marks else []
    zeros = [m[1:] for m in given if m.startswith("z")]
    scales = [m for m in given if not m.startswith("z")]
    if len(zeros) > 1 or len(scales) > 1:
        raise OptionError(
            f"scheme {text!r}: expected at most one type of scales and one of zero points after @"
        )
    return (scales[0] if scales else "f16"), (zeros[0] if zeros else "int")


def _vector_marks(text: str, marks: str) -> tuple[str, str]:
    """Scale type and codebook after the @ of a vector table."""
    given = marks.split(",") if marks else []
    shared = given[-1:] == ["shared"]
    scales = given[:-1] if shared else given
    if len(scales) > 1:
        raise OptionError(f"scheme {text!r}: expected a type of scales, shared, or both after @")
    return (scales[0] if scales else "f16"), ("shared" if shared else "own")


def parse_widths(text: str) -> Nested:
    """Read the widths of nested weights, like 2,3,4: the scheme of one row a table. Raises OptionError."""
    parts = [part.strip() for part in text.split(",")]
    widths = [int(part) for part in parts if re.fullmatch(r"[1-8]", part)]
    whole = len(widths) == len(parts) > 1
    if not whole or widths != list(range(widths[0], widths[0] + len(widths))):
        raise OptionError(
            f"nested={text!r}: expected two or more widths in a row, of 1 to 8 bits, like 2,3,4"
        )
    return Nested(widths[0], widths[-1])
