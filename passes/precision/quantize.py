"""Pass: turn every assigned weight into codes, one tensor at a time, into a store on disk."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from optimum_compile.compiler.errors import InputError, InternalError, OptionError
from optimum_compile.compiler.ir.graph import Graph, Value
from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.pass_manager import PassContext, PassResult
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.compiler.quant.store import write_packed
from optimum_compile.passes.precision.codebooks import shared_codebooks
from optimum_compile.passes.precision.notes import Precision, Quantized
from optimum_compile.passes.precision.quantizers.affine.rtn import Clip
from optimum_compile.passes.precision.quantizers.recipes import recipe_named
from optimum_compile.passes.precision.quantizers.select import quantize_weight

FP16_MAX = 65504.0
LAYERS = ("linear", "embedding", "rms_norm", "layer_norm", "rope")


@dataclass(frozen=True)
class QuantizeWeights:
    """Replace the `Precision` decision by packed weights.

    Before:  @up_proj.weight : f16[768, 256] {Precision(scheme=int8:channel)}
    After:   @up_proj.weight : f16[768, 256] {Precision(...), Quantized(sha256=..., store=...)}
    """

    name: ClassVar[str] = "quantize-weights"
    needs: ClassVar[tuple[type[Note], ...]] = (Precision,)
    writes: ClassVar[tuple[type[Note], ...]] = (Quantized,)

    store: Path
    quantizer: str = "mse"

    def __post_init__(self) -> None:
        if recipe_named(self.quantizer).needs_inputs:
            raise OptionError(f"quantizer {self.quantizer!r}: needs activations (QuantizeBlocks)")

    def run(self, graph: Graph, ctx: PassContext) -> PassResult:
        """See the class. Raises InputError for weights that are NaN or infinite."""
        self.store.mkdir(parents=True, exist_ok=True)
        todo = [(n, v) for n, v in graph.weights.items() if v.type.dtype.is_float and v.uses]
        changed = False
        books = shared_codebooks(graph, ctx.seed, load_checked)
        clip: Clip = "minmax" if recipe_named(self.quantizer).range == "minmax" else "mse"
        for at, (name, value) in enumerate(todo):
            ctx.progress(self.name, at, len(todo))
            if value.weight is None:
                continue
            data = load_checked(name, value)
            note = value.notes.get(Precision)
            if note is None:
                continue
            packed = quantize_weight(data, note.scheme, clip, codebook=books.of(note.scheme))
            sha256 = write_packed(self.store, packed)
            fresh = Quantized(note.scheme, sha256, self.store)
            changed |= value.notes.get(Quantized) != fresh
            value.notes.put(fresh)
        ctx.progress(self.name, len(todo), len(todo))
        return PassResult(changed=changed)


def load_checked(name: str, value: Value) -> np.ndarray:
    """A weight in float32. Raises InputError for what is not finite, or fp16 would not hold."""
    if value.weight is None:
        raise InternalError(f"{name} is no weight")
    data = value.weight.load_f32()
    refuse_broken(name, data, infinite=not is_mask(value))
    note = value.notes.get(Precision)
    if note is not None and isinstance(note.scheme, Float):
        refuse_overflow(name, data)
    return data


def is_mask(value: Value) -> bool:
    """Whether a constant may hold infinities: one that no layer reads as its weight or bias."""
    return all(node.op not in LAYERS for node in value.users)


def refuse_overflow(name: str, data: np.ndarray) -> None:
    """Raise InputError for a number that fp16 cannot hold."""
    largest = float(np.abs(data).max(initial=0))
    if largest > FP16_MAX:
        raise InputError(
            f"{name}: {largest:g} is beyond {FP16_MAX:g}, the range of fp16; scale the weights, or "
            "quantise them (--bits 8)"
        )


def refuse_broken(name: str, data: np.ndarray, *, infinite: bool) -> None:
    """Raise InputError that counts what is NaN, or (with `infinite`) infinite too."""
    broken = ~np.isfinite(data) if infinite else np.isnan(data)
    count = int(broken.sum())
    if count:
        what = "NaN or infinite" if infinite else "NaN"
        verb = "weight is" if count == 1 else "weights are"
        raise InputError(f"{name}: {count} {verb} {what}; repair the checkpoint")
