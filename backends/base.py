"""The boundary between the compiler and what it emits for: one protocol."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from optimum_compile.backends.traits import Rounded, Traits
from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.compiler.ir.shape import SymbolRange
from optimum_compile.compiler.quant.activations import Activations
from optimum_compile.compiler.quant.kv import KvStored
from optimum_compile.compiler.quant.scheme import Scheme

if TYPE_CHECKING:
    from optimum_compile.backends.arenas import MemoryModel
    from optimum_compile.backends.logits import ArtifactLogits


@dataclass(frozen=True)
class Support:
    """Whether a target can take something, and if not, why.

    falls_back: of a KV cache that is refused: the target keeps it in fp16, and goes on.
    """

    ok: bool
    reason: str = ""
    falls_back: bool = False


SUPPORTED = Support(True)
MODULE_LIMIT = 512
# Arithmetic in fp16 was seen to choose other experts than the oracle up to 0.0022 of `Case.margin`.
DECISIVE_MARGIN = 0.01


def module_size(span: SymbolRange) -> int:
    """The size that a symbol of a module gets where a function needs numbers."""
    return min(span.high, max(span.low, MODULE_LIMIT))


@dataclass(frozen=True)
class WeightUse:
    """A weight as a backend sees it when it judges a scheme."""

    name: str
    rows: int
    columns: int
    as_linear: bool  # a linear's weight
    as_table: bool  # an embedding table (both for a tied head)


@dataclass(frozen=True)
class BackendOptions:
    """Choices that change what a backend can take. Each backend reads its own."""

    executor: str = "xnnpack"  # ExecuTorch: "xnnpack" or "packed"
    # "int8" or "float"; "auto" is int8 for XNNPACK's matrices, floats for ONNX Runtime.
    activations: str = "auto"


@dataclass(frozen=True)
class EmitOptions:
    """What emission needs to know beside the graph."""

    name: str
    context: int  # length of the KV cache, tokens
    max_prefill: int  # longest prompt chunk of the prefill function, tokens
    metadata_json: str  # stages and provenance, to embed in the artifact
    work: Path  # scratch folder on the same file system


@dataclass(frozen=True)
class EmitResult:
    """What was written. `weight_bytes` counts what the artifact stores for weights.

    `beside` are further files of the artifact, next to it.
    """

    artifact: Path
    weight_bytes: int
    functions: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    beside: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Call:
    """One call of a function: "prefill", "decode" or "forward".

    inputs: by name of the graph input. expected: the oracle's outputs, float32.
    """

    function: str
    inputs: dict[str, np.ndarray]
    expected: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Case:
    """Calls in order on one fresh set of states.

    margin: how decided the oracle's choice of experts is where it is least so; see
    `compiler.routing`. Infinite where nothing is routed.
    """

    calls: tuple[Call, ...]
    margin: float = math.inf


@dataclass(frozen=True)
class Tolerance:
    """What an artifact must meet. None: not asked."""

    max_rel_err: float | None = None
    min_cosine: float | None = None
    min_top1: float | None = None


# Fp16 weights alone: nearly the numbers of the oracle, and every top token.
HALF_WEIGHTS = Tolerance(max_rel_err=2e-3, min_top1=1.0)
# Where a runtime rounds activations the oracle does so too, yet a number next to a tie may get the other
# code, which then moves every later layer: the direction of the logits counts, and the top token.
SAME_DIRECTION = Tolerance(min_cosine=0.999, min_top1=0.95)


@dataclass(frozen=True)
class Conformance:
    """How an artifact compared with the oracle.

    `max_rel_err` is the greatest over calls of
    ||got - expected|| / ||expected||; `cosine` the least; `top1_agreement` over all positions.
    """

    artifact: str
    executed: bool
    executed_by: str
    ok: bool
    steps: int
    max_rel_err: float
    cosine: float
    top1_agreement: float
    tolerance: Tolerance
    reason: str = ""


class Backend(Protocol):
    """One kind of artifact."""

    @property
    def name(self) -> str:
        """Short name: coreml, executorch, onnxruntime, native, gguf, mlx, reference."""

    @property
    def platform(self) -> str:
        """The folder in the bundle: ios, android, native, gguf, mlx or reference."""

    @property
    def suffix(self) -> str:
        """Ending of the artifact: .mlpackage, .pte, .onnx, .ocm."""

    @property
    def traits(self) -> Traits:
        """What holds for every artifact of this kind."""

    @property
    def memory(self) -> "MemoryModel":
        """What the target does with memory when the artifact runs."""

    @property
    def ladder(self) -> tuple[str, ...]:
        """Schemes as text that assignment should consider here; "lut6" leaves the rows open."""

    def configured(self, options: BackendOptions) -> "Backend":
        """The backend with these options. Raises UnsupportedError for a known-bad combination."""

    def require(self) -> None:
        """Raise ResourceError, naming what to install, where the SDK is missing. Imports nothing."""

    def supports_scheme(self, scheme: Scheme, use: WeightUse) -> Support:
        """Whether a weight of this shape and use can be stored and run in `scheme`."""

    def activation_kind(self, scheme: Scheme, use: WeightUse) -> Activations | None:
        """How the inputs of this weight's linears are rounded at run time; None: not at all."""

    def supports_kv(self, scheme: KvStored) -> Support:
        """Whether a KV cache can be stored in `scheme`; keys and values alike.

        A target that says no to float32 keeps its float caches in fp16.
        """

    def supports_graph(self, graph: Graph) -> Support:
        """Whether the model as a whole can be taken, beside what is said of its nodes and weights."""

    def supports_node(self, node: Node) -> Support:
        """Whether this node can be lowered."""

    def stored_bytes(self, scheme: Scheme, use: WeightUse) -> int:
        """Bytes that the artifact will store for this weight, before emission."""

    def fixed_bytes(self, graph: Graph) -> int:
        """Bytes of all other constants: norms, biases, tables that the lowering computes."""

    def unread_bytes(self, graph: Graph) -> int:
        """Of these, what a decode step leaves: of a table of angles it reads one row."""

    def container_bytes(self, graph: Graph) -> int:
        """Bytes of the artifact's files beyond what the two above count, from `Precision` notes.

        Program, names, embedded metadata, alignment: before emission, and a little rather too many.
        """

    def emit(self, graph: Graph, options: EmitOptions, out: Path) -> EmitResult:
        """Write the artifact. The only method that imports the SDK (verify runs it in a child)."""

    def tolerance(self, rounded: Rounded) -> Tolerance:
        """How near an artifact must come to the oracle, which rounds what is decided too."""

    def verify(self, artifact: Path, cases: tuple[Case, ...], tolerance: Tolerance) -> Conformance:
        """Reload the artifact, run every case on this machine and compare."""

    def logits(self, artifact: Path, width: int = 0) -> "ArtifactLogits":
        """What answers token windows with a decoder's logits, from a child process, once entered.

        width: bits that nested weights are read with; 0 for all. Raises UnsupportedError where calls choose
        none.
        """

    def inspect(self, artifact: Path) -> str:
        """The embedded metadata (JSON text), read from the artifact alone."""
