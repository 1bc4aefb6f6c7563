"""Runs that are stopped half way, and what they had packed by then."""

from optimum_compile.compiler.observers import SilentObserver
from optimum_compile.passes.precision.notes import Quantized


class Killed(BaseException):
    """As a signal: no handler of errors catches it."""


class KillAt(SilentObserver):
    """Stops the run when a block begins, as a signal would."""

    def __init__(self, block: int) -> None:
        self.block = block

    def progress(self, label: str, done: int, total: int) -> None:
        """Raise at the block."""
        if label == "quantize-weights" and done == self.block:
            raise Killed


def digests(graph) -> dict[str, str]:
    """SHA-256 of every packed weight by name."""
    return {n: q.sha256 for n, v in graph.weights.items() if (q := v.notes.get(Quantized))}
