"""`optimum-compile profile` on the tiny llama and a tiny mixture."""

import json
import os
import signal
import subprocess
import sys

import pytest
from support.models import shared_model, tiny_llama

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.profiling import model_id
from optimum_compile.passes.precision.units import units_of
from optimum_compile.passes.sensitivity.map import read_map

IOS = ("--target", "ios:coreml")
# All choices but the head's take no codebook: seconds less.
CHEAP = (*IOS, "--quantizer", "rtn", "--pin", "proj=int8:channel", "--pin", "embed=int4:g32")
FEWER = ("--pin", "layers.[12].=int8:channel")  # all choices in the first block and the head alone
HEAD = "model.embed_tokens.weight"


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Rounded weights of both targets, made by the first test that needs them."""
    return tmp_path_factory.mktemp("work")


def test_the_map_has_every_unit_in_every_choice(cli, tmp_path, work):
    path = tmp_path / "maps" / "kl.json"
    options = ("--work-dir", work, "--tokens", 400, *FEWER)
    done = cli("profile", shared_model(), "--method", "kl", "-o", path, *options)
    assert done.code == 0, done.err
    assert [p.name for p in path.parent.iterdir()] == ["kl.json"]
    found = read_map(path)
    graph = open_model(shared_model()).graph
    assert found.model == model_id(graph)
    names = {u.name for u in units_of(graph)}
    assert names == {
        n for n in found.units if not n.endswith(tuple(f"cache.{i}" for i in range(3)))
    }
    assert len(found.units) == len(names) + 6
    for name in names:
        row = found.units[name]
        if "layers.1" in name or "layers.2" in name:
            assert set(row) == {"int8:channel"}
            continue
        assert row["vec8x4:channel@shared"] > row["int8:channel"] > row["f16"] >= 0
    made = found.measured_with
    assert made.quantizer == "mse"
    assert made.tokens == 400
    assert 1 < made.forward_passes < sum(map(len, found.units.values()))
    assert "most sensitive" in done.out
    assert f"forward passes over {made.tokens:,} tokens" in done.out
    assert len([line for line in done.out.splitlines() if ".weight" in line]) == 10


def test_another_method_finds_the_rounded_weights(cli, tmp_path, work):
    def run(name, method):
        path = tmp_path / name
        options = ("--method", method, "-o", path, "--work-dir", work, "--tokens", 70, "--json")
        done = cli("profile", shared_model(), *options, *FEWER)
        assert done.code == 0, done.err
        return done.json(), read_map(path)

    first, found = run("a.json", "activation")
    folders = list(work.iterdir())
    assert len(folders) == 1
    stamps = {p: p.stat().st_mtime_ns for p in folders[0].rglob("*.safetensors")}
    second, again = run("b.json", "lsaq")
    assert stamps == {p: p.stat().st_mtime_ns for p in folders[0].rglob("*.safetensors")}
    assert list(work.iterdir()) == folders
    assert first["units"] == len(found.units) == 22
    assert first["numbers"] == sum(map(len, found.units.values()))
    assert first["measured_with"]["tokens"] == again.measured_with.tokens == 70
    assert first["model"] == second["model"]
    assert len(first["most_sensitive"]) == 10
    assert second["seconds"] > 0


def test_the_same_command_writes_the_same_numbers(cli, tmp_path):
    maps = []
    for name in ("a", "b"):
        path = tmp_path / f"{name}.json"
        done = cli("profile", shared_model(), *CHEAP, "--method", "taylor", "-o", path)
        assert done.code == 0, done.err
        maps.append(read_map(path))
    assert maps[0].units == maps[1].units
    assert maps[0].measured_with.tokens_sha256 == maps[1].measured_with.tokens_sha256 != ""
    assert set(maps[0].units[HEAD]) == {"int4:g32"}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "b.json"]


def test_weights_alone_need_no_text(cli, tmp_path):
    path = tmp_path / "w.json"
    options = (*CHEAP, "--method", "weights", "--calibration", "none", "-o", path)
    done = cli("profile", tiny_llama(tmp_path / "m", tokenizer=False), *options)
    assert done.code == 0, done.err
    assert "forward passes" not in done.out
    assert read_map(path).measured_with.tokens == 0


def test_the_text_that_is_measured_is_not_the_quantisers(cli, tmp_path, text):
    documents = [f"Document number {n} has some words of its own." for n in range(9)]
    digests = set()
    for samples in (5, 64):
        path = tmp_path / f"{samples}.json"
        options = ("--calibration", text(documents), "--samples", samples, "--seqlen", 16)
        done = cli(
            "profile", shared_model(), *CHEAP, "--method", "activation", "-o", path, *options
        )
        assert done.code == 0, done.err
        made = read_map(path).measured_with
        # Of nine windows five are the quantiser's; of the others half are for selecting.
        assert made.tokens == (2 if samples == 5 else 1) * 16
        digests.add(made.tokens_sha256)
    assert len(digests) == 2


def test_a_map_of_rotated_weights_is_of_another_model(cli, tmp_path):
    for rotate in ("none", "residual"):
        options = ("--method", "weights", "--rotate", rotate, "-o", tmp_path / f"{rotate}.json")
        assert cli("profile", shared_model(), *CHEAP, *options).code == 0
    plain, rotated = (read_map(tmp_path / f"{r}.json") for r in ("none", "residual"))
    plain.require_model(model_id(open_model(shared_model()).graph), "here")
    with pytest.raises(InputError, match="measured on another model"):
        plain.require_model(rotated.model, "here")


def test_an_existing_file_is_not_replaced_unless_asked(cli, tmp_path):
    path = tmp_path / "map.json"
    path.write_text("mine")
    options = (*CHEAP, "--method", "weights", "-o", path)
    done = cli("profile", shared_model(), *options)
    assert done.code == 2
    assert "map.json exists; pass --overwrite to replace it" in done.err
    assert path.read_text() == "mine"
    assert cli("profile", shared_model(), *options, "--overwrite").code == 0
    assert read_map(path).method == "weights"
    done = cli("profile", shared_model(), *CHEAP, "--method", "weights", "-o", tmp_path)
    assert done.code == 2
    assert "is a folder; name a file with -o" in done.err


REFUSED = {
    "method": (("--method", "luck"), 2, "sensitivity 'luck': expected one of activation, combined"),
    "no method": ((), 2, "the following arguments are required: --method"),
    "dense mopeq": (("--method", "mopeq"), 2, "clusters the experts of a mixture, and this model"),
    "no text": (
        ("--method", "kl", "--calibration", "none"),
        2,
        "sensitivity 'kl' is measured on text, but there is no calibration text: give",
    ),
    "missing text": (("--method", "kl", "--calibration", "nowhere.txt"), 3, "nowhere.txt: cannot"),
    "idle pin": (("--method", "kl", "--pin", "nothing=int8"), 2, "no weight is left for it"),
    "bad pin": (("--method", "kl", "--pin", "proj=int77"), 2, "int77"),
    "illegal pin": (
        ("--method", "kl", "--target", "ios:coreml", "--pin", "proj=int2:g32"),
        5,
        "coreml",
    ),
    "target": (("--method", "kl", "--target", "windows"), 2, "target 'windows' is unknown"),
    "tokens": (("--method", "kl", "--tokens", "1"), 2, "tokens=1: expected 2 or more"),
    "quantizer": (("--method", "kl", "--quantizer", "gptq"), 2, "invalid choice: 'gptq'"),
    "seqlen": (("--method", "kl", "--seqlen", "1"), 2, "seqlen=1: expected"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_refused_before_any_work(name, cli, tmp_path):
    options, code, message = REFUSED[name]
    done = cli("profile", shared_model(), "-o", tmp_path / "map.json", *options)
    assert done.code == code, done.err
    assert message in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_text_of_one_window_is_too_short(cli, tmp_path, text):
    path = text("Too short.")
    options = ("--calibration", path, "-o", tmp_path / "out" / "map.json")
    done = cli("profile", shared_model(), "--method", "kl", *options)
    assert done.code == 3
    assert "stream.txt: one window, and measuring needs others than the quantiser's" in done.err
    assert [p.name for p in tmp_path.iterdir()] == ["stream.txt"]


def test_a_model_without_a_tokenizer_reads_no_text(cli, tmp_path):
    model = tiny_llama(tmp_path / "m", tokenizer=False)
    done = cli("profile", model, "--method", "kl", "-o", tmp_path / "map.json")
    assert done.code == 2
    assert "no tokenizer to read the text with" in done.err


def test_a_missing_model_is_named(cli, tmp_path):
    done = cli("profile", tmp_path / "nowhere", "--method", "weights", "-o", tmp_path / "m.json")
    assert done.code == 3
    assert "nowhere" in done.err
    assert list(tmp_path.iterdir()) == []


def test_experts_are_profiled_each_alone(cli, tmp_path):
    from support.hf import experts_folder

    model = experts_folder(tmp_path / "mixtral")
    pins = ("--pin", "self_attn|embed|lm_head=int8:channel", "--pin", "w[13]=int4:g16")
    for method in ("kl", "mopeq"):
        path = tmp_path / f"{method}.json"
        options = ("--method", method, "--tokens", 60, "--seqlen", 24, "--quantizer", "rtn")
        done = cli("profile", model, *IOS, *pins, *options, "--pin", "w2=int8:channel", "-o", path)
        assert done.code == 0, done.err
        found = read_map(path)
        names = [n for n in found.units if ".experts." in n]
        assert len(names) == 2 * 8 * 3
        assert any(max(found.units[n].values()) > 0 for n in names)


def test_a_stopped_measurement_leaves_nothing(tmp_path):
    stuck = (
        "import time\n"
        "from optimum_compile.passes.sensitivity import rounding\n"
        "def sleep(*a, **k):\n"
        "    print('stuck', flush=True)\n"
        "    time.sleep(600)\n"
        "rounding.quantize_weight = sleep\n"
        "from optimum_compile.tools.cli import entry\n"
        "entry()\n"
    )
    options = [*CHEAP, "--method", "weights", "-o", str(tmp_path / "out" / "map.json")]
    child = subprocess.Popen(
        [sys.executable, "-P", "-c", stuck, "profile", str(shared_model()), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"stuck\n"
    assert (tmp_path / "out").exists()
    child.send_signal(signal.SIGTERM)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 143
    assert b"stopped by SIGTERM; nothing was left behind" in err
    assert list(tmp_path.iterdir()) == []


def test_the_json_is_one_document(cli, tmp_path):
    done = cli(
        "profile",
        shared_model(),
        *CHEAP,
        "--method",
        "weights",
        "-o",
        tmp_path / "m.json",
        "--json",
    )
    assert set(json.loads(done.out)) == {
        "map", "method", "quantity", "model", "measured_with", "units", "numbers",
        "most_sensitive", "seconds", "peak_rss_bytes",
    }  # fmt: skip
