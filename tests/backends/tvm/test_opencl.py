"""OpenCL sources, run by whatever device there is (PoCL: pip install pyopencl pocl-binary-distribution)."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.emission import Emitted

from optimum_compile.backends.tvm.artifact import DOCUMENT, read_artifact
from optimum_compile.backends.tvm.plan import weight_name
from optimum_compile.backends.tvm.session import Kernels

cl = pytest.importorskip("pyopencl", reason="pyopencl is not installed")
pytestmark = pytest.mark.tvm


@pytest.fixture(scope="module")
def queue() -> Any:
    try:
        devices = [d for p in cl.get_platforms() for d in p.get_devices()]
    except cl.Error as error:
        pytest.skip(f"no OpenCL device: {error}")
    if not devices:
        pytest.skip("no OpenCL device")
    return cl.CommandQueue(cl.Context(devices[:1]))


def for_device(text: str, halves: bool) -> str:
    """The text; where a device has no fp16, with float32 in its place."""
    if halves:
        return text
    body = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    return re.sub(r"\bhalf\b", "float", body).replace("convert_half", "convert_float")


def launched(queue: Any, folder: Path, launch: dict, given: dict[str, np.ndarray]) -> None:
    """Run one function; `given` gets what it wrote."""
    halves = "cl_khr_fp16" in queue.device.extensions
    text = for_device((folder / "opencl" / f"{launch['function']}.cl").read_text(), halves)
    names = re.findall(r"(\w+)_ptr[,)]", text.split("{")[0])
    flags = cl.mem_flags.READ_WRITE | cl.mem_flags.COPY_HOST_PTR
    wide = {
        n: d if halves or d.dtype != np.float16 else d.astype(np.float32) for n, d in given.items()
    }
    buffers = {n: cl.Buffer(queue.context, flags, hostbuf=wide[n]) for n in names}
    function = getattr(cl.Program(queue.context, text).build(), launch["function"])
    threads = launch["threads"]
    function(queue, (launch["workgroups"] * threads,), (threads,), *[buffers[n] for n in names])
    for name in {"hidden", "out"} & set(names):
        cl.enqueue_copy(queue, given[name], buffers[name])
    queue.finish()


def test_every_kernel_gives_what_llvm_gives(mixed: Emitted, queue: Any):
    kernels = Kernels(read_artifact(mixed.result.artifact))
    document = json.loads((mixed.result.artifact / DOCUMENT).read_text())
    for kernel in kernels.artifact.plan.kernels:
        nodes = kernels.artifact.plan.uses(kernel)[0]
        x = np.random.default_rng(0).standard_normal(kernel.matrices[0].columns)
        parts = [data for node in nodes for data in kernels.arguments(node).values()]
        given = {a.name: d for a, d in zip(kernel.arguments, parts, strict=False)}
        for argument in kernel.arguments[len(given) :]:
            given[argument.name] = np.zeros(argument.count, np.float32)
        given["x"] = x.astype(np.float32)
        for launch in document["kernels"][kernel.name]["gpu"]:
            launched(queue, mixed.result.artifact, launch, given)
        want = kernels.run(kernel, nodes, given["x"][None])[0]
        error = np.linalg.norm(given["out"] - want) / np.linalg.norm(want)
        # Scales of two levels are rounded to fp16, which is not done without fp16.
        coded = any("u" in str(m.scheme).partition("@")[2] for m in kernel.matrices)
        exact = not coded or "cl_khr_fp16" in queue.device.extensions
        assert error < (1e-6 if exact else 1e-3), (kernel.name, weight_name(nodes[0]))
