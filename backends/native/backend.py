"""The native runtime: an `.ocm`, a planned program with packed weights, run by `runtime_stub`."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from optimum_compile.backends.arenas import MemoryModel
from optimum_compile.backends.base import (
    HALF_WEIGHTS,
    SUPPORTED,
    Backend,
    EmitOptions,
    EmitResult,
    Support,
    Tolerance,
    WeightUse,
)
from optimum_compile.backends.executed import Executed
from optimum_compile.backends.native import container, schemes
from optimum_compile.backends.native.arenas import NativeMemory
from optimum_compile.backends.native.caches import NO_DECODER, is_runnable, require_decoder
from optimum_compile.backends.native.decode import metadata_of
from optimum_compile.backends.traits import Rounded, Traits
from optimum_compile.compiler.errors import ResourceError
from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.compiler.quant.kv import KvScheme, KvStored
from optimum_compile.compiler.quant.scheme import Float, Scheme
from optimum_compile.passes.precision.problem import LADDER

# Ops of exported graphs that have steps, or that views and constants stand for.
OPS = frozenset(
    (
        "embedding linear rms_norm layer_norm hadamard rope kv_write cache_attention route "
        "silu relu gelu tanh sigmoid exp log sqrt rsqrt neg abs cos sin erf reciprocal floor softmax "
        "add sub mul div pow maximum minimum mean sum max reshape permute expand slice concat"
    ).split()
)
NOT_FLOAT = "the runtime computes with floats only"


@dataclass(frozen=True)
class NativeBackend(Executed):
    """See `backends.base.Backend`."""

    name: str = "native"
    platform: str = "native"
    suffix: str = ".ocm"
    traits: Traits = Traits(chooses_widths=True, runs_schedulers=True, skips_experts=True)
    ladder: tuple[str, ...] = LADDER

    @property
    def memory(self) -> MemoryModel:
        """See the protocol."""
        return NativeMemory()

    def require(self) -> None:
        """A C++ compiler builds the runtime once, to execute what was emitted."""
        if not (os.environ.get("CXX") or shutil.which("g++") or shutil.which("c++")):
            raise ResourceError(
                "native: g++ is missing, and the runtime is built with it; install it "
                "(Debian: apt-get install g++)"
            )

    def supports_scheme(self, scheme: Scheme, use: WeightUse) -> Support:
        """See the protocol."""
        return schemes.supports_scheme(scheme, use)

    def supports_kv(self, scheme: KvStored) -> Support:
        """Rows of 16 bits, or codes of 8, 4 and 2."""
        if isinstance(scheme, KvScheme) or scheme == Float(16):
            return SUPPORTED
        return Support(
            False, f"a cache has rows of fp16 here, or codes with scales of their own, not {scheme}"
        )

    def supports_graph(self, graph: Graph) -> Support:
        """Decoders with a cache."""
        return SUPPORTED if is_runnable(graph) else Support(False, NO_DECODER)

    def supports_node(self, node: Node) -> Support:
        """Ops of the table that have a step; on floats, with angles that are known."""
        if node.op not in OPS:
            return Support(False, "the native runtime has no step for it")
        if node.op == "rope" and node.input(2).weight is None:
            return Support(False, "its frequencies are computed, and no table can be made of them")
        if not all(value.type.dtype.is_float for value in node.outputs):
            return Support(False, NOT_FLOAT)
        first = 1 if node.op == "embedding" else 0
        last = {"rope": 1, "kv_write": 2, "cache_attention": 3}.get(node.op, len(node.inputs))
        read = (value for value in node.inputs[first:last] if value is not None)
        return SUPPORTED if all(v.type.dtype.is_float for v in read) else Support(False, NOT_FLOAT)

    def stored_bytes(self, scheme: Scheme, use: WeightUse) -> int:
        """See the protocol."""
        return schemes.stored_bytes(scheme, use)

    def fixed_bytes(self, graph: Graph) -> int:
        """See the protocol. Raises UnsupportedError for a graph that is no decoder."""
        require_decoder(graph)
        return schemes.fixed_bytes(graph)

    def unread_bytes(self, graph: Graph) -> int:
        """See the protocol."""
        return schemes.unread_bytes(graph)

    def container_bytes(self, graph: Graph) -> int:
        """See the protocol."""
        return container.container_bytes(graph)

    def emit(self, graph: Graph, options: EmitOptions, out: Path) -> EmitResult:
        """See the protocol."""
        from optimum_compile.backends.native.emit import emit

        return emit(graph, options, out)

    def tolerance(self, rounded: Rounded) -> Tolerance:
        """Float32. A key next to a tie may become the other fp16 number, or the other code of its cache.

        With 2 bits that was seen to move logits by 3e-4.
        """
        if not rounded.weights:
            return HALF_WEIGHTS
        return Tolerance(max_rel_err=2e-3 if rounded.kv_bits < 16 else 1e-3)

    def executor(self) -> str:
        """See `Executed`."""
        self.require()
        return self.memory.runtime

    def inspect(self, artifact: Path) -> str:
        """See the protocol: nothing is executed."""
        return metadata_of(artifact)


BACKEND: Backend = NativeBackend()
