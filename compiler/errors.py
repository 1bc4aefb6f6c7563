"""Every error that leaves this program, and the exit code that it ends with.

`UserError` and its children mean: you can fix it. The text says what is wrong, where, what would be
allowed and what to do next. `InternalError` means: our bug.
"""

from typing import ClassVar


class OptimumCompileError(Exception):
    """Base of all errors raised on purpose; `exit_code` is the status of the command line."""

    exit_code: ClassVar[int] = 70


class UserError(OptimumCompileError):
    """Something that the user can fix. Exit code 2: usage."""

    exit_code: ClassVar[int] = 2


class OptionError(UserError):
    """An option has a value that is not allowed."""


class InputError(UserError):
    """The model, or another input file, was rejected. Exit code 3."""

    exit_code: ClassVar[int] = 3


class BudgetError(UserError):
    """The byte budget cannot be met; the text holds the achievable range. Exit code 4."""

    exit_code: ClassVar[int] = 4


class UnsupportedError(UserError):
    """A target cannot express the model or the assignment. Exit code 5."""

    exit_code: ClassVar[int] = 5


class VerificationError(UserError):
    """An emitted artifact disagrees with the oracle. Exit code 6."""

    exit_code: ClassVar[int] = 6


class ResourceError(UserError):
    """Disk, memory or time ran out, or a needed tool is missing. Exit code 7."""

    exit_code: ClassVar[int] = 7


class ToolchainError(OptimumCompileError):
    """An SDK failed on a graph that we thought legal; its own message is kept."""


class InternalError(OptimumCompileError):
    """A bug of this program."""
