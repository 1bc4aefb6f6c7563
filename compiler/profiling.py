"""Which weights a sensitivity map belongs to."""

import hashlib

from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.package.describe import source_digest
from optimum_compile.passes.precision.units import parameter_count
from optimum_compile.passes.sensitivity.map import ModelId


def model_id(graph: Graph) -> ModelId:
    """SHA-256 over the weight files and the edits that rewrites made on weights (rotation, scaling)."""
    digest = hashlib.sha256(source_digest(graph).encode())
    for name, value in sorted(graph.weights.items()):
        if value.weight is not None and value.weight.edits:
            digest.update(f"{name}: {value.weight.edits!r}\n".encode())
    return ModelId(digest.hexdigest(), parameter_count(graph))
