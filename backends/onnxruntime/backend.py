"""ONNX Runtime: an `.onnx` with MatMulNBits for Android, run here by the same runtime's CPU kernels."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from optimum_compile.backends.arenas import MemoryModel
from optimum_compile.backends.base import (
    HALF_WEIGHTS,
    SAME_DIRECTION,
    SUPPORTED,
    BackendOptions,
    Case,
    Conformance,
    EmitOptions,
    EmitResult,
    Support,
    Tolerance,
    WeightUse,
)
from optimum_compile.backends.executed import Executed
from optimum_compile.backends.onnxruntime import container, schemes
from optimum_compile.backends.onnxruntime.ort_format import forms_of
from optimum_compile.backends.onnxruntime.toolchain import require
from optimum_compile.backends.traits import Rounded, Traits
from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.compiler.ir.ops import EXPORTED_OPS
from optimum_compile.compiler.quant.activations import Activations, BlockInt8
from optimum_compile.compiler.quant.kv import KvStored
from optimum_compile.compiler.quant.kv_static import KvStatic
from optimum_compile.compiler.quant.scheme import Affine, Float, Scheme
from optimum_compile.passes.precision.kv import caches_at

KV_REASON = "GroupQueryAttention has 8 and 4 bits with constant scales only"
# Arithmetic that ONNX has for numbers only; the others take bool or are made to.
NUMBERS_ONLY = ("add", "sub", "mul", "div", "pow", "maximum", "minimum", "mean", "sum", "matmul")


@dataclass(frozen=True)
class OnnxRuntimeBackend(Executed):
    """See `backends.base.Backend`."""

    name: str = "onnxruntime"
    platform: str = "android"
    suffix: str = ".onnx"
    traits: Traits = Traits(one_for_every_length=True)
    int8: bool = False  # True: accuracy level 4 wherever there is a kernel for it

    @property
    def memory(self) -> MemoryModel:
        """See the protocol."""
        return MemoryModel("ONNX Runtime")

    @property
    def ladder(self) -> tuple[str, ...]:
        """See the protocol."""
        return schemes.LADDER

    def configured(self, options: BackendOptions) -> Self:
        """Activations are floats unless int8 is asked for; executors are ExecuTorch's."""
        return replace(self, int8=options.activations == "int8")

    def require(self) -> None:
        """See the protocol."""
        require()

    def supports_scheme(self, scheme: Scheme, use: WeightUse) -> Support:
        """See the protocol."""
        return schemes.supports_scheme(scheme, use)

    def activation_kind(self, scheme: Scheme, use: WeightUse) -> Activations | None:
        """Int8 by blocks at accuracy level 4; at level 1 every kernel multiplies floats."""
        use_int8 = self.int8 and schemes.rounds_activations(
            scheme, use.columns, as_linear=use.as_linear
        )
        blocks = schemes.blocks_of(scheme, use.columns) if isinstance(scheme, Affine) else None
        return BlockInt8(blocks.size) if use_int8 and blocks is not None else None

    def supports_kv(self, scheme: KvStored) -> Support:
        """Float32, or codes with constant scales."""
        taken = isinstance(scheme, Float | KvStatic)
        return SUPPORTED if taken else Support(False, KV_REASON)

    def supports_node(self, node: Node) -> Support:
        """Every op of the table; ATen operators cannot be carried."""
        if node.op == "aten":
            return Support(False, "ONNX takes no ATen operators, and it has no IR equivalent")
        if node.op not in EXPORTED_OPS:
            return Support(False, "it is not in the op table")
        kinds = [v.type.dtype for v in node.inputs if v is not None]
        if node.op in NUMBERS_ONLY and kinds and all(kind is DType.BOOL for kind in kinds):
            return Support(False, f"ONNX has no {node.op} of bool; cast it first")
        return SUPPORTED

    def stored_bytes(self, scheme: Scheme, use: WeightUse) -> int:
        """See the protocol."""
        return schemes.stored_bytes(scheme, use, int8=self.int8)

    def fixed_bytes(self, graph: Graph) -> int:
        """See the protocol."""
        return schemes.fixed_bytes(graph)

    def container_bytes(self, graph: Graph) -> int:
        """See the protocol."""
        return container.container_bytes(graph, int8=self.int8, caches=caches_at(graph, self))

    def emit(self, graph: Graph, options: EmitOptions, out: Path) -> EmitResult:
        """See the protocol."""
        from optimum_compile.backends.onnxruntime.emit import emit

        return emit(graph, options, out, int8=self.int8, caches=caches_at(graph, self))

    def verify(self, artifact: Path, cases: tuple[Case, ...], tolerance: Tolerance) -> Conformance:
        """See the protocol; where there is an `.ort` beside it, every case is run on that too."""
        return super().verify(artifact, cases * len(forms_of(artifact)), tolerance)

    def tolerance(self, rounded: Rounded) -> Tolerance:
        """It multiplies the oracle's own weights in float32, unless it rounds activations.

        With constant scales it reads the newest token of a cache from its code, too. Next to a tie that is
        another code, which moved logits by up to 4e-4 at 8 bits and 1.6e-2 at 4, most in the smallest models.
        """
        if rounded.kv_bits < 16 and not rounded.activations:
            return Tolerance(max_rel_err=5e-3) if rounded.kv_bits == 8 else SAME_DIRECTION
        if not rounded.weights:
            return HALF_WEIGHTS
        return SAME_DIRECTION if rounded.activations else Tolerance(max_rel_err=1e-3)

    def executor(self) -> str:
        """See `Executed`."""
        return f"ONNX Runtime {require()}"

    def inspect(self, artifact: Path) -> str:
        """See the protocol."""
        from optimum_compile.backends.onnxruntime.emit import read_metadata

        return read_metadata(artifact)


BACKEND = OnnxRuntimeBackend()
