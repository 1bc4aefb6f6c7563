"""How much memory each artifact of a bundle takes when it runs, for any length of prompt and context.

What an artifact says of itself counts: an `.ocm` is a plan, a `.pte` names the bytes of its buffers. Where
the device plans (Core ML, ONNX Runtime), what is alive at one step of the graph is what it needs at least.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from optimum_compile.backends.arenas import Arena, MemoryModel
from optimum_compile.backends.base import Backend, EmitResult
from optimum_compile.compiler.decoder import Cache, caches_of, context_of, is_decoder
from optimum_compile.compiler.errors import OptionError, UnsupportedError
from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.shape import (
    MAX_EXPRESSION_CHARS,
    Dim,
    SymbolRange,
    as_dim,
    format_dim,
    parse_dim,
)
from optimum_compile.compiler.options import target_name
from optimum_compile.compiler.package.manifest import (
    AT_LEAST,
    IN_FILE,
    Footprint,
    FunctionMemory,
    KvCache,
    StageArena,
)
from optimum_compile.compiler.pass_manager import PassContext, PassManager
from optimum_compile.compiler.quant.kv import (
    MAX_TOKENS,
    KvRole,
    KvScheme,
    kv_stored_bytes,
    parse_kv_scheme,
)
from optimum_compile.compiler.quant.kv_layout import kv_buffer_bytes
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.passes.memory.liveness import (
    Layout,
    live_buffers,
    noted_layout,
    plain_buffers,
)
from optimum_compile.passes.memory.notes import MemoryPlan
from optimum_compile.passes.memory.planner import plan_buffers
from optimum_compile.passes.memory.requests import Request, lower_bounds
from optimum_compile.passes.memory.ruler import Ruler, parts_of
from optimum_compile.passes.precision.kv import caches_at
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.units import cost_bytes, units_of
from optimum_compile.passes.stages.notes import InStage, StagePlan
from optimum_compile.passes.subtensor.notes import Space
from optimum_compile.passes.subtensor.place import PlaceViews
from optimum_compile.passes.symbolic_shape.lengths import SEQ
from optimum_compile.passes.symbolic_shape.specialize import specialize

Sizes = tuple[Dim, ...]


def footprint_of(graph: Graph, backend: Backend, emitted: EmitResult, out: Path) -> Footprint:
    """The footprint of an artifact that was just emitted from `graph` into the bundle `out`.

    The graph stays as it is. What cannot be planned, or not read from the file, is left out with a remark.
    """
    model = backend.memory
    functions = model.functions(graph)
    said, told = model.read(emitted.artifact, {n: _tokens(g) for n, g in functions.items()})
    remarks = [*model.remarks(graph), *told]
    known = {} if said is None else {arena.name: arena for arena in said.functions}
    made = []
    for name in known or functions:
        memory, left = _function_memory(name, functions.get(name), known.get(name), model)
        made.append(memory)
        remarks += left
    caches = _caches(graph, backend)
    context = context_of(graph) or 0
    return Footprint(
        target=target_name(backend.platform, backend.name),
        path=emitted.artifact.relative_to(out).as_posix(),
        context=context,
        weight_bytes=emitted.weight_bytes,
        token_weight_bytes=0 if said is None else said.token_weight_bytes,
        function_weight_bytes=_packed_again(graph, backend),
        stage_weight_bytes=_stage_weights(graph, backend),
        kv_bytes=kv_bytes_of(caches, context, model.kv_alignment)
        if said is None
        else said.kv_bytes,
        kv_source=IN_FILE,
        kv_alignment=model.kv_alignment,
        caches=caches,
        functions=tuple(made),
        together=model.together,
        remarks=tuple(dict.fromkeys(remarks)),
    )


def kv_bytes_of(caches: Sequence[KvCache], context: int, alignment: int) -> int:
    """Bytes that the caches take when they are made for `context` tokens.

    Raises OptionError for sizes or a scheme that no cache has.
    """
    return sum(-(-cache_bytes(cache, context) // alignment) * alignment for cache in caches)


def cache_bytes(cache: KvCache, context: int) -> int:
    """Bytes of one region. Raises as `kv_bytes_of`."""
    for key, number in (("kv_heads", cache.kv_heads), ("head_dim", cache.head_dim)):
        if not 1 <= number <= MAX_TOKENS:
            raise OptionError(f"{cache.name}: {key}={number}: expected 1 to {MAX_TOKENS}")
    if context == 0:
        return 0
    sizes = (KvRole(cache.role), cache.kv_heads, context, cache.head_dim)
    if cache.scheme == str(Float(32)):
        return kv_stored_bytes(Float(32), *sizes)
    scheme = parse_kv_scheme(cache.scheme)
    if isinstance(scheme, KvScheme):  # a region has room for every length
        return kv_buffer_bytes(scheme, *sizes)
    return kv_stored_bytes(scheme, *sizes)


def _tokens(graph: Graph) -> tuple[int, int]:
    span = graph.symbols.get(SEQ)
    if span is not None:
        return max(1, span.low), span.high
    shape = graph.inputs[0].type.shape if graph.inputs else ()
    count = shape[-1] if is_decoder(graph) and isinstance(shape[-1], int) else 1
    return int(count), int(count)


def _caches(graph: Graph, backend: Backend) -> tuple[KvCache, ...]:
    schemes = {name: str(scheme) for name, scheme in caches_at(graph, backend).items()}
    schemes |= dict.fromkeys(backend.memory.float_caches(graph), str(Float(32)))
    return tuple(_cache(cache, schemes[cache.name]) for cache in caches_of(graph))


def _cache(cache: Cache, scheme: str) -> KvCache:
    heads, _, width = cache.sizes
    note = cache.readers[0].notes.get(InStage)
    stage = 0 if note is None else note.index
    return KvCache(cache.name, cache.role.value, stage, heads, width, scheme)


def _packed_again(graph: Graph, backend: Backend) -> int:
    """Bytes of the matrices that the runtime packs when a function is loaded."""
    stored = _unit_bytes(graph, backend)
    return sum(stored.get(name, 0) for name in backend.memory.packed_again(graph))


def _stage_weights(graph: Graph, backend: Backend) -> tuple[tuple[int, int], ...]:
    plan = graph.notes.get(StagePlan)
    if plan is None:
        return ()
    stored = _unit_bytes(graph, backend)
    return tuple((s.index, sum(stored.get(t.name, 0) for t in s.tensors)) for s in plan.stages)


def _unit_bytes(graph: Graph, backend: Backend) -> dict[str, int]:
    notes = ((unit, graph.weights[unit.name].notes.get(Precision)) for unit in units_of(graph))
    return {u.name: cost_bytes(n.scheme, u.use, (backend,)) for u, n in notes if n is not None}


@dataclass(frozen=True)
class _Planned:
    """The memory of one function's graph; `by_stage` what is alive, or planned, while each runs."""

    outputs: Dim
    planned: Sizes
    bounds: Sizes
    planned_by_stage: Mapping[int, Sizes]
    bounds_by_stage: Mapping[int, Sizes]


def _function_memory(
    name: str, graph: Graph | None, said: Arena | None, model: MemoryModel
) -> tuple[FunctionMemory, list[str]]:
    remarks: list[str] = []
    found = None
    if graph is not None and not model.complete:
        try:
            found = _planned(graph, model, bounds_only=said is None)
        except UnsupportedError as error:
            remarks.append(f"{name}: {error}")
    nothing = _Planned(0, (), (), {}, {})
    plan = found or nothing
    if said is not None:
        tokens, stages = said.tokens, (said.stages or plan.planned_by_stage)
        arena, outputs, source = said.arena, said.outputs, IN_FILE
    else:
        tokens, stages = _tokens(graph) if graph is not None else (1, 1), plan.bounds_by_stage
        arena, outputs, source = plan.bounds, plan.outputs, AT_LEAST
    symbols = {SEQ: SymbolRange(*tokens)} if graph is None else dict(graph.symbols)
    memory = FunctionMemory(
        name=name,
        tokens=tokens,
        source=source,
        arena=_texts(arena, symbols),
        planned=_texts(plan.planned, symbols),
        bounds=_texts(plan.bounds, symbols),
        outputs=_text(outputs),
        stages=tuple(
            StageArena(at, _texts(sizes, symbols)) for at, sizes in sorted(stages.items())
        ),
    )
    return memory, remarks


def _planned(graph: Graph, model: MemoryModel, *, bounds_only: bool) -> _Planned:
    """Views, then the plan, of a copy of one function. Raises UnsupportedError for odd sizes."""
    copy = specialize(graph, {})
    try:
        PassManager((PlaceViews(),)).run(copy, PassContext())
        layout = noted_layout(copy)
    except UnsupportedError:  # states that are no KV cache, outputs that are inputs
        layout = plain_buffers(copy, in_place=True)
    outputs: Dim = 0
    if not model.own_outputs:
        outputs = sum(b.size_bytes for b in layout.buffers if b.space is Space.OUTPUT)
    requests = live_buffers(copy, _as_kept(layout, model))
    least = lower_bounds(requests, copy.symbols) if requests else ()
    runs = _stage_runs(copy)
    bounds = {
        stage: tuple(d for run in found for d in _bounds(requests, run, copy.symbols))
        for stage, found in runs.items()
    }
    if bounds_only:
        return _Planned(as_dim(outputs), (), least, {}, bounds)
    plan = plan_buffers(requests, copy.symbols)
    planned = {stage: tuple(_ends(plan, found)) for stage, found in runs.items()}
    return _Planned(as_dim(outputs), parts_of(plan.peak_bytes), least, planned, bounds)


def _ends(plan: MemoryPlan, runs: Sequence[tuple[int, int]]) -> Iterator[Dim]:
    """Where the buffers end that are alive in a run."""
    for each in plan.placed:
        if any(each.first <= last and first <= each.last for first, last in runs):
            for start in parts_of(each.offset_bytes):
                yield as_dim(start + each.size_bytes)


def _as_kept(layout: Layout, model: MemoryModel) -> Layout:
    """Buffers in the type in which the target computes; outputs in the arena where it keeps them there."""
    out = []
    for buffer in layout.buffers:
        if model.half and buffer.dtype is DType.F32:
            buffer = replace(buffer, dtype=DType.F16)
        if model.own_outputs and buffer.space is Space.OUTPUT:
            buffer = replace(buffer, space=Space.ARENA)
        out.append(buffer)
    return replace(layout, buffers=tuple(out))


def _bounds(
    requests: Iterable[Request], run: tuple[int, int], symbols: Mapping[str, SymbolRange]
) -> Sizes:
    """What is alive at one of the steps of `run`."""
    first, last = run
    alive = [
        replace(r, first=max(r.first, first), last=min(r.last, last))
        for r in requests
        if r.first <= last and first <= r.last
    ]
    return lower_bounds(alive, symbols) if alive else ()


def _stage_runs(graph: Graph) -> dict[int, list[tuple[int, int]]]:
    """First and last step of every run of a stage; a node of none belongs to the stage before it."""
    stages, current = [], 0
    for node in graph.nodes:
        note = node.notes.get(InStage)
        current = current if note is None else note.index
        stages.append(current)
    out: dict[int, list[tuple[int, int]]] = {}
    for stage, found in groupby(range(len(stages)), key=stages.__getitem__):
        steps = list(found)
        out.setdefault(stage, []).append((steps[0], steps[-1]))
    return out


def _texts(sizes: Iterable[Dim], symbols: Mapping[str, SymbolRange]) -> tuple[str, ...]:
    """Those that can be the greatest, as text."""
    parts = list(dict.fromkeys(part for size in sizes for part in parts_of(size)))
    if len(parts) > 1:
        ruler = Ruler(parts, symbols, 1)
        lengths = {ruler.length(part).parts[0]: part for part in parts}
        parts = [lengths[part] for part in ruler.undominated(list(lengths))]
    return tuple(_text(part) for part in parts)


def _text(size: Dim) -> str:
    text = format_dim(size)
    if len(text) > MAX_EXPRESSION_CHARS or parse_dim(text) != size:
        raise UnsupportedError(
            f"a size of {text[:MAX_EXPRESSION_CHARS]} bytes is no short expression"
        )
    return text
