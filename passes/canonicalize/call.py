"""Read access to an `aten` node, and a small builder for what replaces it."""

from dataclasses import dataclass, field

from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.graph import Attr, Graph, Node, Value
from optimum_compile.compiler.ir.ops import infer_types
from optimum_compile.compiler.ir.shape import Dim, format_dim
from optimum_compile.compiler.ir.types import TensorType


@dataclass(frozen=True)
class AtenCall:
    """One `aten` node: its arguments by schema name, and what was made to replace it."""

    graph: Graph
    node: Node
    made: list[Node] = field(default_factory=list)

    @property
    def args(self) -> dict[str, Attr]:
        """Arguments that were given, by schema name."""
        found = self.node.attrs["args"]
        pairs = found if isinstance(found, tuple) else ()
        return {str(p[0]): p[1] for p in pairs if isinstance(p, tuple)}

    def tensor(self, name: str) -> Value | None:
        """A tensor argument, or None where it is absent."""
        entry = self.args.get(name)
        if (
            isinstance(entry, tuple)
            and len(entry) == 2
            and entry[0] == "$"
            and isinstance(entry[1], int)
        ):
            return self.node.input(entry[1])
        return None

    def need(self, name: str) -> Value:
        """A tensor argument that must be there. Raises KeyError."""
        value = self.tensor(name)
        if value is None:
            raise KeyError(name)
        return value

    def tensors(self, name: str) -> list[Value]:
        """A list of tensors. Raises KeyError where it is none."""
        entry = self.args.get(name)
        if not isinstance(entry, tuple) or not entry or entry[0] != "$list":
            raise KeyError(name)
        return [self.node.input(i) for i in entry[1:] if isinstance(i, int)]

    def number(self, name: str, default: float | None = None) -> float:
        """A plain number. Raises KeyError where it is absent or symbolic."""
        value = self.args.get(name, default)
        if not isinstance(value, (int, float)):
            raise KeyError(name)
        return value

    def integer(self, name: str, default: int | None = None) -> int:
        """A plain integer. Raises KeyError where it is absent or symbolic."""
        value = self.args.get(name, default)
        if not isinstance(value, int):
            raise KeyError(name)
        return int(value)

    def integers(self, name: str) -> tuple[int, ...]:
        """A list of plain integers. Raises KeyError where it is none."""
        value = self.args.get(name)
        if not isinstance(value, tuple):
            raise KeyError(name)
        out = []
        for item in value:
            if not isinstance(item, int):
                raise KeyError(name)
            out.append(item)
        return tuple(out)

    def dim(self, name: str, default: int | None = None) -> int | str | None:
        """An integer, or a symbolic size as text."""
        value = self.args.get(name, default)
        if isinstance(value, tuple) and len(value) == 2 and value[0] == "$dim":
            return str(value[1])
        if value is None or isinstance(value, int):
            return value
        raise KeyError(name)

    def axis(self, name: str, rank: int, default: int | None = None) -> int:
        """An axis, counted from the front."""
        value = self.integer(name, default)
        return value + rank if value < 0 else value

    @property
    def result(self) -> TensorType:
        """Type of the first output, as torch inferred it."""
        return self.node.outputs[0].type

    def emit(self, op: str, *inputs: Value | None, **attrs: Attr) -> Value:
        """A node of the IR just before this one; its type is inferred."""
        kinds = [v.type if v is not None else None for v in inputs]
        types = infer_types(op, kinds, attrs)
        kind = types[0] if types else self.result
        made = self.graph.add_node(
            op,
            inputs,
            [kind],
            attrs,
            origin=self.node.origin,
            names=[self.node.outputs[0].name],
            before=self.node,
        )
        self.made.append(made)
        return made.output

    def constant(self, value: float, dtype: DType) -> Value:
        """A scalar of an element type."""
        return self.emit("full", shape=(), value=float(value), dtype=dtype.value)

    def shaped(self) -> tuple[int | str, ...]:
        """The result's shape as an attribute."""
        return tuple(dim_attr(d) for d in self.result.shape)


def dim_attr(dim: Dim) -> int | str:
    """A dimension as an attribute holds it."""
    return dim if isinstance(dim, int) else format_dim(dim)
