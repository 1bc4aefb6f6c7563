"""Bytes of an `.ocm` beyond its weights, counted before anything is planned."""

from optimum_compile.backends.container import metadata_bytes
from optimum_compile.compiler.ir.graph import Graph


def container_bytes(graph: Graph) -> int:
    """Header, metadata and program; a little rather too many."""
    return 4096 + metadata_bytes(graph) + 300 * len(graph.nodes)
