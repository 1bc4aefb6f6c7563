"""Dispatches of the GPU's attention over caches, as tests put them together."""

from dataclasses import dataclass, replace

import numpy as np
from support import gpu
from support.gpu_views import View, ceil_div, view

from optimum_compile.compiler.quant.kv import KvRole, KvScheme, KvStored
from optimum_compile.compiler.quant.kv_layout import kv_layout

HEAD_AXES = ("token", "head")


@dataclass(frozen=True)
class Shape:
    """What one attention works on. queries, heads: tokens and query heads of a workgroup."""

    kv_heads: int
    share: int
    seq: int
    past: int
    key_width: int
    value_width: int
    window: int = 0
    queries: int = 1
    heads: int = 1
    local: int = 64
    parts: int = 4

    @property
    def q_heads(self) -> int:
        return self.kv_heads * self.share

    @property
    def chunks(self) -> int:
        """Workgroups that one head of keys needs."""
        return ceil_div(self.share, self.heads)

    @property
    def constants(self) -> dict[str, int]:
        return {
            "local_size_x": self.local,
            "K_WIDTH": self.key_width,
            "V_WIDTH": self.value_width,
            "QUERIES": self.queries,
            "HEADS": self.heads,
        }

    @property
    def params(self) -> dict[str, float]:
        return {
            "heads": self.kv_heads,
            "past": self.past,
            "seq": self.seq,
            "share": self.share,
            "window": self.window,
            "scale": self.key_width**-0.5,
        }


def attend(
    name: str,
    shape: Shape,
    constants: dict[str, int],
    params: dict[str, int],
    buffers: dict[str, np.ndarray],
    q: View,
    y: View,
    split: bool,
) -> np.ndarray:
    """What `name` leaves in the buffer of y; split: by its parts and attention_join."""
    constants = shape.constants | constants | {"Q_HALF": q.half}
    params = shape.params | params | q.params("q", *HEAD_AXES)
    buffers = {"q": q.flat} | buffers
    blocks = ceil_div(shape.seq, shape.queries)
    across = shape.kv_heads * shape.chunks
    if not split:
        return gpu.run_kernel(
            name,
            constants | {"Y_HALF": y.half},
            params | y.params("y", *HEAD_AXES),
            buffers | {"y": y.flat},
            (blocks, across),
        )["y"]
    each = shape.parts * (2 + shape.value_width)
    scratch = np.full(3 + shape.seq * shape.q_heads * each + 2, np.nan, np.float32)
    scratch = gpu.run_kernel(
        f"{name}_split",
        constants,
        params | {"parts": shape.parts, "scratch_at": 3},
        buffers | {"scratch": scratch},
        (shape.parts, across, blocks),
    )["scratch"]
    assert np.isnan(scratch[:3]).all()
    assert np.isnan(scratch[-2:]).all()
    assert np.isfinite(scratch[3:-2]).all()
    return gpu.run_kernel(
        "attention_join",
        {"local_size_x": shape.local, "Y_HALF": y.half},
        {
            "q_heads": shape.q_heads,
            "width": shape.value_width,
            "parts": shape.parts,
            "scratch_at": 3,
        }
        | y.params("y", *HEAD_AXES),
        {"scratch": scratch, "y": y.flat},
        (ceil_div(shape.q_heads * shape.value_width // 2, shape.local), shape.seq),
    )["y"]


@dataclass
class CodedCache:
    """Keys and values of one layer on the GPU, in regions filled with rubbish at first."""

    schemes: tuple[KvStored, KvStored]
    kv_heads: int
    context: int
    width: int

    def __post_init__(self) -> None:
        self.at = [
            kv_layout(scheme, role, self.kv_heads, self.context, self.width)
            for role, scheme in zip(KvRole, self.schemes, strict=True)
        ]
        sizes = [at.bytes for at in self.at]
        self.regions = [np.full(size + 4, 0xA5, np.uint8) for size in sizes]

    def _numbers(self, new: tuple[View, View]) -> tuple[dict[str, int], dict[str, int]]:
        constants: dict[str, int] = {}
        params: dict[str, int] = {}
        for s, scheme, at, rows in zip("kv", self.schemes, self.at, new, strict=True):
            coded = isinstance(scheme, KvScheme)
            constants |= {
                f"{s.upper()}_NEW_HALF": rows.half,
                f"{s.upper()}_BITS": scheme.bits,
                f"{s.upper()}_GROUP": scheme.group if coded else 32,
                f"{s.upper()}_WIDTH": self.width,
            }
            params |= rows.params(s, *HEAD_AXES)
            params |= {
                f"{s}_window": scheme.window if coded else 0,
                f"{s}_sinks": at.sinks,
                f"{s}_ring": at.ring,
                f"{s}_scales": at.scales // 4,
                f"{s}_lows": at.lows // 4,
                f"{s}_rows": at.rows // 4,
            }
        return constants, params

    def step(
        self, q: np.ndarray, k: np.ndarray, v: np.ndarray, shape: Shape, split: bool, half: bool
    ) -> np.ndarray:
        """Write and attend: (query heads, seq, width) from q, k, v of such shapes."""
        q_view, k_view, v_view = (
            view(x.shape[1::-1] + x.shape[2:], half, at=2, pad=2, numbers=x.transpose(1, 0, 2))
            for x in (q, k, v)
        )
        shape = replace(shape, key_width=self.width, value_width=self.width)
        constants, params = self._numbers((k_view, v_view))
        common = {"heads": shape.kv_heads, "past": shape.past, "seq": shape.seq} | params
        local = {"local_size_x": shape.local}

        def write(name: str, groups: tuple[int, int, int]) -> None:
            found = gpu.run_kernel(
                name, constants | local, common, self._buffers(k_view, v_view), groups
            )
            self.regions = [found["k_cache"], found["v_cache"]]
            assert all((region[-4:] == 0xA5).all() for region in self.regions)

        least = min(constants["K_GROUP"], constants["V_GROUP"])
        write("kv_round", (ceil_div(shape.seq, least), shape.kv_heads, 2))
        y = view((shape.seq, shape.q_heads, self.width), False, at=2, pad=2)
        buffers = self._buffers(k_view, v_view)
        found = attend("kv_attention", shape, constants, params, buffers, q_view, y, split)
        words = shape.kv_heads * self.width // 2
        write("kv_store", (ceil_div(words, shape.local), shape.seq, 2))
        y.check(found, y.of(found), 1.0)
        return y.of(found).transpose(1, 0, 2).copy()

    def _buffers(self, k: View, v: View) -> dict[str, np.ndarray]:
        regions = dict(zip(("k_cache", "v_cache"), self.regions, strict=True))
        return {"k_new": k.flat, "v_new": v.flat} | regions
