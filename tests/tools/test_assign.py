"""`optimum-compile assign`: files, the frontier, refusals."""

import json

from support.models import shared_model

QUICK = (
    *("--target", "android:onnxruntime", "--quantizer", "rtn"),
    *("--samples", "8", "--profile-samples", "2", "--seqlen", "24"),
)


def test_an_assignment_and_its_frontier_are_written(cli, tmp_path):
    done = cli("assign", shared_model(), *QUICK, "--budget", "4bpw", "--pareto", "-o", tmp_path)
    assert done.code == 0
    folder = tmp_path / "tiny"
    assert sorted(p.name for p in folder.iterdir()) == [
        "allocation.json",
        "pareto.json",
        "sensitivity.json",
        "sensitivity.npz",
    ]
    found = json.loads((folder / "allocation.json").read_text("utf-8"))
    assert 0.98 * 4 <= found["bits_per_weight"] <= 4
    assert found["predicted_kl"] > 0
    points = json.loads((folder / "pareto.json").read_text("utf-8"))
    bits = [p["bits_per_weight"] for p in points]
    damage = [p["predicted_kl"] for p in points]
    assert bits == sorted(bits)
    assert damage == sorted(damage, reverse=True)
    assert points[0]["schemes"].keys() == {t["name"] for t in found["tensors"]}
    assert f"{points[0]['bits_per_weight']:.3f}" in done.out

    again = cli("assign", shared_model(), *QUICK, "--budget", "4bpw", "-o", tmp_path)
    assert again.code == 2
    assert "exists; pass --overwrite" in again.err
    path = folder / "sensitivity.json"
    other = cli(
        *("assign", shared_model(), *QUICK, "--budget", "6bpw", "-o", tmp_path / "b"),
        *("--sensitivity", path, "--json"),
    )
    assert other.code == 0
    assert 0.98 * 6 <= other.json()["bits_per_weight"] <= 6
    why = cli("explain", folder / "allocation.json", "embed_tokens")
    assert why.code == 0
    assert "model.embed_tokens.weight" in why.out


def test_a_frontier_needs_a_measurement(cli, tmp_path):
    for arguments, why in (
        (("--policy", "uniform"), "pareto: policy 'uniform' has no frontier"),
        (("--calibration", "none", "--budget", "5bpw"), "pareto: nothing was measured"),
    ):
        done = cli("assign", shared_model(), *QUICK, *arguments, "--pareto", "-o", tmp_path / "x")
        assert done.code == 2
        assert why in done.err
        assert not (tmp_path / "x").exists()
    done = cli("assign", shared_model(), *QUICK, "--dry-run", "-o", tmp_path / "x")
    assert done.code == 2
    assert "dry-run: assign writes no artifact" in done.err


def test_what_is_no_assignment_is_not_replaced(cli, tmp_path):
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "mine.txt").write_text("x")
    done = cli(
        "assign", shared_model(), *QUICK, "--policy", "uniform", "-o", tmp_path, "--overwrite"
    )
    assert done.code == 2
    assert "is something else (no allocation.json); it will not be replaced" in done.err
