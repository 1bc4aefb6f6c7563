"""Softmax, reductions, Hadamard transforms and routing of the GPU against their definitions."""

import numpy as np
import pytest
from support import gpu
from support.gpu_views import VARIANTS, numbers_of, view


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    ("shape", "axis", "halves", "local"),
    [
        ((2, 3, 4, 50), 3, (0, 0), 32),
        ((1, 2, 3, 7), 3, (0, 0), 64),
        ((1, 1, 2, 1000), 3, (1, 1), 256),
        ((2, 2, 5, 6), 2, (0, 0), 32),
        ((2, 1, 33, 6), 2, (1, 1), 32),  # fp16 that is not written along the axis
        ((3, 2, 2, 4), 0, (0, 1), 64),
        ((1, 1, 1, 1), 3, (0, 0), 32),
    ],
)
def test_softmax(
    variant: str, shape: tuple[int, ...], axis: int, halves: tuple[int, int], local: int
) -> None:
    x = view(shape, bool(halves[0]), at=2, pad=2, numbers=8 * numbers_of(1, *shape))
    y = view(shape, bool(halves[1]), at=4, pad=4)
    rest = [n for n in range(4) if n != axis]
    columns = int(bool(y.half) and axis != 3)
    params = {"size": shape[axis]}
    for name, v in (("x", x), ("y", y)):
        params |= {f"{name}_{n}": v.strides[old] for n, old in enumerate(rest)}
        params |= {f"{name}_at": v.at, f"{name}_step": v.strides[axis]}
    found = gpu.run_kernel(
        "softmax",
        {"local_size_x": local, "X_HALF": x.half, "Y_HALF": y.half, "COLUMNS": columns},
        params,
        {"x": x.flat, "y": y.flat},
        (shape[rest[2]] // (1 + columns), shape[rest[1]], shape[rest[0]]),
        variant,
    )
    given = x.numbers.astype(np.float64)
    wanted = np.exp(given - given.max(axis, keepdims=True))
    y.check(found["y"], wanted / wanted.sum(axis, keepdims=True), 1e-6)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("function", [0, 1, 2])
@pytest.mark.parametrize(
    ("shape", "gone", "halves"),
    [
        ((2, 3, 4, 50), (3,), (0, 0)),
        ((2, 3, 4, 6), (0, 2), (1, 1)),
        ((1, 2, 9, 2), (1,), (0, 1)),
        ((2, 3, 4, 5), (0, 1, 2, 3), (0, 0)),
    ],
)
def test_reduce(
    variant: str,
    function: int,
    shape: tuple[int, ...],
    gone: tuple[int, ...],
    halves: tuple[int, int],
) -> None:
    x = view(shape, bool(halves[0]), at=2, order=(1, 0, 2, 3), pad=2, numbers=numbers_of(3, *shape))
    kept = tuple(1 if n in gone else size for n, size in enumerate(shape))
    y = view(kept, bool(halves[1]), at=2)
    lost = tuple(size if n in gone else 1 for n, size in enumerate(shape))
    found = gpu.run_kernel(
        "reduce",
        {"local_size_x": 32, "X_HALF": x.half, "Y_HALF": y.half, "FUNCTION": function},
        {"count": int(np.prod(lost)), "kept_1": kept[1]}
        | {f"gone_{n}": lost[n] for n in (1, 2, 3)}
        | x.params("x", "0", "1", "2", "3")
        | y.params("y", "0", "1", "2", "3"),
        {"x": x.flat, "y": y.flat},
        (kept[3] // (2 if y.half else 1), kept[2], kept[0] * kept[1]),
        variant,
    )
    given = x.numbers.astype(np.float64)
    make = (np.mean, np.sum, np.max)[function]
    y.check(found["y"], make(given, axis=gone, keepdims=True), 1e-6)


@pytest.mark.parametrize(
    ("tokens", "blocks", "block", "halves", "local"),
    [
        (2, 3, 2, (1, 1), 32),
        (3, 2, 64, (0, 1), 64),
        (1, 1, 4096, (1, 0), 256),
        (1, 5, 128, (0, 0), 32),
    ],
)
def test_hadamard(
    tokens: int, blocks: int, block: int, halves: tuple[int, int], local: int
) -> None:
    shape = (tokens, blocks * block)
    x = view(shape, bool(halves[0]), at=2, pad=2, numbers=numbers_of(1, *shape))
    y = view(shape, bool(halves[1]), at=2, pad=4)
    found = gpu.run_kernel(
        "hadamard",
        {"local_size_x": local, "X_HALF": x.half, "Y_HALF": y.half},
        {"block": block} | x.params("x", "token") | y.params("y", "token"),
        {"x": x.flat, "y": y.flat},
        (blocks, tokens),
    )
    numbers = x.numbers.astype(np.float64).reshape(tokens, blocks, block)
    half = 1
    while half < block:
        pairs = numbers.reshape(tokens, blocks, -1, 2, half)
        numbers = np.stack(
            [pairs[..., 0, :] + pairs[..., 1, :], pairs[..., 0, :] - pairs[..., 1, :]], -2
        )
        half *= 2
    y.check(found["y"], numbers.reshape(shape) / np.sqrt(block), 1e-6)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("renormalise", [0, 1])
@pytest.mark.parametrize(
    ("tokens", "experts", "top_k", "halves", "local"),
    [
        (3, 8, 2, (0, 0), 32),
        (2, 60, 4, (1, 1), 64),
        (1, 1000, 8, (0, 0), 128),
        (2, 5, 5, (0, 0), 32),
    ],
)
def test_route(
    variant: str,
    renormalise: int,
    tokens: int,
    experts: int,
    top_k: int,
    halves: tuple[int, int],
    local: int,
) -> None:
    logits = numbers_of(7, tokens, experts)
    logits[0, : min(4, experts)] = 2.0  # equal ones: the first count
    x = view(logits.shape, bool(halves[0]), at=2, pad=2, numbers=logits)
    y = view(logits.shape, bool(halves[1]), at=2)
    found = gpu.run_kernel(
        "route",
        {"local_size_x": local, "X_HALF": x.half, "Y_HALF": y.half, "RENORMALISE": renormalise},
        {"experts": experts, "top_k": top_k} | x.params("x", "token") | y.params("y", "token"),
        {"x": x.flat, "y": y.flat},
        (tokens,),
        variant,
    )
    given = x.numbers.astype(np.float64)
    weights = np.exp(given - given.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    for token in range(tokens):
        weights[token, np.argsort(-given[token], kind="stable")[top_k:]] = 0
    if renormalise:
        weights /= weights.sum(-1, keepdims=True)
    y.check(found["y"], weights, 1e-6)
