"""Phones and tablets as budgets: memory that an app may use, and how fast it is read.

The figures, each with its source, are in `data/devices.json`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from optimum_compile.compiler.errors import OptionError

DATA = "data/devices.json"
# What decoding reaches of the peak: kernels that unpack weights on a phone's processor.
EFFICIENCY = 0.6


@dataclass(frozen=True)
class Device:
    """One device, or a class of them.

    `usable_bytes` is what an app may take (see `usable_rules`), `bandwidth_gb_s` the peak in 10^9 bytes
    a second. `confidence` is "specification" or "derived"; `source` says from what.
    """

    name: str
    platform: str
    memory_bytes: int
    usable_bytes: int
    bandwidth_gb_s: float
    source: str
    confidence: str

    @property
    def bandwidth_bytes_s(self) -> float:
        """Peak bytes a second."""
        return self.bandwidth_gb_s * 1e9


def devices() -> tuple[Device, ...]:
    """Every known device, in the order of the data file."""
    return tuple(Device(**entry) for entry in _data()["devices"])


def usable_rules() -> Mapping[str, str]:
    """By platform, how the memory that an app may use follows from the memory."""
    found: Mapping[str, str] = _data()["usable"]
    return found


def device_named(name: str) -> Device:
    """The device of that name, upper and lower case alike. Raises OptionError naming the known ones."""
    for device in devices():
        if device.name.casefold() == name.strip().casefold():
            return device
    known = ", ".join(device.name for device in devices())
    raise OptionError(f"device {name!r} is unknown; expected one of {known}")


def tokens_per_second(
    device: Device, read_bytes_per_token: float, efficiency: float = EFFICIENCY
) -> float:
    """Tokens a second while decoding, if memory alone limits it.

    bandwidth * efficiency / bytes that one token reads.
    """
    return device.bandwidth_bytes_s * efficiency / max(1.0, read_bytes_per_token)


@cache
def _data() -> Mapping[str, Any]:
    text = files("optimum_compile.compiler").joinpath(DATA).read_text("utf-8")
    found: Mapping[str, Any] = json.loads(text)
    return found
