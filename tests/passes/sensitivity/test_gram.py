"""What is measured of single changes and of pairs, against the model run with them."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from support.graphs import decoder

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.observers import SilentObserver
from optimum_compile.compiler.pass_manager import PassContext
from optimum_compile.passes.calibrate.propagate import decoder_samples
from optimum_compile.passes.precision.allocate.measured import assign
from optimum_compile.passes.precision.allocate.quadratic import starts_of
from optimum_compile.passes.precision.problem import make_problem
from optimum_compile.passes.precision.quantize_blocks import QuantizeBlocks
from optimum_compile.passes.precision.quantizers.recipes import RECIPES
from optimum_compile.passes.precision.units import units_of
from optimum_compile.passes.sensitivity.gram import GramOptions, measure_gram
from optimum_compile.passes.sensitivity.trials import Trials

RNG = np.random.default_rng(0)
CALIBRATION = decoder_samples([RNG.integers(0, 50, 16).tolist() for _ in range(6)], 16)
SAMPLES = decoder_samples([RNG.integers(0, 50, n).tolist() for n in (16, 9, 12)], 16)


class Case:
    """A decoder of two blocks, quantised at 4 bits, with all trials."""

    def __init__(self, work, tied=True):
        self.graph = decoder(layers=2, width=32, hidden=64, tied=tied)
        self.problem = make_problem(self.graph, units_of(self.graph), (), {})
        self.base = tuple(u.nearest(4) for u in self.problem.units)
        assign(self.graph, self.problem.schemes(self.base))
        self.trials = Trials(self.graph, self.problem, work / "trials")
        step = QuantizeBlocks(work, RECIPES["gptq"], CALIBRATION, trials=self.trials)
        step.run(self.graph, PassContext(observer=SilentObserver()))
        self.work = work

    def measure(self, projections=64, folder="gram", **kwargs):
        options = GramOptions(projections)
        return measure_gram(self.trials, self.base, SAMPLES, self.work / folder, options, **kwargs)

    def kl(self, picks):
        total, count = 0.0, 0
        for sample, found in zip(SAMPLES, self.logits(picks), strict=True):
            p = run(self.graph, sample.inputs).outputs[0][0].double().log_softmax(-1)
            total += float((p.exp() * (p - found.log_softmax(-1))).sum())
            count += len(p)
        return total / count

    def logits(self, picks):
        weights = {
            u.name: torch.from_numpy(self.trials.rounded(u.name, u.choices[i].scheme))
            for u, i in zip(self.problem.units, picks, strict=True)
        }
        runs = (run(self.graph, s.inputs, replace_weights=weights) for s in SAMPLES)
        return [found.outputs[0][0].double() for found in runs]

    def change(self, number):
        """What an option alone does to the logits of every sample."""
        starts = np.array(starts_of(self.problem))
        at = int(np.searchsorted(starts, number, side="right")) - 1
        moved = self.moved(**{f"u{at}": number - int(starts[at])})
        pairs = zip(self.logits(moved), self.logits(self.base), strict=True)
        return [a - b for a, b in pairs]

    def moved(self, **indices):
        picks = list(self.base)
        for at, index in indices.items():
            picks[int(at[1:])] = index
        return tuple(picks)


@pytest.fixture(scope="module")
def tied(tmp_path_factory):
    return Case(tmp_path_factory.mktemp("tied"))


@pytest.fixture(scope="module")
def measured(tied):
    return tied.measure(projections=256)


def test_base_and_single_changes_are_exact(tied, measured):
    damage = measured.damage
    assert damage.value(tied.base) == pytest.approx(tied.kl(tied.base), rel=1e-4)
    for at, (start, _) in enumerate(pairwise(damage.starts)):
        assert damage.alone[start + tied.base[at]] == 0
        for index in (0, len(tied.problem.units[at].choices) - 1):
            picks = tied.moved(**{f"u{at}": index})
            assert damage.value(picks) == pytest.approx(tied.kl(picks), rel=1e-3, abs=1e-7)


def test_interactions_are_covariances_of_what_changes_do_to_the_logits(tied, measured):
    damage = measured.damage
    numbers = [damage.starts[at] + index for at, index in ((0, 0), (3, 0), (7, 0), (9, 6), (14, 0))]
    changes = [tied.change(n) for n in numbers]
    base = tied.logits(tied.base)
    exact = np.zeros((5, 5))
    for q, *rows in zip(base, *changes, strict=True):
        q = q.softmax(-1)
        centred = [q.sqrt() * (d - (q * d).sum(-1, keepdim=True)) for d in rows]
        exact += [[float((a * b).sum()) for b in centred] for a in centred]
    exact /= sum(len(q) for q in base)
    found = damage.between[np.ix_(numbers, numbers)]
    size = np.sqrt(np.outer(np.diagonal(exact), np.diagonal(exact)))
    # 37 tokens times 256 projections: an error of one hundredth of the sizes, more where few tokens
    # have most of the damage.
    assert np.abs((found - exact) / size).max() < 0.06
    assert np.abs(exact - np.diag(np.diagonal(exact))).max() > 0.1 * np.diagonal(exact).min()


def test_an_untied_head_is_measured_too(tmp_path):
    case = Case(tmp_path, tied=False)
    damage = case.measure(16).damage
    head = next(i for i, u in enumerate(case.problem.units) if "head" in u.name)
    picks = case.moved(**{f"u{head}": 0})
    assert damage.value(picks) == pytest.approx(case.kl(picks), rel=1e-3, abs=1e-7)


def test_it_costs_less_than_a_pass_for_every_choice(tied, measured):
    singles = sum(len(u.choices) - 1 for u in tied.problem.units)
    assert 0.4 * singles < measured.forward_passes < singles + 2


class Stop(BaseException):
    """As a signal."""


def test_a_stopped_measurement_goes_on_and_ends_the_same(tied):
    whole = tied.measure(16, "whole", fingerprint="x")

    def stop(what, done, total):
        if what == "measure interactions" and done == 5:
            raise Stop

    with pytest.raises(Stop):
        tied.measure(16, "part", fingerprint="x", progress=stop)
    went_on = tied.measure(16, "part", fingerprint="x")
    np.testing.assert_array_equal(whole.damage.alone, went_on.damage.alone)
    np.testing.assert_array_equal(whole.damage.between, went_on.damage.between)
    assert went_on.forward_passes == pytest.approx(whole.forward_passes + 2)
    with pytest.raises(InputError, match="belongs to another run"):
        tied.measure(16, "part", fingerprint="y")
    (tied.work / "part" / "gram.json").write_text("{", "utf-8")
    with pytest.raises(InputError, match=r"gram\.json: damaged"):
        tied.measure(16, "part", fingerprint="x")
