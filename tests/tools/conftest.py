"""The command line called in this process."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from optimum_compile.tools.cli import main


@dataclass(frozen=True)
class Result:
    """What one command did."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Standard output, which must be one JSON document and nothing else."""
        return json.loads(self.out)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """`cli("inspect", path)` runs the command; arguments may be paths."""

    def run(*argv: object) -> Result:
        capsys.readouterr()
        try:
            code = main([str(a) for a in argv])
        except SystemExit as stop:  # argparse
            code = int(stop.code or 0)
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return run


@pytest.fixture
def text(tmp_path: Path) -> Callable[..., Path]:
    """`text(content)` writes a stream, or documents where it is a list, and gives the file."""

    def write(content: Any, name: str | None = None) -> Path:
        is_list = isinstance(content, list)
        path = tmp_path / (name or ("documents.json" if is_list else "stream.txt"))
        path.write_text(json.dumps(content) if is_list else content)
        return path

    return write
