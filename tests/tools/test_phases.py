"""Experiments on schedules, their tables, and the model of devices."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from optimum_compile.compiler.errors import InputError, OptionError
from optimum_compile.compiler.schedule import Schedule
from optimum_compile.compiler.throughput import Machine, answer_seconds
from optimum_compile.tools.phases import devices, experiment
from optimum_compile.tools.phases.__main__ import main
from optimum_compile.tools.phases.devices import MODELS, NPUS, PAPER, reach, speeds
from optimum_compile.tools.phases.setup import Request, texts

REFERENCE = Path(__file__).parents[2] / "models/reference"
TEXT = str(REFERENCE / "evaluation.json")


def request(**changes: object) -> Request:
    values: dict[str, object] = {
        "scheme": "nest2-4:r8",
        "quantizer": "mse",
        "prompt": 16,
        "length": 8,
        "validation": 3,
        "held_out": 3,
    }
    return Request(REFERENCE, (TEXT,), TEXT, **(values | changes))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict:
    return experiment.run(request(), tmp_path_factory.mktemp("work"), sparse=False)


def test_every_row_has_the_bits_and_bytes_of_its_schedule(found: dict) -> None:
    rows = {row["name"]: row for row in found["rows"]}
    assert rows["uniform 4"]["mean_bits"] == 4
    names = ("4 then 2", "2 then 4 (turned)", "4 and 2 in turns")
    assert {rows[n]["mean_bits"] for n in names} == {3}
    planes = {int(w): b for w, b in found["bytes"]["nested"].items()}
    difference = rows["uniform 4"]["bytes_per_token"] - rows["uniform 2"]["bytes_per_token"]
    assert difference == pytest.approx(planes[4] - planes[2])
    assert rows["uniform 4"]["kl"]["mean"] < rows["uniform 2"]["kl"]["mean"]
    for row in rows.values():
        assert 0 <= row["rouge"]["low"] <= row["rouge"]["mean"] <= row["rouge"]["high"] <= 1


def test_the_prompt_decides_the_first_position_and_the_answer_the_others(found: dict) -> None:
    position = found["kl_by_position"]
    wide, narrow = position["prefill 4, decode 2@0"], position["prefill 2, decode 4@0"]
    assert wide[0] == pytest.approx(position["prefill 4, decode 4@0"][0])
    assert narrow[0] == pytest.approx(position["prefill 2, decode 2@0"][0])
    assert sum(wide[1:]) > sum(narrow[1:])


def test_decisions_and_controls_are_those_of_their_texts(found: dict) -> None:
    for measure, entries in found["decided"].items():
        for name, entry in entries.items():
            if name == "epsilon":
                continue
            assert entry["validation"] >= entry["least"], (measure, name)
            assert entry["below_high"] >= 0
            assert entry["loss"]["low"] <= entry["loss"]["mean"] <= entry["loss"]["high"]
    for rules in found["random"].values():
        assert sum(rules["labels"]) == 3
        assert rules["oracle"]["quality"]["mean"] >= rules["uniform"]["quality"]["mean"]


def test_the_tables_hold_every_model_and_schedule(
    found: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "reference.json"
    file.write_text(json.dumps(found))
    assert main(["--report", str(file)]) == 0
    printed = capsys.readouterr().out
    assert "## reference" in printed
    assert "| reference, nest2-4:r8 | prompt wide, answer narrow | " in printed
    for row in found["rows"]:
        assert f"| {row['name']} |" in printed
    lines = [line for line in printed.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in lines)


def test_too_few_texts_and_missing_options_are_told() -> None:
    with pytest.raises(InputError, match="prompts whose answers go on for 8 tokens"):
        texts(request(validation=500))
    with pytest.raises(InputError, match="no text has 512 tokens"):
        texts(request(prompt=256, length=256))
    with pytest.raises(OptionError, match="expected MODEL, --text and --calibration"):
        main([])


def test_decoding_alone_is_the_ratio_of_bytes() -> None:
    machine = Machine("slow memory", 1e18, 1e9)
    for model in MODELS:
        row = {(s.schedule, s.head): s for s in speeds(machine, model, 8, 16)}
        high, low, mean = PAPER[model.name]
        weights = sum(m.rows * m.columns * m.count for m in model.matrices)
        cache = model.cache_width * (8 + np.arange(16) + 1).mean()
        for bits in (high, low):
            wanted = (16 * weights + 16 * cache) / (bits * weights + 16 * cache)
            assert row[f"uniform {bits:.2f}", True].decode == pytest.approx(wanted, rel=1e-6)
        head = model.matrices[-1].rows * model.matrices[-1].columns
        wanted = (16 * weights + 16 * cache) / (low * (weights - head) + 16 * (head + cache))
        assert row[f"uniform {low:.2f}", False].decode == pytest.approx(wanted, rel=1e-6)
        progressive = [s for s in speeds(machine, model, 8, 256) if "progressive" in s.schedule]
        assert all(math.isclose(s.mean_bits, mean, abs_tol=1 / 256) for s in progressive)


def test_reading_is_what_decoding_waits_for_and_prompts_are_computed() -> None:
    few, many = (answer_seconds(m, MODELS[0], 1024, 4, Schedule.fixed(2), None) for m in NPUS)
    assert few.prefill_s > 3.5 * many.prefill_s
    assert few.decode_s == pytest.approx(many.decode_s)


def test_the_report_of_devices(capsys: pytest.CaptureFixture[str]) -> None:
    assert devices.main(["--prompt", "64", "--length", "16"]) == 0
    printed = capsys.readouterr().out
    assert reach(64, 16) in printed
    assert "| iPhone 15 Pro |" in printed
    assert devices.main(["--length", "16", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["speeds"]) == 2 * 4 * 7
    with pytest.raises(OptionError, match="prompt=0"):
        devices.main(["--prompt", "0"])
