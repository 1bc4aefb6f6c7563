"""The bytes of weights on their way to the file: appended one by one, equal ones stored once."""

import hashlib
from pathlib import Path

import numpy as np

from optimum_compile.backends.native.encode import aligned
from optimum_compile.backends.native.program import PART_ALIGNMENT, Element, Part

ELEMENTS = {
    np.dtype("<f4"): Element.F32,
    np.dtype("<f2"): Element.F16,
    np.dtype("<i8"): Element.I64,
    np.dtype("u1"): Element.U8,
    np.dtype("i1"): Element.U8,  # codes of 8 bits with a sign are bytes too
}


class PartWriter:
    """Appends arrays to a scratch file, each at a multiple of `alignment`; `parts` says where they are."""

    def __init__(self, path: Path, alignment: int = PART_ALIGNMENT) -> None:
        self.path, self.alignment = path, alignment
        self.parts: list[Part] = []
        self._known: dict[bytes, int] = {}
        self._file = path.open("wb")
        self._size = 0

    def add(self, data: np.ndarray) -> int:
        """The index of a part with these numbers."""
        dtype = ELEMENTS[data.dtype.newbyteorder("<")]
        raw = np.ascontiguousarray(data).reshape(-1).view(np.uint8).data
        key = hashlib.sha256(f"{dtype} ".encode())
        key.update(raw)
        found = self._known.get(key.digest())
        if found is not None:
            return found
        self._file.write(raw)
        end = aligned(raw.nbytes, self.alignment)
        self._file.write(bytes(end - raw.nbytes))
        self.parts.append(Part(self._size, raw.nbytes, dtype))
        self._size += end
        self._known[key.digest()] = len(self.parts) - 1
        return len(self.parts) - 1

    @property
    def size_bytes(self) -> int:
        """Bytes written so far, with padding."""
        return self._size

    def close(self) -> None:
        """Everything is in the file after this."""
        self._file.close()
