from dataclasses import replace

import numpy as np
import pytest
from support.bigram import one_linear, vectors
from support.graphs import decoder
from support.trials import small_setting

from optimum_compile.compiler.errors import OptionError
from optimum_compile.passes.sensitivity.combined import Combined
from optimum_compile.passes.sensitivity.weights import Weights, drawn_samples


def test_without_tokens_it_is_the_relative_squared_error(tmp_path):
    setting = small_setting(one_linear(), tmp_path, ("int4:g16", "f16"))
    setting = replace(setting, samples=(vectors(np.ones((2, 32))),))
    original = setting.trials.original("head.weight").astype(np.float64)
    (unit,) = setting.trials.problem.units
    change = original - setting.trials.rounded(unit.name, unit.choices[0].scheme)
    expected = (change**2).sum() / (original**2).mean()
    found = Weights().measure(setting)
    assert found.scores["head.weight"]["int4:g16"] == pytest.approx(expected, rel=1e-6)
    assert found.forward_passes == 0.0


def test_the_text_makes_no_difference(tmp_path):
    setting = small_setting(decoder(layers=1), tmp_path)
    found = Weights().measure(setting)
    blind = Weights().measure(replace(setting, samples=()))
    assert blind.scores == found.scores
    drawn = drawn_samples(setting.graph, 4, 256, setting.seed)
    assert found.scores == Combined().measure(replace(setting, samples=drawn)).scores
    tokens = sum(s.inputs["tokens"].size for s in setting.samples)
    assert found.forward_passes == pytest.approx(4.0 * 4 * 16 / tokens)
    assert blind.forward_passes == 4.0


def test_drawn_windows_are_as_long_as_the_program_takes_them():
    graph = decoder(layers=1, max_prefill=16, vocab=50)
    samples = drawn_samples(graph, 3, 256, seed=5)
    assert [s.inputs["tokens"].shape for s in samples] == [(1, 16)] * 3
    tokens = np.concatenate([s.inputs["tokens"][0] for s in samples])
    assert 0 <= tokens.min() <= tokens.max() < 50
    assert len(set(tokens.tolist())) > 20
    again, other = (drawn_samples(graph, 3, 256, seed) for seed in (5, 6))
    np.testing.assert_array_equal(again[2].inputs["tokens"], samples[2].inputs["tokens"])
    assert (other[2].inputs["tokens"] != samples[2].inputs["tokens"]).any()


def test_wrong_options_are_refused():
    with pytest.raises(OptionError, match="windows=0, length=256: expected 1 or more"):
        Weights(windows=0)
