"""llama.cpp: types for `llama-quantize`, which makes the GGUF and rounds the weights itself."""

from optimum_compile.backends.base import Backend
from optimum_compile.backends.converter import Converter
from optimum_compile.backends.gguf import types
from optimum_compile.backends.gguf.container import container_bytes
from optimum_compile.backends.gguf.emit import RULES, emit, read_metadata
from optimum_compile.backends.gguf.names import gguf_name

BACKEND: Backend = Converter(
    name="gguf",
    platform="gguf",
    suffix=RULES,
    ladder=types.LADDER,
    unexecuted="rules for llama-quantize, which makes the weights",
    unanswered="rules for llama-quantize have no logits; run the GGUF with llama.cpp",
    caches="llama.cpp chooses the type of the cache when it starts (--cache-type-k)",
    runtime="llama.cpp",
    rename=gguf_name,
    scheme=types.supports_scheme,
    cost=types.stored_bytes,
    rest=types.fixed_bytes,
    container=container_bytes,
    write=emit,
    read=read_metadata,  # it lies beside the rules
)
