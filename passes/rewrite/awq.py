"""Pass: scale channels so that rounding loses least, AWQ's way or QQQ's."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import torch

from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.pass_manager import PassContext, PassResult
from optimum_compile.compiler.quant.scheme import Affine, Float, Scheme, Vector
from optimum_compile.passes.calibrate.moments import Moments, moments
from optimum_compile.passes.calibrate.propagate import Propagation, Sample
from optimum_compile.passes.calibrate.segments import Segment, segments_of
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.quantizers.select import quantize_weight
from optimum_compile.passes.rewrite.scale import ScalePair, fold_scale, scalable_pairs
from optimum_compile.passes.rewrite.scale_search import Scaling, awq_scale, smooth_scale

Method = Literal["awq", "smooth"]
# Smoothing tries a hundred thresholds on the inputs themselves: so many samples and tokens of them.
SMOOTHED_SAMPLES, SMOOTHED_TOKENS = 8, 512


@dataclass(frozen=True)
class ScaleChannels:
    """Multiply columns of linears by s, and divide what makes their inputs by it.

    Before:  %y = rms_norm(%x, @gain)      %z = linear(%y, @weight)
    After:   %y = rms_norm(%x, @gain / s)  %z = linear(%y, @weight * s)

    The float program computes what it did; s is searched with the schemes that the weights were
    assigned. The same goes for v_proj and o_proj, and for up_proj and down_proj. Activations are those
    of the float program, one block at a time.

    method "awq": weights that matter get finer steps (Lin et al., arXiv 2306.00978). "smooth": inputs
    are rounded to int8 as well, and channels that stand out are brought down (QQQ, arXiv 2406.09904).
    """

    name: ClassVar[str] = "scale-channels"
    needs: ClassVar[tuple[type[Note], ...]] = (Precision,)
    writes: ClassVar[tuple[type[Note], ...]] = ()

    work: Path
    samples: tuple[Sample, ...]
    method: Method = "awq"

    def run(self, graph: Graph, ctx: PassContext) -> PassResult:
        """See the class."""
        pairs = {pair.readers[0]: pair for pair in scalable_pairs(graph)}
        segments = segments_of(graph)
        way = Propagation(graph, self.samples, self.work, "float")
        way.start()
        changed = False
        for segment in segments:
            ctx.progress(self.name, segment.index, len(segments))
            for node in segment.nodes:
                if node in pairs:
                    changed |= _scale(graph, pairs[node], way, segment, self.method)
            if segment is not segments[-1]:
                way.advance(segment)
            way.forget(segment)
        ctx.progress(self.name, len(segments), len(segments))
        return PassResult(changed=changed)


def _scale(
    graph: Graph, pair: ScalePair, way: Propagation, segment: Segment, method: Method
) -> bool:
    scheme = _scheme(pair)
    if method == "smooth" and not isinstance(scheme, Affine):
        return False  # inputs of palettes are never rounded
    if scheme is None or any(reader not in segment.nodes for reader in pair.readers):
        return False
    search = _awq if method == "awq" else _smooth
    found = search(pair, way, segment, scheme)
    if (found.scale == 1).all():
        return False
    fold_scale(graph, pair, pair.reduce(found.scale))
    return True


def _awq(pair: ScalePair, way: Propagation, segment: Segment, scheme: Scheme) -> Scaling:
    reader = pair.readers[0]
    seen: Moments = moments(reader.origin, way.inputs_of(segment, reader.input(0)))
    magnitude = pair.expand(pair.reduce(seen.magnitude.numpy()))
    return awq_scale(_read(pair), magnitude, seen.hessian.numpy(), scheme, _stored)


def _smooth(pair: ScalePair, way: Propagation, segment: Segment, scheme: Scheme) -> Scaling:
    samples = islice(way.inputs_of(segment, pair.readers[0].input(0)), SMOOTHED_SAMPLES)
    inputs = torch.cat(list(samples))[:SMOOTHED_TOKENS].numpy()
    return smooth_scale(_read(pair), inputs, scheme, _stored_whole, pool=pair.pooled)


def _read(pair: ScalePair) -> list[np.ndarray]:
    return [w.load_f32() for n in pair.readers if (w := n.input(1).weight) is not None]


def _scheme(pair: ScalePair) -> Scheme | None:
    """The scheme of the readers; None where they are floats, or differ.

    None for vectors, too: the search would have to learn a codebook anew for every scale.
    """
    notes = [reader.input(1).notes.get(Precision) for reader in pair.readers]
    schemes = {None if note is None else note.scheme for note in notes}
    only = schemes.pop() if len(schemes) == 1 else None
    return None if isinstance(only, Float | Vector) else only


def _stored(weight: np.ndarray, scheme: Scheme) -> np.ndarray:
    return quantize_weight(weight, scheme).dequantize()


def _stored_whole(weight: np.ndarray, scheme: Scheme) -> np.ndarray:
    """Over the full range, as QQQ searches: to look for each row's range a hundred times takes long."""
    return quantize_weight(weight, scheme, "minmax").dequantize()
