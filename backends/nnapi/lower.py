"""One stage of a decoder as an ONNX graph of fixed shapes: names, constants, and the two layouts.

Only operators on NNAPI's list are used. Linears are convolutions of 1 x 1, for these alone take one scale a
row of int8 weights there. A value is held as rows, in the shape that the IR gives it, or as columns
(1, width, 1, tokens), as convolutions want it; element-wise operators take either.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, ValueInfoProto, helper

from optimum_compile.backends.nnapi.plan import Piece
from optimum_compile.backends.nnapi.schemes import TABLE_CENTRE
from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.graph import Value

FLOAT, INT, LONG = TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64
BYTE, CODE = TensorProto.UINT8, TensorProto.INT8

NUMPY = {
    FLOAT: np.float32,
    INT: np.int32,
    LONG: np.int64,
    BYTE: np.uint8,
    CODE: np.int8,
}


class Lowering:
    """One ONNX graph being built. `weight_bytes` counts initialisers that come from weights."""

    def __init__(self, piece: Piece, tokens: int, context: int) -> None:
        self.piece, self.tokens, self.context = piece, tokens, context
        self.nodes: list[NodeProto] = []
        self.tensors: dict[str, TensorProto] = {}
        self.inputs: dict[str, ValueInfoProto] = {}
        self.outputs: list[ValueInfoProto] = []
        self.rows: dict[Value, str] = {}
        self.columns: dict[Value, str] = {}
        self.memo: dict[Any, str] = {}
        self.ranges: dict[str, tuple[float, float]] = {}
        self.weight_bytes = 0
        self._scope = "shared"
        self._counts: dict[str, int] = {}
        for value in piece.takes:
            self.rows[value] = self.input(value.name, value.type.static_shape())

    # ---- nodes

    def enter(self, scope: str) -> None:
        """Names of nodes from now on begin with this."""
        self._scope = scope or "shared"

    def op(self, kind: str, *inputs: str, outputs: int = 1, **attrs: Any) -> str:
        """Add a node; returns the name of its first output."""
        return self.ops(kind, *inputs, outputs=outputs, **attrs)[0]

    def ops(self, kind: str, *inputs: str, outputs: int = 1, **attrs: Any) -> list[str]:
        """Add a node; returns the names of its outputs."""
        name = self._fresh(kind)
        names = [name] if outputs == 1 else [f"{name}.{at}" for at in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, name, **attrs))
        return names

    def _fresh(self, kind: str) -> str:
        base = f"{self._scope}/{kind}"
        self._counts[base] = self._counts.get(base, -1) + 1
        count = self._counts[base]
        return f"{base}_{count}" if count else base

    def shared(self, key: Any, scope: str, build: Any) -> str:
        """What `build` makes, once for all layers."""
        if key not in self.memo:
            before, self._scope = self._scope, scope
            self.memo[key] = build()
            self._scope = before
        return self.memo[key]

    # ---- inputs and outputs

    def input(self, name: str, shape: Sequence[int], kind: int = FLOAT) -> str:
        """An input of the graph, declared at its first use."""
        if name not in self.inputs:
            self.inputs[name] = helper.make_tensor_value_info(name, kind, list(shape))
        return name

    def give(self, name: str, made: str, shape: Sequence[int]) -> None:
        """Make a tensor an output of the graph."""
        self.nodes.append(helper.make_node("Identity", [made], [name], f"give/{name}"))
        self.outputs.append(helper.make_tensor_value_info(name, FLOAT, list(shape)))

    # ---- constants

    def constant(self, name: str, data: np.ndarray, kind: int) -> str:
        """An initialiser; the same name means the same data."""
        if name not in self.tensors:
            raw = np.array(data, NUMPY[kind], order="C")
            self.tensors[name] = helper.make_tensor(name, kind, raw.shape, raw.tobytes(), raw=True)
        return name

    def stored(self, name: str, data: np.ndarray, kind: int) -> str:
        """An initialiser that comes from a weight."""
        if name not in self.tensors:
            self.weight_bytes += data.size * np.dtype(NUMPY[kind]).itemsize
        return self.constant(name, data, kind)

    def number(self, value: float) -> str:
        """A float constant (1,)."""
        return self.constant(f"number/{value!r}", np.array([value]), FLOAT)

    def longs(self, *values: int) -> str:
        """An int64 constant of one axis: shapes, starts, axes."""
        text = ",".join(map(str, values))
        return self.constant(f"longs/{text}", np.array(values), LONG)

    # ---- values

    def row(self, value: Value) -> str:
        """The tensor of a value in its own shape."""
        if value not in self.rows:
            if value not in self.columns:
                raise InternalError(f"%{value.name} was not computed")
            shape = value.type.static_shape()
            turned = self.op("Transpose", self.columns[value], perm=[0, 2, 3, 1])
            self.rows[value] = self.reshape(turned, shape)
        return self.rows[value]

    def column(self, value: Value) -> str:
        """The tensor of a value as (1, width, 1, tokens)."""
        if value not in self.columns:
            width = int(value.type.shape[-1])
            flat = self.reshape(self.row(value), (1, 1, -1, width))
            self.columns[value] = self.op("Transpose", flat, perm=[0, 3, 1, 2])
        return self.columns[value]

    def reshape(self, name: str, shape: Sequence[int]) -> str:
        """Reshape."""
        return self.op("Reshape", name, self.longs(*shape))

    # ---- rounding

    def rounded(self, name: str, low: float, high: float) -> str:
        """QuantizeLinear and DequantizeLinear around a range, as uint8."""
        scale, zero = grid(low, high)
        names = (
            self.constant(f"scale/{scale!r}", np.array(scale), FLOAT),
            self.constant(f"zero/{zero}", np.array(zero), BYTE),
        )
        return self.op("DequantizeLinear", self.op("QuantizeLinear", name, *names), *names)

    def unsigned(self, name: str) -> str:
        """Codes of a table (code + 128) as floats."""
        one = self.constant("scale/1.0", np.array(1.0), FLOAT)
        zero = self.constant(f"zero/{TABLE_CENTRE}", np.array(TABLE_CENTRE), BYTE)
        return self.op("DequantizeLinear", name, one, zero)


def grid(low: float, high: float) -> tuple[float, int]:
    """Scale (a float32 number) and zero point of the 256 codes that hold [low, high] and zero."""
    least, most = min(low, 0.0), max(high, 0.0)
    scale = float(np.float32((most - least) / 255)) or 1.0
    return scale, int(np.clip(np.rint(-least / scale), 0, 255))
