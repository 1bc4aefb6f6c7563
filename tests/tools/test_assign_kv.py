"""`assign --kv-bits auto`: keys and values in the budget of a target that can store them in few bits."""

import json
import re

import pytest
from support.models import tiny_llama

QUICK = ("--quantizer", "rtn", "--samples", 4, "--profile-samples", 2, "--seqlen", 150)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """92 of its 160 tokens can be in codes."""
    return tiny_llama(tmp_path_factory.mktemp("long") / "tiny", context=160)


def test_bits_of_caches_come_out_of_the_same_budget(cli, model, tmp_path):
    policy = ("--policy", "measured", "--budget", "4.5bpw", "--kv-bits", "auto", *QUICK)
    shown = cli("assign", model, "--target", "reference", *policy, "-o", tmp_path)
    assert shown.code == 0
    found = json.loads((tmp_path / "tiny" / "allocation.json").read_text("utf-8"))
    kv = {c["state"]: c["scheme"] for c in found["kv"]}
    assert set(kv) == {f"{kind}_cache.{at}" for kind in "kv" for at in range(3)}
    rounded = {n: text for n, text in kv.items() if text != "f16"}
    assert rounded
    assert found["targets"] == ["reference"]
    lines = shown.out.splitlines()
    told = next(line for line in lines if line.startswith("KV cache: "))
    assert all(n in told and text in told for n, text in kv.items())
    assert any(line.startswith("note: assigned by ") and "nats" in line for line in lines)
    scores = json.loads((tmp_path / "tiny" / "sensitivity.json").read_text("utf-8"))["units"]
    assert all(abs(scores[n][text]) < 1e-12 for n, text in kv.items())
    # Why a cache got its bits.
    told = cli("explain", tmp_path / "tiny" / "allocation.json", r"v_cache\.0").out
    assert re.search(r"v_cache\.0 2 x 160 x 16: (kv\d:g32|f16), \d+\.\d\d bits per number", told)
    assert "given by" not in told
    every = cli("explain", tmp_path / "tiny" / "allocation.json", "--json").json()
    assert set(kv) <= {t["name"] for t in every["tensors"]}
    sizes = {c["state"]: c["choices"][c["scheme"]] for c in found["kv"]}
    assert {
        t["name"]: t["bytes"]["reference"] for t in every["tensors"] if t["name"] in kv
    } == sizes
    # The frontier has caches too, and counts bits of all stored numbers.
    again = ("--sensitivity", tmp_path / "tiny" / "sensitivity.json", "--pareto", "--json")
    out = cli(
        "assign", model, "--target", "reference", *policy, *again, "-o", tmp_path / "again"
    ).json()
    assert any("measured in windows" in r or "without a new" in r for r in out["remarks"])
    first, last = out["pareto"][0], out["pareto"][-1]
    assert {first["schemes"][n] for n in kv} == {"kv2:g32"}
    assert first["bits_per_weight"] < 4.5 < last["bits_per_weight"] < 16.1


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("ios", "ios (coreml): states are fp16"),
        ("ios,android", "this policy chooses weights only, use --policy measured"),
    ],
)
def test_caches_that_keep_16_bits_say_why(target, reason, cli, model, tmp_path):
    given = ("--policy", "uniform", "--bits", 8, "--kv-bits", "auto")
    shown = cli("assign", model, "--target", target, *given, "-o", tmp_path)
    assert shown.code == 0
    assert f"note: the KV cache stays at 16 bits: {reason}" in shown.out
    found = json.loads((tmp_path / "tiny" / "allocation.json").read_text("utf-8"))
    assert {c["scheme"] for c in found["kv"]} == {"f16"}
