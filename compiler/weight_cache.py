"""Loaded weights, kept between calls of the reference executor."""

from collections import OrderedDict
from collections.abc import Callable, Hashable

from torch import Tensor


class WeightCache:
    """Keeps loaded weights between calls, the least recently used given up first.

    One cache may serve several graphs and both weight modes. `limit_bytes` None means all of them.
    """

    def __init__(self, limit_bytes: int | None = None) -> None:
        self.limit_bytes = limit_bytes
        self.bytes = 0
        self._held: OrderedDict[Hashable, Tensor] = OrderedDict()

    def get(self, key: Hashable, load: Callable[[], Tensor]) -> Tensor:
        """The tensor under `key`, loaded where it is not held."""
        found = self._held.get(key)
        if found is not None:
            self._held.move_to_end(key)
            return found
        tensor = load()
        size = tensor.numel() * tensor.element_size()
        if self.limit_bytes is not None and size > self.limit_bytes:
            return tensor
        self._held[key] = tensor
        self.bytes += size
        while self.limit_bytes is not None and self.bytes > self.limit_bytes:
            _, old = self._held.popitem(last=False)
            self.bytes -= old.numel() * old.element_size()
        return tensor

    def clear(self) -> None:
        """Let everything go."""
        self._held.clear()
        self.bytes = 0
