"""Rows that were measured before: kept in a JSON file, not measured again for the same version.

The version of another tool is its own; ours is a digest of the code and of the row's options.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.frontend.config import read_json
from optimum_compile.tools.bakeoff.table import Row, row_document, row_from


class Ledger:
    """The rows of one model, text and set of numbers. Without a file it remembers nothing."""

    def __init__(self, file: Path | None, fingerprint: str) -> None:
        self._file, self._fingerprint = file, fingerprint
        self._rows: dict[tuple[str, str, str], Row] = {}
        if file is None or not file.exists():
            return
        data = read_json(file)
        if not isinstance(data, dict) or data.get("fingerprint") != fingerprint:
            raise InputError(
                f"{file}: rows of another model, text or set of options; give another file"
            )
        try:
            for entry in data["rows"]:
                row = row_from(entry["row"])
                self._rows[row.tool, row.scheme, str(entry["version"])] = row
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{file}: not rows of a bake-off: {error!r}; remove it") from error

    def get(self, tool: str, scheme: str, version: str) -> Row | None:
        """The row of this tool's version, if it was measured."""
        return self._rows.get((tool, scheme, version))

    def add(self, row: Row, version: str) -> None:
        """Keep a row, on disk at once."""
        self._rows[row.tool, row.scheme, version] = row
        if self._file is None:
            return
        rows = [{"version": v, "row": row_document(r)} for (_, _, v), r in self._rows.items()]
        data = json.dumps({"fingerprint": self._fingerprint, "rows": rows}, indent=1)
        fresh = self._file.with_name(self._file.name + ".new")
        fresh.write_text(data, "utf-8")
        fresh.replace(self._file)


class Known:
    """The part of a ledger that is about one tool in one version."""

    def __init__(self, ledger: Ledger, tool: str, version: str) -> None:
        self._ledger, self.tool, self._version = ledger, tool, version

    def get(self, scheme: str) -> Row | None:
        """The row of this scheme, if it was measured."""
        return self._ledger.get(self.tool, scheme, self._version)

    def add(self, row: Row) -> Row:
        """Keep a row and return it."""
        self._ledger.add(row, self._version)
        return row


def fingerprint(model: Path, *parts: Any) -> str:
    """SHA-256 over the files of a model folder and `parts`, which JSON can hold."""
    total = hashlib.sha256(json.dumps(parts).encode())
    for file in sorted(model.iterdir()):
        if file.suffix in (".json", ".safetensors"):
            total.update(file.name.encode())
            with file.open("rb") as stream:
                total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()
