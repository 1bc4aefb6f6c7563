"""What experts see: routed tokens by their gates, and some of the layer's mean."""

from pathlib import Path

import numpy as np
import pytest
import torch
from support.hf import experts_folder, forsake

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.ir.graph import Graph, Value
from optimum_compile.passes.calibrate.moments import Moments, moments, shrunk
from optimum_compile.passes.calibrate.propagate import Propagation, decoder_samples
from optimum_compile.passes.calibrate.routed import ExpertMoments
from optimum_compile.passes.calibrate.segments import Reading, Segment, readings_of, segments_of
from optimum_compile.passes.precision.quantizers.recipes import Routing

WINDOWS = [np.random.default_rng(s).integers(3, 90, 12).tolist() for s in range(5)]


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    return open_model(experts_folder(tmp_path_factory.mktemp("moe"))).graph


def entered(graph: Graph, work: Path, block: int) -> tuple[Propagation, Segment]:
    """A float way that stands at the entrance of a block."""
    way = Propagation(graph, decoder_samples(WINDOWS, 16), work, "float")
    way.start()
    segments = segments_of(graph)
    for segment in segments[:block]:
        way.advance(segment)
    return way, segments[block]


def seen(graph: Graph, wanted: Value) -> torch.Tensor:
    """A value for all tokens, by whole runs of the graph."""
    out: list[torch.Tensor] = []
    for window in WINDOWS:
        inputs = {"tokens": np.array([window]), "past": np.array([0])}

        def watch(node: object, made: tuple[torch.Tensor, ...]) -> None:
            if made[0].shape == (1, 12, wanted.type.shape[-1]) and node is wanted.producer:
                out.append(made[0][0])

        run(graph, inputs, observe=watch)
    return torch.cat(out)


def expert_readings(segment: Segment) -> list[Reading]:
    return [r for r in readings_of(segment) if r.expert is not None]


@pytest.mark.parametrize(("weight", "power"), [("gate", 2), ("routed", 0)])
def test_the_hessian_is_that_of_the_formula(graph, tmp_path, weight, power):
    way, segment = entered(graph, tmp_path, 1)
    found = ExpertMoments(Routing(weight, 10 / 64), way)
    for reading in expert_readings(segment)[:6]:
        x = seen(graph, reading.source).double()
        gate = seen(graph, reading.expert.gates)[:, reading.expert.index].double()
        w = torch.where(gate > 0, gate**power, 0)
        count = int((gate > 0).sum())
        own = (x * w[:, None]).T @ x / w.sum().clamp_min(1e-30)
        expected = (count * own + 10 * x.T @ x / len(x)) / (count + 10)
        got = found.of(segment, reading)
        assert 0 < got.tokens == count < len(x)
        torch.testing.assert_close(got.hessian.double(), expected, rtol=1e-4, atol=1e-6)
    assert found.take_remarks() == []


def test_every_token_goes_to_two_experts(graph, tmp_path):
    way, segment = entered(graph, tmp_path, 0)
    found = ExpertMoments(Routing(), way)
    readings = expert_readings(segment)
    assert len(readings) == 16  # gate and up, then down, of each
    own = {r.expert.index: found.of(segment, r).tokens for r in readings[::2]}
    assert found.take_remarks() == []
    assert sum(own.values()) == 5 * 12 * 2


def test_errors_of_earlier_layers_are_seen_by_the_same_tokens(graph, tmp_path):
    now, segment = entered(graph, tmp_path / "now", 1)
    before, _ = entered(graph, tmp_path / "before", 1)
    reading = expert_readings(segment)[1]
    got = ExpertMoments(Routing(), now, before).of(segment, reading)
    assert got.cross is not None
    assert float(got.cross.abs().max()) < 1e-5  # both ways are the float one here
    without = ExpertMoments(Routing(), now).of(segment, reading)
    assert without.cross is None
    assert torch.equal(without.hessian, got.hessian)


def test_what_is_held_gives_the_same_activations(graph, tmp_path):
    way, segment = entered(graph, tmp_path, 1)
    first, second = expert_readings(segment)[:2]
    plain = torch.cat(list(way.inputs_of(segment, second.source)))
    way.hold(segment, (first.source, first.expert.gates))
    assert torch.equal(torch.cat(list(way.inputs_of(segment, second.source))), plain)
    way.forget(segment)
    assert [p for p in (tmp_path / "held").rglob("*") if p.is_file()] == []


def test_an_expert_without_a_token_sees_the_mean_and_is_named(tmp_path):
    folder = forsake(experts_folder(tmp_path / "moe", num_experts_per_tok=1), 5)
    graph = open_model(folder).graph
    way, segment = entered(graph, tmp_path / "work", 1)
    found = ExpertMoments(Routing(), way)
    for reading in expert_readings(segment):
        got = found.of(segment, reading)
        if reading.expert.index == 5:
            x = seen(graph, reading.source).double()
            torch.testing.assert_close(got.hessian.double(), x.T @ x / len(x), rtol=1e-4, atol=1e-6)
    (remark,) = found.take_remarks()
    assert "model.layers.1.block_sparse_moe.experts.5" in remark
    assert "no calibration token was routed there" in remark
    assert found.take_remarks() == []


def test_weights_make_weighted_means_and_zeros_do_not_count():
    x = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    w = torch.tensor([1.0, 0, 2, 0, 0, 1])
    got = moments("x", [x[:4], x[4:]], weights=[w[:4], w[4:]])
    again = moments("x", [x[[0, 2, 2, 5]]])
    torch.testing.assert_close(got.hessian, again.hessian)
    torch.testing.assert_close(got.magnitude, again.magnitude)
    assert (got.tokens, again.tokens) == (3, 4)
    with pytest.raises(InputError, match="x: no token reached it"):
        moments("x", [x], weights=[torch.zeros(6)])


@pytest.mark.parametrize(
    ("count", "tokens", "share"), [(10, 0.0, 1.0), (10, 10.0, 0.5), (1, 3.0, 0.25)]
)
def test_shrinking_is_a_mean_by_tokens(count, tokens, share):
    own = Moments(torch.eye(2), torch.ones(2), count, torch.ones(2, 2))
    every = Moments(3 * torch.eye(2), 3 * torch.ones(2), 100, 3 * torch.ones(2, 2))
    got = shrunk(own, every, tokens)
    level = share + 3 * (1 - share)
    assert torch.equal(got.hessian, level * torch.eye(2))
    assert torch.equal(got.cross, level * torch.ones(2, 2))
    assert got.tokens == count
