"""Values between two blocks, one file a sample, on disk: memory holds one sample at a time."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from optimum_compile.compiler.errors import InternalError


@dataclass(frozen=True)
class Spill:
    """Tensors by name for each sample, at each boundary, under `folder`."""

    folder: Path

    def path(self, boundary: int, sample: int) -> Path:
        """Where the values of a sample are."""
        return self.folder / f"boundary{boundary}" / f"{sample}.safetensors"

    def write(self, boundary: int, sample: int, values: Mapping[str, Tensor]) -> None:
        """Store the values of a sample; a file is complete or absent."""
        path = self.path(boundary, sample)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        # `save_file` would hide a full disk in an error of its own.
        part.write_bytes(save({n: t.detach().contiguous().clone() for n, t in values.items()}))
        part.replace(path)

    def read(self, boundary: int, sample: int) -> dict[str, Tensor]:
        """The values of a sample."""
        try:
            found: dict[str, Tensor] = load_file(self.path(boundary, sample))
        except (OSError, SafetensorError) as error:
            raise InternalError(f"{self.path(boundary, sample)}: {error}") from error
        return found

    def has(self, boundary: int, samples: int) -> bool:
        """Whether every sample of a boundary is there."""
        return all(self.path(boundary, n).exists() for n in range(samples))

    def drop(self, boundary: int) -> None:
        """Forget a boundary."""
        shutil.rmtree(self.folder / f"boundary{boundary}", ignore_errors=True)
