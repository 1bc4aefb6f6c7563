"""What a target does with memory, and what its artifact says of the memory that its functions take."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from optimum_compile.compiler.decoder import is_decoder
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.shape import Dim
from optimum_compile.passes.symbolic_shape.lengths import (
    DECODE,
    PREFILL,
    SEQ,
    decoder_functions,
)
from optimum_compile.passes.symbolic_shape.sizes import module_sizes
from optimum_compile.passes.symbolic_shape.specialize import specialize

FORWARD = "forward"


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


@dataclass(frozen=True)
class MemoryModel:
    """What is known of a target's memory before a device loads the artifact.

    As it stands it is for a runtime that plans by itself and tells nobody: the weights, the caches and what
    is alive at one step are the least that it needs. Targets whose files say more override the methods.

    runtime: who plans the activations, for remarks. kv_alignment: bytes, of each cache. half: float32
    activations are kept in fp16. own_outputs: outputs lie in the arena. together: each function that was
    called holds activations of its own. complete: the file is the plan, so none is made to compare it with.
    fixed_shapes: symbols of a module get one size. chunk: tokens that every call of prefill is padded to.
    """

    runtime: str
    kv_alignment: int = 1
    half: bool = False
    own_outputs: bool = False
    together: bool = False
    complete: bool = False
    fixed_shapes: bool = False
    chunk: int | None = None

    def functions(self, graph: Graph) -> dict[str, Graph]:
        """The functions as the target emits them."""
        if not (is_decoder(graph) and SEQ in graph.symbols):
            name = DECODE if is_decoder(graph) else FORWARD
            sizes = module_sizes(graph) if self.fixed_shapes else {}
            return {name: specialize(graph, sizes, name)}
        functions = dict(decoder_functions(graph))
        if self.chunk is not None and PREFILL in functions:
            tokens = min(self.chunk, functions[PREFILL].symbols[SEQ].high)
            functions[PREFILL] = specialize(functions[PREFILL], {SEQ: tokens})
        return functions

    def read(
        self, artifact: Path, functions: Mapping[str, tuple[int, int]]
    ) -> tuple[FileMemory | None, tuple[str, ...]]:
        """What the artifact says of itself, None if it says nothing; and remarks.

        functions: by name, the least and the greatest number of tokens of a call. Raises InputError for a
        file that cannot be read.
        """
        told = (
            f"{self.runtime} plans activations when it loads the model: not known before the device"
        )
        return None, (told,)

    def remarks(self, graph: Graph) -> tuple[str, ...]:
        """What else to say of the graph's memory on this target."""
        if not (self.fixed_shapes and graph.symbols) or is_decoder(graph):
            return ()
        sizes = ", ".join(f"{n}={v}" for n, v in sorted(module_sizes(graph).items()))
        return (f"shapes are fixed in {self.runtime}: {sizes}",)

    def float_caches(self, graph: Graph) -> frozenset[str]:
        """States that are kept in float32, whatever their scheme says."""
        return frozenset()

    def packed_again(self, graph: Graph) -> tuple[str, ...]:
        """Names of the matrices that the runtime packs anew for every function that is called."""
        return ()
