"""A weight whose rows are those of several others, read when it is asked for."""

import hashlib
from collections.abc import Sequence
from functools import cached_property

import numpy as np

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.printer import inline_digest
from optimum_compile.compiler.ir.types import TensorType
from optimum_compile.compiler.ir.weights import WeightRef


class Rows:
    """Loads `parts` one above the other. Equal where the parts are; `sha256` names what they are."""

    def __init__(self, parts: Sequence[WeightRef]) -> None:
        self.parts = tuple(parts)

    def __call__(self) -> np.ndarray:
        """The rows. bfloat16 and edited parts are float32, as `WeightRef.load` gives them."""
        return np.concatenate([part.load() for part in self.parts])

    def __eq__(self, other: object) -> bool:
        """A reference compares without the bytes it holds in memory, so those are compared too."""
        return isinstance(other, Rows) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[object, ...]:
        return tuple((part, part.inline) for part in self.parts)

    @cached_property
    def sha256(self) -> str:
        """Names the parts by where their bytes are: nothing is read of a file."""
        h = hashlib.sha256()
        for part in self.parts:
            h.update(f"{described(part)}\n".encode())
        return h.hexdigest()


def join(name: str, parts: Sequence[WeightRef]) -> WeightRef:
    """A weight `name` with the rows of `parts`. Raises InternalError where they do not fit."""
    shapes = {part.type.static_shape()[1:] for part in parts}
    if len(shapes) != 1:
        raise InternalError(f"{name}: the rows of its parts have different shapes")
    kinds = {part.type.dtype for part in parts}
    plain = len(kinds) == 1 and not any(part.edits for part in parts)
    dtype = parts[0].type.dtype if plain else DType.F32
    rows = sum(part.type.static_shape()[0] for part in parts)
    return WeightRef(name, TensorType(dtype, (rows, *shapes.pop())), inline=Rows(parts))


def described(ref: WeightRef) -> str:
    """What a weight is and where its bytes are, in a line; no file is read for it."""
    if ref.inline is not None:
        where = inline_digest(ref)
    elif ref.source is not None:
        where = f"{ref.source.path.name} {ref.source.offset} {ref.source.nbytes}"
    else:
        where = "unknown"
    return f"{ref.name} {ref.type} {where} {ref.edits!r}"
