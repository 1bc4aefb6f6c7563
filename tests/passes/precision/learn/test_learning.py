"""Learning on whole graphs: what it wins, what it leaves, and that runs repeat."""

import numpy as np
import pytest
import torch
from support.graphs import decoder
from support.killing import KillAt, Killed, digests

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.observers import SilentObserver
from optimum_compile.compiler.pass_manager import PassContext, PassManager
from optimum_compile.passes.calibrate.propagate import decoder_samples
from optimum_compile.passes.precision import quantize_blocks
from optimum_compile.passes.precision.assign import AssignPrecision
from optimum_compile.passes.precision.learn.block import split
from optimum_compile.passes.precision.learn.distill import divergence, divergence_gradient
from optimum_compile.passes.precision.learn.effort import Effort, effort_named
from optimum_compile.passes.precision.notes import Quantized
from optimum_compile.passes.precision.quantize_blocks import QuantizeBlocks
from optimum_compile.passes.precision.quantizers.recipes import RECIPES
from optimum_compile.passes.specs import QUANTIZED

RNG = np.random.default_rng(0)
SAMPLES = decoder_samples([RNG.integers(0, 50, 16).tolist() for _ in range(24)], 16)
HELD_OUT = [RNG.integers(0, 50, 16) for _ in range(8)]


def quantised(work, effort, name="rtn", observer=None):
    graph = decoder(layers=2, width=64, hidden=128, tied=True)
    PassManager([AssignPrecision(policy="uniform", bits=2)]).run(graph)
    step = QuantizeBlocks(work, RECIPES[name], SAMPLES, effort=effort)
    context = PassContext(observer=observer or SilentObserver())
    PassManager([step], ensures={step.name: QUANTIZED}).run(graph, context)
    return graph


def kl(graph):
    total = 0.0
    for tokens in HELD_OUT:
        inputs = {"tokens": tokens[None], "past": np.array([0])}
        wanted = run(graph, inputs).outputs[0]
        total += divergence(wanted, run(graph, inputs, weights="quantized").outputs[0])
    return total


def test_learned_rounding_beats_where_it_began(tmp_path):
    plain = quantised(tmp_path / "plain", Effort())
    learned = quantised(tmp_path / "learned", Effort(steps=60))
    assert kl(learned) < 0.9 * kl(plain)
    # The tied table is read by two segments: it is not a block's to change.
    table = "model.embed_tokens.weight"
    changed = {n for n, d in digests(learned).items() if d != digests(plain)[n]}
    assert changed
    assert table not in changed


def test_distillation_moves_grids_and_leaves_codes(tmp_path):
    plain = quantised(tmp_path / "plain", Effort())
    tuned = quantised(tmp_path / "tuned", Effort(epochs=6))
    assert kl(tuned) < kl(plain)
    for name, value in tuned.weights.items():
        note = value.notes.get(Quantized)
        if note:
            before = plain.weights[name].notes.get(Quantized).load()
            assert np.array_equal(note.load().codes, before.codes)
            assert note.load().stored_bytes == before.stored_bytes


@pytest.mark.slow
def test_runs_repeat_and_a_killed_one_ends_in_the_same_bytes(tmp_path):
    effort = Effort(steps=8, epochs=1)
    expected = digests(quantised(tmp_path / "a", effort, "auto"))
    with pytest.raises(Killed):
        quantised(tmp_path / "b", effort, "auto", KillAt(1))
    assert digests(quantised(tmp_path / "b", effort, "auto")) == expected


def test_a_run_that_is_killed_while_it_distils_ends_in_the_same_bytes(tmp_path, monkeypatch):
    effort = Effort(epochs=1)
    expected = digests(quantised(tmp_path / "a", effort))

    def kill(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(quantize_blocks, "distill_all", kill)
        with pytest.raises(Killed):
            quantised(tmp_path / "b", effort)
    assert digests(quantised(tmp_path / "b", effort)) == expected


def test_the_gradient_is_that_of_the_divergence():
    generator = torch.Generator().manual_seed(0)
    p, q = (torch.randn(1, 70, 9, generator=generator) for _ in range(2))
    leaf = q.clone().requires_grad_()
    loss = (p.softmax(-1) * (p.log_softmax(-1) - leaf.log_softmax(-1))).sum()
    loss.backward()
    assert divergence(p, q) == pytest.approx(float(loss), rel=1e-5)
    assert torch.allclose(divergence_gradient(p, q), leaf.grad, atol=1e-6)


@pytest.mark.parametrize("samples", [1, 5, 7, 8, 64])
def test_windows_that_choose_are_not_learned_from(samples):
    trained, held = split(samples)
    assert trained
    assert held
    if samples >= 8:
        assert not set(trained) & set(held)
        assert sorted(trained + held) == list(range(samples))


def test_an_unknown_effort_is_refused():
    with pytest.raises(OptionError, match="effort 'huge': expected one of none, light"):
        effort_named("huge")
