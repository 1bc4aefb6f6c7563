"""Views of buffers for tests of GPU kernels: strided, with numbers around them that must stay."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

RUBBISH = 77.0  # around a view; fp16 has it
VARIANTS = ("plain", "subgroup")


@dataclass(frozen=True)
class View:
    """Some numbers of a flat buffer, fp16 or float32; offset and strides count elements."""

    flat: np.ndarray
    at: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def half(self) -> int:
        """What a constant X_HALF says."""
        return int(self.flat.dtype == np.float16)

    def of(self, flat: np.ndarray) -> np.ndarray:
        """The same numbers of another buffer, writable."""
        steps = [stride * flat.itemsize for stride in self.strides]
        return np.lib.stride_tricks.as_strided(flat[self.at :], self.shape, steps)

    @property
    def numbers(self) -> np.ndarray:
        """The numbers as the kernel reads them, float32."""
        return self.of(self.flat).astype(np.float32)

    def params(self, name: str, *axes: str) -> dict[str, int]:
        """Offset and strides by name: x_at, x_token, ..; axes are those of the first dimensions."""
        named = zip(axes, self.strides, strict=False)
        return {f"{name}_at": self.at} | {f"{name}_{axis}": step for axis, step in named}

    def check(self, found: np.ndarray, wanted: np.ndarray, tolerance: float) -> None:
        """Whether a buffer has these numbers in the view and what it had before elsewhere.

        tolerance: relative to the greatest number, on top of half a unit of fp16 where that is stored.
        """
        around = self.flat.copy()
        self.of(around)[...] = self.of(found)
        np.testing.assert_array_equal(found, around)
        unit = 2.0**-11 if self.half else 0.0
        size = float(np.abs(wanted).max())
        got = self.of(found).astype(np.float64)
        np.testing.assert_allclose(got, wanted, rtol=1.01 * unit, atol=tolerance * max(size, 1e-6))


def view(
    shape: Sequence[int],
    half: bool,
    *,
    at: int = 0,
    order: Sequence[int] | None = None,
    pad: int = 0,
    numbers: np.ndarray | None = None,
) -> View:
    """A view whose axes lie in memory in `order` (outermost first), rows of the last `pad` longer."""
    order = tuple(range(len(shape))) if order is None else tuple(order)
    strides, step = [0] * len(shape), 1
    for axis in reversed(order):
        strides[axis] = step
        step = step * shape[axis] + (pad if axis == order[-1] else 0)
    flat = np.full(at + step + 6, RUBBISH, np.float16 if half else np.float32)
    made = View(flat, at, tuple(shape), tuple(strides))
    if numbers is not None:
        made.of(flat)[...] = numbers
    return made


def ceil_div(a: int, b: int) -> int:
    """Workgroups for a items."""
    return -(-a // b)


def numbers_of(seed: int, *shape: int, scale: float = 1.0) -> np.ndarray:
    """Normal float32 numbers."""
    rng = np.random.default_rng(seed)
    return (scale * rng.standard_normal(shape)).astype(np.float32)


def product(sizes: Iterable[int]) -> int:
    """Of dimensions."""
    return int(np.prod(list(sizes)))
