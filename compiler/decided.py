"""What was decided about precision, kept so that a stopped run need not measure again."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from optimum_compile.compiler.errors import InputError, OptionError
from optimum_compile.compiler.frontend.config import read_json
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.options import CompileOptions
from optimum_compile.compiler.package.describe import versions
from optimum_compile.compiler.profiling import model_id
from optimum_compile.compiler.quantizing import Calibration
from optimum_compile.passes.calibrate.checkpoint import fingerprint
from optimum_compile.passes.precision.caches import parse_schemes
from optimum_compile.passes.sensitivity.map import FORMAT, MeasuredWith, SensitivityMap

MEASURED = "measured"
SENSITIVITY = "sensitivity.json"
FLOORS = "floors.json"
DAMAGE = "sensitivity.npz"


@dataclass(frozen=True)
class Decided:
    """What was decided: schemes by weight and by state of a cache, and what the user should know.

    `predicted_kl` is the damage model's, `selection_kl` was measured; nats a token, None where there
    was no text. `folder` holds sensitivity.json, and sensitivity.npz where interactions were measured;
    `floors` is a map of the same kind, of the narrowest width.
    """

    schemes: dict[str, str]
    remarks: tuple[str, ...]
    predicted_kl: float | None = None
    selection_kl: float | None = None
    folder: Path | None = None
    floors: Path | None = None

    def copy_to(self, out: Path) -> None:
        """Copy the measurements into a bundle."""
        if self.floors is not None:
            shutil.copyfile(self.floors, out / FLOORS)
        for name in (SENSITIVITY, DAMAGE):
            if self.folder is not None and (self.folder / name).is_file():
                shutil.copyfile(self.folder / name, out / name)


def known_decision(path: Path, identity: str, graph: Graph) -> Decided | None:
    """What an earlier run decided; None where none did. Raises InputError for another run's."""
    if not path.exists():
        return None
    data = read_json(path)
    try:
        if data["fingerprint"] != identity:
            raise InputError(
                f"{path}: belongs to another run; use the same options, or remove {path.parent}"
            )
        return Decided(
            {name: str(scheme) for name, scheme in parse_schemes(graph, data["schemes"]).items()},
            tuple(str(remark) for remark in data["remarks"]),
            data["predicted_kl"],
            data["selection_kl"],
        )
    except (KeyError, TypeError, AttributeError, OptionError) as error:
        raise InputError(
            f"{path}: damaged ({error}); remove {path.parent} to begin anew"
        ) from error


def keep_decision(path: Path, identity: str, found: Decided) -> None:
    """Write what was decided by the run that `identity` tells, for `known_decision`."""
    document = {
        "fingerprint": identity,
        "schemes": found.schemes,
        "remarks": found.remarks,
        "predicted_kl": found.predicted_kl,
        "selection_kl": found.selection_kl,
    }
    write_text(path, json.dumps(document, indent=1))


def measured_map(
    graph: Graph,
    options: CompileOptions,
    seen: Calibration,
    quantity: str,
    forward_passes: float,
    scores: dict[str, dict[str, float]],
) -> SensitivityMap:
    """What the measured allocator found, as a map."""
    tokens = [list(window) for window in seen.profiling]
    how = MeasuredWith(
        options.quantizer,
        sum(map(len, tokens)),
        fingerprint(tokens),
        options.seed,
        round(forward_passes, 2),
    )
    return SensitivityMap(FORMAT, MEASURED, quantity, model_id(graph), how, scores, versions())


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    part = path.with_suffix(".part")
    part.write_text(text, "utf-8")
    part.replace(path)
