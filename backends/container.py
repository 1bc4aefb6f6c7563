"""What all artifacts carry beside their weights: the metadata of `compiler.package.describe`, counted.

A budget in bytes is about the file, and must be split before anything is quantised. So the text is
not made here, since ranges and digests are not known yet; its length follows from names and schemes.
"""

from optimum_compile.compiler.ir.graph import Graph, Value
from optimum_compile.compiler.package.signature import signature_bytes
from optimum_compile.passes.precision.notes import KvPrecision, Precision
from optimum_compile.passes.stages.blocks import block_count, weight_blocks
from optimum_compile.passes.stages.notes import StagePlan

# Bytes of JSON, measured: what is not there is known by name, number by number.
PROVENANCE = 402  # format, name, versions, policy, quantizer, seed, totals
STAGE = 272  # keys, name, digest, totals, and granularities of one stage
RANGE = 61  # the range of a block's input
TENSOR = 58  # keys and brackets of a tensor
NUMBER = 16  # a range's end: 13 characters where scales are short, 19 at most
CACHE = 8  # quotes and brackets of a cache
STAGES = 3  # before the graph is cut


def metadata_bytes(graph: Graph) -> int:
    """Length of the JSON text that an artifact of this graph carries."""
    plan = graph.notes.get(StagePlan)
    stages = STAGES if plan is None else len(plan.stages)
    tensors = sum(_tensor(graph, name) for name in weight_blocks(graph))
    caches = sum(_cache(state.read, state.name) for state in graph.states)
    return (
        signature_bytes(graph)
        + PROVENANCE
        + stages * STAGE
        + block_count(graph) * RANGE
        + tensors
        + caches
    )


def _cache(value: Value, name: str) -> int:
    note = value.notes.get(KvPrecision)
    scheme = "f16" if note is None else str(note.scheme)
    size = value.type.elements() * 2
    return CACHE + len(name) + len(scheme) + len(str(size))


def _tensor(graph: Graph, name: str) -> int:
    value = graph.weights[name]
    note = value.notes.get(Precision)
    shape = value.type.static_shape()
    scheme = "f16" if note is None else str(note.scheme)
    bits = 16 if note is None else note.scheme.bits
    size = value.type.elements() * bits // 8
    digits = len(str(size)) + sum(len(str(d)) + 1 for d in shape)
    return TENSOR + len(name) + len(scheme) + digits + 2 * NUMBER
