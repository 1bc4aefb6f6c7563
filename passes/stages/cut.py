"""Pass: cut the graph into precision subgraphs and attach each one's scale metadata."""

import hashlib
import math
from collections import Counter
from dataclasses import dataclass
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
from optimum_compile.passes.stages.experts import is_router
from optimum_compile.passes.stages.notes import (
    ActivationRange,
    InStage,
    StageInfo,
    StagePlan,
    TensorRecord,
)
from optimum_compile.passes.stages.partition import Piece, cut_by_elements


@dataclass(frozen=True)
class CutStages:
    """Group consecutive blocks of one class into a stage; every node gets its stage.

    Before:  linear of block 0 (INT8), linear of block 1 (INT4), linear of block 2 (INT2)
    After:   the same nodes with InStage(0), InStage(1), InStage(2), and a StagePlan on the graph

    Of all cuts into at most `stages` the one with the fewest weights outside their stage's class
    (`partition`). These exceptions stay in their stage's tensor list, and a remark names them.
    """

    name: ClassVar[str] = "cut-stages"
    needs: ClassVar[tuple[type[Note], ...]] = (Quantized,)
    writes: ClassVar[tuple[type[Note], ...]] = (StagePlan, InStage)

    stages: int = 3
    activations: tuple[ActivationRange, ...] = ()

    def run(self, graph: Graph, ctx: PassContext) -> PassResult:
        """See the class."""
        where = blocks_of(graph)
        elements = elements_by_class(graph, max(where.values(), default=0) + 1)
        pieces = cut_by_elements(elements, self.stages)
        infos = tuple(
            _describe(graph, index, piece, self.activations) for index, piece in enumerate(pieces)
        )
        plan = StagePlan(infos)
        changed = graph.notes.get(StagePlan) != plan
        graph.notes.put(plan)
        for node in graph.nodes:
            index = next(i for i, piece in enumerate(pieces) if piece.holds(where[node]))
            changed |= node.notes.get(InStage) != InStage(index)
            node.notes.put(InStage(index))
        remarks = tuple(text for info in infos for text in _exceptions(graph, info))
        return PassResult(changed=changed, remarks=remarks)


def elements_by_class(graph: Graph, blocks: int) -> list[Counter[str]]:
    """Number of weights of each class in each block; embedding tables do not decide a block."""
    out: list[Counter[str]] = [Counter() for _ in range(blocks)]
    for name, block in weight_blocks(graph).items():
        value = graph.weights[name]
        note = value.notes.get(Quantized)
        if note is None or any(n.op == "embedding" for n in value.users):
            continue
        out[block][class_of(note.scheme)] += value.type.elements()
    return out


def _exceptions(graph: Graph, info: StageInfo) -> tuple[str, ...]:
    """One sentence on the matrices of a stage that are of another class; routers are never of it."""
    matrices = []
    for record in info.tensors:
        value = graph.weights[record.name]
        note = value.notes.get(Quantized)
        is_table = any(n.op == "embedding" for n in value.users)
        if note is not None and not is_table and not is_router(value):
            matrices.append((record, class_of(note.scheme)))
    odd = [r for r, name in matrices if name != info.precision_class]
    if not odd:
        return ()
    share = sum(math.prod(r.shape) for r in odd) / sum(math.prod(r.shape) for r, _ in matrices)
    names = ", ".join(f"{r.name} {r.scheme}" for r in odd)
    return (
        f"{info.name}: {len(odd)} of {len(matrices)} matrices ({share:.0%} of the weights) are not "
        f"{info.precision_class}: {names}",
    )


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
    piece: Piece,
    activations: tuple[ActivationRange, ...],
) -> StageInfo:
    records, elements, groups = [], 0, set()
    digest = hashlib.sha256()
    for weight, block in sorted(weight_blocks(graph).items()):
        if not piece.holds(block):
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
        name=f"stage{index}_{piece.name.lower()}",
        precision_class=piece.name,
        blocks=(piece.first, piece.last),
        groups=tuple(sorted(g for g in groups if g)),
        bits_per_weight=8 * total / max(1, elements),
        bytes=total,
        scales_sha256=digest.hexdigest(),
        tensors=tuple(records),
        activations=tuple(a for a in activations if piece.holds(a.block)),
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
