"""The memory that a `.pte` takes, read from its program."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from optimum_compile.backends.arenas import Arena, FileMemory, MemoryModel
from optimum_compile.backends.executorch.caches import packed_states
from optimum_compile.backends.executorch.copies import read_program
from optimum_compile.backends.executorch.regions import regions_of
from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.ir.graph import Graph

# Buffers that the runtime makes for a method: none, what is planned, and the mutable buffers that all
# methods of a program share.
PLANNED, SHARED = 1, 2


@dataclass(frozen=True)
class ExecuTorchMemory(MemoryModel):
    """ExecuTorch plans every method before emission; XNNPACK packs its matrices when one is loaded."""

    runtime: str = "ExecuTorch"
    kv_alignment: int = 16
    own_outputs: bool = True
    together: bool = True
    xnnpack: bool = True

    def read(
        self, artifact: Path, functions: Mapping[str, tuple[int, int]]
    ) -> tuple[FileMemory | None, tuple[str, ...]]:
        """See `MemoryModel`."""
        return file_memory(artifact, functions), ()

    def float_caches(self, graph: Graph) -> frozenset[str]:
        """Those that the operator cannot keep."""
        return frozenset(s.name for s in graph.states) - frozenset(packed_states(graph))

    def packed_again(self, graph: Graph) -> tuple[str, ...]:
        """Those of XNNPACK's delegates."""
        regions = regions_of(graph) if self.xnnpack else ()
        return tuple(name for region in regions for name in region.weights)


def file_memory(pte: Path, functions: Mapping[str, tuple[int, int]]) -> FileMemory:
    """What the planner of ExecuTorch wrote into the program: numbers for the longest call, outputs included.

    Args:
        pte: the artifact.
        functions: its methods with the least and greatest number of tokens that each takes.

    Raises InputError for a file that is no program, or has no such methods.
    """
    sizes = {
        p.name: list(map(int, p.non_const_buffer_sizes)) for p in read_program(pte).execution_plan
    }
    missing = sorted(set(functions) - set(sizes))
    if missing:
        raise InputError(f"{pte}: no method {missing[0]!r}; it has {', '.join(sorted(sizes))}")
    arenas = tuple(
        Arena(name, tokens, (sum(sizes[name][PLANNED:SHARED]),))
        for name, tokens in functions.items()
    )
    shared = max((sum(sizes[name][SHARED:]) for name in functions), default=0)
    return FileMemory(arenas, shared)
