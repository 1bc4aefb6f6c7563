"""Steps along some axes: softmax, routing, sums."""

from collections.abc import Iterator

from optimum_compile.backends.gpu.dispatch import Launch
from optimum_compile.backends.gpu.frame import Frame, Seen
from optimum_compile.backends.gpu.rows import MOST_AXES, rows_of
from optimum_compile.compiler.ir.shape import Dim, as_dim

MOST_EXPERTS = 1024


def softmax(frame: Frame) -> Iterator[Launch]:
    """A workgroup for each place on the other axes."""
    x, y = frame.view(frame.step.inputs[0]), frame.view(frame.step.outputs[0])
    axis, rank = frame.whole(0), len(x.shape)
    if rank > MOST_AXES or x.half or y.half:
        raise frame.refuse(f"{rank} axes, at most {MOST_AXES}, of float32")
    others = [at for at in range(rank) if at != axis]
    pad = MOST_AXES - 1 - len(others)
    sizes: list[Dim] = [1] * pad + [x.shape[at] for at in others]
    params: dict[str, Dim | float] = {"size": x.shape[axis]}
    for name, seen in (("x", x), ("y", y)):
        strides = [0] * pad + [seen.view.strides[at] for at in others]
        params[f"{name}_at"] = seen.at
        params |= {f"{name}_{at}": stride for at, stride in enumerate(strides)}
        params[f"{name}_step"] = seen.view.strides[axis]
    constants = {"X_HALF": 0, "Y_HALF": 0, "COLUMNS": 0}
    groups = (sizes[2], sizes[1], sizes[0])
    yield Launch("softmax", {"x": x.given, "y": y.given}, params, groups, constants)


def route(frame: Frame) -> Iterator[Launch]:
    """A workgroup a token."""
    x, y = frame.view(frame.step.inputs[0]), frame.view(frame.step.outputs[0])
    params, (tokens, heads, _) = rows_of(frame, {"x": x, "y": y})
    experts = params.pop("width")
    if heads != 1 or not isinstance(experts, int) or experts > MOST_EXPERTS:
        raise frame.refuse(f"{experts} experts, at most {MOST_EXPERTS}")
    params = {n: v for n, v in params.items() if not n.endswith("_head")}
    params |= {"experts": experts, "top_k": frame.whole(0)}
    constants = {"X_HALF": x.half, "Y_HALF": y.half, "RENORMALISE": frame.whole(1)}
    yield Launch("route", {"x": x.given, "y": y.given}, params, (tokens, 1, 1), constants)


def reduce(frame: Frame) -> Iterator[Launch]:
    """A workgroup for each number that is left."""
    x, y = frame.view(frame.step.inputs[0]), frame.view(frame.step.outputs[0])
    rank, gone = len(x.shape), frame.whole(1)
    if rank > MOST_AXES or y.half:
        raise frame.refuse(f"{rank} axes, at most {MOST_AXES}, to float32")
    sizes: list[Dim] = [1] * (MOST_AXES - rank) + list(x.shape)
    is_gone = [False] * (MOST_AXES - rank) + [bool(gone >> axis & 1) for axis in range(rank)]
    kept = [1 if away else size for size, away in zip(sizes, is_gone, strict=True)]
    left = [size if away else 1 for size, away in zip(sizes, is_gone, strict=True)]
    params: dict[str, Dim | float] = {"kept_1": kept[1]}
    params |= {f"gone_{axis}": left[axis] for axis in (1, 2, 3)}
    params["count"] = as_dim(left[0] * left[1] * left[2] * left[3])
    params |= _strides("x", x, MOST_AXES - rank) | _strides("y", y, MOST_AXES - rank)
    constants = {"X_HALF": x.half, "Y_HALF": 0, "FUNCTION": frame.whole(0)}
    groups = (kept[3], kept[2], as_dim(kept[0] * kept[1]))
    yield Launch("reduce", {"x": x.given, "y": y.given}, params, groups, constants)


def _strides(name: str, seen: Seen, pad: int) -> dict[str, Dim]:
    strides = [0] * pad + list(seen.view.strides)
    return {f"{name}_at": seen.at} | {f"{name}_{at}": stride for at, stride in enumerate(strides)}
