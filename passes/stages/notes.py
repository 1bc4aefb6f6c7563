"""What the stages pass writes."""

from dataclasses import dataclass

from optimum_compile.compiler.ir.notes import Note


@dataclass(frozen=True)
class TensorRecord:
    """One stored weight of a stage. `low`/`high` are the least and greatest dequantised value."""

    name: str
    shape: tuple[int, ...]
    scheme: str
    bytes: int
    low: float
    high: float


@dataclass(frozen=True)
class ActivationRange:
    """Least and greatest value seen at the input of a block on the calibration text."""

    block: int
    low: float
    high: float


@dataclass(frozen=True)
class StageInfo:
    """One precision subgraph: a contiguous run of blocks executed with one kernel set."""

    index: int
    name: str  # "stage0_int8"
    precision_class: str  # "INT8", "INT4", "INT3", "INT2" or "FP16"
    blocks: tuple[int, int]  # first and last block, inclusive
    groups: tuple[str, ...]  # granularities that occur: "channel", "g32", "r1"
    bits_per_weight: float
    bytes: int
    scales_sha256: str
    tensors: tuple[TensorRecord, ...]
    activations: tuple[ActivationRange, ...] = ()


@dataclass(frozen=True)
class StagePlan(Note):
    """On the graph: its stages in order."""

    stages: tuple[StageInfo, ...]


@dataclass(frozen=True)
class InStage(Note):
    """On a node: the index of its stage."""

    index: int
