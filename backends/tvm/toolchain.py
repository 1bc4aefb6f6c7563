"""The one place that imports TVM, and that finds the linker of the host module."""

import os
import platform
import shutil
from importlib import metadata
from pathlib import Path
from typing import Any

from optimum_compile.compiler.errors import ResourceError

INSTALL = 'run: pip install "optimum-compile[tvm]"'
LINKERS = ("g++", "c++", "cc")
CPUINFO = Path("/proc/cpuinfo")
# What x86-64-v3 adds that the kernels are faster with.
VECTORS = frozenset({"avx2", "fma", "f16c", "bmi2"})


def require() -> str:
    """Version of TVM. Raises ResourceError naming what to install."""
    try:
        found = metadata.version("apache-tvm")
    except metadata.PackageNotFoundError as error:
        raise ResourceError(f"{error.name} is not installed; {INSTALL}") from None
    linker()
    return found


def linker() -> str:
    """The compiler that links an object file. Raises ResourceError where there is none."""
    found = os.environ.get("CXX") or next(filter(None, map(shutil.which, LINKERS)), None)
    if found is None:
        raise ResourceError(
            "tvm: g++ is missing, and the host module is linked with it; install it "
            "(Debian: apt-get install g++)"
        )
    return found


def load_tvm() -> Any:
    """The tvm module. Raises ResourceError naming what to install."""
    # Threads that wait must not spin, and there are no more of them than cores that may be used.
    os.environ.setdefault("TVM_THREAD_POOL_SPIN_COUNT", "0")
    os.environ.setdefault("TVM_NUM_THREADS", str(len(os.sched_getaffinity(0))))
    try:
        import tvm
    except ImportError:
        raise ResourceError(f"apache-tvm is not installed; {INSTALL}") from None
    return tvm


def load_builder() -> tuple[Any, Any]:
    """What builds functions, and the module of TIR's statements. Raises as `load_tvm`."""
    load_tvm()
    from tvm.script.ir_builder import IRBuilder
    from tvm.tirx.script.builder import ir

    return IRBuilder, ir


def host_target() -> dict[str, str]:
    """LLVM's name of this machine and its processor. Raises ResourceError for one that is not known."""
    machine = platform.machine()
    if platform.system() == "Linux" and machine == "aarch64":
        return {"mtriple": "aarch64-linux-gnu", "mcpu": "generic"}
    if platform.system() == "Linux" and machine == "x86_64":
        return {"mtriple": "x86_64-linux-gnu", "mcpu": "x86-64-v3" if has_vectors() else "x86-64"}
    raise ResourceError(
        f"tvm: host modules are made for Linux on x86_64 and aarch64, not {platform.system()} on "
        f"{machine}; compile there, or use --target android"
    )


def has_vectors() -> bool:
    """Whether the processor has what x86-64-v3 asks for."""
    try:
        lines = CPUINFO.read_text("utf-8", "replace").splitlines()
    except OSError:
        return False
    flags = next((line.split(":", 1)[1] for line in lines if line.startswith("flags")), "")
    return VECTORS.issubset(flags.split())
