"""What the fusing passes write."""

from dataclasses import dataclass
from enum import Enum

from optimum_compile.compiler.ir.notes import Note


class FormKind(Enum):
    """How a linear is computed."""

    VECTOR = "vector"  # one row of x: bound by reading the weight
    MATRIX = "matrix"  # many rows: each weight is read once and used for all of them


@dataclass(frozen=True)
class Form(Note):
    """On a node that computes linears: the kernel that it wants."""

    kind: FormKind
