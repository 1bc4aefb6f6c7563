import numpy as np
import pytest
import torch
from support.graphs import decoder

from optimum_compile.compiler.errors import InputError, InternalError
from optimum_compile.compiler.interpret import run
from optimum_compile.passes.calibrate.checkpoint import fingerprint, open_progress
from optimum_compile.passes.calibrate.moments import moments
from optimum_compile.passes.calibrate.propagate import Propagation, decoder_samples
from optimum_compile.passes.calibrate.segments import readings_of, segments_of

WINDOWS = [[1, 2, 3, 4], [9, 8, 7], list(range(40))]


def test_windows_are_cut_at_the_longest_prefill():
    samples = decoder_samples(WINDOWS, 16)
    assert [s.symbols["seq"] for s in samples] == [4, 3, 16]
    assert samples[2].inputs["tokens"].tolist() == [list(range(16))]


def test_samples_meet_what_the_whole_graph_computes(tmp_path):
    graph = decoder(layers=3)
    samples = decoder_samples(WINDOWS, 16)
    way = Propagation(graph, samples, tmp_path, "float")
    way.start()
    segments = segments_of(graph)
    wanted = readings_of(segments[2])[0].source
    expected: list[torch.Tensor] = []
    for sample in samples:
        run(
            graph,
            sample.inputs,
            observe=lambda node, out: (
                expected.append(out[0][0]) if wanted in node.outputs else None
            ),
        )
    for segment in segments[:2]:
        way.advance(segment)
        way.forget(segment)
    found = list(way.inputs_of(segments[2], wanted))
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    # One boundary is on disk, not three.
    assert [p.name for p in tmp_path.iterdir()] == ["boundary2"]


def test_a_lost_file_is_named(tmp_path):
    graph = decoder(layers=2)
    way = Propagation(graph, decoder_samples(WINDOWS, 16), tmp_path, "float")
    way.start()
    way.spill.path(0, 1).unlink()
    with pytest.raises(InternalError, match=r"boundary0/1\.safetensors"):
        way.advance(segments_of(graph)[0])


def test_moments_are_means_over_tokens():
    x = torch.tensor([[1.0, 2.0], [3.0, -4.0], [0.0, 1.0]])
    seen = moments("here", [x[:2], x[2:]])
    torch.testing.assert_close(seen.hessian, x.T @ x / 3)
    torch.testing.assert_close(seen.magnitude, x.abs().mean(0))
    torch.testing.assert_close(seen.importance, (x**2).mean(0))
    assert seen.tokens == 3
    assert seen.cross is None


def test_the_cross_moment_is_that_of_what_went_missing():
    x, original = torch.ones(4, 2), torch.full((4, 2), 3.0)
    seen = moments("here", [x], [original])
    torch.testing.assert_close(seen.cross, torch.full((2, 2), 2.0))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_activations_that_are_not_finite_are_refused(bad):
    with pytest.raises(InputError, match="the input of here is NaN or infinite"):
        moments("here", [torch.tensor([[1.0, bad]])])


def test_no_token_is_refused():
    with pytest.raises(InputError, match="no token reached it"):
        moments("here", [])


def test_progress_comes_back(tmp_path):
    mine = fingerprint({"a": 1})
    progress = open_progress(tmp_path, mine)
    progress.done, progress.packed["w"] = 2, "abc"
    progress.save()
    again = open_progress(tmp_path, mine)
    assert (again.done, again.packed) == (2, {"w": "abc"})


def test_progress_of_another_run_is_refused(tmp_path):
    open_progress(tmp_path, fingerprint({"a": 1})).save()
    with pytest.raises(InputError, match="belongs to another run"):
        open_progress(tmp_path, fingerprint({"a": 2}))


def test_damaged_progress_is_refused(tmp_path):
    (tmp_path / "progress.json").write_text("{}")
    with pytest.raises(InputError, match="damaged"):
        open_progress(tmp_path, "x")


def test_fingerprints_do_not_depend_on_the_order_of_keys():
    assert fingerprint({"a": 1, "b": np.int64(2).item()}) == fingerprint({"b": 2, "a": 1})
