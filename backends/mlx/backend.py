"""MLX: a predicate for `mlx_lm.convert`, which rounds the weights itself."""

from optimum_compile.backends.base import Backend
from optimum_compile.backends.converter import Converter
from optimum_compile.backends.mlx import forms
from optimum_compile.backends.mlx.container import container_bytes
from optimum_compile.backends.mlx.emit import PREDICATE, emit, read_metadata
from optimum_compile.backends.mlx.names import mlx_path

BACKEND: Backend = Converter(
    name="mlx",
    platform="mlx",
    suffix=PREDICATE,
    ladder=forms.LADDER,
    unexecuted="a predicate for mlx_lm.convert, which makes the weights",
    unanswered="a predicate for mlx_lm.convert has no logits; run the result with mlx-lm",
    caches="mlx-lm chooses the bits of the cache when it starts (--kv-bits)",
    runtime="mlx-lm",
    rename=mlx_path,
    scheme=forms.supports_scheme,
    cost=forms.stored_bytes,
    rest=forms.fixed_bytes,
    container=container_bytes,
    write=emit,
    read=read_metadata,
)
