"""Which kernels a graph needs: a matrix-vector product for every linear, and its MLPs as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass

from optimum_compile.backends.tvm.kernels import ACTIVATIONS, Kernel, MatVec, Mlp
from optimum_compile.backends.tvm.matrices import Matrix, find_units
from optimum_compile.compiler.errors import UnsupportedError
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.ir.ops import is_matrix_input
from optimum_compile.compiler.quant.scheme import Scheme


@dataclass(frozen=True)
class Chain:
    """An MLP: down(activation(gate(x)) * up(x)), where nobody else reads what lies between."""

    gate: Node
    up: Node
    down: Node
    between: tuple[Node, Node]  # the activation and the product
    kernel: Mlp

    @property
    def linears(self) -> tuple[Node, Node, Node]:
        """Gate, up and down."""
        return self.gate, self.up, self.down


@dataclass(frozen=True)
class KernelPlan:
    """linears: every linear whose weight is stored. chains: by the linear that comes last."""

    linears: dict[Node, MatVec]
    chains: dict[Node, Chain]

    @property
    def kernels(self) -> tuple[Kernel, ...]:
        """Each once, in the order of their names."""
        found: set[Kernel] = {*self.linears.values(), *(c.kernel for c in self.chains.values())}
        return tuple(sorted(found, key=lambda kernel: kernel.name))

    def uses(self, kernel: Kernel) -> list[tuple[Node, ...]]:
        """The linears that a kernel computes, each time that it is called."""
        if isinstance(kernel, MatVec):
            return [(node,) for node, found in self.linears.items() if found == kernel]
        return [c.linears for c in self.chains.values() if c.kernel == kernel]


def is_stored(value: Value | None) -> bool:
    """Whether a value is a matrix that the artifact packs."""
    if value is None or value.weight is None or value.type.rank != 2:
        return False
    if not value.type.dtype.is_float:
        return False
    return any(is_matrix_input(node.op, index) for node, index in value.uses)


def plan_kernels(graph: Graph, schemes: Mapping[str, Scheme]) -> KernelPlan:
    """The kernels of a graph whose stored matrices have these schemes, by name of the weight.

    Raises UnsupportedError for a matrix that kernels cannot read.
    """
    linears: dict[Node, MatVec] = {}
    for node in graph.nodes:
        if node.op != "linear" or not is_stored(node.input(1)):
            continue
        rows, columns = node.input(1).type.static_shape()
        name = weight_name(node)
        reason = find_units(schemes[name], rows, columns)
        if isinstance(reason, str):
            raise UnsupportedError(f"tvm: {name}: {reason}")
        bias = len(node.inputs) > 2 and node.inputs[2] is not None
        linears[node] = MatVec(Matrix(rows, columns, schemes[name], bias))
    chains = (_chain(graph, node, linears) for node in graph.nodes if node.op == "mul")
    return KernelPlan(linears, {c.down: c for c in chains if c is not None})


def weight_name(node: Node) -> str:
    """Name of the weight of a linear or an embedding."""
    ref = node.input(1).weight
    return "" if ref is None else ref.name


def _chain(graph: Graph, product: Node, linears: Mapping[Node, MatVec]) -> Chain | None:
    down = _only_reader(graph, product.output)
    if down is None or down not in linears or down.input(0) is not product.output:
        return None
    for first, second in ((0, 1), (1, 0)):
        activation, up = product.input(first).producer, product.input(second).producer
        name = "" if activation is None else _activation(activation)
        if activation is None or up is None or not name:
            continue
        gate = activation.input(0).producer
        if gate is None or gate not in linears or up not in linears:
            continue
        inner = (activation.output, gate.output, up.output)
        alone = all(_only_reader(graph, value) is not None for value in inner)
        if alone and gate.input(0) is up.input(0):
            kernel = Mlp(linears[gate].matrix, linears[up].matrix, linears[down].matrix, name)
            return Chain(gate, up, down, (activation, product), kernel)
    return None


def _activation(node: Node) -> str:
    """Its name among the kernels' activations, or nothing."""
    name = node.op
    if name == "gelu" and node.attrs.get("approximate") == "tanh":
        name = "gelu_tanh"
    return name if name in ACTIVATIONS else ""


def _only_reader(graph: Graph, value: Value) -> Node | None:
    kept = any(v is value for v in graph.outputs) or any(s.written is value for s in graph.states)
    return value.uses[0][0] if len(value.uses) == 1 and not kept else None
