"""What a policy may choose from: the schemes of precision classes, and why others are not there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from optimum_compile.backends.base import Backend
from optimum_compile.compiler.errors import InternalError, UnsupportedError
from optimum_compile.compiler.quant.kv import AnyScheme, KvScheme
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
        """What each class, or the next wider one, means for every unit of a problem with these schemes."""
        return {
            bits: tuple(self._pick(unit, bits) for unit in problem.units)
            for bits in sorted(UNIFORM_BITS)
        }

    def _pick(self, unit: UnitChoices, bits: int) -> int:
        by_bits = self.precisions.get(unit.name)
        if by_bits is None:
            return 0
        return unit.index_of(by_bits[min(b for b in by_bits if b >= bits)].scheme)

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

    A budget asks for bytes and not for bits, so a class that a target refuses is the next wider one,
    and one that cannot keep an explicit group size is left out.
    Raises UnsupportedError where no class but FP16 keeps it.
    """
    relaxed = replace(options, allow_fallback=options.allow_fallback or options.group is None)
    free = [u for u in units if u.name not in pinned and not u.routes]
    return ClassMenu({unit.name: _by_bits(unit, backends, relaxed) for unit in free})


def _by_bits(
    unit: Unit, backends: Sequence[Backend], options: ClassOptions
) -> dict[int, Precision]:
    found: dict[int, Precision] = {}
    refusal: UnsupportedError | None = None
    for bits in UNIFORM_BITS:
        try:
            found[bits] = choose(CLASS_OF_BITS[bits], unit, backends, options)
        except UnsupportedError as error:
            refusal = error
    if refusal is not None and len(found) <= 1:
        raise refusal
    return found


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


def _size(unit: UnitChoices, scheme: AnyScheme) -> int:
    if isinstance(scheme, KvScheme):
        raise InternalError(f"{unit.name}: {scheme} is for caches")
    return scheme.stored_bytes(unit.unit.use.rows, unit.unit.use.columns)
