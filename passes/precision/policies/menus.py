"""What a policy may choose from: the schemes of precision classes, and why others are not there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from optimum_compile.backends.base import Backend
from optimum_compile.compiler.quant.scheme import Scheme
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.precision.classes import CLASS_OF_BITS, ClassOptions, choose
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.policies.cascade import Layout
from optimum_compile.passes.precision.policies.facts import UNIFORM_BITS
from optimum_compile.passes.precision.problem import Picks, Problem, UnitChoices
from optimum_compile.passes.precision.units import Unit


@dataclass(frozen=True)
class ClassMenu:
    """Of every unit that has a choice, what each class means there, by the class's bits."""

    precisions: Mapping[str, Mapping[int, Precision]]

    @property
    def schemes(self) -> dict[str, tuple[Scheme, ...]]:
        """For `make_problem`."""
        return {
            name: tuple(dict.fromkeys(p.scheme for p in by_bits.values()))
            for name, by_bits in self.precisions.items()
        }

    def picks(self, problem: Problem) -> dict[int, Picks]:
        """What each class means for every unit of a problem with these schemes."""
        return {
            bits: tuple(
                unit.index_of(self.precisions[unit.name][bits].scheme)
                if unit.name in self.precisions
                else 0
                for unit in problem.units
            )
            for bits in sorted(UNIFORM_BITS)
        }

    def reason(self, unit: UnitChoices, index: int) -> str:
        """Why a unit has a scheme: its own class's, or of what is narrower where that is its least."""
        scheme = unit.choices[index].scheme
        own = [p for _, p in sorted(self.precisions[unit.name].items()) if p.scheme == scheme]
        return own[0 if index == 0 else -1].reason


def class_menu(
    units: Sequence[Unit],
    pinned: Mapping[str, Precision],
    backends: Sequence[Backend],
    options: ClassOptions,
) -> ClassMenu:
    """All classes for every unit without a pin that is no router.

    A class that a target refuses means the next wider one: a budget asks for bytes, not for bits.
    Raises UnsupportedError where an explicit group size cannot be kept, as `choose` does.
    """
    relaxed = replace(options, allow_fallback=options.allow_fallback or options.group is None)
    free = [u for u in units if u.name not in pinned and not u.routes]
    return ClassMenu(
        {
            unit.name: {
                bits: choose(CLASS_OF_BITS[bits], unit, backends, relaxed) for bits in UNIFORM_BITS
            }
            for unit in free
        }
    )


def in_classes(
    units: Sequence[Unit],
    pinned: Mapping[str, Precision],
    backends: Sequence[Backend],
    options: ClassOptions,
    layout: Layout,
    head: str | None,
) -> dict[str, Precision]:
    """The precision of every unit in a layout, without a budget.

    Raises UnsupportedError where bits must be widened and `options` do not allow it.
    """
    return {
        unit.name: pinned.get(unit.name)
        or choose(layout.class_of(unit, head), unit, backends, options)
        for unit in units
    }


def why_wider(unit: UnitChoices, index: int) -> str:
    """Refusals of the schemes between a choice and the next narrower one, "" where there are none."""
    if unit.pinned or unit.unit.routes:
        return ""
    own = _size(unit, unit.choices[index].scheme)
    below = _size(unit, unit.choices[index - 1].scheme) if index else -1
    refused = [
        f"{text}: {reason}"
        for text, reason in unit.refused
        if below < _size(unit, parse_scheme(text)) < own
    ]
    return "; ".join(refused)


def _size(unit: UnitChoices, scheme: Scheme) -> int:
    return scheme.stored_bytes(unit.unit.use.rows, unit.unit.use.columns)
