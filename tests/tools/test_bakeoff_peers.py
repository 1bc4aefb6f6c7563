import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from support.models import FFN, HIDDEN, shared_model

from optimum_compile.compiler.errors import InputError, OptionError, ResourceError
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.options import CompileOptions
from optimum_compile.passes.precision.pins import parse_pin, pinned
from optimum_compile.passes.precision.quantizers.recipes import recipe_named
from optimum_compile.passes.precision.units import units_of
from optimum_compile.tools.bakeoff import __main__ as module
from optimum_compile.tools.bakeoff import ours, weight_child
from optimum_compile.tools.bakeoff.autoround_child import int8_rows
from optimum_compile.tools.bakeoff.bench import open_bench
from optimum_compile.tools.bakeoff.child import Interpreter
from optimum_compile.tools.bakeoff.ledger import Known, Ledger
from optimum_compile.tools.bakeoff.ours import OURS_ROWS, our_rows
from optimum_compile.tools.bakeoff.simulated import HQQ, Scheme, autoround_rows, job_of, weight_rows
from optimum_compile.tools.bakeoff.table import Row, Skip

EVALUATION = ["the cat sat", "a dog ran far away"]
CALIBRATION = ["one two three four five", "six seven eight nine ten"]


def quiet(_):
    pass


@pytest.fixture
def texts(tmp_path):
    for name, data in (("eval", EVALUATION), ("calib", CALIBRATION)):
        (tmp_path / f"{name}.json").write_text(json.dumps(data))
    return tmp_path


@pytest.fixture
def bench(texts):
    folder = texts / "work"
    folder.mkdir()
    return open_bench(
        shared_model(), str(texts / "eval.json"), str(texts / "calib.json"), 9, 9, 16, folder
    )


def new_known(tool="HQQ", file=None):
    return Known(Ledger(file, "p"), tool, "1")


class Rounding(Interpreter):
    """In place of another interpreter: rounds to steps of 1/8, 3 bytes a matrix, fails on order."""

    def __init__(self, broken=()):
        super().__init__("rounding")
        self.jobs, self.broken = [], broken

    def run(self, script, job, folder):
        self.jobs.append((script, json.loads(json.dumps(job))))
        weights = load_file(job["weights"])
        rounded = {n: (np.round(w * 8) / 8).astype(np.float32) for n, w in weights.items()}
        if script == "autoround_child.py":
            save_file(rounded, job["out"])
            return {"bytes": 3 * len(weights)}
        done = {}
        for at, scheme in enumerate(job["schemes"]):
            if at in self.broken:
                done[scheme["file"]] = {"error": "ValueError: odd"}
                continue
            save_file(rounded, f"{job['out']}/{scheme['file']}")
            done[scheme["file"]] = {"bytes": 3 * len(weights)}
        return done


def test_reference_is_scored_against_itself(bench):
    assert bench.reference_score.kl_mean == 0.0
    assert bench.reference_score.top1_agreement == 1.0
    assert bench.reference_score.tokens == sum(len(w.tokens) - 1 for w in bench.windows)


def test_own_weights_in_place_of_themselves_change_nothing(bench):
    assert bench.score_weights(bench.weights()).kl_mean == pytest.approx(0.0, abs=1e-12)


def test_bytes_of_what_no_tool_quantises(bench):
    norms = 7 * HIDDEN
    assert bench.other_bytes == 2 * norms
    assert sum(w.size for w in bench.weights().values()) == bench.parameters - norms


def test_rows_of_dequantised_matrices(bench):
    python = Rounding(broken={1})
    rows = list(weight_rows(HQQ[:3], bench, python, new_known(), 1, quiet))
    assert [type(r) for r in rows] == [Row, Skip, Row]
    assert rows[1] == Skip("HQQ", HQQ[1].label, "ValueError: odd")
    assert rows[0].weight_bytes == 3 * len(bench.matrices) + bench.other_bytes
    assert rows[0].score.kl_mean > 1e-6
    assert rows[0].float_kl == rows[0].score.kl_mean


def test_what_is_kept_is_not_measured_again(bench, tmp_path):
    first = Rounding()
    rows = list(weight_rows(HQQ[:2], bench, first, new_known(file=tmp_path / "k.json"), 1, quiet))
    second = Rounding()
    (bench.folder / "HQQ").rename(bench.folder / "old")
    again = list(weight_rows(HQQ[:3], bench, second, new_known(file=tmp_path / "k.json"), 1, quiet))
    assert again[:2] == rows
    assert len(again) == 3
    assert len(second.jobs[0][1]["schemes"]) == 1


def test_embedding_may_have_a_method_of_its_own(bench):
    scheme = Scheme("x", "hqq", {"bits": 2, "group": 16}, ("hqq", {"bits": 8, "group": 64}))
    matrices = job_of(bench, (scheme,))[0]["matrices"]
    assert matrices.pop("model.embed_tokens.weight") == ("hqq", {"bits": 8, "group": 64})
    assert set(map(str, matrices.values())) == {str(("hqq", {"bits": 2, "group": 16}))}


def test_autoround_gets_windows_of_equal_length(bench):
    python = Rounding()
    rows = list(autoround_rows(bench, python, new_known("AutoRound"), 1, 5, quiet))
    assert [r.tool for r in rows] == ["AutoRound"] * 4
    assert rows[0].weight_bytes == 3 * len(bench.matrices) + bench.other_bytes
    windows = np.load(python.jobs[0][1]["tokens"])
    total = sum(len(w) for w in bench.calibration)
    assert windows.shape == (total // 16, 16)
    assert windows[0].tolist() == bench.calibration[0][:16]


def test_autoround_without_enough_text_says_so(texts):
    (texts / "few").mkdir()
    (texts / "calib.json").write_text('["ab"]')
    few = open_bench(
        shared_model(), str(texts / "eval.json"), str(texts / "calib.json"), 9, 9, 16, texts / "few"
    )
    with pytest.raises(ResourceError, match="needs 16 calibration tokens, not 3"):
        list(autoround_rows(few, Rounding(), new_known(), 1, 5, quiet))


def test_matrices_with_the_same_method_go_in_together(monkeypatch):
    calls = []

    def halved(weights, by):
        calls.append(sorted(weights))
        return {name: (weight / by, weight.numel()) for name, weight in weights.items()}

    monkeypatch.setitem(weight_child.METHODS, "halved", halved)
    weights = {name: torch.full((1, size), 6.0) for name, size in (("a", 1), ("b", 2), ("c", 3))}
    matrices = {"a": ["halved", {"by": 2}], "b": ["halved", {"by": 3}], "c": ["halved", {"by": 2}]}
    done = weight_child.quantized(weights, matrices)
    assert sorted(calls) == [["a", "c"], ["b"]]
    assert {n: (w[0, 0].item(), size) for n, (w, size) in done.items()} == {
        "a": (3.0, 1),
        "b": (2.0, 2),
        "c": (3.0, 3),
    }


def test_rounding_of_rows_to_int8():
    weight = torch.tensor([[1.0, -0.5, 0.25], [0.0, 0.0, 0.0]])
    back, size = int8_rows(weight)
    assert size == 6 + 4
    assert (back[1] == 0).all()
    assert torch.allclose(back[0], weight[0], atol=1 / 127 / 2 + 1e-3)


def test_our_rows_are_compiled_and_scored(bench):
    rows = (
        ("8", {"policy": "uniform", "bits": 8, "quantizer": "rtn"}),
        ("2", {"policy": "uniform", "bits": 2, "quantizer": "rtn"}),
        ("7", {"policy": "uniform", "bits": 7}),
    )
    eight, two, seven = our_rows(bench, 4, quiet, Ledger(None, ""), rows)
    assert eight.weight_bytes > 2 * two.weight_bytes
    assert eight.float_kl < two.float_kl / 10
    assert isinstance(seven, Skip)
    assert "7" in seven.reason


def test_our_rows_are_measured_once_for_the_same_code_and_options(bench, tmp_path, monkeypatch):
    rows = (("8", {"policy": "uniform", "bits": 8, "quantizer": "rtn"}),)
    ledger = Ledger(tmp_path / "rows.json", "same")
    (first,) = our_rows(bench, 4, quiet, ledger, rows)
    seen = []
    monkeypatch.setattr(ours, "_row", lambda *given: seen.append(given) or first)
    assert list(our_rows(bench, 4, quiet, Ledger(tmp_path / "rows.json", "same"), rows)) == [first]
    assert seen == []
    list(our_rows(bench, 5, quiet, ledger, rows))
    list(our_rows(bench, 4, quiet, ledger, (("8", {**rows[0][1], "seed": 1}),)))
    monkeypatch.setattr(ours, "code_digest", lambda: "changed")
    list(our_rows(bench, 4, quiet, ledger, rows))
    assert len(seen) == 3


def test_every_pin_of_our_rows_has_weights():
    units = units_of(open_model(Path(__file__).parents[2] / "models" / "reference").graph)
    for label, values in OURS_ROWS:
        pins = tuple(map(parse_pin, values.get("pin", ())))
        assert len(pinned(units, pins, ())) in (0, len(units)), label


def test_our_rows_are_options_that_exist():
    for _, values in OURS_ROWS:
        assert recipe_named(CompileOptions(**values).quantizer)
    assert len({label for label, _ in OURS_ROWS}) == len(OURS_ROWS)


def test_types_with_larger_blocks_than_rows_are_skipped():
    pytest.importorskip("gguf", reason="the package gguf is not installed")
    from optimum_compile.tools.bakeoff.llama import FileType, forbidden, note_of

    columns = Counter([HIDDEN, FFN])
    reason = forbidden(columns, 256)
    assert "multiple of 256" in reason
    assert f"{HIDDEN}, {FFN}" in reason
    assert forbidden(columns, 32) is None
    assert forbidden(columns, FFN) is None  # some matrices fit
    kind = FileType("Q4_K_M", 15, 256, "Q4_K")
    types = {"a": "Q4_K", "b": "Q5_0", "norm": "F32"}
    text = note_of(types, {"a": 256, "b": 96}, kind)
    assert text == "1 Q4_K, 1 Q5_0; fell back for 1 of 2 matrices"


class Converting(Interpreter):
    """In place of llama.cpp: copies the file, writes random logits, refuses one type."""

    def __init__(self):
        super().__init__("converting")

    def run(self, script, job, folder):
        if job["ftype"] == 7:
            return {"quantize": 1}
        shutil.copyfile(job["source"], job["target"])
        count = int(np.load(job["lengths"]).sum())
        assert len(np.load(job["tokens"])) == count
        index = json.loads(Path(job["imatrix"], "index.json").read_text())
        assert np.load(f"{job['imatrix']}/{index['blk.0.ffn_down.weight']}").shape == (FFN,)
        rng = np.random.default_rng(0)
        np.save(job["logits"], rng.standard_normal((count, 96)).astype(np.float32))
        return {"quantize": 0}


def test_llama_rows_skip_what_fails_and_what_the_shape_forbids(bench):
    pytest.importorskip("gguf", reason="the package gguf is not installed")
    from optimum_compile.tools.bakeoff.llama import TYPES, LlamaCpp

    found = list(LlamaCpp(bench, Converting(), new_known("llama.cpp"), 1).rows(quiet))
    by_label = dict(zip([t.label for t in TYPES], found, strict=True))
    row = by_label["F32"]
    assert row.float_kl == pytest.approx(0.0, abs=1e-12)
    assert row.score.kl_mean > 0.1
    assert row.weight_bytes == 4 * bench.parameters < row.file_bytes
    assert by_label["Q8_0"].reason == "llama_model_quantize failed with code 1"
    assert "multiple of 256" in by_label["IQ2_XXS"].reason
    assert not list(bench.folder.glob("llama/logits.npy"))


def test_interpreter_says_why_it_cannot():
    with pytest.raises(ResourceError, match="cannot be started"):
        Interpreter("/nonexistent/python").versions([("a", "a")])
    with pytest.raises(ResourceError, match="No module named 'no_such_module'"):
        Interpreter(sys.executable).versions([("numpy", "numpy"), ("x", "no_such_module")])
    assert Interpreter(sys.executable).versions([("numpy", "numpy")]) == {"numpy": np.__version__}


def test_child_that_is_killed_is_named_by_its_signal(monkeypatch):
    dead = subprocess.CompletedProcess([], -11, b"", b"last words\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: dead)
    with pytest.raises(ResourceError, match="SIGSEGV"):
        Interpreter("python").versions([("a", "a")])


@pytest.mark.parametrize("spec", ["gguf", "llama.cpp,nobody"])
def test_unknown_peers_are_refused(spec):
    with pytest.raises(OptionError, match=r"llama\.cpp,hqq"):
        module.chosen_peers(spec)


def test_interpreters_of_all_peers_and_of_one():
    found = module.interpreters(["/a/python", "hqq=/b/python"])
    assert found["hqq"].path == "/b/python"
    assert found["torchao"].path == "/a/python"
    assert module.interpreters([])["torchao"].path == sys.executable
    with pytest.raises(OptionError, match="before '='"):
        module.interpreters(["nobody=/b/python"])


def test_shown_command_names_no_folder_of_the_machine():
    command = module.shown_command(
        [
            "models/m",
            "--text",
            "/data/eval.json",
            "--remark",
            "R",
            "--python",
            "hqq=bin/python",
        ]
    )
    assert command.endswith("models/m --text eval.json --python hqq=python")


def test_command_line_reports_tools_that_are_missing(texts, capsys):
    args = ["--text", str(texts / "eval.json"), "--calibration", str(texts / "calib.json")]
    few = ["--seqlen", "16", "--no-ours", "--peers", "hqq,llama.cpp"]
    missing = ["--python", os.fspath(texts / "python"), "-o", str(texts / "page.md")]
    missing += ["--remark", "Made up."]
    assert module.main([str(shared_model()), *args, *few, *missing]) == 0
    page = (texts / "page.md").read_text()
    assert capsys.readouterr().out.strip() == page.strip()
    assert page.count("cannot be started") == 2
    assert "- HQQ: " in page
    assert "\nMade up.\n" in page


def test_text_that_calibrated_is_refused(texts, capsys):
    args = ["--text", str(texts / "eval.json"), "--calibration", str(texts / "eval.json")]
    assert module.main([str(shared_model()), *args, "--peers", "none"]) == InputError.exit_code
    assert "share 2 documents" in capsys.readouterr().err
