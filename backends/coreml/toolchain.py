"""The one place that imports coremltools."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from optimum_compile.compiler.errors import ResourceError


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the SDK's chatter (missing macOS libraries, untested versions) off stderr."""
    before = logging.root.manager.disable
    bars = os.environ.get("TQDM_DISABLE")
    os.environ["TQDM_DISABLE"] = "1"
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
        if bars is None:
            del os.environ["TQDM_DISABLE"]
        else:
            os.environ["TQDM_DISABLE"] = bars


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
