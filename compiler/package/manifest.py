"""The manifest: what a bundle says about itself, as JSON."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from optimum_compile.backends.base import Tolerance
from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.package.typed import JsonTypeError, parse_json, typed

FORMAT = 2

# Where a number of bytes of a footprint comes from.
IN_FILE = "in the file"  # the artifact says it, and its runtime takes so much
AT_LEAST = "at least"  # what is alive at one step: the device plans, and tells nobody before


@dataclass(frozen=True)
class Port:
    """One input, output or state; symbolic dimensions are text."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]


@dataclass(frozen=True)
class Tensor:
    """One stored weight. `reason` says why the policy's own choice was not taken, or is empty.

    `targets` are those that store it so; with an allocation for each target a weight occurs once a
    target.
    """

    name: str
    shape: tuple[int, ...]
    scheme: str
    bytes: int
    stage: int
    reason: str = ""
    targets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stage:
    """One precision subgraph; `meta` holds ranges and digests."""

    index: int
    name: str
    precision_class: str
    blocks: tuple[int, int]
    groups: tuple[str, ...]
    bits_per_weight: float
    bytes: int
    scales_sha256: str
    weight_range: tuple[float, float]
    activations: tuple[tuple[int, float, float], ...]
    tensors: tuple[str, ...]
    targets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Artifact:
    """One emitted artifact, and what was estimated before emission.

    `predicted_bytes` are its weights; `predicted_file_bytes` its files, on which budgets in bytes rest (0
    for an artifact without weights).
    """

    platform: str
    kind: str
    path: str
    functions: tuple[str, ...]
    weight_bytes: int
    predicted_bytes: int
    predicted_file_bytes: int
    file_bytes: int
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class WidthRead:
    """Bytes of weights that one token reads from an artifact whose nested weights are read with `width` bits.

    Beside a KV cache. The artifact stores all widths once. `bits` is what a weight of the blocks' linears is
    really read with, in the mean: not `width` where some of them have other widths.
    """

    target: str
    path: str
    width: int
    bytes_per_token: int
    bits: float


@dataclass(frozen=True)
class FileEntry:
    """One file of the bundle."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Check:
    """How an artifact compared with the oracle; see `backends.base.Conformance`."""

    path: str
    executed: bool
    executed_by: str
    ok: bool
    steps: int
    max_rel_err: float
    cosine: float
    top1_agreement: float
    tolerance: Tolerance
    reason: str = ""


@dataclass(frozen=True)
class KvCache:
    """The keys or the values of one layer as a target keeps them; `scheme` is f16, f32 or as kv4:g32."""

    name: str
    role: str
    stage: int
    kv_heads: int
    head_dim: int
    scheme: str


@dataclass(frozen=True)
class StageArena:
    """The activations while one stage runs, as `FunctionMemory.arena`."""

    stage: int
    arena: tuple[str, ...]


@dataclass(frozen=True)
class FunctionMemory:
    """The activations of one function in bytes, as expressions in its symbols.

    tokens: least and greatest number in one call. Of several expressions the greatest counts. source: of
    `arena`. planned: by this compiler for the function's graph, bounds: what no plan of it can be below
    (empty where that is not known, or the file holds that plan). outputs: what the caller holds
    beside the arena; 0 where the arena has room for them. stages: of `arena`, or where a file does not
    say it, of `planned`.
    """

    name: str
    tokens: tuple[int, int]
    source: str
    arena: tuple[str, ...]
    planned: tuple[str, ...]
    bounds: tuple[str, ...]
    outputs: str
    stages: tuple[StageArena, ...]


@dataclass(frozen=True)
class Footprint:
    """The memory that an artifact takes when it runs.

    context: tokens of the KV cache, 0 without one. weight_bytes: at that context; each token more adds
    `token_weight_bytes` (tables). stage_weight_bytes: of matrices, one a stage; norms and tables are in
    none. kv_bytes: at the context; for others it follows from `caches`, each a multiple of
    `kv_alignment`. function_weight_bytes: of matrices that the runtime packs anew for each function that
    is called. together: whether every function that was called holds activations of its own, or all use
    the same.
    """

    target: str
    path: str
    context: int
    weight_bytes: int
    token_weight_bytes: int
    function_weight_bytes: int
    stage_weight_bytes: tuple[tuple[int, int], ...]
    kv_bytes: int
    kv_source: str
    kv_alignment: int
    caches: tuple[KvCache, ...]
    functions: tuple[FunctionMemory, ...]
    together: bool
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """Everything but the manifest file itself. Equal inputs and options give equal manifests."""

    format: int
    name: str
    versions: dict[str, str]
    source: dict[str, Any]
    options: dict[str, Any]
    symbols: dict[str, tuple[int, int]]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    states: tuple[Port, ...]
    parameters: int
    weight_bytes: int
    bits_per_weight: float
    stages: tuple[Stage, ...]
    tensors: tuple[Tensor, ...]
    artifacts: tuple[Artifact, ...]
    checks: tuple[Check, ...]
    memory: tuple[Footprint, ...]
    files: tuple[FileEntry, ...]
    remarks: tuple[str, ...]
    widths: tuple[WidthRead, ...] = ()  # of nested weights; bundles of before have none
    phases: dict[str, Any] = field(
        default_factory=dict
    )  # of `Phases`, where --schedule asked for it

    def to_json(self) -> str:
        """Deterministic JSON text."""
        return json.dumps(asdict(self), indent=1, sort_keys=True, allow_nan=False) + "\n"


def _with_bits(widths: Any) -> Any:
    """Entries of bundles that had one width for all matrices, and did not say the bits."""
    if not isinstance(widths, list):
        return widths  # what it is instead is told where it is read
    return [
        {"bits": float(each["width"])} | each
        if isinstance(each, dict) and isinstance(each.get("width"), int)
        else each
        for each in widths
    ]


def parse_manifest(text: str, where: str) -> Manifest:
    """Read a manifest back. Raises InputError that names what is wrong."""
    try:
        data = parse_json(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not JSON: {error}") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        found = data.get("format") if isinstance(data, dict) else None
        raise InputError(f"{where}: manifest format {found!r}: expected {FORMAT}; compile again")
    data["widths"] = _with_bits(data.get("widths", []))
    data.setdefault("phases", {})
    try:
        manifest: Manifest = typed(Manifest, data, "manifest")
    except JsonTypeError as error:
        raise InputError(f"{where}: not a manifest of this program: {error}") from error
    return manifest
