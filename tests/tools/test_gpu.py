"""The target gpu through the whole program: compiled, compared, inspected, measured."""

import pytest
from support.models import CONTEXT, copy_bundle, shared_bundle

from optimum_compile.backends.gpu.decode import read_program
from optimum_compile.backends.gpu.found import vulkan_device
from optimum_compile.backends.native.session import Session
from optimum_compile.compiler.errors import OptionError, VerificationError
from optimum_compile.compiler.package.reader import open_bundle
from optimum_compile.tools import gpu_traffic


def artifact_of(bundle):
    (artifact,) = bundle.manifest.artifacts
    return bundle.resolve(artifact.path)


def test_a_bundle_is_compared_and_tells_of_itself(cli):
    bundle = shared_bundle("gpu")
    (artifact,), (check,) = bundle.manifest.artifacts, bundle.manifest.checks
    assert artifact.path == f"gpu/{bundle.manifest.name}.gpu.ocm"
    assert (artifact.kind, artifact.functions) == ("gpu", ("prefill", "decode"))
    # Weights that are joined share what fills them up to a multiple of 256.
    assert 0 <= artifact.predicted_bytes - artifact.weight_bytes < 256 * 12
    assert 0 <= artifact.predicted_file_bytes - artifact.file_bytes < 24_000
    device = vulkan_device().device
    assert (check.ok, check.executed) == (True, bool(device))
    assert check.executed_by == (f"Vulkan: {device}" if device else "")
    assert check.max_rel_err < 5e-3
    shown = cli("inspect", artifact_of(bundle), "-v").out
    assert "dispatches" in shown
    assert "matvec_" in shown
    assert cli("verify", bundle.path).code == 0


def test_the_cpu_runs_the_file_too():
    logits = Session(artifact_of(shared_bundle("gpu"))).prefill(list(range(3, 3 + CONTEXT)))
    assert logits.shape == (96,)


def test_stages_of_the_bundle_are_those_of_the_dispatches():
    bundle = shared_bundle("gpu")
    program, section, _ = read_program(artifact_of(bundle))
    for function, launches in zip(program.functions, section.functions, strict=True):
        used = [dispatch.stage for dispatch in launches.dispatches]
        assert used == sorted(used)
        assert set(used) == {step.stage for step in function.steps}


def test_memory_counts_aligned_caches(cli):
    bundle = shared_bundle("gpu")
    found = cli("memory", bundle.path, "--json").json()["targets"]["gpu"]
    program = read_program(artifact_of(bundle))[0]
    assert found["kv"] >= sum(c.heads * c.width * c.context * 2 for c in program.caches)
    assert all(c.offset % 256 == 0 for c in program.caches)


def test_traffic_of_a_file_and_what_it_refuses(capsys):
    path = artifact_of(shared_bundle("gpu"))
    assert gpu_traffic.main([str(path), "--past", "0,5"]) == 0
    head, _, *rows = capsys.readouterr().out.splitlines()
    assert head.startswith("| program | past | dispatches |")
    assert [row.split(" | ")[1] for row in rows] == ["0", "5"]
    with pytest.raises(OptionError, match=f"--past 9999: the cache of {path.name} holds {CONTEXT}"):
        gpu_traffic.main([str(path), "--past", "9999"])


def test_traffic_of_a_shape(capsys, monkeypatch):
    """As those of whole models, but small: zeros in a checkpoint that takes no room."""
    monkeypatch.setitem(gpu_traffic.SHAPES, "1b", (256, 2, 4, 2, 64, 512, 1024))
    assert gpu_traffic.main(["--shape", "1b", "--context", "64", "--past", "3"]) == 0
    (row,) = capsys.readouterr().out.splitlines()[2:]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:3] == ["1b, int4:g32", "3", "23"]
    matrices = 2 * (256 * (512 + 256) + 3 * 256 * 512) + 1024 * 256
    assert int(cells[4].replace(",", "")) == matrices * 9 // 16 + 5 * 256 * 4 + 144 + 4 * 64
    with pytest.raises(OptionError, match="--scheme lut4:r8: expected a symmetric grid"):
        gpu_traffic.main(["--shape", "1b", "--scheme", "lut4:r8"])


def test_a_damaged_file_is_refused(cli, tmp_path):
    copied = copy_bundle(tmp_path, "gpu")
    file = artifact_of(open_bundle(copied))
    data = bytearray(file.read_bytes())
    data[300] ^= 1
    file.write_bytes(data)
    assert cli("inspect", file).code == 3
    done = cli("verify", copied)
    assert (done.code, file.name in done.err) == (VerificationError.exit_code, True)
