"""What the kernels of the runtime take, as their build wrote it down."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from optimum_compile.compiler.errors import InternalError

BUILT = Path(__file__).resolve().parents[2] / "runtime_stub" / "kernels" / "built"
REBUILD = "run tools/dev/build_kernels.py"


@dataclass(frozen=True)
class Interface:
    """Constants (without `local_size_x`) and params by name and default or type; buffers and their use."""

    name: str
    crc32: int
    constants: tuple[tuple[str, int], ...]
    params: tuple[tuple[str, str], ...]
    buffers: tuple[tuple[str, str], ...]

    def writes(self, buffer: str) -> bool:
        """Whether the kernel writes that buffer."""
        return dict(self.buffers)[buffer] == "write"


@cache
def interfaces() -> Mapping[str, Interface]:
    """All kernels by name. Raises InternalError where they were not built."""
    path = BUILT / "interfaces.json"
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InternalError(f"{path}: {error}; {REBUILD}") from error
    return {
        name: Interface(
            name,
            int(each["crc32"]),
            tuple((n, int(default)) for n, default in each["constants"]),
            tuple((n, kind) for n, kind in each["params"]),
            tuple((n, use) for n, use in each["buffers"]),
        )
        for name, each in found.items()
    }


def interface(name: str) -> Interface:
    """One of them. Raises InternalError for a name that no kernel has."""
    found = interfaces().get(name)
    if found is None:
        raise InternalError(f"no kernel {name}; {REBUILD}")
    return found
