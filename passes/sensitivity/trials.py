"""Trials: every unit rounded in each of its schemes once, on disk, for all methods to look at."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from optimum_compile.compiler.errors import InputError, InternalError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.kv import AnyScheme
from optimum_compile.compiler.quant.nested import at_width
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Nested
from optimum_compile.compiler.quant.store import read_packed, write_packed
from optimum_compile.passes.precision.problem import Problem
from optimum_compile.passes.precision.quantize import load_checked

INDEX = "trials.json"


@dataclass
class Trials:
    """Packed weights by unit and scheme, under `folder`; complete once every choice is there.

    Caches among the units have none: they are rounded while the model runs.

    Whoever makes them decides with which quantiser: without activations (`rounding`), or with the
    moments that the deployed quantiser sees (`QuantizeBlocks`). With `narrowest` a nested weight is looked
    at as the palette of its fewest bits.
    """

    graph: Graph
    problem: Problem
    folder: Path
    digests: dict[str, dict[str, str]] = field(default_factory=dict)
    books: Path | None = None  # where the codebooks of vectors are kept; `folder` without it
    narrowest: bool = False

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.books = self.books or self.folder
        path = self.folder / INDEX
        if path.exists() and not self.digests:
            self.digests = _read_index(path)

    def has(self, name: str, scheme: AnyScheme) -> bool:
        """Whether a trial was made."""
        return str(scheme) in self.digests.get(name, {})

    def add(self, name: str, packed: PackedWeight) -> None:
        """Keep a trial; `save` makes a later run know it."""
        self.digests.setdefault(name, {})[str(packed.scheme)] = write_packed(self.folder, packed)

    def save(self) -> None:
        """Write the index."""
        part = (self.folder / INDEX).with_suffix(".part")
        part.write_text(json.dumps(self.digests, indent=1, sort_keys=True), "utf-8")
        part.replace(self.folder / INDEX)

    def packed(self, name: str, scheme: AnyScheme) -> PackedWeight:
        """The trial of a unit in a scheme."""
        return read_packed(self.folder, self.digest(name, scheme))

    def digest(self, name: str, scheme: AnyScheme) -> str:
        """Its digest in the store. Raises InternalError where it was never made."""
        found = self.digests.get(name, {}).get(str(scheme))
        if found is None:
            raise InternalError(f"no trial of {name} in {scheme}")
        return found

    def original(self, name: str) -> np.ndarray:
        """The weight itself, float32 (rows, columns)."""
        return load_checked(name, self.graph.weights[name])

    def rounded(self, name: str, scheme: AnyScheme) -> np.ndarray:
        """The weight as a trial stores it, or as it is read, float32 (rows, columns)."""
        packed = self.packed(name, scheme)
        if self.narrowest and isinstance(packed.scheme, Nested):
            packed = at_width(packed, packed.scheme.seed_bits)
        return packed.dequantize()

    def each(self) -> Iterator[tuple[str, np.ndarray, dict[str, np.ndarray]]]:
        """Every matrix with its trials, one unit in memory at a time."""
        for unit in (u for u in self.problem.units if not u.unit.is_cache):
            trials = {str(c.scheme): self.rounded(unit.name, c.scheme) for c in unit.choices}
            yield unit.name, self.original(unit.name), trials


def _read_index(path: Path) -> dict[str, dict[str, str]]:
    try:
        data = json.loads(path.read_text("utf-8"))
        return {str(n): {str(s): str(d) for s, d in row.items()} for n, row in data.items()}
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{path}: damaged ({error}); remove {path.parent} to begin anew"
        ) from error
