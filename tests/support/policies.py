"""Assignment problems: made up ones of any sizes, and those of small decoders."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from support.graphs import decoder

from optimum_compile.backends.base import Backend, WeightUse
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.precision.codebooks import key_of
from optimum_compile.passes.precision.policies.facts import Facts, roles_of
from optimum_compile.passes.precision.problem import (
    UNLIMITED,
    Choice,
    Problem,
    UnitChoices,
    make_problem,
)
from optimum_compile.passes.precision.units import Unit, head_unit, units_of
from optimum_compile.passes.sensitivity.map import MeasuredWith, ModelId, SensitivityMap
from optimum_compile.passes.stages.blocks import block_count

SCHEMES = (
    "vec8x4:channel@shared",
    "lut2:r4",
    "vec6x2:channel@shared",
    "vec8x2:channel@shared",
    "int8:channel",
    "f16",
)
BOOK_BYTES = 64


@st.composite
def problems(draw: Any, columns: int | None = None) -> Problem:
    """Up to 12 units of any choices on one or two targets, whose sizes need not agree; no limit."""
    columns = columns or draw(st.integers(1, 2))
    units = []
    for at in range(draw(st.integers(1, 12))):
        texts = draw(st.lists(st.sampled_from(SCHEMES), min_size=1, unique=True))
        size = draw(st.integers(1, 60))
        choices = [
            Choice(
                parse_scheme(text),
                tuple(
                    size * (2 + SCHEMES.index(text)) + draw(st.integers(0, 3))
                    for _ in range(columns)
                ),
            )
            for text in texts
        ]
        choices.sort(key=lambda c: (max(c.bytes), str(c.scheme)))
        unit = Unit(f"layers.{at}.up_proj.weight", at, WeightUse(f"w{at}", 8, size, True, False))
        units.append(UnitChoices(unit, tuple(choices)))
    keys = {key_of(c.scheme) for u in units for c in u.choices} - {None}
    return Problem(
        tuple(units),
        fixed_bytes=(draw(st.integers(0, 50)),) * columns,
        limits=(UNLIMITED,) * columns,
        codebooks={key: (BOOK_BYTES,) * columns for key in keys if key is not None},
        parameters=8 * sum(u.unit.use.columns for u in units),
    )


@st.composite
def limited(draw: Any) -> Problem:
    """Such a problem with limits that may be anything, impossible ones too."""
    problem = draw(problems())
    most = max(problem.bytes_of(problem.most())) + 100
    return problem.limited([draw(st.integers(0, most)) for _ in problem.limits])


def decoder_problem(
    backends: Sequence[Backend] = (), sensitivity: SensitivityMap | None = None, **shape: Any
) -> tuple[Problem, Facts]:
    """The problem of a small decoder on its ladder, and the facts."""
    graph = decoder(**{"width": 64, "hidden": 128, "vocab": 96} | shape)
    units = units_of(graph)
    head = head_unit(graph, units)
    facts = Facts(
        blocks=block_count(graph),
        head=None if head is None else head.name,
        roles=roles_of(units, head),
        sensitivity=sensitivity,
    )
    problem = make_problem(graph, units, backends, {})
    # Weights in memory are not counted as parameters.
    return replace(problem, parameters=sum(u.elements for u in units)), facts


def at_bpw(problem: Problem, bits_per_weight: float) -> Problem:
    """The problem under the same limit on every target."""
    limit = int(bits_per_weight * problem.parameters / 8)
    return problem.limited((limit,) * len(problem.limits))


def made_up_map(problem: Problem, method: str, factor: Any = lambda unit: 1.0) -> SensitivityMap:
    """Damage that falls with the bits of a choice, times `factor(unit)`."""
    return SensitivityMap(
        format=1,
        method=method,
        quantity="nats a token",
        model=ModelId("0" * 64, problem.parameters),
        measured_with=MeasuredWith("mse"),
        units={
            u.name: {
                str(c.scheme): factor(u.unit) * u.unit.elements * 4 ** -u.bits_per_weight(i)
                for i, c in enumerate(u.choices)
            }
            for u in problem.units
        },
    )
