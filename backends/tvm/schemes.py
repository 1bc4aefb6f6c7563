"""What a `NAME.tvm` can store, and in how many bytes. Plain data: nothing is read to answer."""

from optimum_compile.backends.base import SUPPORTED, Support, WeightUse
from optimum_compile.backends.tvm.matrices import find_units
from optimum_compile.backends.tvm.program import plain_weights
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.scheme import Scheme


def supports_scheme(scheme: Scheme, use: WeightUse) -> Support:
    """Whether kernels can read a matrix in `scheme`."""
    found = find_units(scheme, use.rows, use.columns)
    return Support(False, found) if isinstance(found, str) else SUPPORTED


def stored_bytes(scheme: Scheme, use: WeightUse) -> int:
    """Bytes of the parts, without padding; a shared codebook is counted for the model."""
    return scheme.stored_bytes(use.rows, use.columns)


def fixed_bytes(graph: Graph) -> int:
    """Bytes of everything that is no matrix: floats in float32, integers as they are."""
    total = 0
    for value in plain_weights(graph).values():
        kind = value.type
        total += kind.elements() * (4 if kind.dtype.is_float else kind.dtype.itemsize)
    return total
