"""Schemes that the user fixed for weights by name."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from optimum_compile.backends.base import Backend
from optimum_compile.compiler.errors import OptionError, UnsupportedError
from optimum_compile.compiler.quant.scheme import Scheme
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.units import Unit, legal

LONGEST_PATTERN = 500


@dataclass(frozen=True)
class Pin:
    """Weights whose name contains a match of `pattern` are stored in `scheme`."""

    pattern: str
    scheme: Scheme

    def matches(self, name: str) -> bool:
        """Whether this pin is meant for a weight."""
        return re.search(self.pattern, name) is not None


def parse_pin(text: str) -> Pin:
    """Read REGEX=SCHEME; the last "=" divides. Raises OptionError."""
    pattern, equals, scheme = text.rpartition("=")
    if not equals or not pattern or len(pattern) > LONGEST_PATTERN:
        raise OptionError(f"pin {text!r}: expected REGEX=SCHEME, like 'embed_tokens=int4:g64'")
    try:
        re.compile(pattern)
    except re.error as error:
        raise OptionError(f"pin {text!r}: {pattern!r} is no regular expression: {error}") from error
    return Pin(pattern, parse_scheme(scheme))


def pinned(
    units: Sequence[Unit], pins: Sequence[Pin], backends: Sequence[Backend]
) -> dict[str, Precision]:
    """Precision of every unit that a pin matches; the first one that does decides.

    Raises OptionError for a pin that decides nothing, UnsupportedError where a target refuses one.
    """
    out: dict[str, Precision] = {}
    used: set[Pin] = set()
    for unit in units:
        pin = next((p for p in pins if p.matches(unit.name)), None)
        if pin is None:
            continue
        used.add(pin)
        verdict = legal(pin.scheme, unit.use, backends)
        if not verdict.ok:
            raise UnsupportedError(
                f"pin {pin.pattern}={pin.scheme}: {unit.name} "
                f"{unit.use.rows}x{unit.use.columns}: {verdict.reason}"
            )
        out[unit.name] = Precision(pin.scheme, reason="pinned")
    idle = [p for p in pins if p not in used]
    if idle:
        names = ", ".join(u.name for u in units[:3])
        raise OptionError(
            f"pin {idle[0].pattern}={idle[0].scheme}: no weight is left for it; names are like {names}"
        )
    return out
