"""Other tools run in an interpreter of their own; files of numbers go in and out, never pickles."""

import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optimum_compile.compiler.errors import ResourceError

HERE = Path(__file__).parent
TIMEOUT_S = 4 * 3600
_PROBE = """
import importlib, json, sys
from importlib.metadata import version
found = {}
for package, module in json.loads(sys.argv[1]):
    importlib.import_module(module)
    found[package] = version(package)
print()
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python that has the packages of one tool."""

    path: str

    def versions(self, packages: Sequence[tuple[str, str]]) -> dict[str, str]:
        """Versions of (distribution, module) pairs after importing them.

        Raises ResourceError with the last line of what went wrong.
        """
        found: dict[str, str] = self._last_line(["-c", _PROBE, json.dumps(packages)], 600)
        return found

    def run(self, script: str, job: Mapping[str, Any], folder: Path) -> Any:
        """Run a script of this folder on a job; returns the JSON document that it printed last.

        Raises ResourceError with the last line of what went wrong.
        """
        file = folder / "job.json"
        file.write_text(json.dumps(job), "utf-8")
        return self._last_line([str(HERE / script), str(file)], TIMEOUT_S)

    def _last_line(self, arguments: list[str], timeout_s: int) -> Any:
        # -P: this folder's files must not hide modules of the same name.
        command = [self.path, "-P", *arguments]
        env = dict(os.environ, HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
        try:
            done = subprocess.run(command, capture_output=True, timeout=timeout_s, env=env)
        except OSError as error:
            raise ResourceError(f"{self.path}: cannot be started: {error.strerror}") from error
        except subprocess.TimeoutExpired:
            raise ResourceError(f"{self.path}: not done after {timeout_s} s") from None
        output = done.stdout.decode("utf-8", "replace").strip().splitlines()
        if done.returncode == 0 and output:
            try:
                return json.loads(output[-1])
            except ValueError:
                raise ResourceError(f"unexpected output: {output[-1][:200]}") from None
        if done.returncode < 0:
            raise ResourceError(f"ended by {signal.Signals(-done.returncode).name}")
        errors = done.stderr.decode("utf-8", "replace").strip().splitlines()
        last = errors[-1].strip()[:300] if errors else "no message"
        raise ResourceError(f"{last} (exit code {done.returncode})")
