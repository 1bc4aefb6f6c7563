import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from optimum_compile.compiler.errors import InputError
from optimum_compile.tools.bakeoff.bench import Recorded, record
from optimum_compile.tools.bakeoff.ledger import Known, Ledger, fingerprint
from optimum_compile.tools.bakeoff.table import (
    Facts,
    Row,
    Skip,
    document,
    frontier,
    kl_at,
    markdown,
    ratios,
    row_document,
    row_from,
)
from optimum_compile.tools.score import Score, Window, score

PARAMETERS = 1000


def row(tool, size, kl, scheme="s", file_bytes=None, note=""):
    found = Score(7, 2.0, kl, 3 * kl, 0.9)
    return Row(tool, scheme, PARAMETERS, size, file_bytes, found, kl, note)


def facts():
    return Facts(
        command="python -m bakeoff m",
        date="2026-01-02",
        model="m",
        text="t.json",
        calibration="c.json",
        versions={"torch": "9"},
        reference=Score(7, 1.0, 0.0, 0.0, 1.0),
        parameters=PARAMETERS,
        windows=2,
        seqlen=8,
    )


def test_frontier_keeps_what_no_smaller_row_beats():
    rows = [row("a", 300, 0.1), row("a", 200, 0.2), row("a", 250, 0.3), row("a", 200, 0.5)]
    assert [(r.weight_bytes, r.float_kl) for r in frontier(rows)] == [(200, 0.2), (300, 0.1)]


@given(share=st.floats(0, 1))
def test_kl_between_two_points_is_linear_in_its_logarithm(share):
    front = frontier([row("a", 1000, 0.4), row("a", 2000, 0.1)])
    size = round(1000 + 1000 * share)
    assert kl_at(front, size) == pytest.approx(0.4 * 0.25 ** ((size - 1000) / 1000), rel=1e-9)


def test_nothing_is_extrapolated():
    front = frontier([row("a", 1000, 0.4), row("a", 2000, 0.1)])
    assert kl_at(front, 999) is None
    assert kl_at(front, 2001) is None


def test_ratio_to_the_best_of_a_peer_at_equal_bytes():
    rows = [
        row("llama.cpp", 1000, 0.4),
        row("llama.cpp", 1400, 0.9),  # larger and worse: not on the frontier
        row("llama.cpp", 2000, 0.1),
        row("optimum-compile", 1500, 0.1),
        row("HQQ", 3000, 0.1),
    ]
    assert ratios(rows, "llama.cpp") == {3: pytest.approx(0.1 / 0.2)}


def table_lines(page):
    return [line for line in page.splitlines() if line.startswith("| ")][1:]


def test_page_has_every_row_by_size_and_every_skip_with_its_reason():
    rows = [
        row("optimum-compile", 1500, 0.1, "ours"),
        row("llama.cpp", 1000, 0.4, "Q2", 1234, "9 Q2 | 1 Q4"),
        row("llama.cpp", 2000, 0.1, "Q4", 2234),
    ]
    page = markdown(facts(), rows, [Skip("HQQ", "", "No module named 'hqq'")])
    cells = [[c.strip() for c in line.strip("|").split(" | ")] for line in table_lines(page)]
    assert [c[1] for c in cells] == ["Q4", "ours", "Q2"]
    assert cells[0][2:6] == ["16.000", "2,000", "2,234", f"{math.exp(2):.4f}"]
    assert cells[1][10] == "0.50"
    assert cells[2][11] == "9 Q2 \\| 1 Q4"
    assert "- HQQ: No module named 'hqq'" in page
    assert "python -m bakeoff m" in page
    assert "2026-01-02" in page
    assert "torch 9" in page


def test_every_line_of_the_table_has_as_many_cells_as_its_head():
    page = markdown(facts(), [row("a", 10, 0.0), row("a", 20, 3e-8)], [])
    lines = [line for line in page.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in lines}) == 1


@pytest.mark.parametrize(
    ("kl", "text"), [(0.012345, "0.0123"), (1.23456, "1.23"), (45.6, "45.6"), (4.12e-8, "4.1e-08")]
)
def test_three_digits_of_a_kl(kl, text):
    assert f"| {text} |" in markdown(facts(), [row("a", 10, kl)], [])


def test_json_names_every_row_and_skip():
    out = document(facts(), [row("a", 125, 0.5)], [Skip("b", "x", "why")])
    assert json.loads(json.dumps(out))["rows"][0]["bits_per_weight"] == 1.0
    assert out["not_run"] == [{"tool": "b", "scheme": "x", "reason": "why"}]


def test_row_survives_json():
    made = row("a", 125, 0.5, file_bytes=130, note="n")
    assert row_from(json.loads(json.dumps(row_document(made)))) == made


def test_ledger_gives_back_rows_of_the_same_version(tmp_path):
    file = tmp_path / "rows.json"
    made = row("HQQ", 125, 0.5, "4 bits")
    Known(Ledger(file, "print"), "HQQ", "1.0").add(made)
    again = Ledger(file, "print")
    assert Known(again, "HQQ", "1.0").get("4 bits") == made
    assert Known(again, "HQQ", "1.1").get("4 bits") is None
    assert Known(again, "HQQ", "1.0").get("3 bits") is None


def test_ledger_of_another_model_or_text_is_refused(tmp_path):
    file = tmp_path / "rows.json"
    Ledger(file, "one").add(row("a", 1, 0.5), "1")
    with pytest.raises(InputError, match="another model, text"):
        Ledger(file, "two")


@pytest.mark.parametrize("text", ['{"fingerprint": "p"}', '{"fingerprint": "p", "rows": [{}]}'])
def test_damaged_ledger_is_refused(tmp_path, text):
    file = tmp_path / "rows.json"
    file.write_text(text)
    with pytest.raises(InputError, match=r"rows\.json"):
        Ledger(file, "p")


def test_fingerprint_changes_with_weights_and_parts(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"1")
    first = fingerprint(tmp_path, [[1, 2]])
    assert fingerprint(tmp_path, [[1, 2]]) == first
    assert fingerprint(tmp_path, [[1, 3]]) != first
    (tmp_path / "model.safetensors").write_bytes(b"2")
    assert fingerprint(tmp_path, [[1, 2]]) != first


def test_scores_of_recorded_logits_are_those_of_a_torch_loop(tmp_path):
    rng = np.random.default_rng(3)
    windows = [Window(tuple(rng.integers(0, 5, n).tolist())) for n in (4, 9, 2)]
    tables = rng.standard_normal((2, 5, 5)).astype(np.float32) * 2
    files = []
    for i, table in enumerate(tables):
        record(tmp_path / f"{i}.npy", windows, lambda tokens, table=table: table[tokens])
        files.append(Recorded(tmp_path / f"{i}.npy", windows))
    found = score(windows, files[1], files[0])

    nll, kl, same = [], [], []
    for window in windows:
        ids = torch.tensor(window.tokens)
        p, q = (torch.tensor(t).double()[ids[:-1]].softmax(-1) for t in tables)
        nll += (-q[range(len(ids) - 1), ids[1:]].log()).tolist()
        kl += (p * (p / q).log()).sum(-1).tolist()
        same += (p.argmax(-1) == q.argmax(-1)).tolist()
    assert found.perplexity == pytest.approx(math.exp(np.mean(nll)), rel=1e-9)
    assert found.kl_mean == pytest.approx(np.mean(kl), rel=1e-9)
    assert found.kl_p99 == pytest.approx(np.quantile(kl, 0.99), rel=1e-9)
    assert found.top1_agreement == np.mean(same)


def test_logits_of_another_number_of_tokens_are_refused(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((3, 5), np.float32))
    with pytest.raises(InputError, match="expected 4 rows"):
        Recorded(tmp_path / "x.npy", [Window((1, 2, 3, 4))])
