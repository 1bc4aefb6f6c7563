"""Give memory back between phases."""

import ctypes
import gc
import sys


def release_memory() -> None:
    """Collect cycles, and return free pages to the system where the C library can (glibc).

    SDK objects refer to each other in circles and hold every weight, and what is freed below the
    allocator's threshold stays with the process: both would add to the peak of the next phase.
    """
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
