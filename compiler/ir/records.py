"""Attributes, and dataclasses such as notes, from text."""

import dataclasses
import typing
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from optimum_compile.compiler.ir.graph import Attr
from optimum_compile.compiler.ir.lexer import Lexer
from optimum_compile.compiler.ir.printer import MAX_NESTING
from optimum_compile.compiler.ir.shape import parse_dim

_WORDS = {"none": None, "true": True, "false": False, "nan": float("nan"), "inf": float("inf")}


def note_classes(*roots: type[Any]) -> dict[str, type[Any]]:
    """`roots`, and every dataclass and enum that their fields mention, by name."""
    found: dict[str, type[Any]] = {}
    todo: list[Any] = list(roots)
    while todo:
        kind = todo.pop()
        todo.extend(typing.get_args(kind))
        if not isinstance(kind, type) or kind.__name__ in found:
            continue
        if issubclass(kind, Enum):
            found[kind.__name__] = kind
        if dataclasses.is_dataclass(kind):
            found[kind.__name__] = kind
            todo.extend(typing.get_type_hints(kind).values())
    return found


def read_attr(lexer: Lexer, depth: int = 0) -> Attr:
    """An attribute: number, string, none, true, false, or a tuple of those."""
    value = _read(lexer, {}, depth)
    return typing.cast(Attr, value)  # no classes are known, so nothing else can come


def read_record(lexer: Lexer, classes: Mapping[str, type[Any]], depth: int = 0) -> object:
    """`Class{field = value, ...}` for a class in `classes`."""
    name = lexer.identifier()
    kind = classes.get(name)
    if kind is None or not dataclasses.is_dataclass(kind):
        raise lexer.error(f"{name} is no known record; known: {', '.join(sorted(classes)) or '-'}")
    allowed = [f.name for f in dataclasses.fields(kind) if f.init and f.metadata.get("text", True)]
    fields: dict[str, object] = {}
    lexer.expect("{")
    while not lexer.take("}"):
        key = lexer.identifier()
        if key not in allowed or key in fields:
            raise lexer.error(f"{name} has no field {key}, or it is given twice")
        lexer.expect("=")
        fields[key] = _read(lexer, classes, depth + 1)
        if not lexer.at("}"):
            lexer.expect(",")
    try:
        return kind(**fields)
    except Exception as error:  # a record checks its own fields and raises what it likes
        raise lexer.error(f"{name}: {error}") from error


def _read(lexer: Lexer, classes: Mapping[str, type[Any]], depth: int) -> object:
    if depth > MAX_NESTING:
        raise lexer.error(f"nested deeper than {MAX_NESTING}")
    if lexer.at_string():
        return lexer.string()
    if lexer.at_kind("number"):
        return lexer.number()
    if lexer.take("("):
        return _tuple(lexer, classes, depth)
    word = lexer.peek()
    if word in _WORDS:
        lexer.next()
        return _WORDS[word]
    if not classes:
        raise lexer.error("expected a number, a string, none, true, false or a tuple", here=True)
    if lexer.take("path"):
        return Path(lexer.string())
    if lexer.take("dim"):
        return _dim(lexer)
    if issubclass(classes.get(word, object), Enum):
        return _member(lexer, classes)
    return read_record(lexer, classes, depth)


def _tuple(lexer: Lexer, classes: Mapping[str, type[Any]], depth: int) -> tuple[object, ...]:
    items: list[object] = []
    while not lexer.take(")"):
        items.append(_read(lexer, classes, depth + 1))
        if not lexer.at(")"):
            lexer.expect(",")
    return tuple(items)


def _dim(lexer: Lexer) -> object:
    text = lexer.string()
    try:
        return parse_dim(text)
    except ValueError as error:
        raise lexer.error(f"dimension {text!r}: {error}") from error


def _member(lexer: Lexer, classes: Mapping[str, type[Any]]) -> object:
    kind = classes[lexer.identifier()]
    lexer.expect(".")
    name = lexer.identifier()
    if name not in kind.__members__:
        raise lexer.error(f"{kind.__name__} has no member {name}")
    return kind[name]
