"""Every kernel of a `NAME.tvm` on all its matrices, against float64 arithmetic on dequantised weights.

    python -m optimum_compile.backends.tvm.check FOLDER

`verify` does the same before it runs the program; this prints what was found, kernel by kernel.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from optimum_compile.backends.tvm.artifact import read_artifact
from optimum_compile.backends.tvm.kernels import Kernel, Mlp
from optimum_compile.backends.tvm.plan import weight_name
from optimum_compile.backends.tvm.session import Kernels
from optimum_compile.compiler.errors import OptimumCompileError, VerificationError
from optimum_compile.compiler.ir.graph import Node
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Lut, Nested

# Sums of some thousand float32 products differ by 1e-6 at most between orders of adding.
LIMIT = 1e-5
ROWS = 4096  # dequantised at once


@dataclass(frozen=True)
class Found:
    """A kernel, how often the program calls it, and the greatest relative error of those calls."""

    kernel: Kernel
    calls: int
    max_rel_err: float


def check_kernels(kernels: Kernels) -> tuple[Found, ...]:
    """Run every kernel on all the matrices that it is for. Raises VerificationError above `LIMIT`."""
    found = tuple(_check(kernels, kernel) for kernel in kernels.artifact.plan.kernels)
    worst = max(found, key=lambda f: f.max_rel_err)
    if not worst.max_rel_err <= LIMIT:
        raise VerificationError(
            f"{worst.kernel.name}: relative error {worst.max_rel_err:.3g}, allowed {LIMIT:g}"
        )
    return found


def _check(kernels: Kernels, kernel: Kernel) -> Found:
    uses = kernels.artifact.plan.uses(kernel)
    x = np.random.default_rng(0).standard_normal((1, kernel.matrices[0].columns))
    x = x.astype(np.float32)
    worst = 0.0
    for nodes in uses:
        got = kernels.run(kernel, nodes, x)[0].astype(np.float64)
        expected = _expected(kernels, kernel, nodes, x[0].astype(np.float64))
        scale = float(np.linalg.norm(expected)) or 1.0
        error = float(np.linalg.norm(got - expected)) / scale
        worst = max(worst, error if np.isfinite(error) else np.inf)
    return Found(kernel, len(uses), worst)


def _expected(kernels: Kernels, kernel: Kernel, nodes: Sequence[Node], x: np.ndarray) -> np.ndarray:
    """What a kernel computes, in float64."""
    if not isinstance(kernel, Mlp):
        return _product(kernels, nodes[0], x)
    gate, up = (_product(kernels, node, x) for node in nodes[:2])
    return _product(kernels, nodes[2], _activated(kernel.activation, gate) * up)


def _product(kernels: Kernels, node: Node, x: np.ndarray) -> np.ndarray:
    packed = kernels.packed(weight_name(node))
    parts = [part.dequantize().astype(np.float64) @ x for part in _blocks(packed)]
    out: np.ndarray = np.concatenate(parts)
    bias = node.inputs[2] if len(node.inputs) > 2 else None
    if bias is not None and bias.weight is not None:
        out += kernels.plain(bias.weight.name).reshape(-1)
    return out


def _blocks(packed: PackedWeight) -> Iterator[PackedWeight]:
    """Runs of rows; those that share a table stay together."""
    per = packed.scheme.rows_per_table if isinstance(packed.scheme, Lut | Nested) else 1
    step, rows = -(-ROWS // per) * per, packed.shape[0]
    return (packed.part(at, min(rows, at + step)) for at in range(0, rows, step))


def _activated(name: str, x: np.ndarray) -> np.ndarray:
    out: np.ndarray = x / (1 + np.exp(-x))
    if name == "relu":
        out = np.maximum(x, 0)
    if name == "gelu_tanh":
        out = 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return out


def main(argv: Sequence[str]) -> int:
    """Print a line a kernel; returns the exit code."""
    if len(argv) != 1:
        print("usage: python -m optimum_compile.backends.tvm.check FOLDER", file=sys.stderr)
        return 2
    try:
        found = check_kernels(Kernels(read_artifact(Path(argv[0]))))
    except OptimumCompileError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for entry in found:
        print(f"{entry.max_rel_err:.2e}  {entry.calls:4} calls  {entry.kernel.name}")
    worst = max(entry.max_rel_err for entry in found)
    print(f"{len(found)} kernels, relative error {worst:.2e} at most")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
