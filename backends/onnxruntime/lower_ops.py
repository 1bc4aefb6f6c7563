"""What each IR op becomes in ONNX. See `lower` for names and sizes, `lower_matrices` for matrices."""

from collections.abc import Callable, Sequence

import numpy as np
from onnx import helper

from optimum_compile.backends.onnxruntime.lower import (
    BOOL,
    FLOAT,
    INT,
    OUTSIDE,
    Lowering,
    element_type,
)
from optimum_compile.backends.onnxruntime.lower_attention import (
    attention,
    axis_of,
    cache_attention,
    index_copy,
    kind_of,
    kv_write,
    make_range,
    number,
    optional,
    rope,
    x_of,
)
from optimum_compile.backends.onnxruntime.lower_matrices import embedding, linear
from optimum_compile.backends.onnxruntime.schemes import hadamard_factors
from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.graph import Node, Value
from optimum_compile.compiler.ir.ops import dim_attr, dims, ints

# Returns the name of the output tensor.
Kernel = Callable[[Lowering, Node], str]


def _embedding(low: Lowering, node: Node) -> str:
    return embedding(low, x_of(low, node), node.input(1))


def _linear(low: Lowering, node: Node) -> str:
    out, bias = linear(low, x_of(low, node), node.input(1)), optional(low, node, 2)
    return out if bias is None else low.op("Add", out, bias)


def _rms_norm(low: Lowering, node: Node) -> str:
    x, weight = x_of(low, node), optional(low, node, 1)
    mean = low.op("ReduceMean", low.op("Pow", x, low.scalar(2.0)), low.ints(-1), keepdims=1)
    root = low.op("Sqrt", low.op("Add", mean, low.scalar(number(node, "eps"))))
    out = low.op("Div", x, root)
    return out if weight is None else low.op("Mul", out, weight)


def _layer_norm(low: Lowering, node: Node) -> str:
    weight, bias = optional(low, node, 1), optional(low, node, 2)
    if weight is None:
        one = helper.make_tensor("", FLOAT, [1], [1.0])
        weight = low.op("ConstantOfShape", low.shape(node.input(0).type.shape[-1:]), value=one)
    given = (x_of(low, node), weight) if bias is None else (x_of(low, node), weight, bias)
    return low.op("LayerNormalization", *given, axis=-1, epsilon=number(node, "eps"))


def _hadamard(low: Lowering, node: Node) -> str:
    """H of n = left * right is the Kronecker product of two small ones: two products."""
    left, right = hadamard_factors(int(str(node.attrs["block"])))
    x = low.op("Reshape", x_of(low, node), low.ints(-1, left, right))
    x = low.op("MatMul", _walsh(low, left), low.op("MatMul", x, _walsh(low, right)))
    return low.op("Reshape", x, low.shape(node.input(0).type.shape))


def _route(low: Lowering, node: Node) -> str:
    """An expert is chosen where fewer than top_k are ahead of it: greater, or equal and earlier."""
    x, experts = x_of(low, node), int(node.input(0).type.shape[-1])
    if ("earlier", experts) not in low.memo:
        each = make_range(low, 0, experts)
        low.memo["earlier", experts] = low.op("Less", each, low.op("Unsqueeze", each, low.ints(1)))
    mine, other = (low.op("Unsqueeze", x, low.ints(axis)) for axis in (-1, -2))
    tied = low.op("And", low.op("Equal", other, mine), low.memo["earlier", experts])
    ahead = low.op("Cast", low.op("Or", low.op("Greater", other, mine), tied), to=FLOAT)
    count = low.op("ReduceSum", ahead, low.ints(-1), keepdims=0)
    chosen = low.op("Cast", low.op("Less", count, low.scalar(number(node, "top_k"))), to=FLOAT)
    gates = low.op("Mul", low.op("Softmax", x, axis=-1), chosen)
    if not node.attrs["renormalise"]:
        return gates
    return low.op("Div", gates, low.op("ReduceSum", gates, low.ints(-1), keepdims=1))


def _walsh(low: Lowering, size: int) -> str:
    """H / sqrt(size) of size x size."""
    if ("walsh", size) not in low.memo:
        matrix: np.ndarray = np.ones((1, 1))
        while len(matrix) < size:
            matrix = np.kron(matrix, [[1, 1], [1, -1]])
        scaled = (matrix / np.sqrt(size)).astype(np.float32)
        low.memo["walsh", size] = low.initializer(f"hadamard/{size}", scaled, FLOAT, (size, size))
    return low.memo["walsh", size]


def _unary(function: str) -> Kernel:
    return lambda low, node: low.op(function, x_of(low, node))


def _same_kind(low: Lowering, node: Node) -> tuple[str, str, int]:
    """Both inputs in one element type: ONNX promotes nothing."""
    kinds = [kind_of(node.input(at)) for at in (0, 1)]
    kind = next((k for k in (FLOAT, INT) if k in kinds), BOOL)
    names = [x_of(low, node, at) for at in (0, 1)]
    a, b = (
        n if k == kind else low.op("Cast", n, to=kind) for n, k in zip(names, kinds, strict=True)
    )
    return a, b, kind


def _binary(function: str) -> Kernel:
    def build(low: Lowering, node: Node) -> str:
        a, b, kind = _same_kind(low, node)
        out, declared = low.op(function, a, b), kind_of(node.output)
        return out if kind == declared else low.op("Cast", out, to=declared)

    return build


def _compare(function: str, *, negated: bool = False) -> Kernel:
    def build(low: Lowering, node: Node) -> str:
        a, b, _ = _same_kind(low, node)
        out = low.op(function, a, b)
        return low.op("Not", out) if negated else out

    return build


def _logical(function: str) -> Kernel:
    return lambda low, node: low.op(function, *(_truth(low, node, at) for at in (0, 1)))


def _truth(low: Lowering, node: Node, index: int) -> str:
    name = x_of(low, node, index)
    return name if kind_of(node.input(index)) == BOOL else low.op("Cast", name, to=BOOL)


def _div(low: Lowering, node: Node) -> str:
    a, b, kind = _same_kind(low, node)
    out, declared = (
        low.op("Div", a, b) if kind == FLOAT else low.floor_div(a, b),
        kind_of(node.output),
    )
    return out if kind == declared else low.op("Cast", out, to=declared)


def _where(low: Lowering, node: Node) -> str:
    wanted, names = kind_of(node.output), []
    for at in (1, 2):
        name = x_of(low, node, at)
        same = kind_of(node.input(at)) == wanted
        names.append(name if same else low.op("Cast", name, to=wanted))
    return low.op("Where", _truth(low, node, 0), *names)


def _cast(low: Lowering, node: Node) -> str:
    wanted = element_type(DType(str(node.attrs["dtype"])))
    name = x_of(low, node)
    return name if kind_of(node.input(0)) == wanted else low.op("Cast", name, to=wanted)


def _reduce(function: str) -> Kernel:
    def build(low: Lowering, node: Node) -> str:
        axes = low.ints(*ints(node.attrs["axes"]))
        return low.op(function, x_of(low, node), axes, keepdims=int(bool(node.attrs["keepdims"])))

    return build


def _reshape(low: Lowering, node: Node) -> str:
    shape = dims(node.attrs["shape"])
    unknown = [d for d in shape if not isinstance(d, int)]
    if len(unknown) == 1 and 0 not in shape:
        return low.op(
            "Reshape", x_of(low, node), low.ints(*(d if isinstance(d, int) else -1 for d in shape))
        )
    return low.op("Reshape", x_of(low, node), low.shape(shape), allowzero=1)


def _slice(low: Lowering, node: Node) -> str:
    start, stop = (low.size(dim_attr(node.attrs[key])) for key in ("start", "stop"))
    step = low.ints(int(str(node.attrs["step"])))
    return low.op("Slice", x_of(low, node), start, stop, low.ints(axis_of(node)), step)


def _arange(low: Lowering, node: Node) -> str:
    start, stop = (dim_attr(node.attrs[key]) for key in ("start", "stop"))
    out, kind = make_range(low, start, stop), element_type(DType(str(node.attrs["dtype"])))
    return out if kind == INT else low.op("Cast", out, to=kind)


def _full(low: Lowering, node: Node) -> str:
    kind = element_type(DType(str(node.attrs["dtype"])))
    given = node.attrs["value"]
    if not isinstance(given, bool | int | float):
        raise InternalError(f"full at {node.origin}: value={given!r} is no number")
    value = helper.make_tensor("", kind, [1], [float(given) if kind == FLOAT else int(given)])
    return low.op("ConstantOfShape", low.shape(dims(node.attrs["shape"])), value=value)


def _gathering(function: str) -> Kernel:
    def build(low: Lowering, node: Node) -> str:
        x, ids = x_of(low, node), x_of(low, node, 1)
        if "axis" not in node.attrs:
            return low.op(function, x, ids)
        return low.op(function, x, ids, axis=axis_of(node))

    return build


KERNELS: dict[str, Kernel] = {
    "embedding": _embedding,
    "linear": _linear,
    "rms_norm": _rms_norm,
    "layer_norm": _layer_norm,
    "hadamard": _hadamard,
    "route": _route,
    "rope": rope,
    "kv_write": kv_write,
    "cache_attention": cache_attention,
    "attention": attention,
    "silu": lambda low, node: low.op("Mul", x_of(low, node), low.op("Sigmoid", x_of(low, node))),
    **{
        name: _unary(name.capitalize())
        for name in "relu tanh sigmoid exp log sqrt neg abs cos sin erf reciprocal floor".split()
    },
    "rsqrt": lambda low, node: low.op("Reciprocal", low.op("Sqrt", x_of(low, node))),
    "gelu": lambda low, node: low.op(
        "Gelu", x_of(low, node), approximate=str(node.attrs["approximate"])
    ),
    "softmax": lambda low, node: low.op("Softmax", x_of(low, node), axis=axis_of(node)),
    "add": _binary("Add"),
    "sub": _binary("Sub"),
    "mul": _binary("Mul"),
    "div": _div,
    "pow": _binary("Pow"),
    "maximum": _binary("Max"),
    "minimum": _binary("Min"),
    "matmul": _binary("MatMul"),
    "eq": _compare("Equal"),
    "ne": _compare("Equal", negated=True),
    "lt": _compare("Less"),
    "le": _compare("LessOrEqual"),
    "gt": _compare("Greater"),
    "ge": _compare("GreaterOrEqual"),
    "logical_and": _logical("And"),
    "logical_or": _logical("Or"),
    "logical_not": lambda low, node: low.op("Not", _truth(low, node, 0)),
    "where": _where,
    "cast": _cast,
    "mean": _reduce("ReduceMean"),
    "sum": _reduce("ReduceSum"),
    "max": _reduce("ReduceMax"),
    "reshape": _reshape,
    "permute": lambda low, node: low.op(
        "Transpose", x_of(low, node), perm=list(ints(node.attrs["perm"]))
    ),
    "expand": lambda low, node: low.op(
        "Expand", x_of(low, node), low.shape(dims(node.attrs["shape"]))
    ),
    "slice": _slice,
    "concat": lambda low, node: low.op(
        "Concat", *(x_of(low, node, at) for at in range(len(node.inputs))), axis=axis_of(node)
    ),
    "gather": _gathering("Gather"),
    "gather_elements": _gathering("GatherElements"),
    "gather_nd": _gathering("GatherND"),
    "index_copy": index_copy,
    "arange": _arange,
    "full": _full,
}


def lower_nodes(low: Lowering) -> None:
    """Build every node in order."""
    for node in low.graph.nodes:
        if node.op not in KERNELS:
            raise InternalError(f"{node.op} at {node.origin} has no form in ONNX")
        if node in low.held:  # the attention writes this cache
            continue
        low.enter(node)
        low.bind(node.output, KERNELS[node.op](low, node))


def finish(low: Lowering, outputs: Sequence[tuple[str, Value]]) -> None:
    """Give what leaves the graph its name and its type there."""
    for name, value in outputs:
        if low.ends.get(value) == name and low.env.get(value) == name:
            continue
        kind = OUTSIDE.get(value.type.dtype)
        if kind is None:
            low.op("Identity", low.var(value))
        else:
            low.op("Cast", low.var(value), to=kind)
        low.nodes[-1].output[0] = name
