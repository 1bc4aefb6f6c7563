"""What is left behind when a compilation is stopped, or the disk fills up: nothing but progress."""

import gc
import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest
from support.models import shared_model

CALIBRATED = (
    "--target",
    "ios:coreml",
    "--policy",
    "cascade",
    "--no-verify",
)  # the default quantiser
FAST = (*CALIBRATED, "--quantizer", "mse")
# The real command line, but the quantiser never comes back.
STUCK = """
import time
from optimum_compile.passes.precision import quantize
quantize.quantize_weight = lambda *arguments, **named: time.sleep(600)
from optimum_compile.tools.cli import entry
entry()
"""
# The calibrated quantiser never comes back from its second block.
STUCK_LATER = """
import sys, time
from optimum_compile.passes.calibrate import checkpoint
save = checkpoint.Progress.save
def stop(self):
    save(self)
    if self.done == 2:
        print("two are done", file=sys.stderr, flush=True)
        time.sleep(600)
checkpoint.Progress.save = stop
from optimum_compile.tools.cli import entry
entry()
"""


@contextmanager
def small_disk(folder, kilobytes):
    """A file system of that size at `folder`; skips where none can be mounted."""
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    options = f"size={kilobytes}k"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no small file system can be mounted here: {error}")
    try:
        yield
    finally:
        gc.collect()  # files that are still mapped keep it busy
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("kilobytes", [16, 300, 700], ids=lambda size: f"{size}k")
def test_a_full_disk_is_named_and_nothing_is_left_on_it(cli, tmp_path, kilobytes):
    disk = tmp_path / "disk"
    with small_disk(disk, kilobytes):
        done = cli(shared_model(), *FAST, "-o", disk / "out")
        assert done.code == 7
        assert f"{disk / 'out'}: the disk is full; free some space" in done.err
        assert len(done.err.splitlines()[-1]) < 300
        assert list(disk.iterdir()) == []


@pytest.mark.parametrize("kilobytes", [16, 300], ids=lambda size: f"{size}k")
def test_a_full_scratch_disk_leaves_neither_scratch_nor_bundle(cli, tmp_path, kilobytes):
    disk = tmp_path / "disk"
    with small_disk(disk, kilobytes):
        done = cli(shared_model(), *FAST, "-o", tmp_path / "out", "--work-dir", disk / "scratch")
        assert done.code == 7
        assert "the disk is full; free some space or choose another -o and --work-dir" in done.err
        assert list(disk.iterdir()) == []
    assert [p.name for p in tmp_path.iterdir()] == ["disk"]


@pytest.mark.parametrize("kilobytes", [100, 1400], ids=lambda size: f"{size}k")
def test_a_disk_that_calibration_fills_is_named(cli, tmp_path, kilobytes):
    disk = tmp_path / "disk"
    with small_disk(disk, kilobytes):
        done = cli(
            shared_model(), *CALIBRATED, "-o", tmp_path / "out", "--work-dir", disk / "scratch"
        )
        assert done.code == 7
        assert "the disk is full; free some space or choose another -o and --work-dir" in done.err
        assert list(disk.iterdir()) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_in_the_middle_leaves_nothing_and_ends_with_its_code(tmp_path, number, code):
    arguments = [str(shared_model()), *FAST, "-o", str(tmp_path / "deep" / "out")]
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", STUCK, *arguments], stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr.readline().startswith("quantize-weights: 0/")
        assert (tmp_path / "deep" / "out").is_dir()
        process.send_signal(number)
        assert process.wait(timeout=60) == code
        name = signal.Signals(number).name
        assert f"error: stopped by {name}; nothing was left behind" in process.stderr.read()
    finally:
        process.kill()
        process.stderr.close()
    assert list(tmp_path.iterdir()) == []


def files_of(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, 130),
        pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow),
    ],
)
def test_a_stopped_run_says_where_its_progress_is_and_goes_on_to_the_same_bytes(
    cli, tmp_path, number, code
):
    work = tmp_path / "work"
    keep = (*CALIBRATED, "--work-dir", str(work), "--resume")
    arguments = [str(shared_model()), *keep, "-o", str(tmp_path / "out")]
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", STUCK_LATER, *arguments], stderr=subprocess.PIPE, text=True
    )
    try:
        assert any(line == "two are done\n" for line in process.stderr)
        process.send_signal(number)
        assert process.wait(timeout=60) == code
        told = process.stderr.read()
    finally:
        process.kill()
        process.stderr.close()
    kept = work / "tiny.progress"
    assert f"progress is kept in {kept}; the same command with --resume continues it" in told
    assert "nothing was left behind" not in told
    assert [p.name for p in tmp_path.iterdir()] == ["work"]

    other = cli(*arguments, "--seed", 1)
    assert other.code == 3
    assert "belongs to another run" in other.err
    assert "continues it" not in other.err

    finished = cli(*arguments)
    assert finished.code == 0
    assert "quantize-weights: 2/" in finished.err
    assert "quantize-weights: 0/" not in finished.err
    assert list(work.iterdir()) == []
    assert cli(shared_model(), *CALIBRATED, "-o", tmp_path / "whole").code == 0
    assert files_of(tmp_path / "out") == files_of(tmp_path / "whole")
