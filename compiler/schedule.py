"""How many bits nested weights are read with, token by token.

A store of nested weights (`Nested`) can be read at several widths. A schedule says at which: prompts at
one width, and the tokens of the answer at widths that never grow (progressive decoding, Chen et al., ICLR
2025, arXiv 2410.13461).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from optimum_compile.compiler.errors import OptionError

_NUMBER = "[0-9]{1,9}"
_TEXT = re.compile(
    rf"prefill ({_NUMBER}), decode ({_NUMBER}(?:@{_NUMBER})?(?: {_NUMBER}@{_NUMBER})*)"
)
MOST_BITS = 8


@dataclass(frozen=True)
class Switch:
    """From decode step `token` on, weights are read with `bits` bits. Step t reads token t of the answer."""

    token: int
    bits: int


@dataclass(frozen=True)
class Schedule:
    """Widths of a whole answer. The first switch is at token 0.

    Token 0 of an answer comes from the prompt's logits, which `prefill` bits made; decode step t reads
    token t and makes the next one. Widths never grow unless `free` (controls that turn the order around).

    Raises OptionError for switches that are not in order, or widths that grow.
    """

    prefill: int
    switches: tuple[Switch, ...]
    free: bool = False

    def __post_init__(self) -> None:
        for width in (self.prefill, *(s.bits for s in self.switches)):
            if not 1 <= width <= MOST_BITS:
                raise OptionError(f"schedule: a width of {width} bits: expected 1 to {MOST_BITS}")
        tokens = [s.token for s in self.switches]
        if not tokens or tokens[0] != 0 or tokens != sorted(set(tokens)):
            raise OptionError(
                f"schedule: switches at tokens {tokens}: expected 0 and then later ones"
            )
        bits = [s.bits for s in self.switches]
        if not self.free and bits != sorted(bits, reverse=True):
            raise OptionError(f"schedule: widths {bits} grow; expected each at most the one before")

    @classmethod
    def fixed(cls, prefill: int, decode: int | None = None) -> Self:
        """One width for the prompt, one for all of the answer (the same one if it is not given)."""
        return cls(prefill, (Switch(0, prefill if decode is None else decode),))

    @classmethod
    def two(cls, prefill: int, high: int, low: int, at: int) -> Self:
        """`high` bits for tokens before `at`, `low` from there on."""
        if at <= 0:
            return cls(prefill, (Switch(0, low),))
        return cls(prefill, (Switch(0, high), Switch(at, low)))

    @classmethod
    def parse(cls, text: str) -> Self:
        """The schedule of its text form. Raises OptionError."""
        found = _TEXT.fullmatch(text.strip())
        if found is None:
            raise OptionError(f"schedule {text!r}: expected the form 'prefill 4, decode 4@0 3@85'")
        switches = []
        for part in found[2].split():
            bits, _, token = part.partition("@")
            switches.append(Switch(int(token or 0), int(bits)))
        return cls(int(found[1]), tuple(switches))

    def width_at(self, token: int) -> int:
        """Bits with which decode step `token` reads the weights."""
        return next(s.bits for s in reversed(self.switches) if s.token <= token)

    def mean_bits(self, length: int) -> float:
        """Mean width over decode steps 0 .. length - 1. Raises OptionError for no steps."""
        if length < 1:
            raise OptionError(f"schedule: an answer of {length} tokens; expected at least one")
        return sum(self.width_at(token) for token in range(length)) / length

    def check(self, widths: Sequence[int]) -> None:
        """Raise OptionError where a width is not among those of the store."""
        for bits in (self.prefill, *(s.bits for s in self.switches)):
            if bits not in widths:
                held = ", ".join(map(str, widths)) or "none"
                raise OptionError(f"schedule: width {bits} is not stored; the weights have {held}")

    def __str__(self) -> str:
        parts = " ".join(f"{s.bits}@{s.token}" for s in self.switches)
        return f"prefill {self.prefill}, decode {parts}"

    def to_json(self) -> dict[str, Any]:
        """As the manifest and artifacts hold it."""
        return {
            "prefill": self.prefill,
            "switches": [[s.token, s.bits] for s in self.switches],
        }
