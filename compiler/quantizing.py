"""Which quantising pass a compilation runs, and what its calibrated form needs to see."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from optimum_compile.backends.base import Backend
from optimum_compile.compiler.calibration import (
    TextSource,
    seeded_tokens,
    split_windows,
    windows,
)
from optimum_compile.compiler.decoder import is_decoder, vocabulary
from optimum_compile.compiler.errors import InputError, OptionError, UnsupportedError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.options import CompileOptions
from optimum_compile.compiler.package.describe import source_digest, versions
from optimum_compile.compiler.pass_manager import Pass
from optimum_compile.compiler.quant.scheme import Affine, Float
from optimum_compile.passes.calibrate.checkpoint import fingerprint
from optimum_compile.passes.precision.kv import calibrated_bits
from optimum_compile.passes.precision.learn.effort import effort_named
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.quantize import QuantizeWeights
from optimum_compile.passes.precision.quantizers.recipes import AUTO, Recipe, recipe_named
from optimum_compile.passes.precision.units import units_of

RANGE_WINDOWS = 4
CACHE_WINDOWS = 16  # on which constant scales of KV caches are found


@dataclass(frozen=True)
class Calibration:
    """Token windows of the calibration text.

    `lack` says why they are no text: nothing, or random tokens instead; "" where they are. Where
    precision is decided by measuring, `profiling` and `selection` are windows that were set apart.
    """

    windows: tuple[tuple[int, ...], ...] = ()
    lack: str = ""
    profiling: tuple[tuple[int, ...], ...] = ()
    selection: tuple[tuple[int, ...], ...] = ()


def lack_of_text(graph: Graph, text: TextSource | None, has_tokenizer: bool) -> str:
    """Why calibration cannot run the model on text; "" where it can."""
    if not is_decoder(graph):
        return "the model is no decoder of tokens"
    if text is None:
        return "no calibration text"
    return "" if has_tokenizer else "no tokenizer to read the text with"


def refuse_unseen(graph: Graph, options: CompileOptions, lack: str) -> None:
    """Raise OptionError for what needs activations, is asked for by name, and would see nothing."""
    quantizer = options.quantizer
    if not lack or not _needs_inputs(graph, options):
        return
    if effort_named(options.effort).learns:
        raise OptionError(
            f"effort {options.effort!r} learns from activations, but there is {lack}: "
            "give --calibration FILE, or use --effort none"
        )
    if quantizer != AUTO:
        raise OptionError(
            f"quantizer {quantizer!r} needs activations, but there is {lack}: "
            "give --calibration FILE, or use --quantizer mse"
        )


def refuse_float_inputs(graph: Graph, quantizer: str, backends: Sequence[Backend]) -> None:
    """Raise UnsupportedError for a target that multiplies with floats what is meant for int8 inputs.

    Raises OptionError where the quantiser has no 4-bit matrix to work on.
    """
    if not recipe_named(quantizer).int8_inputs:
        return
    found = ((unit, graph.weights[unit.name].notes.get(Precision)) for unit in units_of(graph))
    fours = [
        (unit.use, note.scheme)
        for unit, note in found
        if note and isinstance(note.scheme, Affine) and note.scheme.bits == 4
        if not unit.use.as_table
    ]
    if not fours:
        raise OptionError(
            f"quantizer {quantizer!r}: no matrix has 4 bits; use --policy uniform --bits 4, or --pin"
        )
    for backend in backends:
        for use, scheme in fours:
            if backend.activation_kind(scheme, use) is None:
                raise UnsupportedError(
                    f"{backend.name} multiplies {use.name} ({scheme}) with float activations, "
                    f"quantizer {quantizer!r} is for int8 ones; use --target android with symmetric "
                    "weights and --executor xnnpack, android:onnxruntime with --activations int8, or "
                    "another --quantizer"
                )


def _needs_inputs(graph: Graph, options: CompileOptions) -> bool:
    """Whether quantiser or effort want activations, and there is a weight to round."""
    notes = (value.notes.get(Precision) for value in graph.weights.values())
    rounds = any(note is not None and not isinstance(note.scheme, Float) for note in notes)
    learns = effort_named(options.effort).learns
    return rounds and (learns or recipe_named(options.quantizer).needs_inputs)


def calibration_of(
    graph: Graph,
    options: CompileOptions,
    text: TextSource | None,
    tokenizer: Any,
    bos: int | None,
    *,
    divided: bool = False,
) -> Calibration:
    """Windows for a decoder; nothing for other models, or where the text is "none".

    `divided` text has parts for measuring and for selecting, which the quantiser does not see.

    Raises InputError for a text of fewer than two tokens.
    """
    lack = lack_of_text(graph, text, tokenizer is not None)
    if text is None or not is_decoder(graph):
        return Calibration(lack=lack)
    if tokenizer is None:
        ids = seeded_tokens(vocabulary(graph), RANGE_WINDOWS, options.seqlen, options.seed)
        return Calibration(tuple(map(tuple, ids)), lack)
    ids = windows(text, tokenizer, bos, options.seqlen)
    if not ids:
        raise InputError(f"calibration text {text.label}: fewer than two tokens; give more text")
    if not divided:
        return Calibration(tuple(map(tuple, ids[: options.samples])))
    parts = split_windows(ids, options.samples)
    most = options.profile_samples
    return Calibration(parts.calibration, "", parts.profiling[:most], parts.selection[: 2 * most])


def trial_recipe(options: CompileOptions) -> Recipe:
    """The quantiser of trials: the deployed one, but for channel scales, which change the graph."""
    return replace(recipe_named(options.quantizer), scaling=False, smoothing=False)


def quantizing_passes(
    graph: Graph, options: CompileOptions, seen: Calibration, work: Path
) -> tuple[tuple[Pass, ...], str]:
    """The passes, and a remark where "auto" did without calibration (or "").

    Raises OptionError for a calibrated quantiser that is asked for by name without text.
    """
    refuse_unseen(graph, options, seen.lack)
    recipe, effort = recipe_named(options.quantizer), effort_named(options.effort)
    if not recipe.needs_inputs and not effort.learns:
        return (QuantizeWeights(work / "weights", options.quantizer),), ""
    if not _needs_inputs(graph, options):
        return (QuantizeWeights(work / "weights"),), ""  # nothing is rounded
    if seen.lack:
        remark = f"quantised without activations: {seen.lack}"
        return (QuantizeWeights(work / "weights", "mse"),), remark
    # These import torch, whose absence is reported before.
    from optimum_compile.passes.calibrate.propagate import decoder_samples
    from optimum_compile.passes.precision.quantize_blocks import QuantizeBlocks
    from optimum_compile.passes.rewrite.awq import Method, ScaleChannels

    longest = graph.symbols["seq"].high if "seq" in graph.symbols else 1
    samples = decoder_samples(seen.windows, longest)
    identity = fingerprint(facts_of(graph, options, seen))
    quantize = QuantizeBlocks(work, recipe, samples, identity, effort)
    if recipe.scaling or recipe.smoothing:
        method: Method = "smooth" if recipe.smoothing else "awq"
        return (ScaleChannels(work / "scaling", samples, method), quantize), ""
    return (quantize,), ""


def cache_passes(
    graph: Graph, options: CompileOptions, backends: Sequence[Backend], seen: Calibration
) -> tuple[Pass, ...]:
    """The pass that finds constant scales of KV caches, where a target stores these.

    Raises OptionError without windows to find them on.
    """
    wanted = calibrated_bits(graph, backends)
    if not wanted:
        return ()
    if not seen.windows:
        raise OptionError(
            f"kv_bits={options.kv_bits}: constant scales are found on text, but there is "
            f"{seen.lack or 'none'}: give --calibration FILE, or use --kv-bits 16"
        )
    # It imports torch, whose absence is reported before.
    from optimum_compile.passes.precision.kv_constants import CalibrateCaches

    return (CalibrateCaches(wanted, seen.windows[:CACHE_WINDOWS]),)


def range_passes(
    graph: Graph, options: CompileOptions, backends: Sequence[Backend], seen: Calibration
) -> tuple[Pass, ...]:
    """The pass that finds constant ranges of activations, where a target rounds in such.

    Without text it sees the first tokens of random sequences, as comparisons with the oracle do.
    """
    if not is_decoder(graph) or not any(b.traits.constant_ranges for b in backends):
        return ()
    # It imports torch, whose absence is reported before.
    from optimum_compile.passes.precision.activation_ranges import CalibrateActivations

    drawn = seeded_tokens(vocabulary(graph), CACHE_WINDOWS, options.seqlen, options.seed)
    return (CalibrateActivations(seen.windows[:CACHE_WINDOWS] or drawn),)


def facts_of(graph: Graph, options: CompileOptions, seen: Calibration) -> dict[str, Any]:
    """Everything that decides the packed weights."""
    schemes = {
        name: str(note.scheme)
        for name, value in graph.weights.items()
        if (note := value.notes.get(Precision)) is not None
    }
    tokens = hashlib.sha256(json.dumps(seen.windows).encode()).hexdigest()
    return {
        "weights": source_digest(graph),
        "edits": {n: repr(v.weight.edits) for n, v in graph.weights.items() if v.weight},
        "schemes": schemes,
        "recipe": asdict(recipe_named(options.quantizer)),
        "effort": asdict(effort_named(options.effort)),
        "tokens": tokens,
        "seed": options.seed,
        "versions": versions(),
    }


def first_windows(seen: Calibration) -> Sequence[Sequence[int]]:
    """The windows on which value ranges are measured: a few are enough for minima and maxima."""
    return seen.windows[:RANGE_WINDOWS]
