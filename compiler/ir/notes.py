"""Notes: facts and decisions that passes attach to nodes and values.

A note is a frozen dataclass; its class is its key. Dropping every note gives back the float
program.
"""

from collections.abc import Iterator
from typing import TypeVar


class Note:
    """Base of all notes: frozen dataclasses that live beside the pass that writes them."""

    __slots__ = ()


N = TypeVar("N", bound=Note)


class Notes:
    """At most one note of each class."""

    __slots__ = ("_by_class",)

    def __init__(self) -> None:
        self._by_class: dict[type[Note], Note] = {}

    def get(self, kind: type[N]) -> N | None:
        """The note of exactly this class, or None."""
        found = self._by_class.get(kind)
        return found if isinstance(found, kind) else None

    def put(self, note: Note) -> None:
        """Add `note`, replacing the one of its class."""
        self._by_class[type(note)] = note

    def drop(self, kind: type[Note]) -> None:
        """Remove the note of this class if there is one."""
        self._by_class.pop(kind, None)

    def copy_from(self, other: "Notes") -> None:
        """Take over every note of `other`."""
        self._by_class.update(other._by_class)

    def __iter__(self) -> Iterator[Note]:
        return iter(sorted(self._by_class.values(), key=lambda n: type(n).__name__))

    def __len__(self) -> int:
        return len(self._by_class)
