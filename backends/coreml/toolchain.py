"""The one place that imports coremltools."""

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import Any

from optimum_compile.compiler.errors import ResourceError


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the SDK's chatter off stderr: missing macOS libraries, untested versions, its own bars."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def load() -> Any:
    """The coremltools module. Raises ResourceError naming what to install."""
    try:
        with quiet():
            import coremltools
    except ImportError:
        raise ResourceError(
            'coremltools is not installed; run: pip install "optimum-compile[coreml]"'
        ) from None
    return coremltools
