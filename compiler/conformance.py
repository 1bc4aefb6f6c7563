"""What every artifact is compared with: cases made by the oracle, and the tolerance they must meet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from optimum_compile.backends.base import Backend, Call, Case, Tolerance
from optimum_compile.backends.traits import Rounded
from optimum_compile.compiler.calibration import (
    TextSource,
    encode,
    seeded_tokens,
)
from optimum_compile.compiler.decoder import context_of, is_decoder, vocabulary
from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.interpret import WeightCache, run
from optimum_compile.compiler.ir.graph import Graph, Value
from optimum_compile.compiler.ir.shape import evaluate
from optimum_compile.compiler.quant.activations import Activations
from optimum_compile.compiler.quant.kv import KvScheme, KvStored
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.compiler.routing import RoutingMargin, most_decided
from optimum_compile.passes.precision.kv import caches_at as caches_at
from optimum_compile.passes.precision.kv import kv_of
from optimum_compile.passes.precision.narrow import (
    narrowed,
    stepping_down,
    widths_of,
)
from optimum_compile.passes.precision.notes import Precision, Quantized
from optimum_compile.passes.precision.units import units_of
from optimum_compile.passes.symbolic_shape.lengths import lengths_of
from optimum_compile.passes.symbolic_shape.sizes import module_sizes

Rounding = Mapping[str, Activations]  # by weight name: see `interpret.run`
Caches = Mapping[str, KvStored]  # by the name of a state: see `interpret.run`
DECODE_STEPS = 8
# Weights above this size are read anew for each case, so that memory stays bounded.
CACHE_BYTES = 1 << 30


@dataclass(frozen=True)
class CaseOptions:
    """How many cases, how long, and from which seed."""

    count: int = 3
    prompt: int = 16
    steps: int = DECODE_STEPS
    seed: int = 0
    candidates: int = 8  # inputs to choose each case of a mixture of experts from


def token_windows(
    graph: Graph, text: TextSource | None, tokenizer: Any, bos: int | None, options: CaseOptions
) -> list[list[int]]:
    """Token windows for the cases: from text, or random where there is no tokenizer."""
    context = context_of(graph) or options.prompt + options.steps
    length = min(options.prompt + options.steps, context)
    if length < options.steps + 1:
        length = context
    if tokenizer is None or text is None:
        return seeded_tokens(vocabulary(graph), options.count, length, options.seed)
    ids = [encode(tokenizer, d, bos)[:length] for d in text.documents]
    long = [w for w in ids if len(w) == length][: options.count]
    missing = options.count - len(long)
    return long + seeded_tokens(vocabulary(graph), missing, length, options.seed)


def decoder_cases(
    graph: Graph,
    windows: Sequence[Sequence[int]],
    count: int,
    steps: int = DECODE_STEPS,
    activations: Rounding | None = None,
    kv: Caches | None = None,
    widths: Sequence[int] = (),
) -> tuple[Case, ...]:
    """A prompt and `steps` decode calls a case, with the quantised oracle's logits.

    Case i is of the most decided of the windows i, i + count, i + 2 count and so on. The prompt gets
    shorter from case to case, so that padding is exercised. It is one prefill call, but where caches are
    rounded (`kv`): there it may take several. Where functions have fixed lengths, the first cases have
    prompts of exactly those, so that each function is executed.

    With `widths` of nested weights the calls say at which they are read (input `width`, on one state): the
    first case goes down from the prompt on, the second too but for its prompt, which is read with the
    fewest bits, the third says nothing, which means all bits; and so on.
    """
    graphs = {0: graph} | {width: narrowed(graph, width) for width in widths}
    rounded = first_rounded(kv) > 0
    cache = WeightCache(CACHE_BYTES)
    longest = graph.symbols["seq"].high if "seq" in graph.symbols else 1
    exact = tuple(reversed(_fixed(graph)))

    def made(window: Sequence[int], index: int) -> Case:
        tokens = np.asarray(window, np.int64)[None]
        room = tokens.shape[1] - steps
        prompt = max(1, room if index == 0 else room * (count - index) // count)
        prompt = prompt if rounded else min(prompt, longest)
        if index < len(exact):
            prompt = min(exact[index], tokens.shape[1])
        pieces = [
            _Piece("prefill", at, min(at + longest, prompt)) for at in range(0, prompt, longest)
        ]
        ends = range(prompt, min(prompt + steps, tokens.shape[1]))
        pieces += [_Piece("decode", at, at + 1) for at in ends]
        said = bool(widths) and index % 3 < 2
        if said:
            pieces = _at_widths(pieces, widths, low=index % 3 == 1)
        end = pieces[-1].stop
        runs = pieces if said else [_Piece("", at, at + longest) for at in range(0, end, longest)]
        oracle = _Oracle(graphs, cache, activations, kv)
        logits = oracle.logits(tokens[:, :end], runs)
        calls = (_call(piece, tokens, logits) for piece in pieces)
        return Case(tuple(calls), oracle.margin)

    return tuple(
        most_decided(partial(made, window, index) for window in windows[index::count])
        for index in range(count)
    )


@dataclass(frozen=True)
class _Piece:
    """Tokens of one call, and with how many bits nested weights are read (None: it does not say)."""

    function: str
    start: int
    stop: int
    width: int | None = None


def _at_widths(pieces: Sequence[_Piece], widths: Sequence[int], *, low: bool) -> list[_Piece]:
    """Widths that go down over the decode steps; the prompt has the most bits, or if `low` the fewest."""
    steps = sum(piece.function == "decode" for piece in pieces)
    prompt = [min(widths) if low else max(widths)] * (len(pieces) - steps)
    chosen = (*prompt, *stepping_down(widths, steps))
    return [replace(piece, width=width) for piece, width in zip(pieces, chosen, strict=True)]


def _call(piece: _Piece, tokens: np.ndarray, logits: np.ndarray) -> Call:
    inputs = {
        "tokens": tokens[:, piece.start : piece.stop],
        "past": np.array([piece.start], np.int64),
    }
    if piece.width is not None:
        inputs["width"] = np.array([piece.width], np.int64)
    return Call(piece.function, inputs, (logits[:, piece.start : piece.stop],))


class _Oracle:
    """Answers for one case: calls of any width on one state.

    graphs: by width; 0 is the one that reads all bits. margin: see `Case`, of all calls so far.
    """

    def __init__(
        self,
        graphs: Mapping[int, Graph],
        cache: WeightCache,
        activations: Rounding | None,
        kv: Caches | None,
    ) -> None:
        self.graphs, self.cache = graphs, cache
        self.activations = activations
        self.kv = kv_of(graphs[0]) if kv is None else kv
        self._margins = {width: RoutingMargin(graph) for width, graph in graphs.items()}

    @property
    def margin(self) -> float:
        return min(each.least for each in self._margins.values())

    def logits(self, tokens: np.ndarray, runs: Sequence[_Piece]) -> np.ndarray:
        """Of all tokens (1, n, vocab), run by run."""
        import torch

        parts, states = [], None
        with torch.no_grad():
            for piece in runs:
                width = piece.width or 0
                past = np.array([piece.start], np.int64)
                result = run(
                    self.graphs[width],
                    {"tokens": tokens[:, piece.start : piece.stop], "past": past},
                    states,
                    weights="quantized",
                    observe=self._margins[width],
                    cache=self.cache,
                    activations=self.activations,
                    kv=self.kv,
                )
                states = result.states
                parts.append(_finite(result.outputs[0].numpy()))
        return np.concatenate(parts, axis=1)


def _finite(output: np.ndarray) -> np.ndarray:
    """The oracle's answer itself. Raises InputError: nothing can be compared with a NaN."""
    if np.isfinite(output).all():
        return output
    raise InputError(
        "the model's own output is NaN or infinite on the test inputs, so nothing can be compared "
        "with it; repair the model, or pass --no-verify"
    )


def module_cases(
    graph: Graph, options: CaseOptions, calls: int = 1, activations: Rounding | None = None
) -> tuple[Case, ...]:
    """Seeded inputs for a graph that is no decoder; with states, several calls in a row."""
    import torch

    cache = WeightCache(CACHE_BYTES)

    def made(seed: int) -> Case:
        rng, margin = np.random.default_rng(seed), RoutingMargin(graph)
        states, done = None, []
        for _ in range(calls):
            bindings = module_sizes(graph)
            inputs = {v.name: _sample(graph, v, bindings, rng) for v in graph.inputs}
            with torch.no_grad():
                result = run(
                    graph,
                    inputs,
                    states,
                    weights="quantized",
                    observe=margin,
                    cache=cache,
                    activations=activations,
                )
            states = result.states
            expected = tuple(_finite(o.numpy()) for o in result.outputs)
            done.append(Call("forward", inputs, expected))
        return Case(tuple(done), margin.least)

    seeds = range(options.seed, options.seed + options.count * options.candidates)
    return tuple(
        most_decided(partial(made, seed) for seed in seeds[index :: options.count])
        for index in range(options.count)
    )


def _sample(
    graph: Graph, value: Value, bindings: Mapping[str, int], rng: np.random.Generator
) -> np.ndarray:
    shape = tuple(evaluate(d, bindings) for d in value.type.shape)
    if value.type.dtype.is_float:
        return rng.standard_normal(shape).astype(np.float32)
    tables = [n.input(1) for n, at in value.uses if n.op == "embedding" and at == 0]
    if tables:
        rows = min(t.type.static_shape()[0] for t in tables)
        return rng.integers(0, rows, shape).astype(value.type.dtype.numpy)
    return np.ones(shape, value.type.dtype.numpy)  # a mask: everything visible


def make_cases(
    graph: Graph,
    text: TextSource | None,
    tokenizer: Any,
    bos: int | None,
    options: CaseOptions,
    activations: Rounding | None = None,
    kv: Caches | None = None,
    widths: Sequence[int] = (),
) -> tuple[Case, ...]:
    """The cases of a graph of either kind.

    Where experts are chosen by router logits that are nearly equal, the rounding of a correct artifact
    may choose another one, and everything after it differs. Such a case says nothing, so each case of a
    mixture is the most decided of up to `options.candidates` inputs, the first above `DECISIVE_MARGIN`
    if there is one. Graphs without routes get the first input of each.

    `activations` is what the artifact rounds (`rounding_of`), `kv` how it keeps its caches
    (`caches_at`; otherwise as the notes say): the oracle then rounds them as well. With caches of few
    bits prompts are long enough for codes to be read, before and in the decode calls. `widths` are those
    that calls of a decoder choose from (`widths_at`).
    """
    if is_decoder(graph):
        kv = kv_of(graph) if kv is None else kv
        each = options.candidates if RoutingMargin(graph).routes else 1
        fixed = _fixed(graph)
        prompt = max(options.prompt, 2 * first_rounded(kv), *fixed)
        count = max(options.count, len(fixed) + 1) if fixed else options.count
        wanted = replace(options, count=count * each, prompt=prompt)
        windows = token_windows(graph, text, tokenizer, bos, wanted)
        return decoder_cases(graph, windows, count, options.steps, activations, kv, widths)
    return module_cases(graph, options, options.steps if graph.states else 1, activations)


def _fixed(graph: Graph) -> tuple[int, ...]:
    """Lengths of functions that take exactly so many tokens."""
    return lengths_of(graph).fixed if is_decoder(graph) else ()


def first_rounded(kv: Caches | None) -> int:
    """Tokens after which every cache of few bits holds some in codes; 0 without such caches."""
    schemes = [s for s in (kv or {}).values() if isinstance(s, KvScheme)]
    return max((s.sinks + s.window + s.group for s in schemes), default=0)


def widths_at(graph: Graph, backend: Backend) -> tuple[int, ...]:
    """Widths of nested weights that calls of the backend's artifact choose from; none: it reads all bits."""
    return widths_of(graph) if backend.traits.chooses_widths and is_decoder(graph) else ()


def rounding_of(graph: Graph, backend: Backend) -> dict[str, Activations]:
    """How the backend rounds activations in front of the weights of a quantised graph."""
    found = {}
    for unit in units_of(graph):
        note = graph.weights[unit.name].notes.get(Quantized)
        kind = None if note is None else backend.activation_kind(note.scheme, unit.use)
        if kind is not None:
            found[unit.name] = kind
    return found


def tolerance_for(backend: Backend, graph: Graph) -> Tolerance:
    """What the backend's artifact of a quantised graph must meet."""
    notes = [v.notes.get(Precision) for v in graph.weights.values()]
    kv = [s.bits for s in kv_of(graph).values() if isinstance(s, KvScheme)]
    return backend.tolerance(
        Rounded(
            weights=any(n is not None and not isinstance(n.scheme, Float) for n in notes),
            kv_bits=min(kv, default=16),
            activations=bool(rounding_of(graph, backend)),
        )
    )
