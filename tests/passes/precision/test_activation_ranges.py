"""Ranges of activations: the whole of what linears give, the best part of what they read."""

import numpy as np
import pytest
from support.graphs import decoder

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.ir.weights import inline_weight
from optimum_compile.compiler.pass_manager import PassManager
from optimum_compile.passes.precision import activation_ranges as ranges
from optimum_compile.passes.precision.activation_ranges import CalibrateActivations
from optimum_compile.passes.precision.notes import ValueRange
from optimum_compile.passes.symbolic_shape.specialize import specialize

WINDOWS = np.random.default_rng(0).integers(0, 50, (3, 24)).tolist()


def noted(graph, windows=WINDOWS):
    PassManager([CalibrateActivations(windows)]).run(graph)
    return {v: v.notes.get(ValueRange) for v in graph.values() if v.notes.get(ValueRange)}


def seen(graph):
    """Least and greatest number of every value over the windows, in one call each."""
    low, high = {}, {}

    def observe(node, outputs):
        for value, data in zip(node.outputs, outputs, strict=True):
            low[value] = min(low.get(value, np.inf), float(data.min()))
            high[value] = max(high.get(value, -np.inf), float(data.max()))

    for window in WINDOWS:
        states = None
        for at in (0, 16):  # 16 tokens a call at the most
            tokens = np.array(window[at : at + 16])[None]
            done = run(graph, {"tokens": tokens, "past": np.array([at])}, states, observe=observe)
            states = done.states
    return low, high


def test_what_linears_give_has_its_whole_range_and_what_they_read_a_part():
    graph = decoder(layers=2)
    found, (low, high) = noted(graph), seen(graph)
    linears = [node for node in graph.nodes if node.op == "linear"]
    assert set(found) == {v for n in linears for v in (n.input(0), n.output)}
    for node in linears:
        value = node.output
        assert (found[value].low, found[value].high) == pytest.approx((low[value], high[value]))
    for value in {n.input(0) for n in linears}:
        share = found[value].low / low[value]
        assert share == pytest.approx(found[value].high / high[value])
        assert 0.25 < share <= 1.0


def test_specialised_graphs_have_the_ranges_too():
    graph = decoder(layers=1)
    found = noted(graph)
    fixed = specialize(graph, {"seq": 1})
    again = [v.notes.get(ValueRange) for v in fixed.values() if v.notes.get(ValueRange)]
    assert again == list(found.values())


def test_the_share_is_the_one_of_the_least_error():
    rng = np.random.default_rng(0)
    for data in (rng.uniform(-1, 1, 20000), rng.standard_normal(20000), rng.standard_cauchy(20000)):
        one = ranges._Seen()
        one.add(data.astype(np.float32), np.random.default_rng(1))
        note = one.fitted()
        sample = one.sample().astype(np.float64)
        chosen = ranges._error(sample, note.low, note.high)
        assert chosen <= min(
            ranges._error(sample, one.low * share, one.high * share) for share in ranges.SHARES
        )
        assert note.low < 0 < note.high
    uniform = ranges._Seen()
    uniform.add(rng.uniform(-1, 1, 20000).astype(np.float32), np.random.default_rng(1))
    assert uniform.fitted().high == pytest.approx(1, abs=0.06)


def test_a_sample_stays_small_whatever_the_number_of_calls():
    one, rng = ranges._Seen(), np.random.default_rng(0)
    for at in range(60):
        one.add(np.full(20000, at, np.float32), rng)
    sample = one.sample()
    assert len(sample) <= 2 * ranges.SAMPLES
    assert (one.low, one.high) == (0, 59)
    assert len(np.unique(sample)) > 50


def test_zero_is_always_a_level():
    data = np.linspace(3, 4, 1000)
    assert ranges._error(data, 3, 4) == pytest.approx((4 / 255) ** 2 / 12, rel=0.2)
    assert ranges._error(np.zeros(4), 0, 0) == 0


def test_the_same_windows_give_the_same_ranges():
    one, other = (list(noted(decoder(layers=1)).values()) for _ in range(2))
    assert one == other


def test_what_is_not_finite_is_refused_by_name():
    graph = decoder(layers=1)
    old = graph.weights["model.layers.0.self_attn.v_proj.weight"]
    data = old.weight.load_f32().copy()
    data[0, 0] = np.inf
    old.weight = inline_weight(old.weight.name, data, old.type.dtype)
    with pytest.raises(InputError, match="NaN or infinite on the calibration text"):
        noted(graph)


def test_without_windows_nothing_can_be_said():
    with pytest.raises(InputError, match="or not computed"):
        noted(decoder(layers=1), [])
