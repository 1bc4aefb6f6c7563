"""What an artifact's inputs may be: shapes, ranges and guards, as JSON inside it, checked before a call."""

import json
from collections.abc import Mapping
from typing import Any

from optimum_compile.compiler.bind import bind_symbols
from optimum_compile.compiler.decoder import is_decoder
from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.ir.conditions import parse_condition
from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.guards import Guard, Guards, guards_of
from optimum_compile.compiler.ir.shape import SymbolRange, format_dim, parse_dim
from optimum_compile.compiler.ir.types import TensorType

KEY = "signature"
MAX_ENTRIES = 4096


def signature_of(graph: Graph) -> dict[str, Any] | None:
    """The signature of a module with symbols; None for a decoder, whose context says it all."""
    if is_decoder(graph) or not graph.symbols:
        return None
    return {
        "model": graph.name,
        "inputs": {
            v.name: [d if isinstance(d, int) else format_dim(d) for d in v.type.shape]
            for v in graph.inputs
        },
        "symbols": {n: [r.low, r.high] for n, r in sorted(graph.symbols.items())},
        "guards": [
            {"any_of": [str(c) for c in g.any_of], "reason": g.reason} for g in guards_of(graph)
        ],
    }


def signature_bytes(graph: Graph) -> int:
    """Bytes that it adds to an artifact's metadata."""
    found = signature_of(graph)
    return 0 if found is None else len(KEY) + 4 + len(json.dumps(found, separators=(",", ":")))


def read_signature(metadata: str) -> Graph | None:
    """The signature in an artifact's metadata, as a graph without nodes; None where there is none.

    Raises InputError for one that is malformed.
    """
    try:
        found = json.loads(metadata).get(KEY) if metadata else None
        return None if found is None else _graph(found)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"the artifact's signature is malformed: {error!r}; compile again"
        ) from error


def _graph(found: Mapping[str, Any]) -> Graph:
    graph = Graph(str(found["model"]))
    parts = (found["inputs"], found["symbols"], found["guards"])
    if any(len(p) > MAX_ENTRIES for p in parts):
        raise ValueError(f"more than {MAX_ENTRIES} entries")
    for name, shape in found["inputs"].items():
        dims = tuple(parse_dim(d) if isinstance(d, str) else int(d) for d in shape)
        graph.add_input(str(name), TensorType(DType.F32, dims))
    for name, (low, high) in found["symbols"].items():
        graph.symbols[str(name)] = SymbolRange(int(low), int(high))
    guards = (
        Guard(tuple(parse_condition(str(c)) for c in g["any_of"]), str(g["reason"]))
        for g in found["guards"]
    )
    graph.notes.put(Guards(tuple(guards)))
    return graph


def check_shapes(signature: Graph | None, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise UserError for shapes that the signature does not allow: which symbol, value and condition."""
    if signature is None:
        return
    known = {v.name: v for v in signature.inputs}
    bind_symbols(signature, [(known[n], s) for n, s in shapes.items() if n in known], {})
