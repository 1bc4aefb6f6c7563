"""How an artifact keeps keys and values, as its metadata tells it."""

from optimum_compile.backends.base import Backend
from optimum_compile.compiler.decoder import caches_of
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.kv import KvRole, KvScheme, KvStored, kv_stored_bytes
from optimum_compile.compiler.quant.kv_layout import kv_buffer_bytes
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.passes.precision.kv import caches_at


def kv_entries(graph: Graph, backend: Backend) -> dict[str, tuple[str, int]]:
    """Scheme and bytes of every cache by the name of its state; empty where the runtime decides."""
    if not backend.traits.stores_weights:
        return {}
    schemes = caches_at(graph, backend)
    return {
        cache.name: (
            str(schemes[cache.name]),
            _bytes(schemes[cache.name], cache.role, *cache.sizes),
        )
        for cache in caches_of(graph)
    }


def kv_text(graph: Graph, backend: Backend, asked: str = "16") -> str:
    """All caches in a few words, and why they are not what was asked for.

    Args:
        graph: the decoder, with its notes.
        backend: the target.
        asked: the bits of `--kv-bits`.
    """
    if not backend.traits.stores_weights:
        return "of the runtime"
    schemes, parts = caches_at(graph, backend), []
    for role in KvRole:
        found = [str(schemes[c.name]) for c in caches_of(graph) if c.role is role]
        parts.append(", ".join(f"{found.count(s)}x {s}" for s in dict.fromkeys(found)))
    uniform = set(map(str, schemes.values()))
    if len(uniform) == 1:
        text = uniform.pop()
    elif not uniform:
        text = "none"
    else:
        text = f"keys {parts[0]}; values {parts[1]}"
    reason = backend.supports_kv(KvScheme(8))
    floats = all(isinstance(s, Float) for s in schemes.values())
    if asked != "16" and schemes and floats and not reason.ok:
        text += f" ({asked} bits were asked for: {reason.reason})"
    return text


def _bytes(scheme: KvStored, role: KvRole, heads: int, context: int, width: int) -> int:
    if isinstance(scheme, Float):
        return kv_stored_bytes(scheme, role, heads, context, width)
    return kv_buffer_bytes(scheme, role, heads, context, width)
