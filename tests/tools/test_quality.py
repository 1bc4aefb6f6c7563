import json

import pytest
from support.models import shared_model

from optimum_compile.tools import quality

STORIES = ["Ana had a boat. It was red.", "Tom ran up the hill and sat down.", "A cat slept."]


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "stories.json"
    path.write_text(json.dumps(STORIES))
    return str(path)


def test_rows_are_scored_by_the_oracle_against_the_model_itself(text, monkeypatch, cli, capsys):
    row = {"policy": "uniform", "quantizer": "rtn", "calibration": "none"}
    rows = (("8 bits", row | {"bits": 8}), ("4 bits", row | {"bits": 4}))
    monkeypatch.setattr(quality, "ROWS", rows)
    arguments = (str(shared_model()), "--text", text, "--documents", "2", "--seqlen", "16")
    assert quality.main([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    model, eight, four = found.values()
    assert list(found) == ["16 bits (the model itself)", "8 bits", "4 bits"]
    assert [f["tokens"] for f in found.values()] == [30] * 3
    assert 0 < eight["kl_mean"] < four["kl_mean"]
    assert 4 < four["bits_per_weight"] < 5 < 8 < eight["bits_per_weight"] < 9
    assert model["kl_mean"] is None
    whole = cli(
        "evaluate", shared_model(), "--text", text, "--seqlen", 16, "--max-tokens", 30, "--json"
    )
    assert whole.json()["nll"] == pytest.approx(model["nll"], rel=1e-9)
    assert quality.main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[3].startswith("| 8 bits | 8.")
    assert lines[-1] == "30 predicted tokens"
