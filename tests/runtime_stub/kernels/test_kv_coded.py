"""Attention of the GPU over caches in few bits: what each query reads, and the bytes of the regions."""

import ctypes
from dataclasses import replace

import numpy as np
import pytest
from support.gpu_attention import CodedCache, Shape
from support.kv_kernels import Cache, load_kernels, sample

from optimum_compile.compiler.quant.kv import KvScheme, KvStored
from optimum_compile.compiler.quant.scheme import Float


@pytest.fixture(scope="module")
def kernels() -> ctypes.CDLL:
    return load_kernels()


def halves_of(x: np.ndarray) -> np.ndarray:
    """fp16 numbers as float32: what an fp16 view holds, so that both sides see the same."""
    return np.ascontiguousarray(x.astype(np.float16).astype(np.float32))


BASE = Shape(1, 1, 1, 0, 0, 0)


@pytest.mark.parametrize(
    ("schemes", "sizes", "shape", "cuts", "half", "split"),
    [
        # One prompt, over several runs; one more token; decode steps into and past a run's end.
        (
            (KvScheme(4, 8, 5, 3), KvScheme(2, 16, 0, 0)),
            (2, 2, 90, 20),
            replace(BASE, queries=4, heads=2),
            (60, 61, 62, 77, 78, 79),
            False,
            False,
        ),
        (
            (KvScheme(8, 8, 0, 0), KvScheme(8, 8, 0, 0)),
            (1, 4, 40, 8),
            replace(BASE, queries=4, heads=4, local=32),
            (1, 7, 8, 9, 30),
            False,
            False,
        ),
        # The newest rows replace all of the ring within one call.
        (
            (KvScheme(4), KvScheme(4)),
            (2, 1, 200, 64),
            replace(BASE, queries=8, local=128),
            (150, 151),
            True,
            False,
        ),
        (
            (KvScheme(4), KvScheme(2)),
            (1, 3, 140, 128),
            replace(BASE, heads=3, queries=2, parts=8),
            (64, 65, 67, 68, 69, 131),
            True,
            True,
        ),
        ((KvScheme(2, 24, 3, 9), Float(16)), (3, 1, 70, 6), replace(BASE, queries=16), (33,), False, False),
        ((Float(16), KvScheme(8, 16, 2, 1)), (1, 2, 70, 40), replace(BASE, heads=2), (50,), True, True),
        (
            (KvScheme(2, 8, 4, 4), KvScheme(4, 8, 4, 4)),
            (2, 2, 64, 2),
            replace(BASE, queries=4, heads=2, window=11),
            (20, 21, 45),
            False,
            False,
        ),
        ((KvScheme(4, 32, 32, 100), KvScheme(4, 32, 32, 100)), (1, 1, 20, 16), BASE, (10,), False, True),
        (
            (KvScheme(2, 256, 0, 0), KvScheme(4, 256, 0, 4)),
            (1, 1, 264, 24),
            replace(BASE, queries=8),
            (),
            True,
            False,
        ),
    ],
)  # fmt: skip
def test_a_prompt_cut_anywhere_is_that_of_the_cpu(
    kernels: ctypes.CDLL,
    schemes: tuple[KvStored, KvStored],
    sizes: tuple[int, int, int, int],
    shape: Shape,
    cuts: tuple[int, ...],
    half: bool,
    split: bool,
) -> None:
    """Outputs alike, and both regions bit for bit."""
    heads, share, context, width = sizes
    q, k, v = sample(heads, share, context, width, 3)
    if half:
        q, k, v = (halves_of(x) for x in (q, k, v))
    cpu = Cache(kernels, schemes, heads, context, width)
    gpu = CodedCache(schemes, heads, context, width)
    ends = (*cuts, context)
    for start, stop in zip((0, *cuts), ends, strict=True):
        part = (slice(None), slice(start, stop))
        wanted = cpu.step(q[part], k[part], v[part], start, shape.window)
        now = replace(shape, kv_heads=heads, share=share, seq=stop - start, past=start)
        found = gpu.step(q[part], k[part], v[part], now, split, half)
        np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=2e-5)
        for mine, its in zip(gpu.regions, cpu.arrays, strict=True):
            np.testing.assert_array_equal(mine[:-4], its[:-2])


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_codes_of_unusual_numbers_are_those_of_the_cpu(kernels: ctypes.CDLL, bits: int) -> None:
    """Equal numbers, subnormal scales, ties, great and infinite ones."""
    scheme, heads, width, context = KvScheme(bits, 8, 0, 0), 2, 16, 32
    rng = np.random.default_rng(bits)
    k = rng.standard_normal((heads, context, width)).astype(np.float32)
    k[0, :, 0] = 0.3
    k[0, :, 1] = 3e-7 * rng.integers(0, 4, context)
    k[0, :, 2] = rng.integers(0, 2 * (1 << bits), context) / 2.0  # halves of a step
    k[0, :, 3] *= 30000
    k[0, 5, 4] = np.inf
    k[0, :, 5] = -0.0
    k[0, :, 6] = 1 + rng.integers(0, 2, context) / 1024.0
    k[1] *= np.float32(1e-5)
    cpu, gpu = (
        Cache(kernels, (scheme, scheme), heads, context, width),
        CodedCache((scheme, scheme), heads, context, width),
    )
    cpu.step(k, k, k, 0)
    shape = replace(BASE, kv_heads=heads, share=1, seq=context, queries=8)
    with np.errstate(invalid="ignore"):
        gpu.step(k, k, k, shape, False, False)
    for mine, its in zip(gpu.regions, cpu.arrays, strict=True):
        np.testing.assert_array_equal(mine[:-4], its[:-2])
