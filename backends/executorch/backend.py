"""ExecuTorch: a `.pte` with XNNPACK delegates and packed operators, run by the stock runtime."""

import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import sympy

from optimum_compile.backends.arenas import MemoryModel
from optimum_compile.backends.base import (
    HALF_WEIGHTS,
    SAME_DIRECTION,
    SUPPORTED,
    BackendOptions,
    EmitOptions,
    EmitResult,
    Support,
    Tolerance,
    WeightUse,
)
from optimum_compile.backends.executed import Executed
from optimum_compile.backends.executorch import container, schemes
from optimum_compile.backends.executorch.arenas import ExecuTorchMemory
from optimum_compile.backends.executorch.toolchain import require
from optimum_compile.backends.traits import Rounded, Traits
from optimum_compile.compiler.errors import InputError, UnsupportedError
from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.compiler.ir.ops import EXPORTED_OPS
from optimum_compile.compiler.ir.shape import Dim
from optimum_compile.compiler.quant.activations import ActivationKind, Activations
from optimum_compile.compiler.quant.kv import KvScheme, KvStored
from optimum_compile.compiler.quant.scheme import Float, Scheme

KV_REASON = "the operator keeps fp16 rows, or codes of 8, 4 and 2 bits"
INSPECT_TIMEOUT_S = 300


@dataclass(frozen=True)
class ExecuTorchBackend(Executed):
    """See `backends.base.Backend`."""

    name: str = "executorch"
    platform: str = "android"
    suffix: str = ".pte"
    traits: Traits = Traits(chooses_widths=True)
    xnnpack: bool = True  # False: every matrix runs in a packed operator

    @property
    def memory(self) -> MemoryModel:
        """See the protocol."""
        return ExecuTorchMemory(xnnpack=self.xnnpack)

    @property
    def ladder(self) -> tuple[str, ...]:
        """See the protocol."""
        return schemes.LADDER

    def configured(self, options: BackendOptions) -> Self:
        """See the protocol."""
        if options.executor == "xnnpack" and options.activations == "float":
            raise UnsupportedError(
                "executorch: weight-only quantisation on XNNPACK (executor xnnpack, activations float) "
                "is refused: it lowers and runs, but XNNPACK drops the scales and the numbers are "
                "nonsense; use --executor packed for float activations, or --activations int8"
            )
        return replace(self, xnnpack=options.executor == "xnnpack")

    def require(self) -> None:
        """See the protocol."""
        require()

    def supports_scheme(self, scheme: Scheme, use: WeightUse) -> Support:
        """See the protocol."""
        return schemes.supports_scheme(scheme, use)

    def activation_kind(self, scheme: Scheme, use: WeightUse) -> Activations | None:
        """XNNPACK's delegates round what they multiply with integer weights, whoever reads it."""
        on_xnnpack = self.xnnpack and use.as_linear and schemes.on_xnnpack(scheme, use)
        return ActivationKind.ASYMMETRIC_INT8 if on_xnnpack else None

    def supports_kv(self, scheme: KvStored) -> Support:
        """Bytes that one operator writes and reads: fp16 rows, or codes."""
        packed = isinstance(scheme, KvScheme) or scheme == Float(16)
        return SUPPORTED if packed else Support(False, KV_REASON)

    def supports_node(self, node: Node) -> Support:
        """Every op of the table; ATen operators that are pure and known."""
        odd = next((d for v in node.outputs for d in v.type.shape if _is_involved(d)), None)
        if odd is not None:
            return Support(
                False,
                f"its size {odd} is no sum of products of symbols; fix the symbols with --seq or --batch",
            )
        if node.op != "aten":
            return (
                SUPPORTED
                if node.op in EXPORTED_OPS
                else Support(False, "it is not in the op table")
            )
        from optimum_compile.compiler.aten import aten_overload
        from optimum_compile.compiler.errors import UserError

        try:
            aten_overload(str(node.attrs["target"]))
        except UserError as error:
            return Support(False, str(error))
        return SUPPORTED

    def stored_bytes(self, scheme: Scheme, use: WeightUse) -> int:
        """See the protocol."""
        return schemes.stored_bytes(scheme, use, xnnpack=self.xnnpack)

    def fixed_bytes(self, graph: Graph) -> int:
        """See the protocol."""
        return schemes.fixed_bytes(graph)

    def container_bytes(self, graph: Graph) -> int:
        """See the protocol."""
        return container.container_bytes(graph, xnnpack=self.xnnpack)

    def emit(self, graph: Graph, options: EmitOptions, out: Path) -> EmitResult:
        """See the protocol."""
        from optimum_compile.backends.executorch.emit import emit

        return emit(graph, options, out, xnnpack=self.xnnpack)

    def tolerance(self, rounded: Rounded) -> Tolerance:
        """Matrices of XNNPACK round their inputs; so does the oracle."""
        return SAME_DIRECTION if rounded.weights else HALF_WEIGHTS

    def executor(self) -> str:
        """See `Executed`."""
        return f"ExecuTorch runtime {require()}"

    def inspect(self, artifact: Path) -> str:
        """Read the metadata in a child process: the runtime trusts the file that it loads."""
        code = (
            "import sys; from pathlib import Path\n"
            "from optimum_compile.backends.executorch.session import Program\n"
            "p = Program(Path(sys.argv[1])); sys.stdout.buffer.write(p.call('metadata')[0].tobytes())"
        )
        command = [sys.executable, "-P", "-c", code, str(artifact)]
        done = subprocess.run(command, capture_output=True, timeout=INSPECT_TIMEOUT_S, check=False)
        if done.returncode != 0:
            last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
            raise InputError(f"{artifact}: no readable metadata: {' '.join(last)}")
        return done.stdout.decode("utf-8")


def _is_involved(dim: Dim) -> bool:
    return isinstance(dim, sympy.Expr) and bool(dim.atoms(sympy.floor, sympy.Max, sympy.Min))


BACKEND = ExecuTorchBackend()
