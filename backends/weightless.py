"""What the backends share whose artifact holds no weights: nothing to install, to choose or to run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from optimum_compile.backends.arenas import MemoryModel
from optimum_compile.backends.base import (
    SUPPORTED,
    BackendOptions,
    Case,
    Conformance,
    Support,
    Tolerance,
    WeightUse,
)
from optimum_compile.backends.compare import not_executed
from optimum_compile.backends.logits import ArtifactLogits
from optimum_compile.backends.traits import Rounded, Traits
from optimum_compile.compiler.errors import UnsupportedError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.activations import Activations
from optimum_compile.compiler.quant.kv import KvStored
from optimum_compile.compiler.quant.scheme import Float, Scheme


@dataclass(frozen=True)
class Weightless:
    """The part of `backends.base.Backend` that needs no weights; what a scheme costs is the backend's own.

    ladder: schemes to consider, as the protocol has it. unexecuted: why `verify` runs nothing.
    unanswered: why there are no logits, and who gives them. caches: who chooses what the cache is
    stored in, where that is not this artifact, and so floats only; empty where all forms are taken.
    """

    name: str
    platform: str
    suffix: str
    ladder: tuple[str, ...]
    unexecuted: str
    unanswered: str
    caches: str = ""
    traits: Traits = Traits(stores_weights=False, skips_experts=True)  # by llama.cpp and MLX

    @property
    def memory(self) -> MemoryModel:
        """Nothing is known: another tool makes what runs."""
        return MemoryModel(self.name)

    def configured(self, options: BackendOptions) -> Self:
        """Nothing to choose: activations are floats, or the other tool's affair."""
        return self

    def require(self) -> None:
        """Nothing is needed to write text."""

    def supports_graph(self, graph: Graph) -> Support:
        """Every model: what cannot be taken is a node."""
        return SUPPORTED

    def activation_kind(self, scheme: Scheme, use: WeightUse) -> Activations | None:
        """None: nothing is executed here, so nothing is compared with rounded activations."""
        return None

    def supports_kv(self, scheme: KvStored) -> Support:
        """Floats only where another tool chooses; else everything."""
        taken = not self.caches or isinstance(scheme, Float)
        return SUPPORTED if taken else Support(False, self.caches)

    def tolerance(self, rounded: Rounded) -> Tolerance:
        """Nothing is asked: nothing is compared."""
        return Tolerance()

    def verify(self, artifact: Path, cases: tuple[Case, ...], tolerance: Tolerance) -> Conformance:
        """Not executed: there are no weights in the artifact."""
        return not_executed(artifact.name, tolerance, f"not executed: {self.unexecuted}")

    def unread_bytes(self, graph: Graph) -> int:
        """None: no artifact holds any."""
        return 0

    def logits(self, artifact: Path, width: int = 0) -> ArtifactLogits:
        """Raises UnsupportedError."""
        raise UnsupportedError(f"{artifact}: {self.unanswered}")
