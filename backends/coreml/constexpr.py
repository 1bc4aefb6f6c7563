"""Unpack compressed constants of a MIL program: our own reading of the iOS 18 specification."""

from typing import Any

import numpy as np

CHUNK_ELEMENTS = 1 << 20


def blockwise_shift_scale(
    data: np.ndarray, scale: np.ndarray, offset: np.ndarray | None
) -> np.ndarray:
    """(data - offset) * scale, each scale repeated over its block; any rank, float32 result."""
    shape = data.shape
    out = data.astype(np.float32)
    if offset is not None:
        out -= _spread(offset.astype(np.float32), shape)
    out *= _spread(scale.astype(np.float32), shape)
    return out


def lut_to_dense(
    indices: np.ndarray, lut: np.ndarray, vector_axis: int | None = None
) -> np.ndarray:
    """Look `indices` up in `lut` (blocks of each axis ..., entries, width), float32 result.

    Where an entry is a vector, its numbers follow each other along `vector_axis`, which becomes as many
    times longer. Raises ValueError for vectors without an axis.
    """
    width = lut.shape[-1]
    if width > 1 and vector_axis is None:
        raise ValueError(f"vectors of {width} without a vector_axis")
    blocks = lut.shape[:-2]
    where = [
        np.arange(size) // (size // count)
        for size, count in zip(indices.shape, blocks, strict=True)
    ]
    tables = lut.astype(np.float32)
    out = np.empty((*indices.shape, width), np.float32)
    # A run of rows at a time: an index of 8 bytes a weight would be the largest array of all.
    step = max(1, CHUNK_ELEMENTS // max(1, indices[:1].size))
    for begin in range(0, len(indices), step):
        part = slice(begin, begin + step)
        grid = np.ix_(where[0][part], *where[1:])
        out[part] = tables[(*grid, indices[part].astype(np.int64))]
    if width == 1 or vector_axis is None:
        return out[..., 0]
    axis = vector_axis % indices.ndim
    shape = [size * width if at == axis else size for at, size in enumerate(indices.shape)]
    return np.moveaxis(out, -1, axis + 1).reshape(shape)


def sparse_to_dense(nonzero: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Numbers (count,) in the places of a mask of any rank, in its order; zero elsewhere; float32.

    Raises ValueError when the mask has another number of places.
    """
    places = mask != 0
    if int(places.sum()) != len(nonzero):
        raise ValueError(f"{len(nonzero)} numbers for {int(places.sum())} places of a mask")
    out = np.zeros(mask.shape, np.float32)
    out[places] = nonzero
    return out


def _spread(parts: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    for axis, (size, count) in enumerate(zip(shape, parts.shape, strict=True)):
        if size % count:
            raise ValueError(f"{count} scales do not divide {size} at axis {axis}")
        if count not in (1, size):
            parts = np.repeat(parts, size // count, axis=axis)
    return np.broadcast_to(parts, shape)


def sparse_shift_scale(op: Any, value_of: Any) -> tuple[np.ndarray, np.ndarray]:
    """Both results of constexpr_sparse_blockwise_shift_scale: the mask, and numbers float32 (count,).

    Scales (and offsets) belong to blocks of the dense matrix.
    """
    mask = value_of(op.inputs["data_mask"])
    codes = sparse_to_dense(value_of(op.inputs["nonzero_data"]), mask)
    offset = value_of(op.inputs["offset"]) if op.inputs.get("offset") is not None else None
    return mask, blockwise_shift_scale(codes, value_of(op.inputs["scale"]), offset)[mask != 0]


def materialise(op: Any, value_of: Any) -> np.ndarray:
    """The dense float32 value of a constexpr op; `value_of` reads its inputs, nested ones included."""
    kind = op.op_type
    if kind == "constexpr_blockwise_shift_scale":
        offset = value_of(op.inputs["offset"]) if op.inputs.get("offset") is not None else None
        return blockwise_shift_scale(
            value_of(op.inputs["data"]), value_of(op.inputs["scale"]), offset
        )
    if kind == "constexpr_lut_to_dense":
        given = op.inputs.get("vector_axis")
        axis = None if given is None else int(value_of(given))
        return lut_to_dense(value_of(op.inputs["indices"]), value_of(op.inputs["lut"]), axis)
    if kind == "constexpr_sparse_to_dense":
        return sparse_to_dense(value_of(op.inputs["nonzero_data"]), value_of(op.inputs["mask"]))
    raise ValueError(f"compressed constant of kind {kind} is not supported")
