"""Time of matrix-vector products on this machine, with random numbers in place of weights.

    python -m optimum_compile.backends.tvm.bench 8192 2048 int8:channel int4:g32 uint2:g32

Prints for each scheme the least time of `REPEATS` calls, bytes of weights a second, and that as a fraction
of how fast the same bytes are read by a sum of float32 numbers (numpy, one thread).
"""

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from optimum_compile.backends.tvm.build import link, write_object
from optimum_compile.backends.tvm.kernels import MatVec
from optimum_compile.backends.tvm.matrices import Argument, Matrix, find_units
from optimum_compile.backends.tvm.toolchain import host_target, load_tvm
from optimum_compile.compiler.errors import OptimumCompileError, UnsupportedError
from optimum_compile.compiler.quant.scheme_text import parse_scheme

REPEATS = 30
READ_BYTES = 1 << 28


def main(argv: Sequence[str]) -> int:
    """Print a line a scheme; returns the exit code."""
    if len(argv) < 3 or not all(text.isdigit() for text in argv[:2]):
        print("usage: python -m optimum_compile.backends.tvm.bench ROWS COLUMNS SCHEME..")
        return 2
    try:
        kernels = [_kernel(int(argv[0]), int(argv[1]), text) for text in argv[2:]]
        _measure(kernels)
    except OptimumCompileError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _kernel(rows: int, columns: int, text: str) -> MatVec:
    scheme = parse_scheme(text)
    reason = find_units(scheme, rows, columns)
    if isinstance(reason, str):
        raise UnsupportedError(f"{text}: {reason}")
    return MatVec(Matrix(rows, columns, scheme))


def _measure(kernels: Sequence[MatVec]) -> None:
    tvm = load_tvm()
    data = np.ones(READ_BYTES // 4, np.float32)
    reading = data.nbytes / _least(lambda: data.sum())
    print(f"reading: {reading / 1e9:.1f} GB/s")
    with tempfile.TemporaryDirectory(prefix="optimum-tvm-") as folder:
        made = Path(folder) / "kernels.o"
        write_object(kernels, host_target(), made)
        module = link(made, Path(folder) / "kernels.so")
        for kernel in kernels:
            arrays = [_random(argument) for argument in kernel.arguments]
            weights = sum(array.nbytes for array in arrays[:-2])
            given, function = [tvm.runtime.tensor(a) for a in arrays], module[kernel.name]

            def call(function: Callable[..., object] = function, given: list = given) -> object:
                return function(*given)

            least = _least(call)
            rate, matrix = weights / least, kernel.matrix
            print(
                f"{matrix.scheme!s:24} {least * 1e3:8.3f} ms  {rate / 1e9:6.2f} GB/s  "
                f"{rate / reading:5.0%}  {matrix.rows * matrix.columns / least / 1e9:6.2f} weights/ns"
            )


def _random(argument: Argument) -> np.ndarray:
    rng, dtype = np.random.default_rng(0), np.dtype(argument.dtype)
    if dtype.kind == "u":
        return rng.integers(0, 256, argument.count * dtype.itemsize, np.uint8).view(dtype)
    return rng.standard_normal(argument.count).astype(dtype)


def _least(call: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return min(times)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
