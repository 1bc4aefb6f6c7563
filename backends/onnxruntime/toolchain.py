"""The one place that imports onnx (to write models) and onnxruntime (to run them)."""

from importlib import metadata
from typing import Any

from optimum_compile.compiler.errors import ResourceError

INSTALL = 'run: pip install "optimum-compile[onnxruntime]"'
FATAL_ONLY = 4


def require() -> str:
    """Version of the runtime. Raises ResourceError naming what to install."""
    try:
        metadata.version("onnx")
        return metadata.version("onnxruntime")
    except metadata.PackageNotFoundError as error:
        raise ResourceError(f"{error.name or 'onnxruntime'} is not installed; {INSTALL}") from None


def load_onnx() -> Any:
    """The onnx module. Raises ResourceError naming what to install."""
    try:
        import onnx
    except ImportError:
        raise ResourceError(f"onnx is not installed; {INSTALL}") from None
    return onnx


def load_runtime() -> Any:
    """The onnxruntime module; its log goes nowhere, errors are raised. Raises ResourceError."""
    try:
        import onnxruntime
    except ImportError:
        raise ResourceError(f"onnxruntime is not installed; {INSTALL}") from None
    onnxruntime.set_default_logger_severity(FATAL_ONLY)
    return onnxruntime
