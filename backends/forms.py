"""Which function of a decoder takes the next tokens of a prompt."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from optimum_compile.compiler.errors import InputError

_NAME = re.compile(r"prefill(?:_(\d{1,7}))?")
DECODE = "decode"


@dataclass(frozen=True)
class Form:
    """A function for prompts. tokens: exactly so many if `fixed`, at most so many if not."""

    function: str
    tokens: int
    fixed: bool


@dataclass(frozen=True)
class Step:
    """One call: `taken` tokens of the prompt from `at` on, in an input of `length` tokens."""

    function: str
    at: int
    taken: int
    length: int


def check_room(past: int, count: int, context: int) -> None:
    """Raise InputError where `count` more tokens do not fit the cache."""
    if past + count > context:
        raise InputError(
            f"past={past} and seq={count}: the cache holds {context} tokens, so expected past + seq <= "
            f"{context}; give fewer tokens, or compile with a longer --context"
        )


def forms_of(functions: Iterable[str], longest: int) -> tuple[Form, ...]:
    """The forms among an artifact's functions; a symbolic `prefill` takes up to `longest` tokens."""
    out = []
    for name in functions:
        match = _NAME.fullmatch(name)
        if match is not None:
            exact = match.group(1)
            out.append(Form(name, int(exact) if exact else longest, fixed=exact is not None))
    return tuple(sorted(out, key=lambda f: (f.tokens, f.fixed)))


def steps(
    forms: tuple[Form, ...], count: int, past: int, context: int, *, pads: bool
) -> Iterator[Step]:
    """Calls that take in `count` tokens when `past` are in the cache of `context` tokens.

    Each takes the function that takes the most of what is left. What is shorter than every fixed length
    is padded if `pads`, where the cache has room for the padding, and goes token by token otherwise.
    """
    at = 0
    while at < count:
        left = count - at
        step = _largest(forms, at, left)
        if step is None and pads and left > 1:
            step = _padded(forms, at, left, context - past - at)
        step = step or Step(DECODE, at, 1, 1)
        yield step
        at += step.taken


def _largest(forms: tuple[Form, ...], at: int, left: int) -> Step | None:
    able = [(min(f.tokens, left), f.fixed, f) for f in forms if not f.fixed or f.tokens <= left]
    if not able or left == 1:
        return None
    # Of two that take as much, the fixed one knows its shapes.
    taken, _, form = max(able, key=lambda entry: entry[:2])
    return Step(form.function, at, taken, taken)


def _padded(forms: tuple[Form, ...], at: int, left: int, room: int) -> Step | None:
    for form in forms:
        if form.fixed and left <= form.tokens <= room:
            return Step(form.function, at, left, form.tokens)
    return None
