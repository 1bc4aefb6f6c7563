"""Which functions are made of one decoder: fixed and symbolic numbers of tokens a call."""

import re
from dataclasses import dataclass, replace

from optimum_compile.compiler.decoder import is_decoder
from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.ir.shape import SymbolRange
from optimum_compile.passes.symbolic_shape.specialize import specialize

SEQ, PREFILL, DECODE = "seq", "prefill", "decode"
MAX_LENGTH = 1 << 20
MAX_FUNCTIONS = 16
_ENTRY = re.compile(r"\s*(?:(\d{1,7})\s*\.\.\s*)?(\d{1,7})\s*")


@dataclass(frozen=True)
class Lengths(Note):
    """On a decoder's graph: tokens of each prefill function. `decode`, of one token, is always there.

    fixed: ascending, above 1. symbolic: the most that one function of any length takes; None for none.
    """

    fixed: tuple[int, ...] = ()
    symbolic: int | None = None

    @property
    def longest(self) -> int:
        """Most tokens of one call."""
        return max((1, *self.fixed, self.symbolic or 1))


def parse_lengths(text: str) -> Lengths:
    """Read 1,64 or 1,8,64,1..512: single numbers are fixed, a range is symbolic. Raises OptionError."""
    fixed: dict[int, None] = {}
    symbolic: int | None = None
    parts = str(text).split(",")
    for part in parts:
        match = _ENTRY.fullmatch(part)
        if match is None:
            raise OptionError(f"seq={text!r}: expected lengths like 1,64 or 1,1..512")
        low, high = match.group(1), int(match.group(2))
        if not 1 <= high <= MAX_LENGTH or (low is not None and not 1 <= int(low) <= high):
            raise OptionError(f"seq={text!r}: {part.strip()}: expected 1 to {MAX_LENGTH} tokens")
        if low is None:
            fixed[high] = None
        elif symbolic is not None:
            raise OptionError(f"seq={text!r}: two ranges; one function of any length is enough")
        elif int(low) != 1:
            raise OptionError(f"seq={text!r}: a range begins at 1: give 1..{high}")
        else:
            symbolic = high if high > 1 else None
    lengths = Lengths(tuple(sorted(n for n in fixed if n > 1)), symbolic)
    if len(lengths.fixed) > MAX_FUNCTIONS:
        raise OptionError(f"seq={text!r}: more than {MAX_FUNCTIONS} lengths")
    return lengths


def set_lengths(graph: Graph, text: str) -> Graph:
    """The graph with the lengths of `text`: a decoder gets the note, another graph its one length.

    Raises OptionError for lengths that the graph cannot take.
    """
    lengths = parse_lengths(text)
    if not is_decoder(graph):
        return _one_length(graph, lengths, text)
    span = graph.symbols.get(SEQ)
    most = span.high if span is not None else 1
    if lengths.longest > most:
        raise OptionError(
            f"seq={lengths.longest}: {graph.name} takes 1 to {most} tokens a call; give at most that, "
            "or import it with a longer --context"
        )
    if span is None:
        return graph
    if lengths.longest == 1:
        return specialize(graph, {SEQ: 1})
    for length in lengths.fixed:
        specialize(graph, {SEQ: length})  # a guard may forbid it
    out = specialize(graph, {})
    out.symbols[SEQ] = SymbolRange(span.low, lengths.longest)
    out.notes.put(lengths)
    return out


def _one_length(graph: Graph, lengths: Lengths, text: str) -> Graph:
    if SEQ not in graph.symbols:
        known = ", ".join(graph.symbols) or "none"
        raise OptionError(f"seq: {graph.name} has no symbol of that name; it has: {known}")
    wanted = lengths.fixed or (1,)
    if lengths.symbolic is not None or "," in text:
        raise OptionError(
            f"seq={text!r}: {graph.name} is no decoder with a KV cache and has one function: give one "
            "length"
        )
    return specialize(graph, {SEQ: wanted[0]})


def lengths_of(graph: Graph) -> Lengths:
    """The lengths of a decoder: its note, or prompts of any length."""
    note = graph.notes.get(Lengths)
    if note is not None:
        return note
    span = graph.symbols.get(SEQ)
    return Lengths((), None if span is None else span.high)


def prefill_name(length: int) -> str:
    """Name of the function for prompts of exactly `length` tokens."""
    return f"{PREFILL}_{length}"


def decoder_functions(graph: Graph) -> dict[str, Graph]:
    """The functions of a decoder with symbolic `seq`, by name; weights are shared.

    Before:  one graph, seq in 1..512, with Lengths{fixed = (64,), symbolic = 512}
    After:   prefill (any length), prefill_64, decode
    """
    lengths = lengths_of(graph)
    out: dict[str, Graph] = {}
    if lengths.symbolic is not None:
        out[PREFILL] = _named(graph, lengths.symbolic)
    for length in lengths.fixed:
        out[prefill_name(length)] = specialize(graph, {SEQ: length}, prefill_name(length))
    out[DECODE] = specialize(graph, {SEQ: 1}, DECODE)
    for function in out.values():
        function.notes.drop(Lengths)
    return out


def _named(graph: Graph, longest: int) -> Graph:
    out = specialize(graph, {}, graph.name)
    span = out.symbols[SEQ]
    out.symbols[SEQ] = replace(span, high=min(span.high, longest))
    return out
