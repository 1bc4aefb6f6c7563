"""Measure what every choice does to the logits, alone and together with every other.

The model stands quantised at a base assignment. One forward pass for each unit and other choice gives
the change d of the logits z. To second order in d, around the base distribution q and against the
float model's p, KL(p || q') = KL(p || q) + E[(q - p) d] + 1/2 Var_q(d); changes of several units add up
in d, so the cross terms are the covariances Cov_q(d_i, d_j): a Gram matrix of vectors
sqrt(q) (d - E_q d), one a token. They are kept as random projections (Johnson and Lindenstrauss), so all
pairs come out of the passes that single changes need. What a change does alone is measured exactly.

A KV cache is a unit like a weight. It is not rounded in the base, so that its changes are those of reading
it in few bits.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from optimum_compile.compiler.errors import InputError, InternalError
from optimum_compile.compiler.interpret import WeightCache, run, run_nodes
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.quant.kv import KvScheme, KvStored
from optimum_compile.passes.calibrate.propagate import Propagation, Sample
from optimum_compile.passes.calibrate.segments import segments_of
from optimum_compile.passes.precision.allocate.quadratic import Quadratic, starts_of
from optimum_compile.passes.precision.problem import Picks
from optimum_compile.passes.sensitivity.trials import Trials
from optimum_compile.passes.stages.blocks import weight_blocks

CACHE_BYTES = 4 << 30
SCALE = 256.0  # of projections, which are kept as fp16
HELD_BYTES = 4 << 30  # of references that stay in memory
PROGRESS = "gram.json"
VECTORS = "vectors.npy"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class GramOptions:
    """`projections`: random directions a token; relative error of a cross term ~ 1/sqrt(all of them)."""

    projections: int = 64
    seed: int = 0


@dataclass(frozen=True)
class Measured:
    """The damage model, and what measuring it cost in passes over the samples."""

    damage: Quadratic
    forward_passes: float


def measure_gram(
    trials: Trials,
    base: Picks,
    samples: Sequence[Sample],
    folder: Path,
    options: GramOptions = GramOptions(),
    *,
    fingerprint: str = "",
    progress: Progress = lambda what, done, total: None,
) -> Measured:
    """Measure around `base`, at which the graph is quantised (`Quantized` notes on its weights).

    A run that was stopped goes on in `folder`, where `fingerprint` tells that it is the same one.

    Args:
        trials: every choice of `trials.problem`, made in the context of the base.
        base: the choices that the graph's packed weights are in.
        samples: prefill calls; the quantiser should not have seen their text.
        folder: for logits, projections and progress; 2 bytes x options x tokens x projections.
        options: how many projections, and their seed.
        fingerprint: everything that decides the result.
        progress: told what is done.

    Raises:
        InputError: logits that are not finite; a folder of another run.
        InternalError: a cache that the base rounds.
    """
    for unit, index in zip(trials.problem.units, base, strict=True):
        if unit.unit.is_cache and index != len(unit.choices) - 1:
            raise InternalError(f"{unit.name}: the base reads it as {unit.choices[index].scheme}")
    folder.mkdir(parents=True, exist_ok=True)
    return _Gram(trials, base, tuple(samples), folder, options, fingerprint, progress).all()


@dataclass(frozen=True)
class _Reference:
    """Of one sample: p of the float model, logits and distribution q of the base, all (tokens, vocabulary).

    `log_sum` (tokens,) is the logits' logsumexp, `signed_root` the root of q with random signs.
    """

    p: Tensor
    base: Tensor
    log_sum: Tensor
    q: Tensor
    signed_root: Tensor


class _Gram:
    """One measurement."""

    def __init__(
        self,
        trials: Trials,
        base: Picks,
        samples: tuple[Sample, ...],
        folder: Path,
        options: GramOptions,
        fingerprint: str,
        progress: Progress,
    ) -> None:
        self.trials, self.base, self.samples = trials, base, samples
        self.graph: Graph = trials.graph
        self.folder, self.options, self.progress = folder, options, progress
        self.starts = starts_of(trials.problem)
        self.lengths = [int(s.symbols["seq"]) for s in samples]
        self.tokens = sum(self.lengths)
        self.logits: Value = self.graph.outputs[0]
        self.fingerprint = fingerprint
        self.known: dict[int, _Reference] = {}
        self.directions: Tensor | None = None
        self.alone: dict[str, list[float]] = {}
        self.base_kl = 0.0
        self.passes = 0.0

    def all(self) -> Measured:
        """Every unit that is not done yet, and the products of all."""
        width = self.tokens * self.options.projections
        shape = (self.starts[-1], width)
        resumed = self._resume()
        path = self.folder / VECTORS
        vectors = np.lib.format.open_memmap(
            path, "r+" if resumed and path.exists() else "w+", np.float16, shape
        )
        self._references()
        segments = segments_of(self.graph)
        order = {name: at for at, name in enumerate(weight_blocks(self.graph))}
        units = list(enumerate(self.trials.problem.units))
        cost = [_work(s.nodes) for s in segments]
        way = Propagation(self.graph, self.samples, self.folder / "base", "quantized")
        way.start()
        cache = WeightCache(CACHE_BYTES)
        done = 0
        for segment in segments:
            here = [(at, u) for at, u in units if u.unit.block == segment.index]
            here.sort(key=lambda pair: order.get(pair[1].name, len(order)))
            entering = [way.values(segment, n) for n in range(len(self.samples))] if here else []
            nodes = [node for s in segments[segment.index :] for node in s.nodes]
            share = sum(cost[segment.index :]) / max(1, sum(cost))
            for at, unit in here:
                self.progress("measure interactions", done, len(units))
                done += 1
                if unit.name in self.alone:
                    continue
                self.alone[unit.name] = [
                    self._option(at, index, nodes, entering, cache, vectors)
                    for index in range(len(unit.choices))
                ]
                self.passes += share * (len(unit.choices) - 1)
                vectors.flush()
                self._save()
            if segment is not segments[-1]:
                way.advance(segment)
            way.forget(segment)
        self.progress("measure interactions", len(units), len(units))
        alone = np.concatenate([self.alone[u.name] for _, u in units])
        damage = Quadratic(self.starts, self.base_kl, alone, self._products(vectors))
        return Measured(damage, self.passes)

    def _references(self) -> None:
        """p, sqrt(q) with signs and log-sums of both for every sample, on disk; and the base's KL."""
        total = 0.0
        floats, packed = WeightCache(CACHE_BYTES), WeightCache(CACHE_BYTES)
        for n, sample in enumerate(self.samples):
            self.progress("reference logits", n, len(self.samples))
            target = self._logits(run(self.graph, sample.inputs, cache=floats).outputs[0])
            base = self._logits(
                run(self.graph, sample.inputs, weights="quantized", cache=packed).outputs[0]
            )
            logp, logq = target.log_softmax(-1), base.log_softmax(-1)
            total += float((logp.exp() * (logp - logq)).sum(dtype=torch.float64))
            np.save(self.folder / f"p{n}.npy", logp.exp().numpy())
            np.save(self.folder / f"z{n}.npy", base.numpy())
        self.base_kl = total / self.tokens
        self.passes += 2.0

    def _logits(self, found: Tensor) -> Tensor:
        logits = found.reshape(-1, found.shape[-1])
        if not torch.isfinite(logits).all():
            raise InputError(
                "the model's logits are NaN or infinite on the measuring text; repair the model, or "
                "give another --calibration"
            )
        return logits

    def _option(
        self,
        at: int,
        index: int,
        nodes: Sequence[Node],
        entering: Sequence[dict[Value, Tensor]],
        cache: WeightCache,
        vectors: np.ndarray,
    ) -> float:
        """Change of the KL when one unit takes a choice; its projections go to `vectors`."""
        unit, number = self.trials.problem.units[at], self.starts[at] + index
        if index == self.base[at]:
            vectors[number] = 0
            return 0.0
        scheme = unit.choices[index].scheme
        replace: dict[Value, Tensor] = {}
        kv: dict[str, KvStored] = {}
        if isinstance(scheme, KvScheme):
            kv[unit.name] = scheme
        else:
            changed = torch.from_numpy(self.trials.rounded(unit.name, scheme))
            replace[self.graph.weights[unit.name]] = changed
        total, column = 0.0, 0
        for n, sample in enumerate(self.samples):
            found = run_nodes(
                self.graph,
                nodes,
                entering[n],
                sample.symbols,
                (self.logits,),
                weights="quantized",
                cache=cache,
                replace=replace,
                kv=kv,
            )
            logits = self._logits(found[self.logits])
            delta, row = self._delta(n, logits)
            total += delta
            width = row.size
            vectors[number, column : column + width] = row
            column += width
        return total / self.tokens

    def _delta(self, n: int, logits: Tensor) -> tuple[float, np.ndarray]:
        """Summed change of the KL over a sample's tokens, and the projections of all of them."""
        known = self._reference(n)
        d = logits - known.base
        change = logits.logsumexp(-1) - known.log_sum - (known.p * d).sum(-1)
        mean = (known.q * d).sum(-1, keepdim=True)
        flat = (known.signed_root * (d - mean)) @ self._spread(logits.shape[-1])
        limit = float(np.finfo(np.float16).max)
        row = (flat * SCALE).clamp(-limit, limit).to(torch.float16).reshape(-1).numpy()
        return float(change.sum(dtype=torch.float64)), row

    def _reference(self, n: int) -> "_Reference":
        """What is known of a sample; in memory where all of them have room there."""
        if n in self.known:
            return self.known[n]
        p, base = (
            torch.from_numpy(np.load(self.folder / f"{kind}{n}.npy", allow_pickle=False))
            for kind in ("p", "z")
        )
        q = base.softmax(-1)
        # One matrix for all tokens, with other signs for each: errors do not line up.
        random = np.random.default_rng([self.options.seed, n])
        signs = torch.from_numpy(random.integers(0, 2, tuple(base.shape), np.int8))
        found = _Reference(p, base, base.logsumexp(-1), q, q.sqrt() * (2 * signs - 1))
        if 16 * base.numel() * len(self.samples) <= HELD_BYTES:
            self.known[n] = found
        return found

    def _spread(self, vocabulary: int) -> Tensor:
        """The random directions, float32 (vocabulary, projections)."""
        if self.directions is None:
            random = np.random.default_rng(self.options.seed)
            shape = (vocabulary, self.options.projections)
            signs = 2 * random.integers(0, 2, shape, np.int8) - 1
            matrix = torch.from_numpy(signs.astype(np.float32))
            self.directions = matrix / self.options.projections**0.5
        return self.directions

    def _products(self, vectors: np.ndarray) -> np.ndarray:
        """Mean over tokens of the products of all pairs, float32 (options, options)."""
        count = len(vectors)
        out = np.zeros((count, count), np.float32)
        step = max(1, (1 << 28) // max(1, count * 4))  # columns at once
        for begin in range(0, vectors.shape[1], step):
            part = torch.from_numpy(np.array(vectors[:, begin : begin + step], np.float32))
            out += (part @ part.T).numpy()
        return out / np.float32(SCALE**2 * self.tokens)

    def _resume(self) -> bool:
        path = self.folder / PROGRESS
        if not path.exists():
            return False
        try:
            data = json.loads(path.read_text("utf-8"))
            same = data["fingerprint"] == self.fingerprint
            self.alone = {str(n): [float(x) for x in row] for n, row in data["alone"].items()}
            self.passes = float(data["passes"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{path}: damaged ({error}); remove {self.folder} to begin anew"
            ) from error
        if not same:
            raise InputError(f"{path}: belongs to another run; remove {self.folder} to begin anew")
        for unit in self.trials.problem.units:
            if len(self.alone.get(unit.name, unit.choices)) != len(unit.choices):
                raise InternalError(f"{path}: {unit.name} has other choices now")
        return True

    def _save(self) -> None:
        data = {"fingerprint": self.fingerprint, "passes": self.passes, "alone": self.alone}
        path = self.folder / PROGRESS
        part = path.with_suffix(".part")
        part.write_text(json.dumps(data), "utf-8")
        part.replace(path)


def _work(nodes: Sequence[Node]) -> int:
    """Multiplications of a run of nodes a token, nearly: weights that linears read."""
    return sum(n.input(1).type.elements() for n in nodes if n.op == "linear")
