r"""Graph to text: total, exact, deterministic, ASCII. `parser.parse` reads it back.

    graph "tiny" {
      symbol seq in 1..512
      input %tokens : i64[1, seq]
      state %k_cache.0 : f32[1, 2, 512, 64]
      weight @embed.weight : f32[4096, 288] = file "model.safetensors" at 1024 for 4718592

      %h = embedding(%tokens, @embed.weight) : f32[1, seq, 288] from "embed" with InStage{index = 0}
      store %k_cache.0 = %k_cache.0
      return %h
    }

`!Note{...}` after a type is a note of that value, `with` holds the notes of the node, `note` lines
those of the graph. A name with other characters than letters, digits and `_.$-` is quoted. An
absent optional input is `_`.

Paths print as their last component, so that the text, and with it the fingerprint, is the same on
every machine. A constant held in memory prints as its SHA-256. What is done to a weight when it is loaded
follows where it comes from: `file "m" at 0 for 512 edited RotateRows{...}`.
"""

import dataclasses
import hashlib
import json
import re
import weakref
from collections.abc import Callable, Iterable
from enum import Enum
from pathlib import PurePath

import numpy as np
import sympy

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.ir.shape import format_dim
from optimum_compile.compiler.ir.types import TensorType
from optimum_compile.compiler.ir.weights import WeightRef

MAX_NESTING = 32
# A larger constant (benchmarks make them on request) is named by its type only: hashing it on every
# fingerprint would cost more than the passes do.
MAX_HASHED_BYTES = 4 << 20

_BARE = re.compile(r"[A-Za-z0-9_.$-]+")
_digests: "weakref.WeakKeyDictionary[Callable[[], np.ndarray], str]" = weakref.WeakKeyDictionary()


class KnownDigest:
    """Stands for the bytes of an inline weight that the text names by digest only."""

    def __init__(self, sha256: str) -> None:
        self.sha256 = sha256

    def __call__(self) -> np.ndarray:
        """Raises InternalError: the bytes are not in the text."""
        raise InternalError(f"the bytes of inline weight {self.sha256} are not in the text form")


def print_graph(graph: Graph) -> str:
    """The text form of `graph`, ending in a newline.

    Raises InternalError for a note or an attribute of a type that has no text form.
    """
    head = [f"graph {quote(graph.name)} {{"]
    head += [f"  symbol {n} in {r.low}..{r.high}" for n, r in sorted(graph.symbols.items())]
    head += [f"  input {_declared(v)}" for v in graph.inputs]
    head += [f"  state {_declared(s.read)}{_named(s.read, s.name)}" for s in graph.states]
    head += [f"  weight {_weight(k, v)}" for k, v in graph.weights.items()]
    head += [f"  note {_note(n)}" for n in graph.notes]
    body = [f"  {print_node(node)}" for node in graph.nodes]
    tail = [f"  store {_name(s.read)} = {_name(s.written)}" for s in graph.states]
    tail.append(f"  return {', '.join(_name(v) for v in graph.outputs)}".rstrip())
    return "\n".join([*head, "", *body, *tail, "}", ""])


def print_node(node: Node) -> str:
    """One line, without indentation."""
    given = ", ".join("_" if v is None else _name(v) for v in node.inputs)
    attrs = ", ".join(f"{_key(k)} = {print_attr(v)}" for k, v in sorted(node.attrs.items()))
    text = f"{node.op}({given})"
    if node.outputs:
        text = f"{', '.join(_name(v) for v in node.outputs)} = {text}"
    if attrs:
        text += f" {{{attrs}}}"
    if node.outputs:
        text += f" : {', '.join(_typed(v) for v in node.outputs)}"
    if node.origin:
        text += f" from {quote(node.origin)}"
    notes = ", ".join(_note(n) for n in node.notes)
    return f"{text} with {notes}" if notes else text


def print_attr(value: object, depth: int = 0) -> str:
    """Text of an attribute or of a field of a note. Floats are exact; -0.0, inf and nan too."""
    if depth > MAX_NESTING:
        raise InternalError(f"an attribute or note is nested deeper than {MAX_NESTING}")
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return float.__repr__(value)
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, PurePath):
        return f"path {quote(value.name)}"
    if isinstance(value, sympy.Expr):
        return f"dim {quote(format_dim(value))}"
    if isinstance(value, tuple):
        inner = ", ".join(print_attr(v, depth + 1) for v in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _record(value, depth)
    raise InternalError(f"{type(value).__name__} has no text form: {value!r}"[:200])


def quote(text: str) -> str:
    """A string as an ASCII JSON literal."""
    return json.dumps(text, ensure_ascii=True)


def inline_digest(ref: WeightRef) -> str:
    """SHA-256 of the bytes of an inline weight; empty for one that is too large to hash."""
    if ref.inline is None:
        raise InternalError(f"{ref.name} is not inline")
    known = getattr(ref.inline, "sha256", None)  # a callable may name what it will load
    if isinstance(known, str):
        return known
    if ref.nbytes > MAX_HASHED_BYTES:
        return ""
    try:
        found = _digests.get(ref.inline)
    except TypeError:  # a callable that cannot be referred to weakly is hashed every time
        return _sha256(ref.inline())
    if found is None:
        found = _digests[ref.inline] = _sha256(ref.inline())
    return found


def _sha256(data: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(data).tobytes()).hexdigest()


def _record(value: object, depth: int) -> str:
    if not dataclasses.is_dataclass(value):
        raise InternalError(f"{type(value).__name__} has no text form: it is no dataclass")
    fields = ", ".join(
        f"{f.name} = {print_attr(getattr(value, f.name), depth + 1)}"
        for f in dataclasses.fields(value)
        if f.metadata.get("text", True)
    )
    return f"{type(value).__name__}{{{fields}}}"


def _note(note: Note) -> str:
    return _record(note, 0)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", key) else quote(key)


def _name(value: Value) -> str:
    sigil = "%" if value.weight is None else "@"
    return sigil + (value.name if _BARE.fullmatch(value.name) else quote(value.name))


def _declared(value: Value) -> str:
    return f"{_name(value)} : {_typed(value)}"


def _typed(value: Value) -> str:
    return " ".join([_type(value.type), *(f"!{_note(n)}" for n in value.notes)])


def _type(kind: TensorType) -> str:
    return f"{kind.dtype.value}[{_join(format_dim(d) for d in kind.shape)}]"


def _join(parts: Iterable[str]) -> str:
    return ", ".join(parts)


def _named(value: Value, name: str) -> str:
    return "" if value.name == name else f" named {quote(name)}"


def _weight(key: str, value: Value) -> str:
    ref = value.weight
    if ref is None:
        raise InternalError(f"weight {key} carries no reference")
    stored = "" if ref.type == value.type else f" stored {_type(ref.type)}"
    return f"{_declared(value)}{_named(value, key)}{stored} = {_source(ref)}{_edits(ref)}"


def _source(ref: WeightRef) -> str:
    if ref.inline is not None:
        digest = inline_digest(ref)
        return f"inline {quote(digest)}" if digest else "inline"
    if ref.source is None:
        return "unknown"
    where = ref.source
    return f"file {quote(where.path.name)} at {where.offset} for {where.nbytes}"


def _edits(ref: WeightRef) -> str:
    return f" edited {', '.join(print_attr(e) for e in ref.edits)}" if ref.edits else ""
