"""What progressive decoding decided about a model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.schedule import Schedule, Switch
from optimum_compile.passes.phase.judge import Measure


@dataclass(frozen=True)
class Figure:
    """One schedule's quality: its mean and a 95 % interval over the texts, and its mean of bits."""

    schedule: Schedule
    mean_bits: float
    quality: float
    low: float
    high: float

    def to_json(self) -> dict[str, Any]:
        """As the manifest holds it."""
        return {
            "schedule": str(self.schedule),
            "mean_bits": self.mean_bits,
            "quality": self.quality,
            "interval": [self.low, self.high],
        }


@dataclass(frozen=True)
class Phases(Note):
    """On the graph: the widths of its nested weights, and when each is read.

    `prefill` and `decode` are the smallest pair of fixed widths within `epsilon` of the widest; `static`
    is the schedule of fewest mean bits within `epsilon` of it over answers of `length` tokens. Quality is
    of `measure` on `texts` validation texts, the greater the better. `remark` says why nothing narrower
    was found, or is empty. `bits_read` is by width what a weight is really read with, in the mean: weights
    may lack a width (`floors.bits_read`); without an entry it is the width.
    """

    widths: tuple[int, ...]
    prefill: int
    decode: int
    static: Schedule
    epsilon: float
    measure: Measure
    length: int
    texts: int
    figures: tuple[tuple[str, Figure], ...] = ()
    remark: str = ""
    bits_read: tuple[tuple[int, float], ...] = ()

    def effective_bits(self, schedule: Schedule) -> float:
        """Mean bits that a weight is really read with over the answer; see `bits_read`."""
        known = dict(self.bits_read)
        widths = [schedule.width_at(token) for token in range(self.length)]
        return round(sum(known.get(width, width) for width in widths) / self.length, 4)

    def to_json(self) -> dict[str, Any]:
        """The entry `phases` of the manifest, and of the metadata in an artifact."""
        return {
            "widths": list(self.widths),
            "prefill": self.prefill,
            "decode": self.decode,
            "static": self.static.to_json(),
            "mean_bits": self.static.mean_bits(self.length),
            "effective_bits": self.effective_bits(self.static),
            "bits_read": [list(pair) for pair in self.bits_read],
            "epsilon": self.epsilon,
            "measure": self.measure.value,
            "length": self.length,
            "texts": self.texts,
            "figures": {
                name: figure.to_json() | {"effective_bits": self.effective_bits(figure.schedule)}
                for name, figure in self.figures
            },
            "remark": self.remark,
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """The way back. Raises OptionError for a schedule that is none, KeyError for what is missing."""
        static = found["static"]
        switches = tuple(Switch(int(token), int(bits)) for token, bits in static["switches"])
        figures = []
        for name, entry in found["figures"].items():
            schedule = Schedule.parse(entry["schedule"])
            low, high = entry["interval"]
            figures.append(
                (name, Figure(schedule, entry["mean_bits"], entry["quality"], low, high))
            )
        return cls(
            tuple(int(w) for w in found["widths"]),
            int(found["prefill"]),
            int(found["decode"]),
            Schedule(int(static["prefill"]), switches),
            float(found["epsilon"]),
            Measure(found["measure"]),
            int(found["length"]),
            int(found["texts"]),
            tuple(figures),
            str(found["remark"]),
            tuple((int(width), float(bits)) for width, bits in found.get("bits_read", ())),
        )
