"""What MIL ops compute, on float32 torch tensors; the interpreter rounds each result to its type."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

Args = dict[str, Any]
CAST = {
    "fp16": torch.float32,
    "fp32": torch.float32,
    "int32": torch.int32,
    "bool": torch.bool,
}


def _ints(value: Any) -> list[int]:
    return [int(v) for v in np.asarray(value).reshape(-1)]


def _linear(a: Args) -> Tensor:
    return functional.linear(a["x"], a["weight"], a.get("bias"))


def _gather(a: Args) -> Tensor:
    x, axis = a["x"], int(a["axis"])
    ids = torch.as_tensor(a["indices"]).long()
    flat = torch.index_select(x, axis, ids.reshape(-1))
    return flat.reshape([*x.shape[:axis], *ids.shape, *x.shape[axis + 1 :]])


def _gather_along_axis(a: Args) -> Tensor:
    return torch.gather(a["x"], int(a["axis"]), torch.as_tensor(a["indices"]).long())


def _gather_nd(a: Args) -> Tensor:
    ids = torch.as_tensor(a["indices"]).long()
    found: Tensor = a["x"][tuple(ids.unbind(-1))]
    return found


def _scatter(a: Args) -> Tensor:
    if a["mode"] != "update":
        raise ValueError(f"scatter in mode {a['mode']} is not supported")
    ids = torch.as_tensor(a["indices"]).long()
    data: Tensor = a["data"]
    return data.index_copy(int(a["axis"]), ids, a["updates"])


def _matmul(a: Args) -> Tensor:
    x, y = a["x"], a["y"]
    x = x.transpose(-1, -2) if a.get("transpose_x") else x
    return x @ (y.transpose(-1, -2) if a.get("transpose_y") else y)


def _slice_update(a: Args) -> Tensor:
    out = a["x"].clone()
    begin, end = _ints(a["begin"]), _ints(a["end"])
    for axis, (low, high, size) in enumerate(zip(begin, end, out.shape, strict=True)):
        if not 0 <= low < high <= size:
            raise ValueError(f"slice_update: {low}..{high} at axis {axis} of size {size}")
    out[tuple(slice(b, e) for b, e in zip(begin, end, strict=True))] = a["update"]
    return out


def _slice_by_index(a: Args) -> Tensor:
    x, axes = a["x"], range(a["x"].dim())
    begin, end = _ints(a["begin"]), _ints(a["end"])
    stride = _ints(a["stride"]) if a.get("stride") is not None else [1] * x.dim()
    for name in ("begin_mask", "end_mask", "squeeze_mask"):
        if a.get(name) is not None and np.asarray(a[name]).any():
            raise ValueError(f"slice_by_index: {name} is not supported")
    return x[tuple(slice(begin[i], end[i], stride[i]) for i in axes)]


def _layer_norm(a: Args) -> Tensor:
    shape = [a["x"].shape[i] for i in _ints(a["axes"])]
    return functional.layer_norm(a["x"], shape, a.get("gamma"), a.get("beta"), float(a["epsilon"]))


def _split(a: Args) -> tuple[Tensor, ...]:
    axis = int(a["axis"])
    if a.get("split_sizes") is not None:
        return tuple(torch.split(a["x"], _ints(a["split_sizes"]), axis))
    return tuple(torch.chunk(a["x"], int(a["num_splits"]), axis))


def _reduce(function: Callable[..., Tensor]) -> Callable[[Args], Tensor]:
    return lambda a: function(a["x"], dim=_ints(a["axes"]), keepdim=bool(a["keep_dims"]))


def _unary(function: Callable[[Tensor], Tensor]) -> Callable[[Args], Tensor]:
    return lambda a: function(a["x"])


def _binary(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Args], Tensor]:
    return lambda a: function(torch.as_tensor(a["x"]), torch.as_tensor(a["y"]))


def _gelu(a: Args) -> Tensor:
    mode = str(a["mode"])
    return functional.gelu(a["x"], approximate="tanh" if mode == "TANH_APPROXIMATION" else "none")


KERNELS: dict[str, Callable[[Args], Any]] = {
    "linear": _linear,
    "gather": _gather,
    "gather_along_axis": _gather_along_axis,
    "gather_nd": _gather_nd,
    "scatter": _scatter,
    "matmul": _matmul,
    "slice_update": _slice_update,
    "slice_by_index": _slice_by_index,
    "layer_norm": _layer_norm,
    "split": _split,
    "cast": lambda a: torch.as_tensor(a["x"]).to(CAST[str(a["dtype"])]),
    "concat": lambda a: torch.cat([torch.as_tensor(v) for v in a["values"]], int(a["axis"])),
    "reshape": lambda a: a["x"].reshape(_ints(a["shape"])),
    "transpose": lambda a: a["x"].permute(_ints(a["perm"])),
    "expand_dims": lambda a: _expand_dims(a["x"], _ints(a["axes"])),
    "tile": lambda a: a["x"].repeat(_ints(a["reps"])),
    "select": lambda a: torch.where(
        torch.as_tensor(a["cond"]).bool(), torch.as_tensor(a["a"]), torch.as_tensor(a["b"])
    ),
    "softmax": lambda a: torch.softmax(a["x"], int(a["axis"])),
    "silu": _unary(functional.silu),
    "gelu": _gelu,
    "rsqrt": lambda a: torch.rsqrt(a["x"] + float(a["epsilon"])),
    "inverse": lambda a: 1 / (a["x"] + float(a["epsilon"])),
    "log": lambda a: torch.log(a["x"] + float(a["epsilon"])),
    **{
        name: _unary(getattr(torch, name))
        for name in "relu tanh sigmoid exp sqrt abs cos sin erf floor logical_not".split()
    },
    **{
        mil: _binary(getattr(torch, name))
        for mil, name in (
            ("add", "add"),
            ("sub", "sub"),
            ("mul", "mul"),
            ("real_div", "div"),
            ("pow", "pow"),
            ("maximum", "maximum"),
            ("minimum", "minimum"),
            ("equal", "eq"),
            ("not_equal", "ne"),
            ("less", "lt"),
            ("less_equal", "le"),
            ("greater", "gt"),
            ("greater_equal", "ge"),
            ("logical_and", "logical_and"),
            ("logical_or", "logical_or"),
        )
    },
    "reduce_mean": _reduce(torch.mean),
    "reduce_sum": _reduce(torch.sum),
    "reduce_max": _reduce(torch.amax),
    "identity": lambda a: a["x"],
}


def _expand_dims(x: Tensor, axes: list[int]) -> Tensor:
    for axis in sorted(axes):
        x = x.unsqueeze(axis)
    return x
