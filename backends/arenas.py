"""What an artifact itself says of the memory that its functions take."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from optimum_compile.compiler.ir.shape import Dim


@dataclass(frozen=True)
class Arena:
    """The activations of one function: bytes as expressions in `seq`, the greatest of which counts.

    outputs: what the caller, or the runtime for him, holds beside them. stages: by index, as far as the
    artifact says which step belongs to which stage.
    """

    name: str
    tokens: tuple[int, int]
    arena: tuple[Dim, ...]
    outputs: Dim = 0
    stages: Mapping[int, tuple[Dim, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class FileMemory:
    """Functions, bytes of the KV cache, and bytes of weights that grow with each token of the context."""

    functions: tuple[Arena, ...]
    kv_bytes: int
    token_weight_bytes: int = 0
