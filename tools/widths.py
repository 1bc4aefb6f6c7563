"""What nested weights read at each of their widths, from the tensors that a stage lists."""

from collections.abc import Mapping, Sequence
from typing import Any

from optimum_compile.backends.catalog import BACKENDS, load_backend
from optimum_compile.compiler.quant.scheme import Nested
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.precision.narrow import nearest


def bytes_by_width(tensors: Sequence[Mapping[str, Any]]) -> dict[int, int]:
    """Bytes that one pass over all tensors touches, by width; empty where none is nested.

    A nested tensor that lacks a width is read at the nearest one that it has; all others count in full.
    """
    nested = [
        (scheme, t) for t in tensors if isinstance(scheme := parse_scheme(t["scheme"]), Nested)
    ]
    if not nested:
        return {}
    others = sum(t["bytes"] for t in tensors) - sum(t["bytes"] for _, t in nested)
    out = {}
    for width in sorted({width for scheme, _ in nested for width in scheme.widths}):
        read = (
            s.read_bytes(int(t["shape"][0]), int(t["shape"][1]), nearest(s, width))
            for s, t in nested
        )
        out[width] = int(others) + sum(read)
    return out


def width_text(found: Mapping[str, Any], tensors: Sequence[Mapping[str, Any]], form: Any) -> str:
    """A line on widths for the metadata `found` of an artifact; `form` writes bytes; or ""."""
    by_width = bytes_by_width(tensors)
    if not by_width:
        return ""
    kind = found["target"].partition(":")[2]
    if kind not in BACKENDS or not load_backend(kind).traits.chooses_widths:
        return f"nested weights at their widest, {max(by_width)} bits: no width can be chosen"
    each = ", ".join(f"{form(count)} at {width}" for width, count in by_width.items())
    return f"bytes read by the bits of nested weights: {each}"
