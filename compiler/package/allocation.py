"""allocation.json: which scheme every tensor was given, what it costs on each target, and why.

The document is described in docs/allocation.md. It is a pure function of a graph with `Precision` notes
and of what the caller knows about the choice, and is read back with the same checks as the manifest.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from optimum_compile.backends.base import Backend
from optimum_compile.compiler.decoder import caches_of
from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.frontend.config import read_json
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.options import CompileOptions, target_name
from optimum_compile.compiler.package.describe import predicted_bytes, weight_bytes
from optimum_compile.compiler.package.typed import JsonTypeError, typed
from optimum_compile.compiler.profiling import model_id
from optimum_compile.compiler.quant.kv import kv_stored_bytes
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.passes.precision.classes import class_of
from optimum_compile.passes.precision.kv import kv_choices, kv_of
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.problem import proposed
from optimum_compile.passes.precision.units import Unit, legal, parameter_count, units_of
from optimum_compile.passes.sensitivity.map import ModelId

FORMAT = 1
ALLOCATION = "allocation.json"
Budget = dict[str, int | float | str | None]


@dataclass(frozen=True)
class TensorScheme:
    """One matrix. `bits_per_weight` is of the target that needs most; JSON calls `kind` "class".

    `use` is "linear", "table" or "both". `choices` are the bytes by target of every scheme that the
    targets propose and all of them take, `refused` why one of them does not take another.
    """

    name: str
    shape: tuple[int, int]
    scheme: str
    bits_per_weight: float
    bytes: dict[str, int]
    kind: str
    reason: str
    use: str
    choices: dict[str, dict[str, int]]
    refused: dict[str, str]


@dataclass(frozen=True)
class CacheScheme:
    """One state of the KV cache; f16 where it is not rounded.

    `shape` is heads, context and width of a head. `choices` are the bytes of a full cache in its scheme and
    in every other that all targets can store. Both are empty for a state that no attention reads.
    """

    state: str
    scheme: str
    shape: tuple[int, ...] = ()
    choices: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Allocation:
    """See docs/allocation.md."""

    format: int
    model: ModelId
    targets: tuple[str, ...]
    policy: str
    budget: Budget
    weight_bytes: dict[str, int]
    bits_per_weight: float
    predicted_kl: float | None
    tensors: tuple[TensorScheme, ...]
    kv: tuple[CacheScheme, ...]

    def to_json(self) -> str:
        """Deterministic JSON text."""
        data = asdict(self)
        for tensor in data["tensors"]:
            tensor["class"] = tensor.pop("kind")
        return json.dumps(data, indent=1, sort_keys=True, allow_nan=False) + "\n"

    def schemes(self) -> dict[str, str]:
        """The scheme of every tensor as text, by name."""
        return {tensor.name: tensor.scheme for tensor in self.tensors}


def make_allocation(
    graph: Graph,
    backends: Sequence[Backend],
    *,
    policy: str,
    budget: Mapping[str, int | float | str | None] | None = None,
    predicted_kl: float | None = None,
) -> Allocation:
    """Describe the `Precision` notes of a graph. Tensors without one are left out.

    Args:
        graph: with notes on its weights, and on the values that read its states.
        backends: the targets; their bytes are counted.
        policy: who chose.
        budget: what limited it; empty without a limit.
        predicted_kl: nats a token that the policy expects to lose; None where it predicts nothing.
    """
    targets = {target_name(b.platform, b.name): b for b in backends}
    totals = {name: predicted_bytes(graph, backend) for name, backend in targets.items()}
    parameters = parameter_count(graph)
    most = max(totals.values(), default=0) or weight_bytes(graph)
    return Allocation(
        format=FORMAT,
        model=model_id(graph),
        targets=tuple(targets),
        policy=policy,
        budget=dict(budget or {}),
        weight_bytes=totals,
        bits_per_weight=8 * most / max(1, parameters),
        predicted_kl=predicted_kl,
        tensors=tuple(_tensors(graph, targets)),
        kv=tuple(_caches(graph, backends)),
    )


def asked(options: CompileOptions) -> Budget:
    """What the options say about the budget; what was not asked for is left out."""
    goals = ("budget", "device", "tokens_per_second", "max_kl", "narrow_bits", "narrow_kl")
    given = {key: getattr(options, key) for key in goals}
    if options.kv_bits != "16":  # then the cache may be in the budget, too
        given["kv_bits"] = options.kv_bits
    return {key: value for key, value in given.items() if value is not None}


def _tensors(graph: Graph, targets: Mapping[str, Backend]) -> list[TensorScheme]:
    out = []
    for unit in units_of(graph):
        note = graph.weights[unit.name].notes.get(Precision)
        if note is not None:
            out.append(_tensor(unit, note, targets))
    return out


def _tensor(unit: Unit, note: Precision, targets: Mapping[str, Backend]) -> TensorScheme:
    use = unit.use
    sizes = {name: b.stored_bytes(note.scheme, use) for name, b in targets.items()}
    choices, refused = _choices(unit, targets)
    most = max(sizes.values(), default=0) or note.scheme.stored_bytes(use.rows, use.columns)
    return TensorScheme(
        unit.name,
        (use.rows, use.columns),
        str(note.scheme),
        8 * most / max(1, unit.elements),
        sizes,
        class_of(note.scheme),
        note.reason,
        "both" if unit.is_tied_head else "table" if use.as_table else "linear",
        choices,
        refused,
    )


def _choices(
    unit: Unit, targets: Mapping[str, Backend]
) -> tuple[dict[str, dict[str, int]], dict[str, str]]:
    """What it may get on all targets and what not, pins aside; nothing where there is no target."""
    if not targets:
        return {}, {}
    taken: dict[str, dict[str, int]] = {}
    refused: dict[str, str] = {}
    backends = tuple(targets.values())
    for scheme in (Float(16),) if unit.routes else proposed(unit, backends):
        verdict = legal(scheme, unit.use, backends)
        if verdict.ok:
            sizes = {name: b.stored_bytes(scheme, unit.use) for name, b in targets.items()}
            taken[str(scheme)] = sizes
        else:
            refused[str(scheme)] = verdict.reason
    return taken, refused


def _caches(graph: Graph, backends: Sequence[Backend]) -> list[CacheScheme]:
    known = {cache.name: cache for cache in caches_of(graph)}
    noted, legal_schemes = kv_of(graph), kv_choices(backends)[0]
    out = []
    for state in graph.states:
        scheme, cache = noted.get(state.name, Float(16)), known.get(state.name)
        if cache is None:
            out.append(CacheScheme(state.name, str(scheme)))
            continue
        heads, context, width = cache.sizes
        choices = {
            str(s): kv_stored_bytes(s, cache.role, heads, context, width)
            for s in dict.fromkeys((*legal_schemes, scheme))
        }
        out.append(CacheScheme(state.name, str(scheme), cache.sizes, choices))
    return out


def parse_allocation(data: Any, where: str) -> Allocation:
    """An allocation from what `json.loads` gave. Raises InputError that names what is wrong."""
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        found = data.get("format") if isinstance(data, dict) else None
        raise InputError(f"{where}: allocation format {found!r}: expected {FORMAT}; compile again")
    try:
        made: Allocation = typed(Allocation, data | {"tensors": _kinds(data)}, "allocation")
    except JsonTypeError as error:
        raise InputError(f"{where}: no allocation: {error}") from error
    names = [tensor.name for tensor in made.tensors]
    if len(set(names)) != len(names):
        raise InputError(f"{where}: a tensor is named twice")
    return made


def _kinds(data: dict[str, Any]) -> Any:
    """The tensors of a document with the key that Python cannot have as a name."""
    tensors = data.get("tensors")
    if not isinstance(tensors, list):
        return tensors  # what it is instead is told where it is read
    swapped = {"class": "kind", "kind": "class"}  # and "kind" is refused as unknown
    return [
        {swapped.get(key, key): value for key, value in tensor.items()}
        if isinstance(tensor, dict)
        else tensor
        for tensor in tensors
    ]


def read_allocation(path: Path) -> Allocation:
    """Read a file. Raises InputError for one that holds no allocation."""
    return parse_allocation(read_json(path), str(path))
