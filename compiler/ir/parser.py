"""Text to graph: reads what `printer.print_graph` writes. Written by hand; nothing is evaluated.

Comments start with `#`. Errors carry line, column and the offending text.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.edits import EDITS, Edit
from optimum_compile.compiler.ir.graph import Attr, Graph, State, Value
from optimum_compile.compiler.ir.lexer import Lexer, ParseError
from optimum_compile.compiler.ir.notes import Note, Notes
from optimum_compile.compiler.ir.printer import KnownDigest
from optimum_compile.compiler.ir.records import note_classes, read_attr, read_record
from optimum_compile.compiler.ir.shape import Dim, SymbolRange, parse_dim
from optimum_compile.compiler.ir.types import TensorType
from optimum_compile.compiler.ir.weights import FileBytes, WeightRef

__all__ = ["ParseError", "parse"]

MAX_SYMBOL = 1 << 62
_EDIT_CLASSES = note_classes(*EDITS)


def parse(
    text: str,
    notes: Mapping[str, type[Any]] | None = None,
    *,
    folder: Path | None = None,
    constants: Mapping[str, np.ndarray] | None = None,
) -> Graph:
    """Read one graph.

    Args:
        text: the text form.
        notes: classes of notes and of the records inside them, by name (`records.note_classes`).
        folder: where the weight files are; without it weights have bare file names.
        constants: the bytes of weights, by name; others that are inline cannot be loaded.

    Raises:
        ParseError: text that is not the text form of a graph; it names line and column.
    """
    return _Parser(Lexer(text), notes or {}, folder, constants or {}).graph()


class _Parser:
    def __init__(
        self,
        lexer: Lexer,
        classes: Mapping[str, type[Any]],
        folder: Path | None,
        constants: Mapping[str, np.ndarray],
    ) -> None:
        self.lexer = lexer
        self.classes = classes
        self.folder = folder
        self.constants = constants
        self.names: dict[str, Value] = {}
        self.out = Graph("")

    def graph(self) -> Graph:
        """The whole text."""
        lexer = self.lexer
        lexer.word("graph")
        self.out.name = lexer.string()
        lexer.expect("{")
        lines = {
            "symbol": self._symbol,
            "input": self._input,
            "state": self._state,
            "weight": self._weight,
            "note": self._graph_note,
            "store": self._store,
        }
        while not lexer.at("return"):
            keyword = lexer.peek()
            rule = lines.get(keyword)
            # An op may be called like a keyword; its line then has a parenthesis.
            if rule is None or lexer.follows("("):
                self._node()
                continue
            lexer.next()
            rule()
        lexer.word("return")
        while not lexer.at("}"):
            self.out.outputs.append(self._reference())
            if not lexer.take(","):
                break
        lexer.expect("}")
        lexer.end()
        return self.out

    # ---- lines

    def _symbol(self) -> None:
        name = self.lexer.identifier()
        if name in self.out.symbols:
            raise self.lexer.error(f"symbol {name} is declared twice")
        self.lexer.word("in")
        low = self.lexer.integer(MAX_SYMBOL)
        self.lexer.expect("..")
        self.out.symbols[name] = SymbolRange(low, self.lexer.integer(MAX_SYMBOL))

    def _input(self) -> None:
        name, kind, notes = self._declaration("%")
        value = self.out.add_input(name, kind)
        self._define(value, notes)

    def _state(self) -> None:
        name, kind, notes = self._declaration("%")
        state_name = self._named(name)
        if any(s.name == state_name for s in self.out.states):
            raise self.lexer.error(f"state {state_name} is declared twice")
        # Built by hand: the value keeps its own name, and the state's name stays free for others.
        value = Value(self.out.fresh_name(name), kind)
        self.out.states.append(State(state_name, value, value))
        self._define(value, notes)

    def _weight(self) -> None:
        name, kind, notes = self._declaration("@")
        key = self._named(name)
        if key in self.out.weights:
            raise self.lexer.error(f"weight {key} is declared twice")
        stored = self._type() if self.lexer.take("stored") else kind
        self.lexer.expect("=")
        value = Value(
            self.out.fresh_name(name), kind, weight=self._edited(self._source(key, stored))
        )
        self.out.weights[key] = value
        self._define(value, notes)

    def _source(self, key: str, kind: TensorType) -> WeightRef:
        lexer = self.lexer
        data = self.constants.get(key)
        if lexer.take("unknown"):
            return WeightRef(key, kind, inline=None if data is None else lambda: data)
        if lexer.take("inline"):
            digest = lexer.string() if lexer.at_string() else ""
            return WeightRef(
                key, kind, inline=KnownDigest(digest) if data is None else lambda: data
            )
        lexer.word("file")
        file_name = lexer.string()
        if not file_name or file_name in (".", "..") or set("/\\\0") & set(file_name):
            raise lexer.error(f"{file_name!r} is no plain file name")
        lexer.word("at")
        offset = lexer.integer(MAX_SYMBOL)
        lexer.word("for")
        path = Path(file_name) if self.folder is None else self.folder / file_name
        return WeightRef(key, kind, FileBytes(path, offset, lexer.integer(MAX_SYMBOL)))

    def _edited(self, ref: WeightRef) -> WeightRef:
        if not self.lexer.take("edited"):
            return ref
        edits: list[Edit] = []
        while not edits or self.lexer.take(","):
            found = read_record(self.lexer, _EDIT_CLASSES)
            if not isinstance(found, EDITS):
                raise self.lexer.error(f"{type(found).__name__} is no edit of a weight")
            edits.append(found)
        if not ref.type.dtype.is_float:
            raise self.lexer.error(f"{ref.type} cannot be edited: only float weights are")
        return ref.edited(*edits)

    def _graph_note(self) -> None:
        self.out.notes.put(self._note())

    def _store(self) -> None:
        read = self._reference()
        state = next((s for s in self.out.states if s.read is read), None)
        if state is None:
            raise self.lexer.error(f"{read.name} is no state")
        self.lexer.expect("=")
        state.written = self._reference()

    def _node(self) -> None:
        lexer = self.lexer
        names: list[str] = []
        while lexer.at_name():
            names.append(self._new_name("%"))
            if lexer.take("="):
                break
            lexer.expect(",")
        if len(set(names)) != len(names):
            raise lexer.error("one node defines the same name twice")
        op = lexer.identifier()
        inputs = self._inputs()
        attrs = self._attrs()
        typed = self._types(len(names))
        origin = lexer.string() if lexer.take("from") else ""
        node = self.out.add_node(
            op, inputs, [t for t, _ in typed], attrs, origin=origin, names=names
        )
        for value, (_, notes) in zip(node.outputs, typed, strict=True):
            self._define(value, notes)
        while lexer.take("," if len(node.notes) else "with"):
            self._put(node.notes, self._note())

    # ---- parts

    def _inputs(self) -> list[Value | None]:
        self.lexer.expect("(")
        out: list[Value | None] = []
        while not self.lexer.take(")"):
            out.append(None if self.lexer.take("_") else self._reference())
            if not self.lexer.at(")"):
                self.lexer.expect(",")
        return out

    def _attrs(self) -> dict[str, Attr]:
        attrs: dict[str, Attr] = {}
        if not self.lexer.take("{"):
            return attrs
        while not self.lexer.take("}"):
            key = self.lexer.string() if self.lexer.at_string() else self.lexer.identifier()
            if key in attrs:
                raise self.lexer.error(f"attribute {key} is given twice")
            self.lexer.expect("=")
            attrs[key] = read_attr(self.lexer)
            if not self.lexer.at("}"):
                self.lexer.expect(",")
        return attrs

    def _types(self, count: int) -> list[tuple[TensorType, list[Note]]]:
        if count == 0:
            return []
        self.lexer.expect(":")
        out = [(self._type(), self._value_notes())]
        while len(out) < count:
            self.lexer.expect(",")
            out.append((self._type(), self._value_notes()))
        return out

    def _type(self) -> TensorType:
        lexer = self.lexer
        name = lexer.identifier()
        if name not in {d.value for d in DType}:
            raise lexer.error(f"unknown element type {name!r}")
        shape: list[Dim] = []
        for part in lexer.bracketed():
            try:
                shape.append(parse_dim(part))
            except ValueError as error:
                raise lexer.error(f"dimension {part!r}: {error}") from error
        return TensorType(DType(name), tuple(shape))

    def _declaration(self, sigil: str) -> tuple[str, TensorType, list[Note]]:
        name = self._new_name(sigil)
        self.lexer.expect(":")
        return name, self._type(), self._value_notes()

    def _named(self, name: str) -> str:
        return self.lexer.string() if self.lexer.take("named") else name

    def _value_notes(self) -> list[Note]:
        out: list[Note] = []
        while self.lexer.take("!"):
            out.append(self._note())
        return out

    def _note(self) -> Note:
        found = read_record(self.lexer, self.classes)
        if not isinstance(found, Note):
            raise self.lexer.error(f"{type(found).__name__} is no note")
        return found

    def _put(self, notes: Notes, note: Note) -> None:
        if notes.get(type(note)) is not None:
            raise self.lexer.error(f"note {type(note).__name__} is given twice")
        notes.put(note)

    def _new_name(self, sigil: str) -> str:
        got, name = self.lexer.name()
        if got != sigil:
            raise self.lexer.error(f"expected a name that starts with {sigil}")
        if name in self.names:
            raise self.lexer.error(f"{sigil}{name} is defined twice")
        return name

    def _define(self, value: Value, notes: list[Note]) -> None:
        self.names[value.name] = value
        for note in notes:
            self._put(value.notes, note)

    def _reference(self) -> Value:
        sigil, name = self.lexer.name()
        found = self.names.get(name)
        if found is None or (found.weight is not None) != (sigil == "@"):
            raise self.lexer.error(f"{sigil}{name} is not defined above")
        return found
