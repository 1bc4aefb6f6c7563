"""What the backends share whose artifacts a child process of this program runs, and answers for."""

from abc import ABC, abstractmethod
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
from optimum_compile.backends.child import verify_in_child
from optimum_compile.backends.logits import ArtifactLogits
from optimum_compile.backends.traits import Rounded, Traits
from optimum_compile.compiler.errors import UnsupportedError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.activations import Activations
from optimum_compile.compiler.quant.scheme import Scheme


@dataclass(frozen=True)
class Executed(ABC):
    """The part of `backends.base.Backend` that does not hang on the format.

    The package `backends.NAME` has the modules `runner` and `logits`, which the child process starts.
    """

    name: str
    platform: str
    suffix: str
    traits: Traits = Traits()

    @property
    def memory(self) -> MemoryModel:
        """The least that can be said: the device plans by itself."""
        return MemoryModel(self.name)

    @abstractmethod
    def tolerance(self, rounded: Rounded) -> Tolerance:
        """See the protocol."""

    @abstractmethod
    def executor(self) -> str:
        """Who executes the artifact here, as checks name it. Raises ResourceError where it is missing."""

    def configured(self, options: BackendOptions) -> Self:
        """Nothing to choose: the options are those of other runtimes."""
        return self

    def supports_graph(self, graph: Graph) -> Support:
        """Every model: what cannot be taken is a node, a scheme or a cache."""
        return SUPPORTED

    def activation_kind(self, scheme: Scheme, use: WeightUse) -> Activations | None:
        """None: activations stay floats."""
        return None

    def unread_bytes(self, graph: Graph) -> int:
        """None: angles are computed."""
        return 0

    def verify(self, artifact: Path, cases: tuple[Case, ...], tolerance: Tolerance) -> Conformance:
        """See the protocol."""
        by = self.executor()
        return verify_in_child(self._module("runner"), by, artifact, cases, tolerance)

    def logits(self, artifact: Path, width: int = 0) -> ArtifactLogits:
        """See the protocol."""
        if width and not self.traits.chooses_widths:
            raise UnsupportedError(
                f"{artifact}: its calls choose no width; all bits are always read"
            )
        return ArtifactLogits(self._module("logits"), self.executor(), artifact, width)

    def _module(self, name: str) -> str:
        return f"optimum_compile.backends.{self.name}.{name}"
