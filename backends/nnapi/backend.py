"""NNAPI: int8 graphs of fixed shapes for old Androids, run here by ONNX Runtime's CPU kernels."""

from dataclasses import dataclass
from pathlib import Path

from optimum_compile.backends.arenas import MemoryModel
from optimum_compile.backends.base import (
    SUPPORTED,
    Case,
    Conformance,
    EmitOptions,
    EmitResult,
    Support,
    Tolerance,
    WeightUse,
)
from optimum_compile.backends.executed import Executed
from optimum_compile.backends.nnapi import container, plan, schemes
from optimum_compile.backends.nnapi.program import FORMS
from optimum_compile.backends.onnxruntime.toolchain import require
from optimum_compile.backends.traits import Rounded, Traits
from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.compiler.quant.kv import KvStored
from optimum_compile.compiler.quant.scheme import Float, Scheme

KV_REASON = "the app hands the caches to NNAPI as float32 tensors"


@dataclass(frozen=True)
class NnapiBackend(Executed):
    """See `backends.base.Backend`."""

    name: str = "nnapi"
    platform: str = "nnapi"
    suffix: str = ".nnapi"
    traits: Traits = Traits(
        rounds_more=True, constant_ranges=True
    )  # inputs and outputs of every matrix

    @property
    def memory(self) -> MemoryModel:
        """See the protocol."""
        return MemoryModel("NNAPI", chunk=plan.PREFILL_TOKENS)

    @property
    def ladder(self) -> tuple[str, ...]:
        """See the protocol."""
        return schemes.LADDER

    def require(self) -> None:
        """See the protocol."""
        require()

    def supports_scheme(self, scheme: Scheme, use: WeightUse) -> Support:
        """See the protocol; every scheme is stored as int8."""
        return schemes.supports_scheme(scheme, use)

    def supports_graph(self, graph: Graph) -> Support:
        """Decoders of fixed shapes, whose weights one graph can hold."""
        return plan.supports_graph(graph)

    def supports_kv(self, scheme: KvStored) -> Support:
        """Floats; anything else falls back to them."""
        return SUPPORTED if isinstance(scheme, Float) else Support(False, KV_REASON, True)

    def supports_node(self, node: Node) -> Support:
        """See the protocol."""
        return schemes.supports_node(node)

    def stored_bytes(self, scheme: Scheme, use: WeightUse) -> int:
        """See the protocol; of one function in one form."""
        return schemes.stored_bytes(scheme, use)

    def fixed_bytes(self, graph: Graph) -> int:
        """See the protocol; of one function in one form."""
        return schemes.fixed_bytes(graph)

    def container_bytes(self, graph: Graph) -> int:
        """See the protocol; the weights of the other functions and forms are among it."""
        return container.container_bytes(graph)

    def emit(self, graph: Graph, options: EmitOptions, out: Path) -> EmitResult:
        """See the protocol."""
        from optimum_compile.backends.nnapi.emit import emit

        return emit(graph, options, out)

    def tolerance(self, rounded: Rounded) -> Tolerance:
        """Everything is rounded to 8 bits in constant ranges, which the oracle does not do.

        Measured: a cosine of 0.996 and 92 % of the top tokens at the least on trained models (docs/nnapi.md).
        """
        return Tolerance(min_cosine=0.98, min_top1=0.75)

    def executor(self) -> str:
        """See `Executed`."""
        return f"ONNX Runtime {require()} CPU; NNAPI itself not executed"

    def verify(self, artifact: Path, cases: tuple[Case, ...], tolerance: Tolerance) -> Conformance:
        """See the protocol; every case is run on the `.onnx` and on the `.ort`."""
        return super().verify(artifact, cases * len(FORMS), tolerance)

    def inspect(self, artifact: Path) -> str:
        """See the protocol."""
        from optimum_compile.backends.nnapi.program import metadata_text

        return metadata_text(artifact)


BACKEND = NnapiBackend()
