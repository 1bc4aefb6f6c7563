from dataclasses import replace

import numpy as np
import pytest
import torch
from support.bigram import one_linear, vectors
from support.graphs import decoder
from support.trials import small_setting

from optimum_compile.compiler.errors import InputError, OptionError
from optimum_compile.passes.sensitivity.hessian import (
    Hessian,
    self_divergence,
    trace_estimates,
)


def test_the_trace_of_a_diagonal_hessian_is_exact_with_one_probe():
    a = torch.arange(1.0, 7.0).reshape(2, 3)
    w, v = torch.randn(2, 3, requires_grad=True), torch.randn(4, requires_grad=True)
    loss = (a * w.square()).sum() + 3 * v.square().sum()
    found = trace_estimates(loss, [w, v], 1, torch.Generator().manual_seed(0))
    assert found == pytest.approx([2 * 21.0, 2 * 3 * 4])


def test_what_the_loss_does_not_depend_on_has_no_curvature():
    w, v = torch.randn(3, requires_grad=True), torch.randn(4, requires_grad=True)
    found = trace_estimates((w**2).sum() + v.sum(), [w, v], 2, torch.Generator().manual_seed(0))
    assert found == [6.0, 0.0]


def test_off_diagonal_blocks_average_out():
    rng = torch.Generator().manual_seed(1)
    a = torch.randn(6, 6, generator=rng)
    matrix = a @ a.T
    w, v = (torch.randn(3, generator=rng).requires_grad_() for _ in range(2))
    both = torch.cat((w, v))
    found = trace_estimates(0.5 * both @ matrix @ both, [w, v], 3000, rng)
    diagonal = matrix.diagonal()
    expected = [float(diagonal[:3].sum()), float(diagonal[3:].sum())]
    assert found == pytest.approx(expected, rel=0.1)


def test_the_gradient_of_the_divergence_to_itself_is_zero():
    logits = torch.randn(1, 3, 5, requires_grad=True)
    (gradient,) = torch.autograd.grad(self_divergence(logits), logits)
    assert float(gradient.abs().max()) < 1e-6


def test_one_linear_has_the_trace_of_a_softmax(tmp_path):
    """H = (diag(p) - p p^T) times x x^T, whose trace is (1 - |p|^2) |x|^2."""
    setting = small_setting(one_linear(), tmp_path, ("int4:g16", "f16"))
    x = np.random.default_rng(0).standard_normal((3, 32))
    setting = replace(setting, samples=(vectors(x),))
    original = setting.trials.original("head.weight").astype(np.float64)
    (unit,) = setting.trials.problem.units
    change = original - setting.trials.rounded(unit.name, unit.choices[0].scheme)
    p = torch.from_numpy(x @ original.T).softmax(-1).numpy()
    trace = np.mean((1 - (p**2).sum(1)) * (x**2).sum(1))
    expected = 0.5 * trace / original.size * (change**2).sum()
    found = Hessian(probes=2000).measure(setting)
    assert found.scores["head.weight"]["int4:g16"] == pytest.approx(expected, rel=0.05)
    assert found.forward_passes == 3 + 6 * 2000


def test_a_decoder_with_attention_has_second_derivatives(tmp_path):
    setting = small_setting(decoder(layers=2, tied=False), tmp_path, ("int2:g16", "int8:channel"))
    found = Hessian(probes=16).measure(setting).scores
    # The Hessian of the KL is positive: so are traces, but for the noise of few probes.
    positive = [row["int2:g16"] > 0 for row in found.values()]
    assert sum(positive) >= len(positive) - 2
    assert all(abs(row["int8:channel"]) < abs(row["int2:g16"]) for row in found.values())


def test_wrong_probes_and_no_text_are_refused(tmp_path):
    with pytest.raises(OptionError, match="probes=0: expected 1 or more"):
        Hessian(probes=0)
    setting = small_setting(one_linear(), tmp_path, ("f16",))
    with pytest.raises(InputError, match="no text to measure with"):
        Hessian().measure(replace(setting, samples=()))
