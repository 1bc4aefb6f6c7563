"""The greatest logits with their ids, and what becomes the next token."""

import numpy as np
import pytest
from support import gpu

RUBBISH = 0xABCDABCD


def top_k(
    logits: np.ndarray, k: int, parts: int, local: int, at: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Ids and numbers, each (rows, k), by both kernels."""
    rows, size = logits.shape
    flat = np.concatenate([np.full(at, np.inf), np.pad(logits, ((0, 0), (0, 3))).reshape(-1)])
    flat = flat.astype(np.float32)
    flat[at:].reshape(rows, size + 3)[:, size:] = np.inf
    found = gpu.run_kernel(
        "top_k_part",
        {"local_size_x": local},
        {"size": size, "k": k, "x_at": at, "x_row": size + 3, "found_at": 2},
        {"x": flat, "found": np.full(2 + rows * parts * 2 * k + 2, RUBBISH, np.uint32)},
        (parts, rows),
    )["found"]
    assert (found[:2] == RUBBISH).all()
    assert (found[-2:] == RUBBISH).all()
    out = gpu.run_kernel(
        "top_k",
        {"local_size_x": local},
        {"parts": parts, "k": k, "found_at": 2, "out_at": 1},
        {"found": found, "out_words": np.full(1 + rows * 2 * k + 1, RUBBISH, np.uint32)},
        (1, rows),
    )["out_words"]
    assert out[0] == RUBBISH
    assert out[-1] == RUBBISH
    records = out[1:-1].reshape(rows, 2, k)
    return records[:, 0], records[:, 1].view(np.float32)


@pytest.mark.parametrize(
    ("rows", "size", "k", "parts", "local"),
    [
        (1, 2, 1, 1, 32),
        (1, 512, 1, 4, 64),
        (2, 1000, 5, 3, 64),
        (3, 64, 64, 1, 32),
        (1, 70, 64, 7, 64),  # parts of fewer numbers than k
        (1, 262144, 64, 64, 256),
        (1, 151936, 40, 48, 128),
    ],
)
def test_top_k(rows: int, size: int, k: int, parts: int, local: int) -> None:
    rng = np.random.default_rng(size)
    logits = rng.standard_normal((rows, size)).astype(np.float32)
    logits[:, rng.integers(0, size, size // 3)] = 1.25  # many that are equal
    ids, values = top_k(logits, k, parts, local, at=5)
    wanted = np.argsort(-logits, axis=-1, kind="stable")[:, :k]
    np.testing.assert_array_equal(ids, wanted)
    np.testing.assert_array_equal(values, np.take_along_axis(logits, wanted, -1))


def test_unusual_numbers_are_ordered() -> None:
    """What is no number comes last, -0 is as great as 0, infinite ones count."""
    logits = np.array([[np.nan, -0.0, 0.0, -np.inf, np.inf, -1.0, 1e-42, np.nan]], np.float32)
    ids, values = top_k(logits, 8, 2, 32)
    assert ids[0].tolist() == [4, 6, 1, 2, 5, 3, 0, 7]
    assert np.isnan(values[0, 6:]).all()
    assert values[0, 0] == np.inf


def test_fewer_numbers_than_asked_for() -> None:
    ids, _ = top_k(np.array([[1.0, 3.0, 2.0]], np.float32), 5, 2, 32)
    assert ids[0].tolist() == [1, 2, 0, 0xFFFFFFFF, 0xFFFFFFFF]
