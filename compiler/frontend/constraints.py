"""What torch.export knows of the symbols: names, ranges, and the guards that it made."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.frontend.logic import Logic, parse_guard
from optimum_compile.compiler.frontend.symbols import parse_srepr_condition
from optimum_compile.compiler.ir.conditions import Condition, Relation
from optimum_compile.compiler.ir.guards import Guard, Guards, needed
from optimum_compile.compiler.ir.shape import Dim, SymbolRange, parse_dim, substitute, symbol

MAX_SYMBOL = 1 << 24
MAX_GUARDS = 4096
MAX_REASON = 200
ITEMS = ("torch.ops.aten.item.default", "torch.ops.aten._local_scalar_dense.default")


def symbol_names(
    source: Mapping[str, Any], specs: Iterable[Mapping[str, Any]], ranges: Iterable[str]
) -> dict[str, str]:
    """Readable names: the first two axes of inputs are batch and seq; the rest s0, s1, ..."""
    found: dict[str, str] = {}
    for spec in specs:
        argument = (spec.get("user_input") or {}).get("arg", {}).get("as_tensor")
        if argument is None:
            continue
        for axis, size in enumerate(source["tensor_values"][argument["name"]]["sizes"]):
            text = (size.get("as_expr") or {}).get("expr_str", "")
            if not text.startswith("Symbol('"):
                continue
            raw = text.split("'")[1]
            wanted = ("batch", "seq")[axis] if axis < 2 else f"s{len(found)}"
            if raw not in found:
                found[raw] = wanted if wanted not in found.values() else f"s{len(found)}"
    for raw, name in _numbers_of_inputs(source, specs):
        if name not in found.values():
            found.setdefault(raw, name)
    for raw in ranges:
        if raw.isidentifier():
            found.setdefault(raw, raw)
    return found


def _numbers_of_inputs(
    source: Mapping[str, Any], specs: Iterable[Mapping[str, Any]]
) -> Iterator[tuple[str, str]]:
    """Symbols that are the number in an input, as `past.item()`: raw names and those of the inputs."""
    arguments = ((s.get("user_input") or {}).get("arg", {}).get("as_tensor") for s in specs)
    inputs = {a["name"] for a in arguments if a is not None}
    for node in source["nodes"]:
        if str(node["target"]) not in ITEMS:
            continue
        read = node["inputs"][0]["arg"].get("as_tensor", {}).get("name")
        made = node["outputs"][0].get("as_sym_int", {}).get("as_name")
        text = (source["sym_int_values"].get(made, {}).get("as_expr") or {}).get("expr_str", "")
        if read in inputs and text.startswith("Symbol('"):
            yield text.split("'")[1], read


def symbol_ranges(
    model: str, names: Mapping[str, str], given: Mapping[str, Mapping[str, Any]]
) -> dict[str, SymbolRange]:
    """The range of every symbol. Raises InputError for one that has no value."""
    return {names[raw]: _span(model, raw, b) for raw, b in given.items() if raw.isidentifier()}


def _span(model: str, raw: str, given: Mapping[str, Any]) -> SymbolRange:
    low, high = given.get("min_val"), given.get("max_val")
    low = 0 if low is None else max(0, int(low))
    high = MAX_SYMBOL if high is None else min(MAX_SYMBOL, int(high))
    if low > high:
        raise InputError(f"{model}: size {raw} has no value: {dict(given)}")
    return SymbolRange(low, high)


def read_guards(
    model: str,
    program: Mapping[str, Any],
    names: Mapping[str, str],
    sizes: Mapping[str, tuple[Dim, ...]],
    ranges: Mapping[str, SymbolRange],
) -> Guards | None:
    """Every condition of an exported program that its ranges do not imply; None where there is none.

    From three places: ranges of expressions such as 8*s0, the guards beside the program, and the
    assertions inside. One that cannot be read is kept as text.
    """
    found: list[Guard] = []
    unread: list[str] = []

    def add(logic: Logic, reason: str) -> None:
        known = set(ranges)
        for clause in logic:
            guard = Guard(clause, _ascii(reason))
            if guard.symbols <= known:
                found.append(guard)
            else:  # on a number that only the data tell
                unread.append(_ascii(str(guard)))

    for raw, span in (program.get("range_constraints") or {}).items():
        if not raw.isidentifier():
            _expression_range(model, raw, span, names, add, unread)
    for text in _texts(program.get("guards_code")):
        try:
            add(parse_guard(text, sizes), "a guard of torch.export")
        except ValueError:
            unread.append(_ascii(text))
    for text, reason in _assertions(program["graph_module"]["graph"]):
        try:
            add(parse_srepr_condition(text, names), reason)
        except InputError:
            unread.append(_ascii(text))
    kept = needed(found, ranges)
    return Guards(kept, tuple(dict.fromkeys(unread))) if kept or unread else None


def _expression_range(
    model: str,
    raw: str,
    span: Mapping[str, Any],
    names: Mapping[str, str],
    add: Any,
    unread: list[str],
) -> None:
    """A range such as 8 <= 8*s0 <= 64."""
    allowed = _span(model, raw, span)
    try:
        renamed: dict[str, Dim] = {old: symbol(new) for old, new in names.items()}
        dim = substitute(parse_dim(raw), renamed)
    except ValueError:
        unread.append(_ascii(f"{allowed.low} <= {raw} <= {allowed.high}"))
        return
    low = Condition(allowed.low, Relation.AT_MOST, dim)
    high = Condition(dim, Relation.AT_MOST, allowed.high)
    add(((low,), (high,)), "a range of torch.export")


def _texts(given: object) -> list[str]:
    texts = [str(g) for g in given] if isinstance(given, list) else []
    if len(texts) > MAX_GUARDS:
        raise InputError(f"{len(texts)} guards: at most {MAX_GUARDS} are read")
    return texts


def _assertions(source: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Conditions of `_assert_scalar`, as srepr, with their messages."""
    booleans = source.get("sym_bool_values") or {}
    out = []
    for node in source["nodes"]:
        if not str(node["target"]).startswith("torch.ops.aten._assert_scalar"):
            continue
        given = {entry["name"]: entry["arg"] for entry in node["inputs"]}
        name = (given.get("self", {}).get("as_sym_bool") or {}).get("as_name")
        entry = booleans.get(name) or {}
        text = (entry.get("as_expr") or {}).get("expr_str")
        message = str(given.get("assert_msg", {}).get("as_string", ""))
        if text is not None:
            generated = message.startswith("Runtime assertion failed for expression")
            out.append((text, "an assertion of the program" if generated else message))
    if len(out) > MAX_GUARDS:
        raise InputError(f"{len(out)} assertions: at most {MAX_GUARDS} are read")
    return out


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()[:MAX_REASON]
