import errno
import os
import re
import subprocess
import sys

import pytest
from support.models import shared_model

from optimum_compile.compiler import errors
from optimum_compile.compiler.package.reader import MAX_MANIFEST_BYTES
from optimum_compile.tools import cli as module

PLAIN = ("--dry-run", "--target", "ios:coreml")


def test_no_argument_is_a_usage_error_that_shows_the_usage(cli):
    shown = cli()
    assert shown.code == 2
    assert shown.out.startswith("usage: optimum-compile MODEL")


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_names_every_command(cli, flag):
    shown = cli(flag)
    assert shown.code == 0
    assert all(name in shown.out for name in module.COMMANDS)


def test_the_help_of_a_compilation_lists_every_option(cli):
    from dataclasses import fields

    from optimum_compile.compiler.options import CompileOptions

    shown = cli("compile", "--help")
    assert shown.code == 0
    spelled = {f.name: "--" + f.name.replace("_", "-") for f in fields(CompileOptions)}
    spelled |= {"verify": "--no-verify", "companions": "--no-companions"}
    assert [s for s in spelled.values() if s not in shown.out] == []


def test_version_names_everything_that_shapes_the_output(cli):
    lines = cli("--version").out.splitlines()
    assert {"python", "optimum-compile", "torch", "numpy"} <= {line.split()[0] for line in lines}
    assert all(re.fullmatch(r"[a-z-]+ \d+\.\d+\S*", line) for line in lines)


def test_the_console_script_ends_with_the_code_of_the_command(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["optimum-compile", "inspect", "nowhere"])
    with pytest.raises(SystemExit) as stop:
        module.entry()
    assert stop.value.code == 3


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--nope"], 2, "unrecognized arguments: --nope"),
        (["--target", "windows"], 2, "target 'windows' is unknown; expected one of ios"),
        (["--target", ","], 2, "target: expected at least one of ios, android"),
        (["--policy", "magic"], 2, "policy 'magic': expected one of uniform, cascade"),
        (["--policy", "uniform", "--bits", "5"], 2, "bits=5: expected one of (16, 8, 4, 3, 2)"),
        (["--bits", "many"], 2, "argument --bits: invalid int value: 'many'"),
        (["--quantizer", "magic"], 2, "quantizer 'magic': expected one of rtn, mse, weighted"),
        (["--budget", "cheap"], 2, "budget 'cheap': expected 3.5bpw, 1.2GB"),
        (["--shares", "0.5,0.5"], 2, "shares='0.5,0.5': expected three numbers"),
        (["--shares", "nan,0,1"], 2, "cascade shares (nan, 0.0, 1.0): expected three numbers"),
        (["--stages", "0"], 2, "stages=0: expected a whole number from 1 to 64"),
        (["--seed", "-1"], 2, "seed=-1: expected a whole number from 0"),
        (["--name", "../up"], 2, "name='../up': expected letters"),
        (["--context", "65"], 2, "context=65: the model was made for 64 tokens"),
        (["--config", "nowhere.yaml"], 2, "nowhere.yaml: cannot read the config file"),
        (["--calibration", "nowhere.txt"], 3, "nowhere.txt: cannot read the text"),
        (
            ["--policy", "uniform", "--bits", "4", "--group-size", "48"],
            5,
            "groups of 48 do not divide 64 columns); pass --allow-fallback",
        ),
    ],
)
def test_a_bad_option_is_named_with_what_is_allowed(cli, tmp_path, arguments, code, message):
    done = cli(shared_model(), "-o", tmp_path / "out", *arguments)
    assert done.code == code
    assert message in done.err.splitlines()[-1]
    assert done.out == ""
    assert not (tmp_path / "out").exists()


def test_a_missing_model_and_an_empty_folder_are_rejected_input(cli, tmp_path):
    missing = cli(tmp_path / "nowhere", *PLAIN)
    assert (missing.code, "nowhere: no such file or folder" in missing.err) == (3, True)
    (tmp_path / "empty").mkdir()
    empty = cli(tmp_path / "empty", *PLAIN)
    assert empty.code == 3
    assert "the folder is empty; expected a Hugging Face folder" in empty.err


def test_a_bundle_is_no_model_and_a_model_no_bundle(cli, tmp_path):
    (tmp_path / "manifest.json").write_text("{}")
    assert "this is a compiled bundle, not a model" in cli(tmp_path, *PLAIN).err
    for command in ("inspect", "verify"):
        done = cli(command, shared_model())
        assert done.code == 3
        assert "no bundle here (no manifest.json)" in done.err


@pytest.mark.parametrize(
    "text",
    [
        "quantizer: [auto]",
        "name: 5",
        "calibration: 5",
        "work_dir: {a: b}",
        "shares: [null, 1, 0]",
        "shares: 5",
        "target: 5",
        "seed: one",
        "verify: 1",
        "stages: true",
        "bits: [4]",
        "budget: []",
        "head: [low]",
        "nope: 1",
        "- policy",
        "policy: [",
    ],
)
def test_a_wrong_value_in_a_config_file_is_a_usage_error(cli, tmp_path, text):
    (tmp_path / "c.yaml").write_text(text)
    done = cli(shared_model(), "--dry-run", "--config", tmp_path / "c.yaml")
    assert done.code == 2
    assert done.err.startswith("optimum-compile: error: ")


def test_the_command_line_wins_over_the_config_file(cli, tmp_path):
    (tmp_path / "c.yaml").write_text("policy: uniform\nbits: 2\nname: from-file\n")
    arguments = (*PLAIN, "-o", tmp_path, "--json", "--config", tmp_path / "c.yaml")
    document = cli(shared_model(), *arguments, "--bits", "4").json()
    assert document["name"] == "from-file"
    assert {t["class"] for t in document["tensors"]} == {"INT4"}


def _errors():
    found = [errors.OptimumCompileError]
    for each in found:
        found += each.__subclasses__()
    return [e for e in found if e.__module__ == errors.__name__]


@pytest.mark.parametrize("kind", _errors(), ids=lambda kind: kind.__name__)
def test_every_error_ends_with_the_code_of_its_class(cli, monkeypatch, kind):
    assert fail(cli, monkeypatch, kind("broken")).code == kind.exit_code


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (errors.InternalError("odd"), 70, "internal error (please report it): odd"),
        (errors.ToolchainError("odd"), 70, "toolchain: odd"),
        (ZeroDivisionError("odd"), 70, "internal error (please report it): ZeroDivisionError: odd"),
        (KeyboardInterrupt(), 130, "interrupted; nothing was left behind"),
        (MemoryError(), 7, "out of memory; compile for one target at a time"),
        (OSError(errno.EIO, os.strerror(errno.EIO), "disk"), 7, "disk: Input/output error"),
    ],
)
def test_what_was_not_raised_on_purpose_has_a_code_too(cli, monkeypatch, error, code, message):
    done = fail(cli, monkeypatch, error)
    assert done.code == code
    assert f"optimum-compile: error: {message}" in done.err
    assert ("Traceback" in done.err) == isinstance(error, ZeroDivisionError)


def fail(cli, monkeypatch, error):
    from optimum_compile.tools import lists

    def run(command, argv):
        raise error

    monkeypatch.setattr(lists, "main", run)
    return cli("models")


def test_a_reader_that_stops_early_is_no_error_of_ours():
    code = (
        "import sys; from optimum_compile.tools import cli; sys.argv[1:] = ['targets', '--json'];"
        "sys.stdin.read(); cli.entry()"
    )
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    process.stdout.close()
    process.stdin.close()
    assert process.stderr.read() == ""
    assert process.wait() == 141


def test_json_figures_of_time_and_memory(cli):
    used = module.usage(0.0)
    assert used["seconds"] > 0
    assert 10 * 2**20 < used["peak_rss_bytes"] < 2**50


def test_a_manifest_too_large_to_be_one_is_not_read(cli, tmp_path):
    with (tmp_path / "manifest.json").open("wb") as file:
        file.truncate(MAX_MANIFEST_BYTES + 1)
    done = cli("inspect", tmp_path)
    assert (done.code, "not a manifest" in done.err) == (3, True)
