"""Rows cut into groups of columns, for the quantisers that look at a group at a time."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from optimum_compile.compiler.errors import InputError

# Small enough for the second-level cache: quantisers pass over a chunk many times.
CHUNK_ELEMENTS = 1 << 16
# The least normal fp16 number: smaller scales would lose precision, or become zero.
MIN_SCALE = np.float32(2.0**-14)
MAX_HALF = np.float32(65504.0)
LEAST_FACTOR = 1e-3


def to_half(values: np.ndarray) -> np.ndarray:
    """The nearest fp16 numbers as float32; what is beyond their range becomes the largest."""
    near: np.ndarray = np.clip(values, -MAX_HALF, MAX_HALF).astype(np.float16).astype(np.float32)
    return near


def require_finite(weight: np.ndarray) -> None:
    """Raise InputError for NaN and infinities, which no grid holds."""
    broken = int((~np.isfinite(weight)).sum())
    if broken:
        raise InputError(f"{broken} of {weight.size} weights are NaN or infinite; repair the model")


def grouped(weight: np.ndarray, size: int) -> np.ndarray:
    """Float32 (rows, groups, size).

    The last group is padded with its first column: a repeated number changes neither the least nor
    the greatest of its group.
    """
    rows, columns = weight.shape
    groups = -(-columns // size)
    data = np.empty((rows, groups * size), np.float32)
    data[:, :columns] = weight
    data[:, columns:] = weight[:, (groups - 1) * size, None]
    return data.reshape(rows, groups, size)


def column_factors(importance: np.ndarray | None, columns: int, size: int) -> np.ndarray:
    """What a squared error in each column counts: float32 (groups, size), zero where padded.

    `importance` (columns,) are the mean squares of the inputs; None makes all columns equal. Inputs
    that never occur still count a little: their weights need some code.
    """
    given = np.ones(columns) if importance is None else np.asarray(importance, np.float64)
    mean = float(given.mean()) or 1.0
    factors = np.maximum(given / mean, LEAST_FACTOR).astype(np.float32)
    padded: np.ndarray = np.pad(factors, (0, -(-columns // size) * size - columns))
    return padded.reshape(-1, size)


def ungrouped(codes: np.ndarray, columns: int) -> np.ndarray:
    """(rows, groups, size) back to (rows, columns)."""
    return codes.reshape(len(codes), -1)[:, :columns]


def chunks(rows: int, columns: int) -> Iterator[slice]:
    """Runs of rows of at most `CHUNK_ELEMENTS` weights."""
    step = max(1, CHUNK_ELEMENTS // max(1, columns))
    return (slice(begin, min(rows, begin + step)) for begin in range(0, rows, step))


def each_chunk(shape: tuple[int, int], work: Callable[[slice], None]) -> None:
    """Call `work` for each run of rows, on all cores. A run writes rows of its own."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(work, chunks(*shape)))
