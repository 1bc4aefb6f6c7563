"""What is measured of KV caches, alone and with weights, against the model run with them."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from support.graphs import decoder

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.observers import SilentObserver
from optimum_compile.compiler.pass_manager import PassContext
from optimum_compile.compiler.quant.kv import KvScheme
from optimum_compile.passes.calibrate.propagate import decoder_samples
from optimum_compile.passes.precision.allocate.assembled import Selection
from optimum_compile.passes.precision.allocate.measured import assign
from optimum_compile.passes.precision.caches import (
    exact_caches,
    weights_alone,
    with_caches,
    write_schemes,
)
from optimum_compile.passes.precision.problem import make_problem
from optimum_compile.passes.precision.quantize_blocks import QuantizeBlocks
from optimum_compile.passes.precision.quantizers.recipes import RECIPES
from optimum_compile.passes.precision.units import units_of
from optimum_compile.passes.sensitivity.gram import GramOptions, measure_gram
from optimum_compile.passes.sensitivity.trials import Trials

RNG = np.random.default_rng(0)
SAMPLES = decoder_samples([RNG.integers(0, 50, n).tolist() for n in (128, 110)], 128)


class Case:
    """A decoder of two blocks with caches of 140 tokens, quantised at about 5 bits."""

    def __init__(self, work):
        self.graph = decoder(layers=2, width=32, hidden=64, context=140, max_prefill=128)
        weights = make_problem(self.graph, units_of(self.graph), (), {})
        self.problem = with_caches(weights, self.graph, ())
        picks = tuple(u.nearest(5) for u in self.problem.units)
        self.base = exact_caches(self.problem, picks)
        assign(self.graph, self.problem.schemes(self.base))
        self.trials = Trials(self.graph, self.problem, work / "trials")
        step = QuantizeBlocks(work, RECIPES["rtn"], SAMPLES[:1], trials=self.trials)
        step.run(self.graph, PassContext(observer=SilentObserver()))
        self.work = work
        self.caches = [at for at, u in enumerate(self.problem.units) if u.unit.is_cache]

    def logits(self, picks):
        """By whole runs of the model, float64 (tokens, vocabulary) of every sample."""
        units = list(zip(self.problem.units, picks, strict=True))
        chosen = {u.name: u.choices[i].scheme for u, i in units}
        kv = {n: s for n, s in chosen.items() if isinstance(s, KvScheme)}
        weights = {
            u.name: torch.from_numpy(self.trials.rounded(u.name, chosen[u.name]))
            for u, _ in units
            if not u.unit.is_cache
        }
        return [
            run(self.graph, s.inputs, replace_weights=weights, kv=kv).outputs[0][0].double()
            for s in SAMPLES
        ]

    def kl(self, picks):
        total, count = 0.0, 0
        for sample, found in zip(SAMPLES, self.logits(picks), strict=True):
            q = found.log_softmax(-1)
            p = run(self.graph, sample.inputs).outputs[0][0].double().log_softmax(-1)
            total += float((p.exp() * (p - q)).sum())
            count += len(p)
        return total / count

    def moved(self, *moves):
        picks = list(self.base)
        for at, index in moves:
            picks[at] = index
        return tuple(picks)


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return Case(tmp_path_factory.mktemp("caches"))


@pytest.fixture(scope="module")
def damage(case):
    options = GramOptions(256)
    found = measure_gram(case.trials, case.base, SAMPLES, case.work / "gram", options)
    return found.damage


def test_single_changes_of_caches_are_exact(case, damage):
    assert damage.value(case.base) == pytest.approx(case.kl(case.base), rel=1e-4)
    assert len(case.caches) == 4
    for at in case.caches:
        last = len(case.problem.units[at].choices) - 1
        assert damage.alone[damage.starts[at] + last] == 0
        for index in range(last):
            picks = case.moved((at, index))
            assert case.kl(picks) != case.kl(case.base)  # the text is long enough
            assert damage.value(picks) == pytest.approx(case.kl(picks), rel=1e-3, abs=1e-6)


def test_fewer_bits_disturb_the_logits_more(case, damage):
    for at in case.caches:
        first, end = damage.starts[at], damage.starts[at + 1]
        sizes = np.diagonal(damage.between)[first:end]
        assert all(a > b for a, b in pairwise(sizes))


def test_interactions_of_caches_and_weights_are_covariances_of_the_logits(case, damage):
    moves = [(3, 0), (7, 0), *((at, 0) for at in case.caches)]
    base = case.logits(case.base)
    exact = np.zeros((len(moves), len(moves)))
    changed = [case.logits(case.moved(move)) for move in moves]
    for n, before in enumerate(base):
        q = before.softmax(-1)
        rows = [found[n] - before for found in changed]
        centred = [q.sqrt() * (d - (q * d).sum(-1, keepdim=True)) for d in rows]
        exact += [[float((a * b).sum()) for b in centred] for a in centred]
    exact /= sum(len(q) for q in base)
    numbers = [damage.starts[at] + index for at, index in moves]
    found = damage.between[np.ix_(numbers, numbers)]
    size = np.sqrt(np.outer(np.diagonal(exact), np.diagonal(exact)))
    # Few tokens have most of the damage, so that the projections of 238 count like those of 40.
    assert np.abs((found - exact) / size).max() < 0.06
    upper = np.abs(exact / size)[np.triu_indices(len(moves), 1)]
    assert upper.max() > 0.1, upper  # and there is something to know


def test_the_selection_reads_the_cache_rounded(case):
    selection = Selection(case.graph, SAMPLES)
    picks = case.moved(*((at, 0) for at in case.caches))
    assert selection.kl(case.trials, picks) == pytest.approx(case.kl(picks), rel=1e-4)
    assert selection.kl(case.trials, case.base) == pytest.approx(case.kl(case.base), rel=1e-4)


def test_bits_that_were_given_are_read_where_caches_are_no_units(case):
    selection = Selection(case.graph, SAMPLES)
    alone = Trials(case.graph, weights_alone(case.problem), case.trials.folder)
    picks = case.moved(*((at, 0) for at in case.caches))
    own = picks[: len(alone.problem.units)]
    write_schemes(case.graph, {case.problem.units[at].name: KvScheme(2) for at in case.caches})
    try:
        assert selection.kl(alone, own) == pytest.approx(case.kl(picks), rel=1e-4)
        assert selection.kl(case.trials, case.base) == pytest.approx(case.kl(case.base), rel=1e-4)
    finally:
        write_schemes(case.graph, case.problem.schemes(case.base))
    assert selection.kl(alone, own) == pytest.approx(case.kl(case.base), rel=1e-4)


def test_the_weights_alone_have_the_same_damage(case, damage):
    alone = weights_alone(case.problem)
    part = damage.of_first(len(alone.units))
    picks = case.moved((0, 0), (5, 1))
    assert part.value(picks[: len(alone.units)]) == pytest.approx(damage.value(picks), rel=1e-12)


def test_a_base_that_rounds_a_cache_is_refused(case):
    base = case.moved((case.caches[0], 0))
    with pytest.raises(InternalError, match="k_cache.0: the base reads it as kv2:g32"):
        measure_gram(case.trials, base, SAMPLES, case.work / "other")
