"""A sweep block by block says what one pass of the whole program says."""

import numpy as np
import pytest
import torch
from support.graphs import decoder
from support.hf import experts_folder

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.interpret import run
from optimum_compile.passes.calibrate.propagate import Sample, decoder_samples
from optimum_compile.passes.precision.units import units_of
from optimum_compile.passes.sensitivity.losses import next_token_loss
from optimum_compile.passes.sensitivity.sweep import Factors, Sweep, token_count

WINDOWS = [[1, 2, 3, 4, 5], [9, 8, 7], [1, 1, 1, 6, 2, 40]]


def names_of(graph):
    return [u.name for u in units_of(graph)]


def gradients_by_blocks(graph, samples, folder, weights):
    """Gradient of every weight, of each sample, in two runs of rows."""
    names = names_of(graph)
    out = {n: [torch.zeros(graph.weights[n].type.static_shape()) for _ in samples] for n in names}

    def visit(use, factors):
        rows, columns = graph.weights[use.name].type.static_shape()
        for at, each in enumerate(factors()):
            for begin, end in ((0, rows // 2), (rows // 2, rows)):
                out[use.name][at][begin:end] += each.gradient(begin, end, columns)

    way = Sweep(graph, samples, folder, names, weights.get)
    way.forward(keep=True)
    way.backward(lambda at, logits: next_token_loss(logits, samples[at]), visit)
    return out


@pytest.mark.parametrize("tied", [True, False])
def test_gradients_are_those_of_the_whole_program(tmp_path, tied):
    graph = decoder(layers=3, tied=tied, bias=True)
    samples = decoder_samples(WINDOWS, 16)
    moved = {n: torch.from_numpy(graph.weights[n].weight.load()) * 1.1 for n in names_of(graph)[:4]}
    found = gradients_by_blocks(graph, samples, tmp_path, moved)
    for at, sample in enumerate(samples):
        done = run(graph, sample.inputs, replace_weights=moved, grad_weights=names_of(graph))
        with torch.enable_grad():
            next_token_loss(done.outputs[0], sample).backward()
        for name, leaf in done.weights.items():
            torch.testing.assert_close(found[name][at], leaf.grad, rtol=1e-3, atol=1e-5)
    assert list(tmp_path.rglob("*.safetensors")) == []


def test_gradients_of_experts_are_those_of_the_whole_program(tmp_path):
    graph = open_model(experts_folder(tmp_path / "moe")).graph
    samples = decoder_samples(WINDOWS[:2], 16)
    found = gradients_by_blocks(graph, samples, tmp_path / "work", {})
    for at, sample in enumerate(samples):
        done = run(graph, sample.inputs, grad_weights=names_of(graph))
        with torch.enable_grad():
            next_token_loss(done.outputs[0], sample).backward()
        for name, leaf in done.weights.items():
            torch.testing.assert_close(found[name][at], leaf.grad, rtol=1e-3, atol=1e-5)


def everything(graph, sample):
    """What every node gave, by its output."""
    made = {}
    run(graph, sample.inputs, observe=lambda node, out: made.update({node.output: out[0]}))
    return made


def test_forward_tells_every_use_what_enters_it(tmp_path):
    graph = decoder(layers=2)
    samples = decoder_samples(WINDOWS, 16)
    seen, expected = [], []
    way = Sweep(graph, samples, tmp_path, names_of(graph))
    way.forward(lambda use, inputs, gate: seen.append((use.node, inputs, gate)))
    for sample in samples:
        expected.append(everything(graph, sample))
    assert len(seen) == 3 * (2 * 7 + 2)
    for at, made in enumerate(expected):
        of_sample = [s for s in seen if s[1].shape[0] == len(WINDOWS[at])]
        for node, inputs, gate in of_sample:
            assert gate is None
            if node.op == "embedding":
                assert inputs.tolist() == WINDOWS[at]
                continue
            torch.testing.assert_close(inputs, made[node.input(0)][0], rtol=0, atol=0)
    for at, made in enumerate(expected):
        torch.testing.assert_close(way.output(at), made[graph.outputs[0]], rtol=0, atol=0)


def test_without_samples_there_is_nothing_to_measure(tmp_path):
    with pytest.raises(InputError, match="no text to measure with"):
        Sweep(decoder(), (), tmp_path, ())


def test_products_with_errors_are_taken_row_by_row():
    rng = torch.Generator().manual_seed(1)
    x, pulls, error = (torch.randn(*s, generator=rng) for s in ((5, 4), (5, 6), (6, 4)))
    whole = Factors(x, pulls).pulled_errors(0, error)
    torch.testing.assert_close(whole, pulls * (x @ error.T))
    torch.testing.assert_close(Factors(x, pulls).pulled_errors(2, error[2:5]), whole[:, 2:5])
    ids = torch.tensor([3, 0, 3, 5, 1])
    pulls = torch.randn(5, 4, generator=rng)
    found = [Factors(ids, pulls).pulled_errors(b, error[b : b + 3]) for b in (0, 3)]
    assert sum(len(f) for f in found) == 5
    total = sum(float(f.sum()) for f in found)
    assert total == pytest.approx(float((pulls * error[ids]).sum()), rel=1e-5)


def test_tokens_are_counted_by_what_is_read():
    floats = Sample({"x": np.zeros((3, 8), np.float32)}, {"n": 3})
    assert token_count([*decoder_samples(WINDOWS, 4), floats]) == 4 + 3 + 4 + 3


def test_labels_need_tokens():
    sample = Sample({"x": np.zeros((3, 8), np.float32)}, {"n": 3})
    with pytest.raises(InputError, match="no input `tokens`; use the loss 'kl'"):
        next_token_loss(torch.zeros(3, 4), sample)
