"""The one place that finds the ExecuTorch SDK."""

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata

from optimum_compile.compiler.errors import ResourceError

INSTALL = 'run: pip install "optimum-compile[executorch]"'


def require() -> str:
    """Version of the installed SDK. Raises ResourceError naming what to install."""
    try:
        return metadata.version("executorch")
    except metadata.PackageNotFoundError as error:
        raise ResourceError(f"{error.name} is not installed; {INSTALL}") from None


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the SDK's chatter (missing CUDA extensions, deprecations) off stderr."""
    root = logging.getLogger()
    before = root.level
    disabled = logging.root.manager.disable
    os.environ.setdefault("TORCHAO_SKIP_LOADING_SO_FILES", "1")
    logging.disable(logging.ERROR)
    root.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
        root.setLevel(before)


@contextmanager
def silent_runtime() -> Iterator[None]:
    """Send what the runtime's C++ code writes to file descriptor 2 nowhere."""
    sys.stderr.flush()
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)
