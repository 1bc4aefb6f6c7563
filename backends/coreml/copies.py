"""How much a package copies, counted from its operations.

A copy is an operation that only moves numbers. Free are reshapes, transposes that only move axes of one
element, reading a state, and what an update of a state writes beside the rows that changed: a
`slice_update` between the read and the update of one state is done in place, so its rows count. Whether
a runtime moves more than that is its own affair; this is what the program asks for.
"""

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from optimum_compile.backends.coreml.program import Function, Op, Var, read_functions

MOVES = (
    *("transpose", "concat", "stack", "split", "tile", "pad", "reverse"),
    *("slice_by_index", "slice_by_size", "sliding_windows", "slice_update", "identity"),
)
READ, UPDATE = "read_state", "coreml_update_state"
ITEM_BYTES = {
    "fp16": 2,
    "fp32": 4,
    "fp64": 8,
    "int8": 1,
    "uint8": 1,
    "int16": 2,
    "uint16": 2,
    "bool": 1,
}


@dataclass(frozen=True)
class Copies:
    """Copies of one kind in one function: operations, and bytes that one call of it writes."""

    count: int
    bytes: int


def count_copies(package: Path) -> dict[str, dict[str, Copies]]:
    """Copies of every function, by operation; `coreml_update_state` counts the updates of states.

    Raises InputError for a package that cannot be read.
    """
    return {name: copies_of(function) for name, function in read_functions(package).items()}


def copied_bytes(copies: dict[str, Copies]) -> int:
    """Bytes that one call of a function copies."""
    return sum(c.bytes for c in copies.values())


def copies_of(function: Function) -> dict[str, Copies]:
    """Copies of one function, by operation, in alphabetical order."""
    makers = function.makers()
    found: dict[str, list[int]] = defaultdict(list)
    updated = _updated_in_place(function, makers)
    for op in function.operations:
        if op.op_type == UPDATE:
            value = op.given("value")
            in_place = value is not None and value.name in updated
            found[UPDATE].append(0 if in_place or value is None else _bytes(value))
        elif op.op_type in MOVES and not _is_arithmetic_of_sizes(op):
            found[op.op_type].append(_moved(op, op.outputs[0].name in updated))
    return {name: Copies(len(sizes), sum(sizes)) for name, sizes in sorted(found.items())}


def _moved(op: Op, in_place: bool) -> int:
    x = op.given("x")
    if op.op_type == "transpose" and x is not None and _keeps_order(op, x):
        return 0
    update = op.given("update")
    if op.op_type == "slice_update" and in_place and update is not None:
        return _bytes(update)
    return sum(map(_bytes, op.outputs))


def _updated_in_place(function: Function, makers: dict[str, Op]) -> set[str]:
    """Results of `slice_update` that are a state's content before the call, and are stored back in it.

    The content before must have no reader after that: the state itself is overwritten.
    """
    readers = Counter(
        var.name
        for op in function.operations
        for given in op.inputs.values()
        for var in (given if isinstance(given, list) else [given])
    )
    out: set[str] = set()
    for op in function.operations:
        value, state = op.given("value"), op.given("state")
        made = None if op.op_type != UPDATE or value is None else makers.get(value.name)
        if made is None or value is None or state is None or made.op_type != "slice_update":
            continue
        before = made.given("x")
        read = None if before is None else makers.get(before.name)
        if before is None or read is None or readers[before.name] != 1:
            continue
        source = read.given("input") if read.op_type == READ else read.given("state")
        if read.op_type in (READ, UPDATE) and source is not None and source.name == state.name:
            out.add(value.name)
    return out


def _is_arithmetic_of_sizes(op: Op) -> bool:
    """Whether an operation computes positions: whole numbers along one axis, a few bytes."""
    return all(var.kind.startswith("int") and len(var.shape) <= 1 for var in op.outputs)


def _keeps_order(op: Op, x: Var) -> bool:
    perm = op.given("perm")
    if perm is None or perm.value is None:
        return False
    moved = [int(p) % len(x.shape) for p in perm.value]
    kept = [p for p in moved if x.shape[p] != 1]
    return kept == sorted(kept)


def _bytes(var: Var) -> int:
    return math.prod(var.shape) * ITEM_BYTES.get(var.kind, 4)
