import numpy as np
import pytest
import torch
from support.graphs import decoder

from optimum_compile.compiler.interpret import run
from optimum_compile.passes.calibrate.moments import guided_hessians
from optimum_compile.passes.calibrate.propagate import Propagation, decoder_samples
from optimum_compile.passes.calibrate.saliency import measure_saliency, row_groups
from optimum_compile.passes.calibrate.segments import readings_of, segments_of

WINDOWS = [[1, 2, 3, 4, 5], [9, 8, 7]]
GROUPS = 2


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    graph = decoder(layers=3)
    segments = segments_of(graph)
    folder = tmp_path_factory.mktemp("saliency")
    way = Propagation(graph, decoder_samples(WINDOWS, 16), folder / "float", "float")
    found = measure_saliency(graph, segments, way, folder / "out", GROUPS, seed=3)
    return graph, segments, way, found, folder


def whole_model_gradients(graph, sample, seed):
    """Gradients at the outputs of all linears, by autograd through the whole program at once."""
    seen = {}

    def observe(node, outputs):
        if node.op == "linear":
            outputs[0].retain_grad()
            seen[node.output.name] = outputs[0]

    name = "model.embed_tokens.weight"
    done = run(graph, sample.inputs, grad_weights=[name], observe=observe)
    logits = done.outputs[0][0]
    generator = torch.Generator().manual_seed(seed)
    labels = torch.multinomial(logits.detach().softmax(-1), 1, generator=generator)[:, 0]
    torch.nn.functional.cross_entropy(logits, labels, reduction="sum").backward()
    return {n: t.grad.reshape(-1, t.shape[-1]) for n, t in seen.items()}


def test_block_by_block_gives_the_gradients_of_the_whole_model(measured):
    graph, segments, way, found, _ = measured
    for at, sample in enumerate(way.samples):
        expected = whole_model_gradients(graph, sample, 3 + at)
        for segment in segments:
            for linear in (n for r in readings_of(segment) for n in r.linears):
                square = expected[linear.output.name] ** 2
                groups = row_groups(square.shape[1], GROUPS)
                wanted = torch.stack([square[:, rows].mean(1) for rows in groups], 1)
                wanted = (wanted / wanted.mean(0).clamp_min(1e-30)).clamp_min(1e-3)
                got = found.of(segment, at, linear)
                torch.testing.assert_close(got, wanted, rtol=2e-3, atol=1e-4)


def test_nothing_but_the_weights_of_tokens_stays_on_disk(measured):
    _, segments, way, _, folder = measured
    files = [p.relative_to(folder).as_posix() for p in folder.rglob("*.safetensors")]
    expected = {f"out/boundary{s.index}/{n}.safetensors" for s in segments for n in range(2)}
    assert set(files) == expected
    assert len(way.samples) == 2


def test_guided_hessians_weigh_tokens():
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    weights = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    first, second = guided_hessians([x], [weights])
    torch.testing.assert_close(first, x[:1].T @ x[:1] / 2)
    torch.testing.assert_close(second, 2 * x[1:].T @ x[1:] / 2)
    assert guided_hessians([], []) == ()


@pytest.mark.parametrize(
    ("rows", "groups", "multiple"), [(10, 3, 1), (12, 4, 4), (2, 4, 1), (9, 2, 4)]
)
def test_groups_of_rows_cover_all_rows_and_keep_tables_whole(rows, groups, multiple):
    found = row_groups(rows, groups, multiple)
    covered = np.concatenate([np.arange(rows)[part] for part in found])
    np.testing.assert_array_equal(covered, np.arange(rows))
    assert all(part.start % multiple == 0 for part in found)
