"""Progress of a long quantisation, so that a killed run goes on where it was."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from optimum_compile.compiler.errors import InputError

FILE = "progress.json"


def fingerprint(facts: Any) -> str:
    """SHA-256 of plain data in canonical JSON: everything that decides the result."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class Progress:
    """How far a run has come: segments done, the packed weights by name, remarks for the user."""

    path: Path
    fingerprint: str
    done: int = 0
    packed: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def save(self) -> None:
        """Write atomically."""
        part = self.path.with_suffix(".part")
        document = {
            "fingerprint": self.fingerprint,
            "done": self.done,
            "packed": self.packed,
            "remarks": self.remarks,
        }
        part.write_text(json.dumps(document, indent=1), "utf-8")
        part.replace(self.path)


def has_progress(folder: Path) -> bool:
    """Whether a run that begins in `folder` would go on from something."""
    return (folder / FILE).exists()


def open_progress(folder: Path, wanted: str) -> Progress:
    """Progress in `folder`, or a fresh one.

    Raises InputError where the folder belongs to another run, or its file is damaged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    if not path.exists():
        return Progress(path, wanted)
    try:
        data = json.loads(path.read_text("utf-8"))
        found = Progress(
            path,
            str(data["fingerprint"]),
            int(data["done"]),
            dict(data["packed"]),
            [str(remark) for remark in data["remarks"]],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: damaged ({error}); remove {folder} to begin anew") from error
    if found.fingerprint != wanted:
        raise InputError(
            f"{path}: belongs to another run (fingerprint {found.fingerprint[:12]}, now {wanted[:12]}: "
            "weights, text, options or versions differ); use the same, or remove the folder"
        )
    return found
