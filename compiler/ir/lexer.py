"""Tokens of the text form, with positions."""

import json
import re
from typing import NoReturn

from optimum_compile.compiler.errors import InputError

MAX_DIGITS = 1000

_SKIP = re.compile(r"(?:\s+|#[^\n]*)*")
_STRING = r'"(?:[^"\\\n]|\\.)*"'
_TOKEN = re.compile(
    rf"(?P<string>{_STRING})"
    rf"|(?P<name>[%@](?:{_STRING}|[A-Za-z0-9_.$-]+))"
    r"|(?P<number>-?(?:\d+\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+|\d+)|-inf\b)"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<mark>\.\.|[][(){}=:,!.])"
)
_BRACKETS = re.compile(r"\s*\[([^][\n]*)\]")


class ParseError(InputError):
    """Text that is not the text form of a graph."""

    def __init__(self, message: str, line: int, column: int, near: str) -> None:
        super().__init__(f"line {line}, column {column}: {message} (at {near!r})")
        self.line = line
        self.column = column
        self.near = near


class Lexer:
    """A cursor over the text. `error` points at the token read last."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._at = 0  # where the next token is looked for
        self._start = 0  # where the last token began
        self._next: re.Match[str] | None = None
        self._advance(0)

    def _advance(self, at: int) -> None:
        skipped = _SKIP.match(self.text, at)
        self._at = at if skipped is None else skipped.end()
        self._next = _TOKEN.match(self.text, self._at)

    def error(self, message: str, *, here: bool = False) -> ParseError:
        """An error at the last token, or with `here` at the next one."""
        at = self._at if here else self._start
        line = self.text.count("\n", 0, at) + 1
        column = at - (self.text.rfind("\n", 0, at) + 1) + 1
        near = self.text[at : at + 40].split("\n", 1)[0]
        return ParseError(message, line, column, near or "end of text")

    def _wrong(self, wanted: str) -> NoReturn:
        raise self.error(f"expected {wanted}", here=True)

    # ---- looking

    def peek(self) -> str:
        """The next token, or an empty text at the end."""
        return self._next.group() if self._next is not None else ""

    def at(self, text: str) -> bool:
        """Whether the next token is exactly this."""
        return self.peek() == text

    def at_kind(self, kind: str) -> bool:
        """Whether the next token is a "string", "name", "number", "word" or "mark"."""
        return self._next is not None and self._next.lastgroup == kind

    def at_string(self) -> bool:
        """Whether a quoted string is next."""
        return self.at_kind("string")

    def at_name(self) -> bool:
        """Whether the name of a value is next."""
        return self.at_kind("name")

    def follows(self, text: str) -> bool:
        """Whether `text` comes directly after the next token."""
        return self._next is not None and self.text.startswith(text, self._next.end())

    # ---- taking

    def next(self) -> str:
        """Take the next token."""
        if self._next is None:
            self._wrong("a token")
        self._start = self._at
        token = self._next.group()
        self._advance(self._next.end())
        return token

    def take(self, text: str) -> bool:
        """Take the next token if it is exactly this."""
        if not self.at(text):
            return False
        self.next()
        return True

    def expect(self, text: str) -> None:
        """Take the next token, which must be exactly this."""
        if not self.take(text):
            self._wrong(repr(text))

    word = expect

    def identifier(self) -> str:
        """Take a word."""
        if not self.at_kind("word"):
            self._wrong("a word")
        return self.next()

    def string(self) -> str:
        """Take a quoted string."""
        if not self.at_kind("string"):
            self._wrong("a quoted string")
        return self._unquote(self.next())

    def name(self) -> tuple[str, str]:
        """Take the name of a value: its sigil (% or @) and the name."""
        if not self.at_kind("name"):
            self._wrong("a name that starts with % or @")
        token = self.next()
        return token[0], self._unquote(token[1:]) if token[1] == '"' else token[1:]

    def number(self) -> int | float:
        """Take a number: an int without, a float with a point or an exponent."""
        if not self.at_kind("number"):
            self._wrong("a number")
        token = self.next()
        if len(token) > MAX_DIGITS:
            raise self.error(f"a number of more than {MAX_DIGITS} digits")
        return int(token) if token.lstrip("-").isdigit() else float(token)

    def integer(self, limit: int) -> int:
        """Take an integer in 0..limit."""
        value = self.number()
        if not isinstance(value, int) or not 0 <= value <= limit:
            raise self.error(f"expected an integer in 0..{limit}")
        return value

    def bracketed(self) -> list[str]:
        """Take `[a, b, ...]` and give the raw texts between the commas."""
        match = _BRACKETS.match(self.text, self._at)
        if match is None:
            self._wrong("a shape in brackets")
        self._start = self._at
        self._advance(match.end())
        inside = match.group(1).strip()
        return [part.strip() for part in inside.split(",")] if inside else []

    def end(self) -> None:
        """Only white space and comments may follow."""
        if self._at != len(self.text):
            self._wrong("the end of the text")

    def _unquote(self, token: str) -> str:
        try:
            value = json.loads(token)
        except ValueError as error:
            raise self.error(f"string: {error}") from error
        if not isinstance(value, str):
            raise self.error("expected a string")
        return value
