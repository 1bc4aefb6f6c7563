"""Build the C++ parts on this machine: once per source, flags and runtime version, into a user cache."""

import ctypes
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from importlib.resources import as_file, files
from pathlib import Path

from optimum_compile.compiler.errors import ResourceError, ToolchainError

FLAGS = (
    "-O3",
    "-ffp-contract=fast",
    "-Wall",
    "-Wextra",
    "-Wno-unused-parameter",
    "-fPIC",
    "-pthread",
)
SHARED = ("-shared",)
PORTABLE = (
    "src/kv_cache.cpp",
    "src/kv_store.cpp",
    "src/low_bit.cpp",
    "src/nested.cpp",
    "src/outliers.cpp",
    "src/products.cpp",
    "src/rows.cpp",
    "src/simd/avx2.cpp",
    "src/simd/avx512.cpp",
    "src/simd/neon.cpp",
    "src/simd/simd.cpp",
    "src/vectors.cpp",
    "src/workers.cpp",
)
OPERATORS = (
    "executorch/operators.cpp",
    "executorch/kv_operators.cpp",
    "executorch/nested_operators.cpp",
    "executorch/vector_operators.cpp",
)
RUNTIME = (
    "src/runtime/container.cpp",
    "src/runtime/device.cpp",
    "src/runtime/frame.cpp",
    "src/runtime/interface.cpp",
    "src/runtime/interface_device.cpp",
    "src/runtime/interface_schedule.cpp",
    "src/runtime/kernels_attention.cpp",
    "src/runtime/kernels_element.cpp",
    "src/runtime/kernels_matrix.cpp",
    "src/runtime/kernels_row.cpp",
    "src/runtime/load.cpp",
    "src/runtime/load_functions.cpp",
    "src/runtime/load_weights.cpp",
    "src/runtime/mapping.cpp",
    "src/runtime/numbers.cpp",
    "src/runtime/schedule.cpp",
    "src/runtime/schedule_file.cpp",
    "src/runtime/session.cpp",
    "src/runtime/session_cpu.cpp",
    "src/runtime/tensor.cpp",
    "src/runtime/workspace.cpp",
    "src/gpu/device.cpp",
    "src/gpu/instance.cpp",
    "src/gpu/kernel_table.cpp",
    "src/gpu/kernels_built.cpp",
    "src/gpu/load.cpp",
    "src/gpu/loader.cpp",
    "src/gpu/memory.cpp",
    "src/gpu/model.cpp",
    "src/gpu/numbers.cpp",
    "src/gpu/physical.cpp",
    "src/gpu/probe.cpp",
    "src/gpu/recorder.cpp",
    "src/gpu/session.cpp",
    "src/gpu/top.cpp",
    "src/gpu/vulkan_device.cpp",
)
# Kernels of a GPU, which the runtime carries: this source has them as they lie in the file.
KERNELS = "kernels/built/kernels.bin"
CARRIES_KERNELS = "src/gpu/kernels_built.cpp"
TAIL = ("-ldl",)  # Vulkan is found at run time
BUILD_TIMEOUT_S = 600
BUILD_THREADS = 2
_LOADED: list[ctypes.CDLL] = []


def cache_folder() -> Path:
    """Where built libraries stay: $XDG_CACHE_HOME/optimum-compile, by default in ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "optimum-compile"


def operator_library() -> Path:
    """Shared library that adds the packed operators to the stock ExecuTorch runtime.

    Raises ResourceError when g++ or executorch is missing, ToolchainError when the build fails.
    """
    root = _executorch()
    portable = sorted((root / "extension" / "pybindings").glob("_portable_lib*.so"))
    if not portable:
        raise ResourceError(
            f"{root}: this executorch has no _portable_lib; install executorch==1.4.1"
        )
    include = root / "include"
    flags = [
        "-std=c++20",
        "-DC10_USING_CUSTOM_GENERATED_MACROS",
        f"-I{include}",
        f"-I{include}/executorch/runtime/core/portable_type/c10",
    ]
    # Linking the runtime resolves register_kernels; the path is found again through the rpath.
    tail = [str(portable[0]), f"-Wl,-rpath,{portable[0].parent}"]
    version = metadata.version("executorch")
    return _build("operators.so", [*PORTABLE, *OPERATORS], [*SHARED, *flags], tail, version)


def kernel_library() -> Path:
    """The portable kernels alone, with C functions, for tests and for other hosts."""
    sources = [*PORTABLE, "src/c_api.cpp", "src/kv_c_api.cpp"]
    return _build("kernels.so", sources, [*SHARED, "-std=c++17"], [], "")


def runtime_library() -> Path:
    """The runtime of native programs (`.ocm`), with the C interface `optimum_compile.h`.

    Raises ResourceError when there is no C++ compiler, ToolchainError when the build fails.
    """
    return _build("runtime.so", [*PORTABLE, *RUNTIME], [*SHARED, "-std=c++17"], TAIL, "")


def runtime_program(source: str, flags: Sequence[str] = (), compiler: str | None = None) -> Path:
    """A program with the runtime, as `tools/oc_run.cpp`; built once for these flags.

    Args:
        source: its main file, relative to this folder.
        flags: more of them, as of a sanitizer. With any the runtime is built into the program.
        compiler: another one than that of this machine, as `aarch64-linux-gnu-g++`.

    Raises what `runtime_library` raises.
    """
    name, standard = Path(source).stem, "-std=c++17"
    if not flags and compiler is None:
        library = runtime_library()
        tail = [str(library), f"-Wl,-rpath,{library.parent}"]
        return _build(name, [source], [standard], tail, "")
    return _build(name, [*PORTABLE, *RUNTIME, source], [standard, *flags], TAIL, "", compiler)


def load_operators() -> None:
    """Register the operators with the runtime of this process; calling it again does nothing."""
    if _LOADED:
        return
    from executorch.extension.pybindings import portable_lib  # noqa: F401 - loads the runtime first

    _LOADED.append(ctypes.CDLL(str(operator_library()), mode=ctypes.RTLD_GLOBAL))


def _executorch() -> Path:
    try:
        found = metadata.distribution("executorch").locate_file("executorch")
    except metadata.PackageNotFoundError:
        raise ResourceError(
            'executorch is not installed; run: pip install "optimum-compile[executorch]"'
        ) from None
    return Path(str(found))


def _compiler() -> str:
    found = os.environ.get("CXX") or shutil.which("g++") or shutil.which("c++")
    if found is None:
        raise ResourceError("g++ is missing; install it (Debian: apt-get install g++)")
    return found


def _build(
    name: str,
    sources: Sequence[str],
    flags: Sequence[str],
    tail: Sequence[str],
    version: str,
    compiler: str | None = None,
) -> Path:
    """Compile once; `name` is that of the file, to which the digest of what goes in is added."""
    compiler = compiler or _compiler()
    stem, suffix = Path(name).stem, Path(name).suffix
    with as_file(files("optimum_compile.runtime_stub")) as root:
        command = [compiler, *FLAGS, *flags, f"-I{root / 'include'}"]
        objects = _objects(root, sources, command, version)
        digest = hashlib.sha256(repr((list(objects), command, tail)).encode()).hexdigest()
        folder = cache_folder()
        out = folder / f"{stem}-{digest[:20]}{suffix}"
        if out.is_file():
            return out
        (folder / "objects").mkdir(parents=True, exist_ok=True)
        with (folder / f"{stem}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not out.is_file():
                with ThreadPoolExecutor(BUILD_THREADS) as threads:
                    list(threads.map(_compile, objects, objects.values()))
                _run([*command, *(str(path) for path in objects), *tail], out)
    return out


def _objects(
    root: Path, sources: Sequence[str], command: Sequence[str], version: str
) -> dict[Path, list[str]]:
    """What each source becomes, named after the digest of all that goes in, and how."""
    common = hashlib.sha256(repr((command, version, sys.platform)).encode())
    for path in sorted((root / "include").rglob("*.h")):
        common.update(path.read_bytes())
    out = {}
    for source in sources:
        digest, more = common.copy(), []
        digest.update((root / source).read_bytes())
        kernels = root / KERNELS
        if source == CARRIES_KERNELS and kernels.is_file():
            more = [f'-DOC_KERNELS_BIN="{kernels}"']
            digest.update(kernels.read_bytes())
        path = cache_folder() / "objects" / f"{Path(source).stem}-{digest.hexdigest()[:20]}.o"
        out[path] = [*command, *more, "-c", str(root / source)]
    return out


def _compile(out: Path, command: list[str]) -> None:
    if not out.is_file():
        _run(command, out)


def _run(command: list[str], out: Path) -> None:
    part = out.with_suffix(f".{os.getpid()}.part")
    try:
        done = subprocess.run(
            [*command, "-o", str(part)],
            capture_output=True,
            text=True,
            timeout=BUILD_TIMEOUT_S,
            check=False,
        )
        if done.returncode != 0:
            raise ToolchainError(f"the C++ compiler failed:\n{done.stderr[-4000:]}")
        part.replace(out)
    except subprocess.TimeoutExpired as error:
        raise ToolchainError(f"the C++ compiler ran for more than {BUILD_TIMEOUT_S} s") from error
    finally:
        part.unlink(missing_ok=True)
