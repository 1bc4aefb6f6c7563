"""The report of a bake-off of policies."""

import json

import pytest

from optimum_compile.tools.bakeoff import policies
from optimum_compile.tools.bakeoff.policy_table import lower_hull, plot, report


def entry(policy, budget, bits, kl, seed=0, predicted=None):
    return {
        "seed": seed,
        "budget": budget,
        "policy": policy,
        "scheme": "int4:g32@bf16",
        "bits_per_weight": bits,
        "weight_bytes": [int(bits * 1000)],
        "kl": kl,
        "kl_p99": kl,
        "perplexity": 10.0,
        "predicted_kl": predicted,
        "seconds": 1.0,
    }


PURE = [entry("uniform, one scheme", 0.0, bits, kl) for bits, kl in ((2, 0.4), (3, 0.1), (4, 0.08))]
DOCUMENT = {
    "model": "tiny",
    "parameters": 8000,
    "tokens": 100,
    "perplexity": 9.5,
    "entries": [
        *PURE,
        entry("measured", 2.5, 2.5, 0.1, predicted=0.11),
        entry("random", 2.5, 2.5, 0.3),
        entry("random", 2.5, 2.5, 0.5, seed=1),
    ],
    "ranks": [
        {
            "seed": 0,
            "method": "kl",
            "spearman": 0.9,
            "units": 0.8,
            "forward_passes": 50.0,
            "seconds": 7.0,
        }
    ],
}


def test_the_hull_leaves_out_what_others_beat():
    assert lower_hull([(3, 0), (1, 4), (2, 3), (4, 0)]) == [(1, 4), (3, 0), (4, 0)]
    assert lower_hull([(1, 1)]) == [(1, 1)]


def test_the_report_has_means_spreads_and_the_ratio_to_single_schemes():
    text = report([DOCUMENT])
    assert "| random | 0.4 ±0.14 (10.00) |" in text
    assert "| measured | 0.1 (10.00) |" in text
    # Half way between 2 and 3 bits a single scheme has 0.2.
    assert "at equal bytes* | 0.50 |" in text
    assert "| random | 2,500 | 1.0 |" in text
    assert "| kl | 0.900 | 0.800 | 50.0 | 7 |" in text


def test_the_report_is_printed_from_files(tmp_path, capsys):
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(DOCUMENT), "utf-8")
    assert policies.main(["--report", str(path)]) == 0
    assert "## tiny: 8,000 parameters" in capsys.readouterr().out


def test_predictions_are_plotted(tmp_path):
    pytest.importorskip("matplotlib")
    plot([DOCUMENT], tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 1000
