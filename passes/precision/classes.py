"""Precision classes, and the scheme that a class means for one weight on the chosen targets."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from optimum_compile.backends.base import Backend
from optimum_compile.compiler.errors import UnsupportedError
from optimum_compile.compiler.quant.kv import AnyScheme
from optimum_compile.compiler.quant.scheme import (
    Affine,
    Float,
    Granularity,
    Lut,
    PerChannel,
    PerGroup,
    Scheme,
    Vector,
)
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.units import Unit, legal

CLASS_BITS = {"FP16": 16, "INT8": 8, "INT4": 4, "INT3": 3, "INT2": 2}
CLASS_OF_BITS = {bits: name for name, bits in CLASS_BITS.items()}
# A table should cost at most this share of a bit a weight.
TABLE_OVERHEAD_BITS = 0.25


@dataclass(frozen=True)
class ClassOptions:
    """How classes become schemes. `group` None: groups of 32 where they fit, else per channel."""

    group: Granularity | None = None
    symmetric: bool = True
    allow_fallback: bool = False
    # Of 4-bit matrices that are only multiplied with: int8 products are summed over whole rows.
    whole_rows: bool = False


def class_of(scheme: AnyScheme) -> str:
    """Class of a scheme: FP16, INT8, INT4, INT3 or INT2 by its bits (5 and 6 count as INT8)."""
    if isinstance(scheme, Float):
        return "FP16"
    if isinstance(scheme, Vector):  # of 1 to 4 bits a weight
        return CLASS_OF_BITS[max(2, math.ceil(scheme.bits_per_weight))]
    return "INT8" if scheme.bits > 4 else CLASS_OF_BITS[max(2, scheme.bits)]


def table_rows(rows: int, columns: int, bits: int) -> int:
    """Rows that share a table: the least divisor of `rows` that keeps the overhead small."""
    least = math.ceil(2**bits * 16 / (TABLE_OVERHEAD_BITS * columns))
    return next(n for n in range(min(least, rows), rows + 1) if rows % n == 0)


def candidates(name: str, unit: Unit, options: ClassOptions) -> Iterator[tuple[Scheme, str]]:
    """Schemes of a class, best first, each with the reason that it is not the first (or "")."""
    columns = unit.use.columns
    if name == "FP16":
        yield Float(16), ""
        return
    bits = CLASS_BITS[name]
    if name in ("INT2", "INT3") and options.group is None:
        rows = table_rows(unit.use.rows, columns, bits)
        yield Lut(bits, rows), ""
        # For targets without palettes: four points need their zero, groups their own.
        yield Affine(bits, PerGroup(32), False), ""
        # Where scales of such groups have two levels only: the grids of Q2_K and Q3_K.
        if bits == 2:
            yield Affine(2, PerGroup(16), False, "u4", "u4"), ""
        else:
            yield Affine(3, PerGroup(16), True, "u6"), ""
        return
    if name == "INT8" and options.group is None:
        yield Affine(bits, PerChannel(), options.symmetric), ""
        return
    whole = options.whole_rows and bits == 4 and not unit.use.as_table
    wanted = options.group or (PerChannel() if whole else PerGroup(32))
    why = ""
    if isinstance(wanted, PerGroup):
        if columns % wanted.size == 0:
            # XNNPACK keeps the scales of 4-bit groups as bfloat16; Core ML holds those exactly.
            scale = "bf16" if bits == 4 and options.symmetric else "f16"
            yield Affine(bits, wanted, options.symmetric, scale), ""
        else:
            why = f"groups of {wanted.size} do not divide {columns} columns"
    yield Affine(bits, PerChannel(), options.symmetric), why
    rows = table_rows(unit.use.rows, columns, bits) if bits <= 6 else 1
    yield Lut(bits, rows), why or "the target has no integer grid of this class here"


def choose(name: str, unit: Unit, backends: Sequence[Backend], options: ClassOptions) -> Precision:
    """The first candidate that every target can take, the next wider class after that.

    Raises UnsupportedError when an explicit group size cannot be kept, or bits must be widened,
    unless fallbacks are allowed.
    """
    refused: list[str] = []
    for wider in _widening(name):
        for scheme, why in candidates(wider, unit, options):
            verdict = legal(scheme, unit.use, backends)
            if not verdict.ok:
                refused.append(f"{scheme}: {verdict.reason}")
                continue
            widened = wider != name
            explicit = options.group is not None and bool(why)
            reason = "; ".join((*refused, why) if why and not widened else refused)
            if (widened or explicit) and not options.allow_fallback:
                raise UnsupportedError(
                    f"{unit.name} {unit.use.rows}x{unit.use.columns}: {name} would become {scheme} "
                    f"({reason}); pass --allow-fallback to accept it, or choose another --group-size"
                )
            return Precision(scheme, reason=reason)
    raise UnsupportedError(f"{unit.name}: no scheme of class {name} fits: {'; '.join(refused)}")


def _widening(name: str) -> list[str]:
    order = ["INT2", "INT3", "INT4", "INT8", "FP16"]
    return order[order.index(name) :]
