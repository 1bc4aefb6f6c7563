"""From the graph IR to ONNX nodes: names, constants, sizes. Imported inside `emit` only.

Every float is float32 and every integer int64, so that nothing is rounded but the weights. A symbol
stays a symbol: one graph serves prefill and decode. Initialisers are the weights and nothing else; what
the graph itself needs (shapes, axes) are Constant nodes.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import sympy
from onnx import NodeProto, TensorProto, ValueInfoProto, helper

from optimum_compile.backends.onnxruntime.caches import Grouped, grouped_attentions
from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.ir.shape import Dim, format_dim
from optimum_compile.compiler.quant.kv import KvStored
from optimum_compile.compiler.quant.kv_static import KvStatic
from optimum_compile.passes.stages.notes import InStage, StagePlan

FLOAT, INT, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
OUTSIDE = {  # element types at the border of the graph, where they are not those inside
    DType.I32: TensorProto.INT32,
    DType.I16: TensorProto.INT16,
    DType.I8: TensorProto.INT8,
    DType.U8: TensorProto.UINT8,
}
PAST, PRESENT = "past.", "present."  # before the name of a state


class Sink(Protocol):
    """Where the bytes of initialisers go."""

    def add(self, name: str, data: np.ndarray, kind: int, shape: Sequence[int]) -> None:
        """Store an initialiser of an ONNX element type; `data` are its bytes."""


def element_type(dtype: DType) -> int:
    """Element type inside the graph."""
    kind: int = FLOAT if dtype.is_float else BOOL if dtype is DType.BOOL else INT
    return kind


class Lowering:
    """One ONNX graph being built: names of tensors by IR value."""

    def __init__(
        self, graph: Graph, sink: Sink, *, int8: bool, caches: Mapping[str, KvStored] | None = None
    ) -> None:
        self.graph = graph
        self.int8 = int8
        self.grouped = grouped_attentions(graph, caches or {})
        self.coded = _coded(self.grouped.values())
        self.held = {
            n for each in self.grouped.values() for n in (each.key_write, each.value_write)
        }
        self.sink = sink
        self.nodes: list[NodeProto] = []
        self.shapes: list[ValueInfoProto] = []
        self.env: dict[Value, str] = {}
        self.memo: dict[Any, str] = {}
        self.matrices: dict[Value, Any] = {}
        self._parts: dict[str, int] = {}
        self._scope = ""
        self._fresh = ""  # what the last node gives, until a value takes it
        plan = graph.notes.get(StagePlan)
        self._stages = [] if plan is None else [s.name for s in plan.stages]
        self.ends = _ends(graph)
        self._reserved = {name for name, _ in output_names(graph)}
        self._reserved |= {f"{PAST}{s.name}" for s in graph.states} | {v.name for v in graph.inputs}
        inputs = [(v.name, v) for v in graph.inputs]
        for name, value in [*inputs, *((f"{PAST}{s.name}", s.read) for s in graph.states)]:
            inside = value.type.dtype not in OUTSIDE
            self.env[value] = name if inside else self.op("Cast", name, to=INT)

    # ---- nodes

    def enter(self, node: Node) -> None:
        """Nodes built from now on belong to this one: their names say its stage and its module."""
        note = node.notes.get(InStage)
        stage = f"{self._stages[note.index]}/" if note and self._stages else ""
        self._scope = f"{stage}{node.origin or node.op}/"

    def op(self, kind: str, *inputs: str, domain: str = "", **attrs: Any) -> str:
        """Add a node with one output; returns the output's name."""
        out = self.fresh(kind)
        name = out if out.startswith(self._scope) else f"{self._scope}{out}"
        self.nodes.append(helper.make_node(kind, inputs, [out], name, domain=domain, **attrs))
        self._fresh = out
        return out

    def op_with_states(
        self, kind: str, *inputs: str, states: Sequence[Value], domain: str, **attrs: Any
    ) -> str:
        """Add a node that also gives states after the call; returns the name of its first output."""
        out = self.op(kind, *inputs, domain=domain, **attrs)
        for value in states:
            self.env[value] = self.ends[value]
            self.nodes[-1].output.append(self.ends[value])
        return out

    def port(self, value: Value, name: str) -> ValueInfoProto:
        """The type of what enters or leaves the graph: a cache in codes is of bytes."""
        scheme = self.coded.get(value)
        if scheme is None:
            return type_of(value, name)
        shape, kind = list(value.type.static_shape()), TensorProto.INT8
        if scheme.bits == 4:
            shape[-1], kind = shape[-1] // 2, TensorProto.UINT8
        return helper.make_tensor_value_info(name, kind, shape)

    def fresh(self, kind: str) -> str:
        """A name that nothing has."""
        base = f"{self._scope or 'top/'}{kind}"
        self._parts[base] = self._parts.get(base, -1) + 1
        return f"{base}_{self._parts[base]}"

    def bind(self, value: Value, made: str) -> None:
        """`made` is what `value` is called in ONNX; its tensor gets the value's own name."""
        wanted = self.ends.get(value) or self._own_name(value)
        # A cast to the same type makes no node; a constant has other readers.
        if made == self._fresh and made not in self.memo.values():
            last, self._fresh = self.nodes[-1], ""
            last.output[0] = wanted
            last.name = wanted if "/" in wanted else f"{self._scope}{wanted}"
            self.env[value] = wanted
            if value not in self.ends:
                self.shapes.append(type_of(value, wanted, element_type(value.type.dtype)))
        else:
            self.env[value] = made

    def _own_name(self, value: Value) -> str:
        return f"{value.name}/value" if value.name in self._reserved else value.name

    def var(self, value: Value) -> str:
        """The tensor of a value."""
        if value not in self.env:
            self.env[value] = self.plain(value)
        return self.env[value]

    # ---- constants

    def ints(self, *values: int) -> str:
        """An int64 constant of one axis."""
        tensor = helper.make_tensor("", INT, [len(values)], values)
        return self._constant(("ints", values), value=tensor)

    def scalar(self, value: float | int | bool, kind: int = FLOAT) -> str:
        """A constant without axes."""
        number = float(value) if kind == FLOAT else int(value)
        tensor = helper.make_tensor("", kind, [], [number])
        return self._constant(("scalar", kind, repr(number)), value=tensor)

    def numbers(self, data: np.ndarray) -> str:
        """A float32 constant of any shape."""
        tensor = helper.make_tensor("", FLOAT, data.shape, data.astype("<f4").tobytes(), raw=True)
        return self._constant(("numbers", data.shape, data.tobytes()), value=tensor)

    def _constant(self, key: Any, **attrs: Any) -> str:
        if key not in self.memo:
            self._scope, before = "", self._scope
            self.memo[key] = self.op("Constant", **attrs)
            self._scope = before
        return self.memo[key]

    def initializer(self, name: str, data: np.ndarray, kind: int, shape: Sequence[int]) -> str:
        """Store bytes of a weight; returns the tensor's name."""
        self.sink.add(name, data, kind, shape)
        return name

    def plain(self, value: Value) -> str:
        """A weight that is no matrix: float32, or integers as they are stored, widened."""
        if value.weight is None:
            raise InternalError(f"%{value.name} was not computed")
        name, shape = f"{value.weight.name}/value", value.type.static_shape()
        if value.type.dtype.is_float:
            return self.initializer(name, value.weight.load_f32(), FLOAT, shape)
        data, kind = value.weight.load(), helper.np_dtype_to_tensor_dtype
        stored = self.initializer(name, data, kind(data.dtype), shape)
        inside = element_type(value.type.dtype)
        return stored if kind(data.dtype) == inside else self.op("Cast", stored, to=inside)

    # ---- sizes

    def shape(self, dims: Sequence[Dim]) -> str:
        """A shape as an int64 tensor of one axis."""
        if all(isinstance(d, int) for d in dims):
            return self.ints(*(int(d) for d in dims))
        return self.op("Concat", *(self.size(d) for d in dims), axis=0)

    def size(self, dim: Dim) -> str:
        """A dimension as an int64 tensor (1,)."""
        if isinstance(dim, int) or dim.is_Integer:
            return self.ints(int(dim))
        key = ("size", str(dim))
        if key not in self.memo:
            self.memo[key] = self._size(dim)
        return self.memo[key]

    def _size(self, dim: sympy.Expr) -> str:
        if isinstance(dim, sympy.Symbol):
            return self._symbol(dim.name)
        if isinstance(dim, sympy.floor):
            above, below = sympy.together(dim.args[0]).as_numer_denom()
            return self.floor_div(self.size(sympy.expand(above)), self.size(below))
        if isinstance(dim, sympy.Add | sympy.Mul):
            parts = [self.size(a) for a in dim.args]
            out, kind = parts[0], "Add" if isinstance(dim, sympy.Add) else "Mul"
            for part in parts[1:]:
                out = self.op(kind, out, part)
            return out
        if isinstance(dim, sympy.Pow) and dim.exp.is_Integer and int(dim.exp) > 0:
            return self._size(sympy.Mul(*[dim.base] * int(dim.exp), evaluate=False))
        raise InternalError(f"the size {dim} has no form in ONNX")

    def floor_div(self, a: str, b: str) -> str:
        """Integers a // b, rounded down; Div alone rounds to zero."""
        return self.op("Div", self.op("Sub", a, self.op("Mod", a, b)), b)

    def _symbol(self, name: str) -> str:
        for value in [*self.graph.inputs, *(s.read for s in self.graph.states), *self.env]:
            for axis, dim in enumerate(value.type.shape):
                if isinstance(dim, sympy.Symbol) and dim.name == name:
                    return self.op("Shape", self.env[value], start=axis, end=axis + 1)
        raise InternalError(f"no tensor carries the size {name}")


def _coded(found: Iterable[Grouped]) -> dict[Value, KvStatic]:
    """The scheme of every cache in codes, by its value before and after a call."""
    out: dict[Value, KvStatic] = {}
    for each in found:
        for state, scheme in ((each.keys, each.key_scheme), (each.values, each.value_scheme)):
            if scheme is not None:
                out[state.read] = out[state.written] = scheme
    return out


def _ends(graph: Graph) -> dict[Value, str]:
    """Names that computed values have as outputs or as states after the call."""
    ends: dict[Value, str] = {}
    for name, value in output_names(graph):
        if value.producer is not None and value.type.dtype not in OUTSIDE:
            ends.setdefault(value, name)
    return ends


def output_names(graph: Graph) -> list[tuple[str, Value]]:
    """Outputs, then states, by the names that the model gives them."""
    named = (
        "logits" if graph.states and [v.name for v in graph.inputs] == ["tokens", "past"] else ""
    )
    plain = [
        (named if named and not at else f"output{at}", v) for at, v in enumerate(graph.outputs)
    ]
    return plain + [(f"{PRESENT}{s.name}", s.written) for s in graph.states]


def type_of(value: Value, name: str, kind: int | None = None) -> ValueInfoProto:
    """The declared type of a tensor; without `kind` as it is at the border of the graph."""
    dtype = value.type.dtype
    element = OUTSIDE.get(dtype, element_type(dtype)) if kind is None else kind
    sizes = [d if isinstance(d, int) else format_dim(d) for d in value.type.shape]
    return helper.make_tensor_value_info(name, element, sizes)
