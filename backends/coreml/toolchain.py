"""The one place that imports coremltools."""

import io
import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from importlib import metadata
from pathlib import Path
from typing import Any

from optimum_compile.compiler.errors import ResourceError

MISSING = 'coremltools is not installed; run: pip install "optimum-compile[coreml]"'


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


@contextmanager
def scratch(folder: Path) -> Iterator[None]:
    """Send the SDK's temporary files, which hold every weight, to `folder`.

    It has no option for that, so the default of this process is changed for the while.
    """
    before = tempfile.tempdir
    tempfile.tempdir = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


def require() -> None:
    """Raise ResourceError naming what to install where the SDK is missing."""
    try:
        metadata.version("coremltools")
    except metadata.PackageNotFoundError:
        raise ResourceError(MISSING) from None


def load() -> Any:
    """The coremltools module. Raises ResourceError naming what to install."""
    try:
        with quiet():
            import coremltools
    except ImportError:
        raise ResourceError(MISSING) from None
    return coremltools
