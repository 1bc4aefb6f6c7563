"""ATen to IR: operators that only move elements. See `rules` for what a rule is."""

from optimum_compile.compiler.ir.graph import Value
from optimum_compile.compiler.ir.ops import broadcast
from optimum_compile.compiler.ir.shape import Dim, as_dim, parse_dim
from optimum_compile.passes.canonicalize.call import AtenCall, dim_attr
from optimum_compile.passes.canonicalize.rules import Rule

END = (1 << 63) - 1


def _reshape(c: AtenCall) -> list[Value] | None:
    first = c.node.input(0)
    return [first] if first.type == c.result else [c.emit("reshape", first, shape=c.shaped())]


def _expand(c: AtenCall) -> list[Value] | None:
    first = c.node.input(0)
    return [first] if first.type == c.result else [c.emit("expand", first, shape=c.shaped())]


def _permute(c: AtenCall) -> list[Value] | None:
    x = c.need("self")
    return [c.emit("permute", x, perm=tuple(d % x.type.rank for d in c.integers("dims")))]


def _transpose(c: AtenCall) -> list[Value] | None:
    x = c.need("self")
    a, b = c.axis("dim0", x.type.rank), c.axis("dim1", x.type.rank)
    perm = list(range(x.type.rank))
    perm[a], perm[b] = perm[b], perm[a]
    return [c.emit("permute", x, perm=tuple(perm))]


def _t(c: AtenCall) -> list[Value] | None:
    x = c.need("self")
    return [x] if x.type.rank < 2 else [c.emit("permute", x, perm=(1, 0))]


def _slice(c: AtenCall) -> list[Value] | None:
    x = c.need("self")
    axis = c.axis("dim", x.type.rank, 0)
    size, step = x.type.shape[axis], c.integer("step", 1)
    start, stop = c.dim("start", 0), c.dim("end", END)
    start = _position(size, 0 if start is None else start)
    stop = _position(size, END if stop is None else stop)
    if isinstance(start, int) and isinstance(stop, int):
        stop = max(start, stop)
    whole = parse_dim(str(stop)) == size and start == 0 and step == 1
    return [x] if whole else [c.emit("slice", x, axis=axis, start=start, stop=stop, step=step)]


def _position(size: Dim, at: int | str) -> int | str:
    """Where a bound of a slice lies: counted from the front, and within a known size."""
    if isinstance(at, str):
        return at
    if isinstance(size, int):
        return min(max(at + size if at < 0 else at, 0), size)
    if at == END:
        return dim_attr(size)
    return dim_attr(as_dim(size + at)) if at < 0 else at


def _select(c: AtenCall) -> list[Value] | None:
    x = c.need("self")
    axis = c.axis("dim", x.type.rank)
    at = c.dim("index")
    if at is None:
        return None
    begin = parse_dim(str(at))
    if isinstance(at, int) and at < 0:
        begin = as_dim(x.type.shape[axis] + at)
    stop = as_dim(begin + 1)
    part = c.emit("slice", x, axis=axis, start=dim_attr(begin), stop=dim_attr(stop), step=1)
    return [c.emit("reshape", part, shape=c.shaped())]


def _pieces(c: AtenCall) -> list[Value] | None:
    """split, split_with_sizes, chunk and unbind: slices by the sizes of the outputs."""
    x = c.need("self")
    axis = c.axis("dim", x.type.rank, 0)
    keeps = c.node.outputs[0].type.rank == x.type.rank
    at, out = as_dim(0), []
    for value in c.node.outputs:
        size = value.type.shape[axis] if keeps else 1
        stop = as_dim(at + size)
        part = c.emit("slice", x, axis=axis, start=dim_attr(at), stop=dim_attr(stop), step=1)
        if not keeps:
            part = c.emit("reshape", part, shape=tuple(dim_attr(d) for d in value.type.shape))
        out.append(part)
        at = stop
    return out


def _concat(c: AtenCall) -> list[Value] | None:
    parts = c.tensors("tensors")
    if any(p.type.rank != parts[0].type.rank for p in parts):
        return None
    return [c.emit("concat", *parts, axis=c.axis("dim", parts[0].type.rank, 0))]


def _stack(c: AtenCall) -> list[Value] | None:
    parts = c.tensors("tensors")
    axis = c.axis("dim", parts[0].type.rank + 1, 0)
    shape = [dim_attr(d) for d in parts[0].type.shape]
    shape.insert(axis, 1)
    grown = [c.emit("reshape", p, shape=tuple(shape)) for p in parts]
    return [c.emit("concat", *grown, axis=axis)]


def _gather(c: AtenCall) -> list[Value] | None:
    x = c.need("self")
    return [c.emit("gather", x, c.need("index"), axis=c.axis("dim", x.type.rank))]


def _gather_elements(c: AtenCall) -> list[Value] | None:
    x, ids = c.need("self"), c.need("index")
    axis = c.axis("dim", x.type.rank)
    shape = (*x.type.shape[:axis], ids.type.shape[axis], *x.type.shape[axis + 1 :])
    return [c.emit("gather_elements", x, ids, axis=axis)] if ids.type.shape == shape else None


def _index(c: AtenCall) -> list[Value] | None:
    """x[ids] is a gather on the first axis; x[i, j, ..] stacks the broadcast indices."""
    x, entry = c.need("self"), c.args.get("indices")
    if not isinstance(entry, tuple) or entry[:1] != ("$list",) or None in entry:
        return None
    ids = c.tensors("indices")
    if any(v.type.dtype.value not in ("i64", "i32") for v in ids):
        return None
    if len(ids) == 1:
        return [c.emit("gather", x, ids[0], axis=0)]
    shape: tuple[Dim, ...] = ()
    for value in ids:
        shape = broadcast(shape, value.type.shape)
    full, column = (tuple(dim_attr(d) for d in s) for s in (shape, (*shape, 1)))
    parts = [c.emit("expand", v, shape=full) for v in ids]
    columns = [c.emit("reshape", v, shape=column) for v in parts]
    where = c.emit("concat", *columns, axis=len(shape))
    return [c.emit("gather_nd", x, where)]


LAYOUT: dict[str, Rule] = {
    "view": _reshape,
    "_unsafe_view": _reshape,
    "view_copy": _reshape,
    "reshape": _reshape,
    "flatten": _reshape,
    "unflatten": _reshape,
    "unsqueeze": _reshape,
    "squeeze": _reshape,
    "expand": _expand,
    "expand_copy": _expand,
    "expand_as": _expand,
    "broadcast_to": _expand,
    "permute": _permute,
    "permute_copy": _permute,
    "transpose": _transpose,
    "t": _t,
    "slice": _slice,
    "slice_copy": _slice,
    "select": _select,
    "select_copy": _select,
    "split": _pieces,
    "split_with_sizes": _pieces,
    "chunk": _pieces,
    "unbind": _pieces,
    "cat": _concat,
    "stack": _stack,
    "index_select": _gather,
    "index": _index,
    "gather": _gather_elements,
}
