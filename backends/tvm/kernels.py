"""What is compiled: matrix-vector products and whole MLPs, one for each distinct shape and scheme."""

import re
from dataclasses import dataclass

from optimum_compile.backends.tvm.matrices import Argument, Matrix, arguments_of, units_of

ACTIVATIONS = ("silu", "gelu_tanh", "relu")
LEAST_THREADS, MOST_THREADS = 8, 64


@dataclass(frozen=True)
class MatVec:
    """out (rows,) = matrix @ x (columns,) + bias."""

    matrix: Matrix

    @property
    def name(self) -> str:
        """Of the function, one for each kernel."""
        return f"matvec_{_named(self.matrix)}"

    @property
    def matrices(self) -> tuple[Matrix, ...]:
        """The only one."""
        return (self.matrix,)

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """Parts of the matrix, x, out."""
        matrix = self.matrix
        return (*arguments_of(matrix), _vector("x", matrix.columns), _vector("out", matrix.rows))


@dataclass(frozen=True)
class Mlp:
    """out = down @ hidden, hidden = activation(gate @ x) * (up @ x); biases where matrices have them."""

    gate: Matrix
    up: Matrix
    down: Matrix
    activation: str

    @property
    def name(self) -> str:
        """Of the function, one for each kernel."""
        parts = "_".join(f"{k}_{_named(m)}" for k, m in zip("gud", self.matrices, strict=True))
        return f"mlp_{self.activation}_{parts}"

    @property
    def matrices(self) -> tuple[Matrix, ...]:
        """Gate, up and down."""
        return self.gate, self.up, self.down

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """Parts of gate, up and down, x, a buffer for what lies between, out."""
        names = ("gate", "up", "down")
        parts = [
            Argument(f"{name}_{a.name}", a.dtype, a.count)
            for name, matrix in zip(names, self.matrices, strict=True)
            for a in arguments_of(matrix)
        ]
        x, hidden = _vector("x", self.gate.columns), _vector("hidden", self.gate.rows)
        return (*parts, x, hidden, _vector("out", self.down.rows))


Kernel = MatVec | Mlp


def threads_for(matrix: Matrix) -> int:
    """Threads of a GPU that share a row: a power of two, no more than there are units."""
    units = units_of(matrix).row
    return max(LEAST_THREADS, min(MOST_THREADS, 1 << (units.bit_length() - 1)))


def _vector(name: str, count: int) -> Argument:
    return Argument(name, "float32", count)


def _named(matrix: Matrix) -> str:
    scheme = re.sub(r"[^a-z0-9]+", "_", str(matrix.scheme))
    return f"{matrix.rows}x{matrix.columns}_{scheme}{'_bias' if matrix.bias else ''}"
