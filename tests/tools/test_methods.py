import json
from dataclasses import replace

import pytest
from support.models import shared_model

from optimum_compile.compiler.errors import OptionError
from optimum_compile.tools import methods

FAST = (
    methods.Method("round to nearest", "rtn", "int{b}:g32"),
    methods.Method("squared error", "mse", "int{b}:g32"),
)


@pytest.fixture
def text(tmp_path):
    file = tmp_path / "text.json"
    file.write_text(json.dumps(["the quick brown fox jumps over the lazy dog " * 3] * 2))
    return file


def test_rows_are_compared_with_the_first(monkeypatch, capsys, text):
    monkeypatch.setattr(methods, "METHODS", FAST)
    monkeypatch.setattr(methods, "measure_apart", methods.measure)
    arguments = [str(shared_model()), "--text", str(text), "--bits", "3", "--json"]
    assert methods.main(arguments) == 0
    rows = json.loads(capsys.readouterr().out)
    assert list(rows) == ["round to nearest int3:g32", "squared error int3:g32"]
    first, second = rows.values()
    assert first["weight_bytes"] == second["weight_bytes"]
    assert 3 < first["bits_per_weight"] < 8
    assert second["kl_mean"] < first["kl_mean"]
    assert first["seconds_per_million"] > 0


@pytest.mark.slow
def test_a_nested_row_has_the_bytes_of_all_widths_and_the_score_of_one(monkeypatch, capsys, text):
    rows = tuple(methods.Method(f"at {b}", "mse", f"nest2-4:r4 at {b}") for b in (2, 4))
    monkeypatch.setattr(methods, "METHODS", rows)
    monkeypatch.setattr(methods, "measure_apart", methods.measure)
    assert methods.main([str(shared_model()), "--text", str(text), "--json"]) == 0
    narrow, wide = json.loads(capsys.readouterr().out).values()
    assert narrow["weight_bytes"] == wide["weight_bytes"]
    assert wide["kl_mean"] < 0.5 * narrow["kl_mean"]


@pytest.mark.slow
def test_rows_with_int8_activations_are_scored_with_them(monkeypatch, capsys, text):
    seen = []
    row = methods.Method("rotated", "mse", "int4:channel", "values")
    monkeypatch.setattr(methods, "INT8_METHODS", (row,))

    def measure(request):
        seen.append(request)
        floats = methods.measure(replace(request, int8=False))
        return methods.measure(request) | {"floats": floats["kl_mean"]}

    monkeypatch.setattr(methods, "measure_apart", measure)
    arguments = [str(shared_model()), "--text", str(text), "--int8", "--embedding", "int8"]
    assert methods.main([*arguments, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out).values()
    assert row["kl_mean"] != row["floats"]
    assert row["kl_mean"] == pytest.approx(row["floats"], rel=0.5)
    assert (seen[0].rotate, seen[0].embedding, seen[0].int8) == ("values", "int8", True)


def test_rows_are_chosen_by_name(monkeypatch, capsys, text):
    monkeypatch.setattr(methods, "METHODS", FAST)
    monkeypatch.setattr(methods, "measure_apart", lambda request: {"kl_mean": 1.0})
    arguments = [str(shared_model()), "--text", str(text), "--json", "--only"]
    assert methods.main([*arguments, "^squared"]) == 0
    assert list(json.loads(capsys.readouterr().out)) == ["squared error int3:g32"]
    with pytest.raises(OptionError, match="only='cubed': no row has such a name"):
        methods.main([*arguments, "cubed"])


def test_a_row_that_fails_in_its_process_says_why(text):
    request = methods.Request(str(shared_model()), str(text), None, 1, 1, 16, "mse", "int3:odd", "")
    assert "int3:odd" in methods.measure_apart(request)["error"]


def test_the_table_has_gains_over_the_first_row_and_says_what_failed():
    row = {
        "bits_per_weight": 3.25,
        "perplexity": 9.0,
        "kl_mean": 0.1,
        "top1_agreement": 0.9,
        "seconds_per_million": 1.5,
        "peak_rss_bytes": 2**30,
    }
    better = row | {"kl_mean": 0.025}
    table = methods.markdown([("a", "x", row), ("b", "y", better), ("c", "z", {"error": "why"})])
    lines = table.splitlines()
    assert lines[2] == "| a | x | 3.250 | 9.000 | 0.1000 | 1.00 | 90.0% | 1.50 | 1024 |"
    assert "| 4.00 |" in lines[3]
    assert lines[4] == "| c | z | why | | | | | | |"


def test_other_widths_are_refused(text):
    with pytest.raises(OptionError, match=r"bits=5: expected one of \(2, 3, 4\)"):
        methods.main([str(shared_model()), "--text", str(text), "--bits", "5"])
