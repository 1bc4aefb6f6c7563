"""The KV cache of a program: one region for each layer's keys and values."""

from dataclasses import dataclass

from optimum_compile.backends.native.encode import aligned
from optimum_compile.backends.native.program import PART_ALIGNMENT, Cache, Role
from optimum_compile.compiler.decoder import caches_of, context_of, is_decoder
from optimum_compile.compiler.errors import UnsupportedError
from optimum_compile.compiler.ir.graph import Graph, Value
from optimum_compile.compiler.quant.kv import KvRole, KvScheme, KvStored
from optimum_compile.compiler.quant.kv_layout import kv_buffer_bytes
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.passes.precision.kv import kv_of

ROLES = {KvRole.KEYS: Role.KEYS, KvRole.VALUES: Role.VALUES}


@dataclass(frozen=True)
class CacheTable:
    """The caches in the order of the graph's states, and how many bytes each role takes."""

    caches: tuple[Cache, ...]
    key_bytes: int
    value_bytes: int

    def index(self, name: str) -> int:
        """The cache of a state."""
        return next(at for at, cache in enumerate(self.caches) if cache.name == name)


NO_DECODER = (
    "runs decoders, whose inputs are tokens and past, and which have a KV cache and one output, the logits; "
    "this graph is none; use --target android or ios"
)


def is_runnable(graph: Graph) -> bool:
    """Whether the graph is a decoder with a cache and nothing but logits to give."""
    return is_decoder(graph) and context_of(graph) is not None and len(graph.outputs) == 1


def require_decoder(graph: Graph) -> int:
    """The context. Raises UnsupportedError for a graph that is no decoder with a cache."""
    context = context_of(graph)
    if context is None or not is_runnable(graph):
        raise UnsupportedError(f"native: {NO_DECODER}")
    return context


def cache_table(graph: Graph, alignment: int = PART_ALIGNMENT) -> CacheTable:
    """Regions one after the other, keys and values apart, each at a multiple of `alignment`."""
    sizes = {Role.KEYS: 0, Role.VALUES: 0}
    made = []
    schemes = kv_of(graph)
    for found in caches_of(graph):
        scheme: KvStored = schemes.get(found.name, Float(16))
        role = ROLES[found.role]
        bits, rounding = 16, (0, 0, 0)
        if isinstance(scheme, KvScheme):
            bits, rounding = scheme.bits, (scheme.group, scheme.window, scheme.sinks)
        made.append(Cache(found.name, role, bits, *found.sizes, *rounding, sizes[role]))
        size = kv_buffer_bytes(scheme, found.role, *found.sizes)
        sizes[role] += aligned(size, alignment)
    return CacheTable(tuple(made), sizes[Role.KEYS], sizes[Role.VALUES])


def state_versions(graph: Graph) -> dict[Value, str]:
    """For each value that is the content of a state, before or after a write, the state's name."""
    out: dict[Value, str] = {}
    for state in graph.states:
        value = state.written
        out[state.read] = state.name
        while value is not state.read:
            out[value] = state.name
            node = value.producer
            if node is None or node.op != "kv_write":
                break
            value = node.input(0)
    return out
