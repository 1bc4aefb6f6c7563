"""Check parsed JSON against dataclasses: nothing in a bundle is trusted, not even its types."""

import json
import sys
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

# Python reads 1e999 as infinity, and whole numbers of any length.
MAX_FLOAT = sys.float_info.max


class JsonTypeError(ValueError):
    """A value is not of its declared type; the text says where."""


def parse_json(text: str) -> Any:
    """Standard JSON: no NaN, no infinities. Raises ValueError or RecursionError."""
    return json.loads(text, parse_constant=_refuse)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def typed(kind: Any, data: Any, where: str) -> Any:
    """`data` as a `kind`: a class of JSON, a tuple, a dict, a union or a dataclass of those.

    Raises JsonTypeError for anything else, unknown and missing keys of a dataclass included.
    """
    if kind is Any:
        return data
    if is_dataclass(kind):
        return _record(kind, data, where)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return _any_of(arguments, data, where)
    if origin is tuple:
        return _sequence(arguments, data, where)
    if origin is dict:
        pairs = _expect(dict, data, where).items()
        return {key: typed(arguments[1], item, f"{where}.{key}") for key, item in pairs}
    return _expect(kind, data, where)


def _expect(kind: type, data: Any, where: str) -> Any:
    allowed = (int, float) if kind is float else (kind,)
    if type(data) not in allowed:  # exactly: True is no number
        raise JsonTypeError(f"{where}: expected {kind.__name__}, found {data!r:.80}")
    if kind is float and not abs(data) <= MAX_FLOAT:
        raise JsonTypeError(f"{where}: expected a number of 64 bits, found {data!r:.80}")
    return data


def _record(kind: Any, data: Any, where: str) -> Any:
    given = _expect(dict, data, where)
    hints = get_type_hints(kind)
    names = {f.name for f in fields(kind)}
    if names != set(given):
        odd = ", ".join(sorted(map(str, names ^ set(given))))
        raise JsonTypeError(f"{where}: missing or unknown keys: {odd}")
    make: Callable[..., Any] = kind
    return make(**{name: typed(hints[name], given[name], f"{where}.{name}") for name in names})


def _sequence(arguments: tuple[Any, ...], data: Any, where: str) -> tuple[Any, ...]:
    items = _expect(list, data, where)
    if arguments[1:] == (...,):
        arguments = (arguments[0],) * len(items)
    if len(items) != len(arguments):
        raise JsonTypeError(f"{where}: expected {len(arguments)} items, found {len(items)}")
    pairs = enumerate(zip(arguments, items, strict=True))
    return tuple(typed(kind, item, f"{where}[{at}]") for at, (kind, item) in pairs)


def _any_of(kinds: tuple[Any, ...], data: Any, where: str) -> Any:
    for kind in kinds:
        try:
            return typed(kind, data, where)
        except JsonTypeError:
            continue
    names = " or ".join("null" if k is type(None) else k.__name__ for k in kinds)
    raise JsonTypeError(f"{where}: expected {names}, found {data!r:.80}")
