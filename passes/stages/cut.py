"""Pass: cut the graph into precision subgraphs and attach each one's scale metadata."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.graph import Graph, Value
from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.pass_manager import PassContext, PassResult
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import E0M4, Affine, Lut, Nested, Scheme, Sparse, Vector
from optimum_compile.passes.precision.classes import class_of
from optimum_compile.passes.precision.notes import Quantized
from optimum_compile.passes.stages.blocks import blocks_of, weight_blocks
from optimum_compile.passes.stages.notes import (
    ActivationRange,
    InStage,
    StageInfo,
    StagePlan,
    TensorRecord,
)


@dataclass(frozen=True)
class CutStages:
    """Group consecutive blocks of one class into a stage; every node gets its stage.

    Before:  linear of block 0 (INT8), linear of block 1 (INT4), linear of block 2 (INT2)
    After:   the same nodes with InStage(0), InStage(1), InStage(2), and a StagePlan on the graph

    A block's class is the class of most of its weights. With more runs than `stages`, neighbours
    are joined where that changes the class of the fewest weights; the joined stage's exceptions
    stay in its tensor list.
    """

    name: ClassVar[str] = "cut-stages"
    needs: ClassVar[tuple[type[Note], ...]] = (Quantized,)
    writes: ClassVar[tuple[type[Note], ...]] = (StagePlan, InStage)

    stages: int = 3
    activations: tuple[ActivationRange, ...] = ()

    def run(self, graph: Graph, ctx: PassContext) -> PassResult:
        """See the class."""
        where = blocks_of(graph)
        elements = _elements_by_class(graph)
        runs = join_runs(block_runs(elements, max(where.values(), default=0) + 1), self.stages)
        infos = tuple(
            _describe(graph, index, name, span, self.activations)
            for index, (name, span, _) in enumerate(runs)
        )
        plan = StagePlan(infos)
        changed = graph.notes.get(StagePlan) != plan
        graph.notes.put(plan)
        for node in graph.nodes:
            index = next(i for i, (_, (a, b), _) in enumerate(runs) if a <= where[node] <= b)
            changed |= node.notes.get(InStage) != InStage(index)
            node.notes.put(InStage(index))
        return PassResult(changed=changed)


Run = tuple[str, tuple[int, int], Counter[str]]  # class, first and last block, weights by class


def _elements_by_class(graph: Graph) -> dict[int, Counter[str]]:
    """Number of weights of each class in each block; embedding tables do not decide a block."""
    out: dict[int, Counter[str]] = {}
    for name, block in weight_blocks(graph).items():
        value = graph.weights[name]
        note = value.notes.get(Quantized)
        if note is None or any(n.op == "embedding" for n in value.users):
            continue
        out.setdefault(block, Counter())[class_of(note.scheme)] += value.type.elements()
    return out


def block_runs(elements: Mapping[int, Counter[str]], blocks: int) -> list[Run]:
    """Maximal runs of blocks with the same dominant class."""
    runs: list[Run] = []
    for block in range(blocks):
        count = elements.get(block, Counter())
        name = min(count, key=lambda c: (-count[c], c)) if count else (runs[-1][0] if runs else "")
        if runs and (runs[-1][0] in (name, "")):
            _, (first, _), total = runs[-1]
            runs[-1] = (name, (first, block), total + count)
        else:
            runs.append((name, (block, block), count))
    return [(name or "FP16", span, count) for name, span, count in runs]


def join_runs(runs: Sequence[Run], limit: int) -> list[Run]:
    """Join neighbours until there are at most `limit` runs, misnaming the fewest weights."""
    out = list(runs)
    while len(out) > max(1, limit):
        joined = [_join(a, b) for a, b in pairwise(out)]
        cost = [sum(j[2].values()) - j[2][j[0]] for j in joined]
        at = cost.index(min(cost))
        out[at : at + 2] = [joined[at]]
    return out


def _join(left: Run, right: Run) -> Run:
    total = left[2] + right[2]
    name = min(total, key=lambda c: (-total[c], c)) if total else left[0]
    return name, (left[1][0], right[1][1]), total


def granularity(scheme: Scheme) -> str:
    """Short text of what shares a scale or a table: "channel", "g32", "r4", or "" for floats."""
    if isinstance(scheme, Sparse):
        return granularity(scheme.base)
    if isinstance(scheme, Affine | E0M4 | Vector):
        return str(scheme.group)
    return f"r{scheme.rows_per_table}" if isinstance(scheme, Lut | Nested) else ""


def _describe(
    graph: Graph,
    index: int,
    name: str,
    span: tuple[int, int],
    activations: tuple[ActivationRange, ...],
) -> StageInfo:
    records, elements, groups = [], 0, set()
    digest = hashlib.sha256()
    for weight, block in sorted(weight_blocks(graph).items()):
        if not span[0] <= block <= span[1]:
            continue
        record, packed = _record(weight, graph.weights[weight])
        records.append(record)
        elements += int(np.prod(record.shape))
        if packed is None:
            continue
        groups.add(granularity(packed.scheme))
        for part in (packed.scales, packed.zeros, packed.table, packed.offsets):
            if part is not None:
                digest.update(weight.encode() + np.ascontiguousarray(part).tobytes())
    total = sum(r.bytes for r in records)
    return StageInfo(
        index=index,
        name=f"stage{index}_{name.lower()}",
        precision_class=name,
        blocks=span,
        groups=tuple(sorted(g for g in groups if g)),
        bits_per_weight=8 * total / max(1, elements),
        bytes=total,
        scales_sha256=digest.hexdigest(),
        tensors=tuple(records),
        activations=tuple(a for a in activations if span[0] <= a.block <= span[1]),
    )


def _record(name: str, value: Value) -> tuple[TensorRecord, PackedWeight | None]:
    if value.weight is None:
        raise InternalError(f"{name} is no weight")
    note, shape = value.notes.get(Quantized), value.type.static_shape()
    if note is None:
        data = value.weight.load_f32()
        kept = data.size * (2 if value.type.dtype.is_float else value.type.dtype.itemsize)
        finite = data[np.isfinite(data)]  # masks hold infinities
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
        return TensorRecord(name, shape, "f16", kept, low, high), None
    packed = note.load()
    low, high = value_range(packed)
    return TensorRecord(name, shape, str(note.scheme), packed.stored_bytes, low, high), packed


def value_range(packed: PackedWeight, chunk_rows: int = 4096) -> tuple[float, float]:
    """Least and greatest dequantised weight, a chunk of rows at a time."""
    rows = packed.shape[0]
    base = packed.base.scheme
    per = base.rows_per_table if isinstance(base, Lut | Nested) else 1
    step = max(per, chunk_rows // per * per)
    low, high = np.inf, -np.inf
    for begin in range(0, rows, step):
        piece = packed.part(begin, begin + step).dequantize()
        low, high = min(low, float(piece.min())), max(high, float(piece.max()))
    return low, high
