"""Child process that says which Vulkan device sessions would run on, as JSON: a driver may crash.

python -m optimum_compile.backends.gpu.found
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cache

from optimum_compile.backends.child import STDERR_CHARS, limit_resources
from optimum_compile.compiler.errors import ResourceError

MODULE = "optimum_compile.backends.gpu.found"
TIMEOUT_S = 120


@dataclass(frozen=True)
class Found:
    """The name of the device, or why there is none."""

    device: str = ""
    reason: str = ""


@cache
def vulkan_device() -> Found:
    """What this machine has; asked once."""
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", MODULE],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
            preexec_fn=limit_resources,
        )
        answer = json.loads(done.stdout.splitlines()[-1])
        return Found(str(answer["device"]), str(answer["reason"]))
    except subprocess.TimeoutExpired:
        return Found(reason=f"the Vulkan driver did not answer within {TIMEOUT_S} s")
    except (ValueError, KeyError, IndexError, TypeError):
        lines = done.stderr.strip().splitlines() or ["it said nothing"]
        last = lines[-1][-STDERR_CHARS:]
        return Found(reason=f"the Vulkan driver failed (exit {done.returncode}): {last}")


def main() -> None:
    """Print what was found."""
    from optimum_compile.backends.native.device import Device

    try:
        print(json.dumps({"device": Device().info.name, "reason": ""}))
    except ResourceError as error:
        print(json.dumps({"device": "", "reason": str(error)}))


if __name__ == "__main__":
    main()
