"""What the precision passes write."""

from dataclasses import dataclass
from pathlib import Path

from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.quant.kv import KvStored
from optimum_compile.compiler.quant.kv_static import KvStatic
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Scheme


@dataclass(frozen=True)
class Precision(Note):
    """On a weight value: the scheme it will be stored in, and the bits of its activations.

    It sits on the weight, not on the linear, so that a tied embedding and head cannot disagree.
    `reason` says why the policy's own choice was not taken, or is empty.
    """

    scheme: Scheme
    act_bits: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class KvPrecision(Note):
    """On the value that reads a state: how the keys or values in it will be stored.

    Without it a cache is not rounded. `reason` says why another choice was not taken, or is empty.
    """

    scheme: KvStored
    reason: str = ""


@dataclass(frozen=True)
class KvConstants(Note):
    """On the value that reads a state: its constant scales, for targets that have no others."""

    scheme: KvStatic


@dataclass(frozen=True)
class ValueRange(Note):
    """On a computed value: its range on the calibration text, for targets that round it statically."""

    low: float
    high: float


@dataclass(frozen=True)
class Quantized(Note):
    """On a weight value: its packed form is in `store` under the value's weight name.

    With a `width` the store holds a nested weight, of which this is the palette of so many bits, and
    `scheme` is that palette's.
    """

    scheme: Scheme
    sha256: str
    store: Path
    width: int = 0

    def load(self) -> PackedWeight:
        """Read the packed weight from the store (one tensor at a time)."""
        from optimum_compile.compiler.quant.nested import at_width
        from optimum_compile.compiler.quant.store import read_packed

        found = read_packed(self.store, self.sha256)
        return at_width(found, self.width) if self.width else found
