"""One XNNPACK delegate, written straight into XNNPACK's graph format.

The SDK's partitioner would recognise the same subgraphs from a quantise/dequantise pattern, at
about a second each; here a region of our graph becomes the delegate's graph directly, once for all
functions that use it. Only int8 activations, quantised by token at run time, are ever written in
front of integer weights: XNNPACK drops the scales of weight-only patterns without a word.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from optimum_compile.backends.executorch.regions import Region
from optimum_compile.compiler.errors import InternalError, UnsupportedError
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.ir.shape import bounds
from optimum_compile.compiler.quant.pack import pack_codes
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Affine, PerChannel
from optimum_compile.passes.precision.notes import Quantized

BACKEND_ID = "XnnpackBackend"
ALIGNMENT = 16
INPUT, OUTPUT = 1, 2  # XNN_VALUE_FLAG_EXTERNAL_INPUT, XNN_VALUE_FLAG_EXTERNAL_OUTPUT
NONE = 2**32 - 1  # XNN_INVALID_VALUE_ID
NAMED = 2**64 - 1  # the constant lies in the named data of the program


@dataclass(frozen=True)
class Delegate:
    """A serialised XNNPACK graph and the constants that it names. `sizes`: greatest of its input."""

    stage: int | None
    program: bytes
    sizes: tuple[int, ...]
    constants: dict[str, bytes]


def build(graph: Graph, region: Region) -> Delegate:
    """The delegate of a region.

    Sizes are upper bounds, so that one delegate serves prompts and single tokens. Raises
    UnsupportedError for a symbolic size without an upper bound.
    """
    from executorch.backends.xnnpack.serialization import xnnpack_graph_serialize as serialize

    writer = _Writer(graph)
    writer.external(region.input, INPUT)
    for node in region.nodes:
        flag = OUTPUT if node.output in region.outputs else 0
        writer.node(node, flag, region)
    program = serialize.serialize_xnnpack_binary(writer.finish(), bytearray())
    return Delegate(region.stage, program, tuple(writer.dims(region.input)), writer.constants)


@dataclass
class _Writer:
    graph: Graph
    constants: dict[str, bytes] = field(default_factory=dict)
    ids: dict[Value, int] = field(default_factory=dict)
    quantised: dict[Value, int] = field(default_factory=dict)
    values: list[Any] = field(default_factory=list)
    nodes: list[Any] = field(default_factory=list)
    buffers: list[Any] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)

    def external(self, value: Value, flag: int) -> int:
        """A float32 tensor of the delegate's signature, or an inner one where `flag` is 0."""
        external = len(self.inputs) + len(self.outputs) if flag else NONE
        found = self._tensor("fp32", self.dims(value), flag=flag, external=external)
        if flag:
            (self.inputs if flag == INPUT else self.outputs).append(found)
        self.ids[value] = found
        return found

    def node(self, node: Node, flag: int, region: Region) -> None:
        """Append what one IR node becomes."""
        if node.op == "linear":
            x = self._quantised(node.input(0))
            weight = self._weight(node.input(1))
            bias = node.inputs[2] if len(node.inputs) > 2 else None
            bias_id = NONE if bias is None else self._bias(bias)
            out = self.external(node.output, flag)
            self._emit(
                "XNNFullyConnected",
                input1_id=x,
                filter_id=weight,
                bias_id=bias_id,
                output_id=out,
                flags=0,
            )
        elif node.op == "silu":
            x = self.ids[node.input(0)]
            gate = self._tensor("fp32", self.dims(node.output))
            self._emit("XNNSigmoid", input_id=x, output_id=gate, flags=0)
            out = self.external(node.output, flag)
            self._emit("XNNMultiply", input1_id=x, input2_id=gate, output_id=out, flags=0)
        elif node.op in ("mul", "add"):
            a, b = self.ids[node.input(0)], self.ids[node.input(1)]
            out = self.external(node.output, flag)
            kind = "XNNMultiply" if node.op == "mul" else "XNNAdd"
            self._emit(kind, input1_id=a, input2_id=b, output_id=out, flags=0)
        else:
            raise InternalError(f"{node.op} at {node.origin} cannot be part of a delegate")

    def finish(self) -> Any:
        """The graph in the SDK's schema."""
        s = _schema()
        return s.XNNGraph(
            version="0",
            xnodes=self.nodes,
            xvalues=self.values,
            num_externs=len(self.inputs) + len(self.outputs),
            input_ids=self.inputs,
            output_ids=self.outputs,
            constant_data=[s.ConstantDataOffset(0, 0), *self.buffers],
        )

    def dims(self, value: Value) -> list[int]:
        """Greatest sizes of a value."""
        out = []
        for dim in value.type.shape:
            span = bounds(dim, self.graph.symbols)
            if span is None:
                raise UnsupportedError(
                    f"%{value.name}: size {dim} has no upper bound, which an XNNPACK delegate needs; "
                    "give the exported dimension a maximum"
                )
            out.append(span.high)
        return out

    def _quantised(self, value: Value) -> int:
        """Int8 with a scale and a zero point a token, made at run time, once a tensor."""
        if value not in self.quantised:
            s = _schema()
            how = s.PerTokenDynamicQuant(num_nonbatch_dims=1)
            self.quantised[value] = self._tensor("qdint8", self.dims(value), quantised=how)
            source, out = self.ids[value], self.quantised[value]
            self._emit("XNNConvert", input_id=source, output_id=out, flags=0)
        return self.quantised[value]

    def _weight(self, value: Value) -> int:
        note = value.notes.get(Quantized)
        packed = None if note is None else note.load()
        if packed is None or not isinstance(packed.scheme, Affine) or packed.scales is None:
            raise InternalError(f"{value.name} is no affine weight")
        rows, columns = packed.shape
        kind, codes, scales = xnnpack_constants(packed)
        buffer, at = self._constant(codes), self._constant(scales, "scale_")
        s = _schema()
        if kind == "qbint4":
            size = packed.scheme.group_size(columns)
            count = rows * packed.scheme.groups(columns)
            how = s.PerChannelGroupQuant(
                scale=[], channel_dim=0, group_size=size, scale_buffer_idx=at, num_scales=count
            )
        else:
            how = s.PerChannelQuant(scale=[], channel_dim=0, scale_buffer_idx=at, num_scales=rows)
        return self._tensor(kind, [rows, columns], quantised=how, buffer=buffer)

    def _bias(self, value: Value) -> int:
        if value.weight is None:
            raise InternalError(f"the bias {value.name} is computed")
        data = np.ascontiguousarray(value.weight.load(), np.float32)
        return self._tensor("fp32", list(data.shape), buffer=self._constant(data.tobytes()))

    def _constant(self, data: bytes, prefix: str = "") -> int:
        key = prefix + hashlib.sha256(data).hexdigest()
        self.constants[key] = data
        self.buffers.append(_schema().ConstantDataOffset(NAMED, len(data), key))
        return len(self.buffers)

    def _tensor(
        self,
        kind: str,
        shape: list[int],
        *,
        quantised: Any = None,
        buffer: int = 0,
        flag: int = 0,
        external: int = NONE,
    ) -> int:
        s = _schema()
        number = len(self.values)
        value = s.XNNTensorValue(
            datatype=s.XNNDatatype[f"xnn_datatype_{kind}"],
            num_dims=len(shape),
            dims=shape,
            constant_buffer_idx=buffer,
            external_id=external,
            flags=flag,
            id_out=number,
        )
        if quantised is not None:
            value = s.XNNQuantizedTensorValue(tensor_value=value, quant_params=quantised)
        self.values.append(s.XValue(xvalue_union=value))
        return number

    def _emit(self, kind: str, **fields: int) -> None:
        s = _schema()
        node = getattr(s, kind)(**fields)
        self.nodes.append(s.XNode(xnode_union=node, debug_handle=0, output_min_max=None))


def xnnpack_constants(packed: PackedWeight) -> tuple[str, bytes, bytes]:
    """XNNPACK's datatype, codes and scales of a weight that `schemes.on_xnnpack` accepts.

    4-bit codes are unsigned with zero point 8, the even column in the low half of a byte; scales are
    float32 a row, bfloat16 a group.
    """
    scheme = packed.scheme
    if not isinstance(scheme, Affine) or packed.scales is None:
        raise InternalError(f"XNNPACK has no container for {scheme}")
    wide = np.ascontiguousarray(packed.scales, np.float32)
    if scheme.bits == 8:
        return "qcint8", packed.codes.astype(np.int8).tobytes(), wide.tobytes()
    codes = (pack_codes(packed.codes, 4) ^ np.uint8(0x88)).tobytes()
    if isinstance(scheme.group, PerChannel):
        return "qcint4", codes, wide.tobytes()
    return "qbint4", codes, (wide.view(np.uint32) >> 16).astype(np.uint16).tobytes()


def _schema() -> Any:
    from executorch.backends.xnnpack.serialization import xnnpack_graph_schema

    return xnnpack_graph_schema
