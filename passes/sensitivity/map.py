"""The sensitivity map: what each unit's damage is in each scheme, by one method; JSON both ways.

{"format": 1, "method": "kl", "quantity": "nats a token", "model": {"sha256", "parameters"},
 "measured_with": {"quantizer", "tokens", "tokens_sha256", "seed", "forward_passes", "seconds"},
 "units": {"model.layers.0.mlp.up_proj.weight": {"vec8x4:channel@shared": 0.012, "f16": 0.0}},
 "versions": {...}}
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.frontend.config import read_json
from optimum_compile.compiler.package.typed import JsonTypeError, typed

FORMAT = 1
Scores = dict[str, dict[str, float]]  # of every unit, the damage by the text of the scheme


@dataclass(frozen=True)
class ModelId:
    """Which weights were measured: a digest over all of them, and how many there are."""

    sha256: str
    parameters: int


@dataclass(frozen=True)
class MeasuredWith:
    """How: the quantiser of the trials, the text, and what it cost.

    `forward_passes` counts in passes of the whole model over the measuring text, a backward pass
    as two.
    """

    quantizer: str
    tokens: int = 0
    tokens_sha256: str = ""
    seed: int = 0
    forward_passes: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True)
class SensitivityMap:
    """Damage of storing one unit alone in a scheme, the others as they were; larger is worse.

    `quantity` says in what: "nats a token" where it estimates the KL divergence, otherwise what the
    method's number is. Numbers of one map compare with each other, not with those of another method.
    """

    format: int
    method: str
    quantity: str
    model: ModelId
    measured_with: MeasuredWith
    units: Scores
    versions: dict[str, str] = field(default_factory=dict)

    def score(self, unit: str, scheme: object) -> float:
        """Damage of a unit in a scheme. Raises InputError for what was not measured."""
        found = self.units.get(unit, {}).get(str(scheme))
        if found is None:
            raise InputError(
                f"sensitivity {self.method!r}: no number for {unit} in {scheme}; measure it again "
                "with the same targets and pins"
            )
        return found

    def require_model(self, model: ModelId, where: str) -> None:
        """Raise InputError where the map is of another model."""
        if model != self.model:
            raise InputError(
                f"{where}: measured on another model ({self.model.parameters:,} parameters, weights "
                f"{self.model.sha256[:12]}; this one has {model.parameters:,}, "
                f"{model.sha256[:12]}); run `optimum-compile profile` on this model"
            )

    def to_json(self) -> str:
        """Deterministic JSON text."""
        return json.dumps(asdict(self), indent=1, sort_keys=True, allow_nan=False) + "\n"


def parse_map(data: Any, where: str) -> SensitivityMap:
    """A map from what `json.loads` gave. Raises InputError that names what is wrong."""
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        found = data.get("format") if isinstance(data, dict) else None
        raise InputError(f"{where}: sensitivity format {found!r}: expected {FORMAT}; profile again")
    try:
        made: SensitivityMap = typed(SensitivityMap, data, "sensitivity")
    except JsonTypeError as error:
        raise InputError(f"{where}: no sensitivity map: {error}") from error
    for unit, scores in made.units.items():
        for scheme, score in scores.items():
            if not math.isfinite(score):
                raise InputError(f"{where}: {unit} in {scheme} is {score}: expected a number")
    return made


def read_map(path: Path) -> SensitivityMap:
    """Read a map. Raises InputError for a file that is none."""
    return parse_map(read_json(path), str(path))


def ranking(scores: Mapping[str, float]) -> list[str]:
    """Names, the most sensitive first; ties by name."""
    return sorted(scores, key=lambda name: (-scores[name], name))
