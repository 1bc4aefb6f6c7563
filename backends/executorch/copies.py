"""How much a `.pte` copies, counted from its instructions.

A copy is an instruction that only moves numbers: it joins, cuts, repeats, permutes or overwrites. Views
that the runtime gets for nothing are no instructions, so they do not appear.
"""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optimum_compile.backends.executorch.toolchain import quiet, require
from optimum_compile.compiler.errors import InputError

MAX_PROGRAM_BYTES = 1 << 30
MOVES = (
    *("aten::clone", "aten::copy_", "aten::copy", "aten::_to_copy", "aten::alias_copy"),
    *("dim_order_ops::_clone_dim_order", "dim_order_ops::_to_dim_order_copy"),
    *("aten::cat", "aten::stack", "aten::split_copy", "aten::split_with_sizes_copy"),
    *("aten::slice_copy", "aten::select_copy", "aten::unbind_copy", "aten::repeat"),
    *("aten::expand_copy", "aten::permute_copy", "aten::transpose_copy", "aten::t_copy"),
    *("aten::view_copy", "aten::unsqueeze_copy", "aten::squeeze_copy", "aten::constant_pad_nd"),
    *("aten::index_put", "aten::index_put_", "aten::index_copy", "aten::index_copy_"),
    *("aten::slice_scatter", "aten::select_scatter", "aten::repeat_interleave"),
    *("llama::update_cache", "executorch_prim::et_copy_index"),
)
IN_PLACE_VALUES = {"aten::index_put_": 2, "aten::index_copy_": 3}  # where what is written stands
ITEM_BYTES = {0: 1, 1: 1, 2: 2, 3: 4, 4: 8, 5: 2, 6: 4, 7: 8, 11: 1, 15: 2}  # by ScalarType


@dataclass(frozen=True)
class Copies:
    """Copies of one operator in one method: instructions, and bytes written by one call of it.

    Where a size is dynamic, its upper bound counts.
    """

    count: int
    bytes: int


def count_copies(pte: Path) -> dict[str, dict[str, Copies]]:
    """Copies of every method, by operator; methods without any have an empty dict.

    Raises InputError for a file that is no program.
    """
    try:
        return {plan.name: _of_plan(plan) for plan in read_program(pte).execution_plan}
    except (AttributeError, IndexError, TypeError) as error:
        raise InputError(f"{pte}: its program is damaged: {error!r}") from error


def read_program(pte: Path) -> Any:
    """The program of a `.pte` as the SDK's tables. Raises InputError for a file that is none."""
    require()
    with quiet():
        from executorch.exir._serialize._flatbuffer_program import _flatbuffer_to_program
    data = _program_bytes(pte)
    try:
        return _flatbuffer_to_program(data)
    except Exception as error:  # whatever flatbuffers meets in bytes that are no program
        raise InputError(f"{pte}: its program cannot be read: {error!r}") from error


def copied_bytes(copies: Mapping[str, Copies]) -> int:
    """Bytes that one call of a method copies."""
    return sum(c.bytes for c in copies.values())


def _program_bytes(pte: Path) -> bytes:
    with pte.open("rb") as file:
        head = file.read(32)
        if head[4:8] != b"ET12" or head[8:12] != b"eh00":
            raise InputError(f"{pte}: no ExecuTorch program with an extended header")
        size = int.from_bytes(head[16:24], "little")
        if not 32 <= size <= min(MAX_PROGRAM_BYTES, pte.stat().st_size):
            raise InputError(f"{pte}: the program has {size} bytes, the file fewer")
        return head + file.read(size - 32)


def _of_plan(plan: Any) -> dict[str, Copies]:
    found: dict[str, list[int]] = defaultdict(list)
    for chain in plan.chains:
        for instruction in chain.instructions:
            call = instruction.instr_args
            if type(call).__name__ != "KernelCall":
                continue
            name = plan.operators[call.op_index].name
            if name in MOVES:
                # The result is the last argument.
                found[name].append(_bytes(plan, call.args[IN_PLACE_VALUES.get(name, -1)]))
    return {name: Copies(len(sizes), sum(sizes)) for name, sizes in sorted(found.items())}


def _bytes(plan: Any, index: int) -> int:
    value = plan.values[index].val
    if type(value).__name__ == "TensorList":
        return sum(_bytes(plan, item) for item in value.items)
    if type(value).__name__ != "Tensor":
        return 0
    sizes = [int(size) for size in value.sizes]
    return math.prod(sizes) * ITEM_BYTES.get(int(value.scalar_type), 1)
