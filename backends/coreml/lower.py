"""From the graph IR to a MIL program, straight through the builder. Imported inside `emit` only.

Activations are fp16, but for the residual stream and the norms that read it, which are fp32: the sum
of squares of a residual stream leaves the range of fp16, and the rounding of the stream at every
block is most of the error of an fp16 program. Each state is read once,
and the value that a write returns goes on to the next reader: coremltools merges reads across a
write, and would hand stale caches to later layers.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from coremltools.converters.mil import Builder as mb
from coremltools.converters.mil.mil import types

from optimum_compile.backends.coreml.schemes import scales_outputs
from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.ir.ops import dims, ints
from optimum_compile.compiler.quant.nested import at_width
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import E0M4, Affine, Float, Lut, Nested, Sparse, Vector
from optimum_compile.passes.precision.notes import Quantized
from optimum_compile.passes.stages.notes import InStage, StagePlan

NUMPY = {
    DType.F32: np.float16,
    DType.F16: np.float16,
    DType.BF16: np.float16,
    DType.F64: np.float16,
    DType.BOOL: np.bool_,
}


def array_type(dtype: DType) -> Any:
    """Element type in the program: floats are fp16, integers int32."""
    return NUMPY.get(dtype, np.int32)


class Lowering:
    """One function being built: MIL variables by IR value."""

    def __init__(self, graph: Graph, states: dict[str, Any], inputs: dict[str, Any]) -> None:
        self.graph = graph
        self.env: dict[Value, Any] = {}
        self.memo: dict[Any, Any] = {}
        self.wides: dict[Value, Any] = {}
        plan = graph.notes.get(StagePlan)
        self.stage_names = [] if plan is None else [s.name for s in plan.stages]
        for value in graph.inputs:
            var = inputs[value.name]
            self.env[value] = mb.cast(x=var, dtype="fp16") if value.type.dtype.is_float else var
        self.state_vars = states
        self.state_of = {s.read: s.name for s in graph.states}

    def name(self, node: Node, part: str = "") -> str:
        """Name of a MIL op: its stage, its module path, what it is."""
        note = node.notes.get(InStage)
        stage = f"{self.stage_names[note.index]}__" if note and self.stage_names else ""
        path = node.origin.replace(".", "_") or "top"
        return f"{stage}{path}__{node.outputs[0].name}{part}".replace(".", "_")

    def var(self, value: Value) -> Any:
        """The variable of a value; states are read at their first use."""
        if value in self.env:
            return self.env[value]
        if value in self.wides:
            self.env[value] = mb.cast(x=self.wides[value], dtype="fp16")
        elif value in self.state_of:
            self.env[value] = mb.read_state(input=self.state_vars[self.state_of[value]])
        elif value.weight is not None:
            self.env[value] = self.constant(value)
        else:
            raise InternalError(f"%{value.name} was not computed")
        return self.env[value]

    def wide(self, value: Value) -> Any:
        """The variable of a value in fp32, cast once."""
        if value not in self.wides:
            name = f"{value.name}_wide".replace(".", "_")
            self.wides[value] = mb.cast(x=self.var(value), dtype="fp32", name=name)
        return self.wides[value]

    def constant(self, value: Value) -> Any:
        """A weight: packed where it is quantised, fp16 otherwise."""
        if value.weight is None:
            raise InternalError(f"%{value.name} is no weight")
        note = value.notes.get(Quantized)
        name = value.weight.name.replace(".", "_")
        if note is not None:
            if isinstance(note.scheme, Vector):
                return self.vectors(note.load(), note.scheme, name)
            return packed_constant(note.load(), name)
        data = value.weight.load()
        if not value.type.dtype.is_float:
            return mb.const(val=data.astype(array_type(value.type.dtype)), name=name)
        return mb.const(val=data.astype(np.float16), name=name)

    def vectors(self, packed: PackedWeight, scheme: Vector, name: str) -> Any:
        """Vectors by index; what multiplies results, one scale a row, is left out.

        before: indices (rows, columns / width), codebook (entries, width), scales (rows, groups)
        after:  constexpr_lut_to_dense(indices, codebook (1, 1, entries, width), vector_axis=1), and
                constexpr_blockwise_shift_scale of it where scales belong to groups
        Tensors that share a codebook share its constant.
        """
        if packed.table is None or packed.scales is None:
            raise InternalError(f"{name} has no codebook or scales")
        table = packed.table.astype(np.float16)[None, None]
        key = ("codebook", table.shape, table.tobytes())
        if key not in self.memo:
            count = sum(1 for k in self.memo if isinstance(k, tuple) and k[0] == "codebook")
            self.memo[key] = mb.const(val=table, name=f"codebook_{count}")
        indices = (
            packed.codes if scheme.bits == 8 else _sub_byte(packed.codes, f"uint{scheme.bits}")
        )
        scaled_later = scales_outputs(scheme)
        label = name if scaled_later else f"{name}_vectors"
        found = mb.constexpr_lut_to_dense(
            indices=indices, lut=self.memo[key], vector_axis=np.int32(1), name=label
        )
        if scaled_later:
            return found
        scale = packed.scales.astype(np.float16)
        return mb.constexpr_blockwise_shift_scale(data=found, scale=scale, name=name)

    def outliers(self, value: Value) -> Any:
        """The sparse part of a weight, or None; what reads the weight reads both and adds."""
        note = value.notes.get(Quantized)
        if note is None or value.weight is None or not isinstance(note.scheme, Sparse):
            return None
        key = ("outliers", value)
        if key not in self.memo:
            name = f"{value.weight.name}.outliers".replace(".", "_")
            self.memo[key] = sparse_constant(note.load(), name)
        return self.memo[key]

    def no_bias(self, rows: int) -> Any:
        """Zeros for all linears of so many rows: the builder would store some for each of them."""
        key = ("zeros", rows)
        if key not in self.memo:
            self.memo[key] = mb.const(val=np.zeros(rows, np.float16), name=f"no_bias_{rows}")
        return self.memo[key]

    def float_constant(self, value: Value) -> np.ndarray:
        """A small weight in float32, to compute tables from."""
        if value.weight is None:
            raise InternalError(f"%{value.name} is no weight")
        return value.weight.load_f32()


def packed_constant(packed: PackedWeight, name: str) -> Any:
    """A constexpr that keeps the codes packed in the file. Of a sparse weight the dense part."""
    scheme = packed.scheme
    if isinstance(scheme, Float):
        return mb.const(val=packed.codes.astype(np.float16), name=name)
    if isinstance(scheme, Lut):
        return _palette(scheme, packed, name)
    if isinstance(scheme, Nested):
        return packed_constant(at_width(packed, scheme.bits), name)
    if isinstance(scheme, Sparse):
        return packed_constant(_dense_part(packed), name)
    if isinstance(scheme, E0M4 | Vector):
        raise InternalError(f"{name}: {scheme} has no form in Core ML")
    return _blockwise(scheme, packed, name)


def _dense_part(packed: PackedWeight) -> PackedWeight:
    """The base; outliers that keep their codes there leave zeros, since the parts will be added."""
    base, found = packed.base, packed.outliers
    if found is None or found.scales is None:
        return base
    codes = base.codes.copy()
    codes[found.rows, found.columns] = 0
    return replace(base, codes=codes)


def sparse_constant(packed: PackedWeight, name: str) -> Any:
    """The outliers of a weight as a matrix that is zero elsewhere, or None without outliers.

    before: fp16 values, or codes and their scales, at sorted places
    after:  constexpr_sparse_to_dense(values, mask), with
            values = constexpr_sparse_blockwise_shift_scale(mask, codes, scales) for codes
    """
    found = packed.outliers
    if found is None:
        return None
    places = (found.rows, found.columns)
    mask = np.zeros(packed.shape, np.uint8)
    mask[places] = 1
    packed_mask = _sub_byte(mask, "uint1")
    if found.values is not None:
        values = found.values.astype(np.float16)
        return mb.constexpr_sparse_to_dense(nonzero_data=values, mask=packed_mask, name=name)
    if found.scales is None or not isinstance(packed.scheme, Sparse):
        raise InternalError(f"{name}: outliers have neither values nor scales")
    codes = packed.codes[places].astype(np.int8)
    if packed.scheme.bits != 8:
        codes = _sub_byte(codes, f"int{packed.scheme.bits}")
    kept, values = mb.constexpr_sparse_blockwise_shift_scale(
        data_mask=packed_mask,
        nonzero_data=codes,
        scale=found.scales.astype(np.float16),
        name=f"{name}_codes",
    )
    return mb.constexpr_sparse_to_dense(nonzero_data=values, mask=kept, name=name)


def _sub_byte(codes: np.ndarray, kind: str) -> np.ndarray:
    return codes.astype(types.nptype_from_builtin(types.string_to_builtin(kind)))


def _palette(scheme: Lut, packed: PackedWeight, name: str) -> Any:
    if packed.table is None:
        raise InternalError(f"{name} has no table")
    table = packed.table.astype(np.float16).reshape(scheme.tables(packed.shape[0]), 1, -1, 1)
    indices = _sub_byte(packed.codes.astype(np.uint8), f"uint{scheme.bits}")
    return mb.constexpr_lut_to_dense(indices=indices, lut=table, name=name)


def _blockwise(scheme: Affine, packed: PackedWeight, name: str) -> Any:
    if packed.scales is None:
        raise InternalError(f"{name} has no scales")
    kind = f"{'int' if scheme.symmetric else 'uint'}{scheme.bits}"
    data = packed.codes.astype(np.int8 if scheme.symmetric else np.uint8)
    data = data if scheme.bits == 8 else _sub_byte(data, kind)
    scale = packed.scales.astype(np.float16)
    if packed.zeros is None:
        return mb.constexpr_blockwise_shift_scale(data=data, scale=scale, name=name)
    # Fp16 offsets may go with integer data, integers must have its type.
    offset = packed.zeros.astype(np.uint8 if scheme.zero_dtype == "int" else np.float16)
    if scheme.zero_dtype == "int" and scheme.bits != 8:
        offset = _sub_byte(offset, kind)
    return mb.constexpr_blockwise_shift_scale(data=data, scale=scale, offset=offset, name=name)


def shape_of(node: Node, key: str = "shape") -> list[int]:
    """A shape attribute as numbers. Functions are specialised before they are lowered."""
    out = []
    for d in dims(node.attrs[key]):
        if not isinstance(d, int):
            raise InternalError(f"{node.op} at {node.origin}: {d} was not specialised")
        out.append(d)
    return out


def axes_of(node: Node) -> list[int]:
    """The axes attribute."""
    return list(ints(node.attrs["axes"]))
