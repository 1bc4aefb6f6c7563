"""ExecuTorch's Vulkan delegate: a `.pte` for the stock runtime on a phone's GPU. Not executed here."""

from dataclasses import dataclass, replace
from pathlib import Path

from optimum_compile.backends.arenas import MemoryModel
from optimum_compile.backends.base import (
    HALF_WEIGHTS,
    SAME_DIRECTION,
    SUPPORTED,
    Backend,
    BackendOptions,
    Case,
    Conformance,
    EmitOptions,
    EmitResult,
    Support,
    Tolerance,
    WeightUse,
)
from optimum_compile.backends.child import verify_in_child
from optimum_compile.backends.compare import failed, not_executed
from optimum_compile.backends.executorch.backend import BACKEND as EXECUTORCH
from optimum_compile.backends.executorch.toolchain import require
from optimum_compile.backends.executorch_vulkan import container, schemes
from optimum_compile.backends.executorch_vulkan.attention import attentions_of
from optimum_compile.backends.logits import ArtifactLogits
from optimum_compile.backends.traits import Rounded, Traits
from optimum_compile.compiler.errors import UnsupportedError
from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.compiler.quant.activations import ActivationKind, Activations
from optimum_compile.compiler.quant.kv import KvStored
from optimum_compile.compiler.quant.scheme import Affine, Float, Scheme

RUNNER = "optimum_compile.backends.executorch_vulkan.runner"
UNEXECUTED = "not executed: the ExecuTorch wheel has no Vulkan runtime"
KV_REASON = "the Vulkan delegate keeps its caches in float32"


@dataclass(frozen=True)
class VulkanBackend:
    """See `backends.base.Backend`.

    int8_inputs: matrices of 4 bits round their inputs to int8 at run time; those of 8 bits never do.
    """

    name: str = "vulkan"
    platform: str = "android"
    suffix: str = ".vulkan.pte"
    traits: Traits = Traits(one_for_every_length=True)
    int8_inputs: bool = False

    @property
    def memory(self) -> MemoryModel:
        """The delegate plans its own memory on the device."""
        return MemoryModel("ExecuTorch's Vulkan delegate")

    @property
    def ladder(self) -> tuple[str, ...]:
        """See the protocol."""
        return schemes.LADDER

    def configured(self, options: BackendOptions) -> Backend:
        """Inputs are rounded where activations are asked to be int8."""
        return replace(self, int8_inputs=options.activations == "int8")

    def require(self) -> None:
        """See the protocol."""
        require()

    def supports_scheme(self, scheme: Scheme, use: WeightUse) -> Support:
        """See the protocol."""
        return schemes.supports_scheme(scheme, use)

    def activation_kind(self, scheme: Scheme, use: WeightUse) -> Activations | None:
        """Int8 with one scale a token, in front of 4 bits."""
        four_bits = isinstance(scheme, Affine) and scheme.bits == 4 and use.as_linear
        return ActivationKind.ASYMMETRIC_INT8 if self.int8_inputs and four_bits else None

    def supports_kv(self, scheme: KvStored) -> Support:
        """See the protocol."""
        kept = scheme == Float(32)
        return SUPPORTED if kept else Support(False, KV_REASON, falls_back=True)

    def supports_graph(self, graph: Graph) -> Support:
        """Every cache has to be one that a fused attention keeps."""
        try:
            attentions_of(graph)
        except UnsupportedError as error:
            return Support(False, str(error))
        return SUPPORTED

    def supports_node(self, node: Node) -> Support:
        """What ExecuTorch takes; of sliding windows only those that are no shorter than the cache."""
        if node.op == "cache_attention":
            window, context = int(str(node.attrs["window"])), node.input(1).type.shape[2]
            if window and not (isinstance(context, int) and window >= context):
                return Support(False, "the attention of the Vulkan delegate has no sliding window")
        return EXECUTORCH.supports_node(node)

    def stored_bytes(self, scheme: Scheme, use: WeightUse) -> int:
        """See the protocol."""
        return schemes.stored_bytes(scheme, use, int8_inputs=self.int8_inputs)

    def fixed_bytes(self, graph: Graph) -> int:
        """See the protocol."""
        return container.fixed_bytes(graph)

    def unread_bytes(self, graph: Graph) -> int:
        """None: angles are computed."""
        return 0

    def container_bytes(self, graph: Graph) -> int:
        """See the protocol."""
        return container.container_bytes(graph, int8_inputs=self.int8_inputs)

    def emit(self, graph: Graph, options: EmitOptions, out: Path) -> EmitResult:
        """See the protocol."""
        from optimum_compile.backends.executorch_vulkan.emit import emit

        return emit(graph, options, out, int8_inputs=self.int8_inputs)

    def tolerance(self, rounded: Rounded) -> Tolerance:
        """Read back and computed with torch: float32, unless activations are rounded."""
        if not rounded.weights:
            return HALF_WEIGHTS
        return SAME_DIRECTION if rounded.activations else Tolerance(max_rel_err=1e-3)

    def verify(self, artifact: Path, cases: tuple[Case, ...], tolerance: Tolerance) -> Conformance:
        """Compute what the file says with torch, which is no execution: the reason says what came of it."""
        require()
        found = verify_in_child(RUNNER, "torch", artifact, cases, tolerance)
        if found.ok:
            said = f"its serialised graph, computed with torch, is {found.max_rel_err:.2g} from the oracle"
            return not_executed(artifact.name, tolerance, f"{UNEXECUTED}; {said}")
        if "the interpreter has no" in found.reason:
            return not_executed(artifact.name, tolerance, f"{UNEXECUTED}; {found.reason}")
        return failed(
            artifact.name, tolerance, f"{UNEXECUTED}; computed with torch: {found.reason}"
        )

    def logits(self, artifact: Path, width: int = 0) -> ArtifactLogits:
        """Raises UnsupportedError."""
        raise UnsupportedError(f"{artifact}: no logits: {UNEXECUTED}")

    def inspect(self, artifact: Path) -> str:
        """See the protocol; the metadata are a method that needs no delegate."""
        return EXECUTORCH.inspect(artifact)


BACKEND: Backend = VulkanBackend()
