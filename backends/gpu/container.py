"""Bytes of the section `GPU`, counted before anything is fused or planned; see `native.container`."""

from optimum_compile.backends.gpu.attention import split_parts
from optimum_compile.backends.gpu.interfaces import interface
from optimum_compile.backends.gpu.weights import SUFFIXES
from optimum_compile.backends.native import container
from optimum_compile.backends.native.container import NO_STEP, is_fused, linear_groups
from optimum_compile.backends.native.weights import kind_of
from optimum_compile.compiler.decoder import caches_of, context_of
from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.compiler.quant.kv import KvScheme
from optimum_compile.compiler.quant.scheme import Float, Scheme, Sparse
from optimum_compile.passes.precision.kv import kv_of
from optimum_compile.passes.precision.narrow import nested_of
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.symbolic_shape.lengths import SEQ, lengths_of

HEAD, KERNEL, BUFFER, PARAM = 27, 8, 21, 9
PIPELINE, CONSTANT = 12, 4
CHANGE, NESTED = (
    24 + 17,
    "_nested",
)  # of a dispatch at a width, which begins elsewhere in the tables
FIXED = 4 + 4 * 4 + 2500  # version, counts, expressions, which layers share
PIPELINES = 9  # a kernel, by what is done with it: split outputs, residual, logits
KERNELS = {
    "rms_norm": ("add_rms_norm",),
    "layer_norm": ("layer_norm",),
    "rope": ("rope",),
    "hadamard": ("hadamard",),
    "softmax": ("softmax",),
    "route": ("route",),
    "mean": ("reduce",),
    "sum": ("reduce",),
    "max": ("reduce",),
}
JOIN = "attention_join"
ATTENTION = ("attention_split", JOIN)
CODED = ("kv_round", "kv_attention_split", JOIN, "kv_store")


def container_bytes(graph: Graph) -> int:
    """Header, metadata, program, dispatches and padding; a little rather too many."""
    return container.container_bytes(graph, (section_bytes(graph),))


def section_bytes(graph: Graph) -> int:
    """Bytes of the section for the graph's functions."""
    functions = 1
    if SEQ in graph.symbols:
        lengths = lengths_of(graph)
        functions += len(lengths.fixed) + (lengths.symbolic is not None)
    used: list[str] = []
    for group in linear_groups(graph):
        used.append(f"matvec_{_kind(group[0], 1)}")
        note = group[0].input(1).notes.get(Precision)
        if note is not None and isinstance(note.scheme, Sparse):
            used += ["sparse_add"] * len(group)
    schemes = kv_of(graph)
    coded = any(isinstance(schemes.get(cache.name), KvScheme) for cache in caches_of(graph))
    attend: tuple[str, ...] = CODED if coded else ATTENTION
    if split_parts(context_of(graph) or 0, 1) == 1:
        attend = tuple(name.removesuffix("_split") for name in attend if name != JOIN)
    for node in graph.nodes:
        used += _kernels(node, attend)
    kernels = dict.fromkeys(used)
    widths = _widths(graph)
    nested = [name for name in used if name.endswith(NESTED)]
    made = {name: PIPELINES * (max(widths, 1) if name in nested else 1) for name in kernels}
    shared = sum(KERNEL + len(name) + made[name] * _pipeline(name) for name in kernels)
    changes = 4 + widths * (4 + CHANGE * len(nested))
    return FIXED + shared + functions * (5 + changes + sum(map(_dispatch, used)))


def _widths(graph: Graph) -> int:
    """How many widths calls may read nested weights with."""
    held = [bits for scheme in nested_of(graph).values() for bits in scheme.widths]
    return max(held) - min(held) + 1 if held else 0


def _kernels(node: Node, attend: tuple[str, ...]) -> tuple[str, ...]:
    if node.op in NO_STEP or node.op == "concat" or is_fused(node):
        return ()
    if node.op == "embedding":
        return (f"embed_{_kind(node, 1)}",)
    if node.op == "cache_attention":
        return attend
    return KERNELS.get(node.op, ("binary",))


def _kind(node: Node, index: int) -> str:
    note = node.input(index).notes.get(Precision)
    scheme: Scheme = Float(32) if note is None else note.scheme
    return SUFFIXES[kind_of(scheme)]


def _dispatch(name: str) -> int:
    found = interface(name)
    return HEAD + BUFFER * len(found.buffers) + PARAM * len(found.params)


def _pipeline(name: str) -> int:
    return PIPELINE + CONSTANT * len(interface(name).constants)
