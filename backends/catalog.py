"""The backends by name. Explicit, and loaded only when asked for: importing this imports no SDK."""

from importlib import import_module

from optimum_compile.backends.base import Backend
from optimum_compile.compiler.errors import InternalError

BACKENDS = {
    "coreml": "optimum_compile.backends.coreml.backend:BACKEND",
    # Before ExecuTorch's own: the endings of both files are .pte.
    "vulkan": "optimum_compile.backends.executorch_vulkan.backend:BACKEND",
    "executorch": "optimum_compile.backends.executorch.backend:BACKEND",
    "onnxruntime": "optimum_compile.backends.onnxruntime.backend:BACKEND",
    "gguf": "optimum_compile.backends.gguf.backend:BACKEND",
    "mlx": "optimum_compile.backends.mlx.backend:BACKEND",
    "nnapi": "optimum_compile.backends.nnapi.backend:BACKEND",
    # Before the native one: the ending of its files ends theirs.
    "gpu": "optimum_compile.backends.gpu.backend:BACKEND",
    "native": "optimum_compile.backends.native.backend:BACKEND",
    "tvm": "optimum_compile.backends.tvm.backend:BACKEND",
    "reference": "optimum_compile.backends.reference.backend:BACKEND",
}


def load_backend(name: str) -> Backend:
    """The backend of that name."""
    if name not in BACKENDS:
        raise InternalError(f"no backend named {name!r}; known: {', '.join(BACKENDS)}")
    module, attribute = BACKENDS[name].split(":")
    backend: Backend = getattr(import_module(module), attribute)
    return backend
