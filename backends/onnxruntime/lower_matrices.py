"""Weights that are matrices: initialisers, and the few nodes that turn them into operands.

Scales and zero points are stored as the scheme has them (fp16, or codes and a number a row) and expanded
by nodes on constants, which the runtime computes once when it loads the model. A weight is stored once,
whoever reads it: a tied table is a view of the codes of its head.
"""

from dataclasses import dataclass

import numpy as np
from onnx import TensorProto

from optimum_compile.backends.onnxruntime.lower import FLOAT, Lowering
from optimum_compile.backends.onnxruntime.schemes import (
    FLOAT_ACTIVATIONS,
    INT8_ACTIVATIONS,
    Blocks,
    blocks_of,
    has_float_zeros,
    rounds_activations,
)
from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.graph import Value
from optimum_compile.compiler.quant.pack import pack_codes
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Affine, Float
from optimum_compile.compiler.quant.stored import scale_codes
from optimum_compile.passes.precision.notes import Quantized

MICROSOFT = "com.microsoft"
CHUNK_CODES = 1 << 22  # padded and packed at a time


@dataclass(frozen=True)
class Grid:
    """A stored integer grid: names of tensors, and how rows are cut into blocks."""

    codes: str  # uint8 (rows, blocks, bytes of a block)
    scales: str  # float32 (rows, blocks)
    zeros: str | None
    bits: int
    level: int
    blocks: Blocks
    rows: int
    columns: int


def linear(low: Lowering, x: str, value: Value) -> str:
    """X (..., columns) times a weight in whatever scheme it has."""
    stored = _matrix(low, value)
    if not isinstance(stored, Grid):
        key = ("transposed", value)
        if key not in low.memo:
            low.memo[key] = low.op("Transpose", _widened(low, value, stored), perm=[1, 0])
        return low.op("MatMul", x, low.memo[key])
    inputs = [x, stored.codes, stored.scales]
    return low.op(
        "MatMulNBits",
        *(inputs if stored.zeros is None else [*inputs, stored.zeros]),
        domain=MICROSOFT,
        K=stored.columns,
        N=stored.rows,
        bits=stored.bits,
        block_size=stored.blocks.size,
        accuracy_level=stored.level,
    )


def embedding(low: Lowering, ids: str, value: Value) -> str:
    """Rows of a table in whatever scheme it has."""
    stored = _matrix(low, value)
    if not isinstance(stored, Grid):
        rows = low.op("Gather", stored, ids, axis=0)
        return _widened(low, value, rows)
    key = ("table", value)
    if key not in low.memo:
        low.memo[key] = low.op("Reshape", stored.codes, low.ints(stored.rows, -1))
    inputs = [low.memo[key], ids, stored.scales]
    rows = low.op(
        "GatherBlockQuantized",
        *(inputs if stored.zeros is None else [*inputs, stored.zeros]),
        domain=MICROSOFT,
        bits=stored.bits,
        block_size=stored.blocks.size,
        gather_axis=0,
        quantize_axis=1,
    )
    if stored.blocks.count * stored.blocks.size == stored.columns:
        return rows
    return low.op("Slice", rows, low.ints(0), low.ints(stored.columns), low.ints(-1))


def _matrix(low: Lowering, value: Value) -> Grid | str:
    """The stored form, made at its first use: a grid, or the name of a float tensor (rows, columns)."""
    if value not in low.matrices:
        low.matrices[value] = _store(low, value)
    found: Grid | str = low.matrices[value]
    return found


def _store(low: Lowering, value: Value) -> Grid | str:
    note = value.notes.get(Quantized)
    if note is None or value.weight is None:
        return low.var(value)
    name, packed = value.weight.name, note.load()
    scheme, columns = packed.scheme, packed.shape[1]
    if isinstance(scheme, Float):
        kind = TensorProto.FLOAT16 if scheme.bits == 16 else FLOAT
        dtype = np.float16 if scheme.bits == 16 else np.float32
        return low.initializer(f"{name}/value", packed.codes.astype(dtype), kind, packed.shape)
    blocks = blocks_of(scheme, columns) if isinstance(scheme, Affine) else None
    if not isinstance(scheme, Affine) or blocks is None or packed.scales is None:
        raise InternalError(f"{name}: {scheme} has no form in MatMulNBits")
    size = blocks.size * scheme.bits // 8
    shape = (packed.shape[0], blocks.count, size)
    codes = low.initializer(f"{name}/codes", packed_rows(packed, blocks), TensorProto.UINT8, shape)
    as_linear = any(node.op == "linear" for node in value.users)
    rounds = low.int8 and rounds_activations(scheme, columns, as_linear=as_linear)
    if rounds:  # constants, see `schemes`
        each = np.repeat(packed.scales.astype(np.float32), blocks.repeats, 1)[:, : blocks.count]
        scales = low.initializer(f"{name}/scales", each, FLOAT, each.shape)
    else:
        scales = _spread(low, _scales(low, name, packed, scheme), packed, blocks)
    zeros = _zeros(low, name, packed, scheme, blocks)
    level = INT8_ACTIVATIONS if rounds else FLOAT_ACTIVATIONS
    return Grid(codes, scales, zeros, scheme.bits, level, blocks, *packed.shape)


def packed_rows(packed: PackedWeight, blocks: Blocks) -> np.ndarray:  # -> uint8 (rows, bytes)
    """Codes as MatMulNBits has them: unsigned, rows padded to whole blocks, low bits first."""
    rows, columns = packed.shape
    bits, width = _bits(packed), blocks.count * blocks.size
    lowest = -(1 << (bits - 1)) if packed.zeros is None else 0
    out = np.empty((rows, width * bits // 8), np.uint8)
    step = max(1, CHUNK_CODES // width)
    for begin in range(0, rows, step):
        part = packed.codes[begin : begin + step].astype(np.int16) - lowest
        padded = np.zeros((len(part), width), np.uint8)
        padded[:, :columns] = part
        out[begin : begin + step] = pack_codes(padded, bits).reshape(len(part), -1)
    return out


def _bits(packed: PackedWeight) -> int:
    if not isinstance(packed.scheme, Affine):
        raise InternalError(f"{packed.scheme} is no integer grid")
    return packed.scheme.bits


def _scales(low: Lowering, name: str, packed: PackedWeight, scheme: Affine) -> str:
    """Float32 (rows, groups). Of two levels the product, rounded to fp16 as the scheme says."""
    if packed.scales is None:
        raise InternalError(f"{name} has no scales")
    if not scheme.scale_bits:
        return _half(low, f"{name}/scales", packed.scales)
    if packed.supers is None:
        raise InternalError(f"{name} has no numbers for its scale codes")
    codes = scale_codes(packed.scales, packed.supers, scheme.scale_bits)
    levels = _coded(low, f"{name}/scale_codes", codes, scheme.scale_bits)
    supers = _half(low, f"{name}/supers", packed.supers[:, None])
    rounded = low.op("Cast", low.op("Mul", levels, supers), to=TensorProto.FLOAT16)
    return low.op("Cast", rounded, to=FLOAT)


def _zeros(
    low: Lowering, name: str, packed: PackedWeight, scheme: Affine, blocks: Blocks
) -> str | None:
    """Packed codes uint8 (rows, bytes), floats (rows, blocks), or None: the middle of the range."""
    if packed.zeros is None:
        return None
    if not has_float_zeros(scheme):
        each = np.repeat(packed.zeros, blocks.repeats, 1)[:, : blocks.count]
        per_byte = 8 // scheme.bits
        padded = np.pad(each, ((0, 0), (0, -blocks.count % per_byte)))
        rows = pack_codes(padded.astype(np.uint8), scheme.bits).reshape(len(each), -1)
        return low.initializer(f"{name}/zeros", rows, TensorProto.UINT8, rows.shape)
    if scheme.zero_dtype == "f16":
        return _spread(low, _half(low, f"{name}/zeros", packed.zeros), packed, blocks)
    codes = (packed.zeros.astype(np.float32) / np.float32(scheme.zero_step)).astype(np.uint8)
    wide = _coded(low, f"{name}/zero_codes", codes, scheme.zero_bits)
    return _spread(low, low.op("Mul", wide, low.scalar(scheme.zero_step)), packed, blocks)


def _half(low: Lowering, name: str, data: np.ndarray) -> str:
    """Numbers stored as fp16, as a float32 tensor."""
    stored = low.initializer(name, data.astype(np.float16), TensorProto.FLOAT16, data.shape)
    return low.op("Cast", stored, to=FLOAT)


def _coded(low: Lowering, name: str, codes: np.ndarray, bits: int) -> str:
    """Codes of 4 bits stored as uint4, wider ones as bytes, as a float32 tensor."""
    data = pack_codes(codes, 4) if bits == 4 else codes
    kind = TensorProto.UINT4 if bits == 4 else TensorProto.UINT8
    return low.op("Cast", low.initializer(name, data, kind, codes.shape), to=FLOAT)


def _spread(low: Lowering, numbers: str, packed: PackedWeight, blocks: Blocks) -> str:
    """Numbers of groups (rows, groups), each repeated for its blocks: (rows, blocks)."""
    if blocks.repeats == 1:
        return numbers
    rows = packed.shape[0]
    wide = low.op("Unsqueeze", numbers, low.ints(2))
    wide = low.op("Expand", wide, low.ints(1, 1, blocks.repeats))
    flat = low.op("Reshape", wide, low.ints(rows, -1))
    return low.op("Slice", flat, low.ints(0), low.ints(blocks.count), low.ints(1))


def _widened(low: Lowering, value: Value, name: str) -> str:
    return low.op("Cast", name, to=FLOAT) if _is_half(value) else name


def _is_half(value: Value) -> bool:
    note = value.notes.get(Quantized)
    return note is not None and note.scheme == Float(16)
