"""The memory that a `.pte` takes, read from its program."""

from pathlib import Path

from optimum_compile.backends.arenas import Arena, FileMemory
from optimum_compile.backends.executorch.copies import read_program
from optimum_compile.compiler.errors import InputError

# Buffers that the runtime makes for a method: none, what is planned, and the mutable buffers that all
# methods of a program share.
PLANNED, SHARED = 1, 2


def file_memory(pte: Path, functions: dict[str, tuple[int, int]]) -> FileMemory:
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
