"""Run a `.gpu.ocm` and compare: on a Vulkan device, or on the CPU, which then is no proof for a GPU."""

from dataclasses import replace
from pathlib import Path

from optimum_compile.backends.base import Case, Conformance, Tolerance
from optimum_compile.backends.child import verify_in_child
from optimum_compile.backends.compare import failed, not_executed
from optimum_compile.backends.gpu.decode import read_program
from optimum_compile.backends.gpu.found import vulkan_device
from optimum_compile.compiler.errors import InputError

RUNNER = "optimum_compile.backends.gpu.runner"
CPU_RUNNER = "optimum_compile.backends.native.runner"
CPU = "native runtime"


def executor() -> str:
    """Who runs GPU programs here."""
    found = vulkan_device()
    return f"Vulkan: {found.device}" if found.device else f"{CPU} (no Vulkan device)"


def verify(artifact: Path, cases: tuple[Case, ...], tolerance: Tolerance) -> Conformance:
    """Compare with the cases on a Vulkan device.

    Without one the same program runs on the CPU. A wrong one fails; of a right one it is said that no
    GPU has executed its dispatches.
    """
    try:
        read_program(artifact)
    except InputError as error:
        return failed(artifact.name, tolerance, str(error))
    found = vulkan_device()
    if found.device:
        return verify_in_child(RUNNER, executor(), artifact, cases, tolerance)
    done = verify_in_child(CPU_RUNNER, CPU, artifact, cases, tolerance)
    if not done.ok:
        return replace(done, reason=f"the CPU runs the same program: {done.reason}")
    return not_executed(
        artifact.name,
        tolerance,
        f"not executed: no Vulkan device ({found.reason}); on the CPU the same program has a relative "
        f"error of {done.max_rel_err:.3g}, and {done.top1_agreement:.1%} of its top tokens are the oracle's",
    )
