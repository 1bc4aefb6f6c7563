"""Compile kernels: object files with LLVM, source text for GPUs."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from optimum_compile.backends.tvm.kernels import Kernel
from optimum_compile.backends.tvm.tir import cpu_function, gpu_function
from optimum_compile.backends.tvm.toolchain import linker, load_tvm
from optimum_compile.compiler.errors import ToolchainError

ANDROID = {"mtriple": "aarch64-linux-android", "mcpu": "generic"}
OPENCL = {"kind": "opencl", "device": "adreno"}
METAL = {"kind": "metal"}
LINK_TIMEOUT_S = 300
_PIECE = re.compile(r"^// Function: (\w+)\n", re.MULTILINE)
# TVM declares every kernel of a module before each of them.
_DECLARED = re.compile(r"^__kernel void \w+\([^{}]*?\);\n", re.MULTILINE)


def write_object(kernels: Sequence[Kernel], target: Mapping[str, str], out: Path) -> None:
    """Compile for a processor. Equal kernels and targets give equal bytes.

    Raises ToolchainError for what TVM cannot compile.
    """
    tvm = load_tvm()
    functions = {kernel.name: cpu_function(kernel) for kernel in kernels}
    module = _compiled(tvm, functions, tvm.target.Target({"kind": "llvm", **target}))
    module.write_to_file(str(out))


def sources(kernels: Sequence[Kernel], target: Mapping[str, str]) -> dict[str, str]:
    """GPU source text by the name of the function: a matrix-vector product is one, an MLP two."""
    tvm = load_tvm()
    functions = {kernel.name: gpu_function(kernel) for kernel in kernels}
    made = _compiled(tvm, functions, tvm.target.Target(dict(target), host="llvm"))
    out: dict[str, str] = {}
    for module in made.imports:
        pieces = _PIECE.split(module.inspect_source())
        # Text, name, text, name, ...; nothing before the first name.
        for name, text in zip(pieces[1::2], pieces[2::2], strict=True):
            out[name] = _DECLARED.sub("", text).strip() + "\n"
    return out


def _compiled(tvm: Any, functions: Mapping[str, Any], target: Any) -> Any:
    try:
        return tvm.compile(tvm.IRModule(dict(functions)), target=target).mod
    except Exception as error:  # TVM raises classes of its own, and plain ones
        text = str(error).strip().splitlines() or [type(error).__name__]
        raise ToolchainError(f"tvm: {target.kind}: {text[-1]:.300}") from error


def link(made: Path, out: Path) -> Any:
    """Make a shared library of an object file and load it: functions by name.

    Raises ToolchainError where it cannot be linked.
    """
    command = [linker(), "-shared", "-o", str(out), str(made), "-lm"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=LINK_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolchainError(f"tvm: {command[0]} cannot link the host module: {error}") from error
    if done.returncode != 0:
        raise ToolchainError(f"tvm: {command[0]}: {done.stderr.strip()[-500:]}")
    return load_tvm().runtime.load_module(str(out))
