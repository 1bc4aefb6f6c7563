"""Which lines of a `--tensor-type-file` a GGUF does not follow, because llama-quantize says nothing.

    python -m optimum_compile.backends.gguf.check FILE.gguf FILE.tensor-types.txt

Only the head of the GGUF is read: no weights, and no package of another project.
"""

import os
import struct
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from optimum_compile.backends.gguf.emit import MAX_BYTES, parse_rules
from optimum_compile.backends.gguf.types import TYPES, GgmlType
from optimum_compile.compiler.errors import InputError, UserError, VerificationError

VERSIONS = (2, 3)
MAX_ENTRIES = 1 << 20
MAX_DIMS = 8
# struct formats of the plain kinds of values, by their number in the file.
PLAIN = dict(enumerate("B b H h I i f ?".split())) | {10: "Q", 11: "q", 12: "d"}
TEXT, ARRAY = 8, 9


class _Reader:
    """Little-endian numbers from a file, none beyond its end."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.left = os.fstat(file.fileno()).st_size

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise InputError(f"the file ends {count - self.left} bytes early")
        self.left -= count
        return self.file.read(count)

    def skip(self, count: int) -> None:
        if count > self.left:
            raise InputError(f"the file ends {count - self.left} bytes early")
        self.left -= count
        self.file.seek(count, os.SEEK_CUR)

    def number(self, form: str) -> int:
        found: tuple[int, ...] = struct.unpack(f"<{form}", self.take(struct.calcsize(f"<{form}")))
        return found[0]

    def count(self, most: int) -> int:
        found = self.number("Q")
        if found > most:
            raise InputError(f"it says it has {found} entries: expected {most} at most")
        return found

    def text(self) -> str:
        return self.take(self.count(MAX_BYTES)).decode("utf-8", "replace")

    def skip_value(self, kind: int) -> None:
        if kind in PLAIN:
            self.skip(struct.calcsize(f"<{PLAIN[kind]}"))
        elif kind == TEXT:
            self.skip(self.number("Q"))
        elif kind == ARRAY:
            inner, count = self.number("I"), self.count(1 << 32)
            if inner in PLAIN:
                self.skip(count * struct.calcsize(f"<{PLAIN[inner]}"))
            elif inner == TEXT:
                for _ in range(count):  # each takes 8 bytes at least, so the file bounds them
                    self.skip(self.number("Q"))
            else:
                raise InputError(f"an array of values of kind {inner}: expected plain ones or text")
        else:
            raise InputError(f"a value of kind {kind}: expected 0 to 12")


def tensor_types(path: Path) -> dict[str, int]:
    """The number of the type of every tensor of a GGUF. Raises InputError for another file."""
    try:
        with path.open("rb") as file:
            return _types(_Reader(file))
    except InputError as error:
        raise InputError(f"{path}: no GGUF file: {error}") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error


def _types(reader: _Reader) -> dict[str, int]:
    if reader.take(4) != b"GGUF":
        raise InputError("it does not begin with GGUF")
    version = reader.number("I")
    if version not in VERSIONS:
        raise InputError(f"version {version}: expected one of {VERSIONS}")
    tensors, values = reader.count(MAX_ENTRIES), reader.count(MAX_ENTRIES)
    for _ in range(values):
        reader.text()
        reader.skip_value(reader.number("I"))
    out = {}
    for _ in range(tensors):
        name, dims = reader.text(), reader.number("I")
        if dims > MAX_DIMS:
            raise InputError(f"tensor {name!r:.80} of {dims} dimensions")
        reader.skip(8 * dims)
        out[name] = reader.number("I")
        reader.skip(8)
    return out


def unapplied(types: Mapping[str, int], rules: Mapping[str, GgmlType]) -> list[str]:
    """One line for each rule that a file with these types does not follow."""
    names = {kind.number: kind.name for kind in TYPES}
    out = []
    for name, kind in rules.items():
        if name not in types:
            out.append(f"{name}: the file has no such tensor")
        elif types[name] != kind.number:
            found = names.get(types[name], f"type {types[name]}")
            out.append(f"{name}: {found}, the rule says {kind.name}")
    return out


def main(argv: Sequence[str]) -> int:
    """Print what was not applied; returns the exit code."""
    if len(argv) != 2:
        print(
            "usage: python -m optimum_compile.backends.gguf.check FILE.gguf RULES", file=sys.stderr
        )
        return 2
    try:
        text = Path(argv[1]).read_text("utf-8")
        rules = parse_rules(text)
        lines = unapplied(tensor_types(Path(argv[0])), rules)
    except OSError as error:
        print(f"error: {argv[1]}: cannot be read: {error.strerror}", file=sys.stderr)
        return InputError.exit_code
    except UnicodeDecodeError as error:
        print(f"error: {argv[1]}: not UTF-8: {error}", file=sys.stderr)
        return InputError.exit_code
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    for line in lines:
        print(line)
    print(f"{len(rules) - len(lines)} of {len(rules)} rules applied")
    return VerificationError.exit_code if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
