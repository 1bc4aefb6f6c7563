"""The object file for Android, linked for Linux on the same processor and run by qemu: no runtime of TVM."""

import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from support.emission import Emitted

from optimum_compile.backends.tvm.artifact import read_artifact
from optimum_compile.backends.tvm.build import ANDROID
from optimum_compile.backends.tvm.plan import KernelPlan
from optimum_compile.backends.tvm.session import Kernels

pytestmark = pytest.mark.tvm
HARNESS = Path(__file__).parent / "harness.c"
CODES = {"u": 1, "f": 2}  # DLPack's
TOOLS = {"aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu", "qemu-aarch64": "qemu-user"}


@pytest.fixture(scope="module")
def tools() -> None:
    for tool, package in TOOLS.items():
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is missing; install it (Debian: apt-get install {package})")


def built(artifact: Path, plan: KernelPlan, out: Path) -> Path:
    module = artifact / ANDROID["mtriple"] / "kernels.o"
    names = "".join(f"X({kernel.name})" for kernel in plan.kernels)
    command = ["aarch64-linux-gnu-gcc", "-static", "-O1", f"-DKERNELS={names}", "-o", str(out)]
    subprocess.run([*command, str(HARNESS), str(module), "-lm"], check=True, timeout=120)
    return out


@pytest.mark.usefixtures("tools")
def test_every_kernel_gives_on_arm_what_it_gives_here(mixed: Emitted, tmp_path: Path):
    kernels = Kernels(read_artifact(mixed.result.artifact))
    artifact = kernels.artifact
    calls, expected = b"", []
    for index, kernel in enumerate(artifact.plan.kernels):
        nodes = artifact.plan.uses(kernel)[0]
        x = np.random.default_rng(index).standard_normal(kernel.matrices[0].columns)
        given: list[np.ndarray] = []
        for node in nodes:
            given += kernels.arguments(node).values()
        given += [np.zeros(a.count, np.float32) for a in kernel.arguments[len(given) :]]
        at = next(i for i, a in enumerate(kernel.arguments) if a.name == "x")
        given[at] = x.astype(np.float32)
        calls += struct.pack("<2i", index, len(given))
        for data in given:
            calls += struct.pack("<3i", CODES[data.dtype.kind], 8 * data.itemsize, data.size)
            calls += data.tobytes()
        expected.append(kernels.run(kernel, nodes, given[at][None])[0])
    (tmp_path / "calls").write_bytes(struct.pack("<i", len(expected)) + calls)
    program = built(mixed.result.artifact, artifact.plan, tmp_path / "harness")
    run = ["qemu-aarch64", str(program), str(tmp_path / "calls"), str(tmp_path / "answers")]
    subprocess.run(run, check=True, timeout=300)
    found = np.fromfile(tmp_path / "answers", np.float32)
    assert found.size == sum(map(len, expected))
    for kernel, want in zip(artifact.plan.kernels, expected, strict=True):
        got, found = found[: len(want)], found[len(want) :]
        error = np.linalg.norm(got - want) / np.linalg.norm(want)
        assert error < 1e-6, kernel.name
