"""The assignment problem: the schemes that each unit may get, what they cost, and the limits."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from optimum_compile.backends.base import Backend
from optimum_compile.compiler.errors import BudgetError, InternalError, UnsupportedError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.kv import AnyScheme
from optimum_compile.compiler.quant.scheme import Float, Lut, Scheme, Vector
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.precision.classes import table_rows
from optimum_compile.passes.precision.codebooks import Key, key_of
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.units import (
    Unit,
    codebook_bytes,
    fixed_weight_bytes,
    legal,
    parameter_count,
)

Picks = tuple[int, ...]  # of every unit, the index of its choice
UNLIMITED = 1 << 62


@dataclass(frozen=True)
class Choice:
    """A scheme that a unit may get, and its stored bytes on each target."""

    scheme: AnyScheme
    bytes: tuple[int, ...]


@dataclass(frozen=True)
class UnitChoices:
    """A unit with its legal choices, fewest bytes first, and why others are not among them."""

    unit: Unit
    choices: tuple[Choice, ...]
    refused: tuple[tuple[str, str], ...] = ()
    pinned: bool = False

    @property
    def name(self) -> str:
        """The weight's name, or that of a cache's state."""
        return self.unit.name

    def bits_per_weight(self, index: int) -> float:
        """Of a choice, on the target that needs most."""
        return 8 * max(self.choices[index].bytes) / self.unit.elements

    def index_of(self, scheme: AnyScheme) -> int:
        """The choice with that scheme. Raises InternalError where it is none."""
        for index, choice in enumerate(self.choices):
            if choice.scheme == scheme:
                return index
        raise InternalError(f"{self.name}: {scheme} is not among its choices")

    def nearest(self, bits: float) -> int:
        """The choice whose bits per weight are nearest to `bits`; of two the smaller."""
        return min(
            range(len(self.choices)),
            key=lambda i: (abs(self.bits_per_weight(i) - bits), i),
        )


@dataclass(frozen=True)
class Problem:
    """Units, and on each target: bytes of what is no unit, of shared codebooks, and the limit.

    Without targets there is one column: the schemes' own bytes. `parameters` are all stored numbers: where
    caches are among the units, those of a full cache too.
    """

    units: tuple[UnitChoices, ...]
    fixed_bytes: tuple[int, ...]
    limits: tuple[int, ...]
    codebooks: Mapping[Key, tuple[int, ...]]
    parameters: int

    def schemes(self, picks: Sequence[int]) -> dict[str, AnyScheme]:
        """The scheme of every unit."""
        pairs = zip(self.units, picks, strict=True)
        return {u.name: u.choices[i].scheme for u, i in pairs}

    def picks_of(self, schemes: Mapping[str, AnyScheme]) -> Picks:
        """The way back from `schemes`."""
        return tuple(u.index_of(schemes[u.name]) for u in self.units)

    def bytes_of(self, picks: Sequence[int]) -> tuple[int, ...]:
        """Bytes on each target: units, codebooks that they share, and all other weights."""
        total = list(self.fixed_bytes)
        keys = set()
        for unit, index in zip(self.units, picks, strict=True):
            choice = unit.choices[index]
            keys.add(key_of(choice.scheme))
            for at, size in enumerate(choice.bytes):
                total[at] += size
        for key in keys - {None}:
            for at, size in enumerate(self.codebooks[key]):  # type: ignore[index]
                total[at] += size
        return tuple(total)

    def fits(self, picks: Sequence[int]) -> bool:
        """Whether no target's limit is exceeded."""
        return all(n <= limit for n, limit in zip(self.bytes_of(picks), self.limits, strict=True))

    def slack(self, picks: Sequence[int]) -> int:
        """Bytes that are left on the target that has fewest left; negative where it does not fit."""
        pairs = zip(self.bytes_of(picks), self.limits, strict=True)
        return min(limit - n for n, limit in pairs)

    @property
    def is_limited(self) -> bool:
        """Whether there is a budget on any target."""
        return min(self.limits) < UNLIMITED

    def least(self) -> Picks:
        """The first choice of every unit."""
        return tuple(0 for _ in self.units)

    def most(self) -> Picks:
        """The last choice of every unit."""
        return tuple(len(u.choices) - 1 for u in self.units)

    def limited(self, limits: Sequence[int]) -> "Problem":
        """The same under other limits."""
        return replace(self, limits=tuple(limits))

    def require_possible(self) -> None:
        """Raise BudgetError with the achievable range where even the least does not fit."""
        if self.fits(self.least()):
            return
        low, high = (max(self.bytes_of(p)) for p in (self.least(), self.most()))
        per = 8 / max(1, self.parameters)
        limit = min(self.limits)
        cached = any(u.unit.is_cache for u in self.units)
        what = "weights and KV cache" if cached else "weights"
        raise BudgetError(
            f"budget of {limit:,} bytes of {what} ({limit * per:.3g}bpw): the achievable range is "
            f"{low:,} to {high:,} bytes ({low * per:.3g}bpw to {high * per:.3g}bpw); raise --budget "
            "(or lower --tokens-per-second), or choose other targets"
        )


def make_problem(
    graph: Graph,
    units: Sequence[Unit],
    backends: Sequence[Backend],
    pinned: Mapping[str, Precision],
    limits: Sequence[int] | None = None,
    schemes: Mapping[str, Sequence[Scheme]] | None = None,
) -> Problem:
    """The problem of a graph's units on the chosen targets; no limit without `limits`.

    `schemes` says for every unit what is considered, instead of what the targets propose.
    """
    own = schemes or {}
    table = tuple(
        choices_of(unit, backends, pinned.get(unit.name), own.get(unit.name)) for unit in units
    )
    keys = {key_of(c.scheme) for u in table for c in u.choices} - {None}
    columns: Sequence[Sequence[Backend]] = [(b,) for b in backends] or [()]
    books = {
        key: tuple(codebook_bytes([_of_key(table, key)], each) for each in columns)
        for key in keys
        if key is not None
    }
    fixed = tuple(fixed_weight_bytes(graph, units, each) for each in columns)
    most = tuple(limits) if limits is not None else (UNLIMITED,) * len(columns)
    return Problem(table, fixed, most, books, parameter_count(graph))


def _of_key(table: Iterable[UnitChoices], key: Key) -> Scheme:
    schemes = (c.scheme for u in table for c in u.choices)
    return next(s for s in schemes if key_of(s) == key and isinstance(s, Vector))


def choices_of(
    unit: Unit,
    backends: Sequence[Backend],
    pin: Precision | None,
    schemes: Sequence[Scheme] | None = None,
) -> UnitChoices:
    """What a unit may get: what the targets, or `schemes`, propose and all take, cheapest first.

    A router stays f16: it is small, and a token that gets another expert is lost.
    Raises UnsupportedError where nothing is left.
    """
    if pin is not None:
        only = Choice(pin.scheme, _bytes(pin.scheme, unit, backends))
        return UnitChoices(unit, (only,), pinned=True)
    found, refused = [], []
    considered = proposed(unit, backends) if schemes is None else schemes
    for scheme in (Float(16),) if unit.routes else considered:
        verdict = legal(scheme, unit.use, backends)
        if verdict.ok:
            found.append(Choice(scheme, _bytes(scheme, unit, backends)))
        else:
            refused.append((str(scheme), verdict.reason))
    if not found:
        why = "; ".join(f"{scheme}: {reason}" for scheme, reason in refused)
        raise UnsupportedError(f"{unit.name}: no scheme suits every target: {why}")
    found.sort(key=lambda c: (max(c.bytes), str(c.scheme)))
    return UnitChoices(unit, tuple(found), tuple(refused))


def _bytes(scheme: Scheme, unit: Unit, backends: Sequence[Backend]) -> tuple[int, ...]:
    if not backends:
        return (scheme.stored_bytes(unit.use.rows, unit.use.columns),)
    return tuple(b.stored_bytes(scheme, unit.use) for b in backends)


# What is proposed where no target is chosen.
LADDER = (
    "vec8x4:channel@shared",
    "vec6x2:channel@shared",
    "vec8x2:channel@shared",
    "int4:g32@bf16",
    "lut6",
    "int8:channel",
    "f16",
)


def proposed(unit: Unit, backends: Sequence[Backend]) -> tuple[Scheme, ...]:
    """The schemes that any of the targets proposes, each once."""
    texts = [text for backend in backends for text in backend.ladder] or list(LADDER)
    return tuple(dict.fromkeys(_for_shape(text, unit) for text in texts))


def _for_shape(text: str, unit: Unit) -> Scheme:
    """A scheme by its text; tables without a number of rows get one that keeps them small."""
    scheme = parse_scheme(text)
    if isinstance(scheme, Lut) and ":" not in text:
        rows = table_rows(unit.use.rows, unit.use.columns, scheme.bits)
        return replace(scheme, rows_per_table=rows)
    return scheme


def equal_sensitivity(problem: Problem) -> list[list[float]]:
    """Costs that know nothing of the model: elements times 4^-bits, for a first assignment."""
    return [
        [u.unit.elements * math.pow(4.0, -u.bits_per_weight(i)) for i in range(len(u.choices))]
        for u in problem.units
    ]
