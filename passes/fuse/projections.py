"""Pass: linears of one input become one, or run together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from optimum_compile.compiler.ir.graph import Attr, Graph, Node, Value
from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.ir.types import TensorType
from optimum_compile.compiler.pass_manager import PassContext, PassResult
from optimum_compile.compiler.quant.concat import NotJoinable, concat_rows
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.compiler.quant.store import write_packed
from optimum_compile.passes.fuse.joined import join
from optimum_compile.passes.precision.notes import Precision, Quantized
from optimum_compile.passes.stages.notes import InStage

PROJECTION = "_proj"


@dataclass(frozen=True)
class FuseProjections:
    """Compute the linears of one module that read one value at once: the input is read once.

    Where they agree in scheme and stage, their weights become one, whose rows are theirs, bit for bit:

    Before:  %q = linear(%x, @attn.q_proj.weight) : f32[1, seq, 64] from "attn.q_proj"
             %k = linear(%x, @attn.k_proj.weight) : f32[1, seq, 32] from "attn.k_proj"
    After:   %qk_proj = linear(%x, @attn.qk_proj.weight) : f32[1, seq, 96] from "attn.qk_proj"
             %q_proj = slice(%qk_proj) {axis = 2, start = 0, step = 1, stop = 64}
             %k_proj = slice(%qk_proj) {axis = 2, start = 64, step = 1, stop = 96}

    Where they do not, the weights stay apart:

    After:   %q_proj, %k_proj = linears(%x, @attn.q_proj.weight, _, @attn.k_proj.weight, _)

    Query, key and value of attention, and gate and up of a feed-forward or of an expert, are found by
    what they read and the module that they belong to, not by name. A router is left alone, and so are
    linears whose inputs are rounded in different ways.
    """

    name: ClassVar[str] = "fuse-projections"
    needs: ClassVar[tuple[type[Note], ...]] = ()
    writes: ClassVar[tuple[type[Note], ...]] = ()

    def run(self, graph: Graph, ctx: PassContext) -> PassResult:
        """See the class."""
        groups = _groups(graph)
        remarks: list[str] = []
        changed = False
        for at, group in enumerate(groups):
            ctx.progress("fuse projections", at, len(groups))
            if len({_act_bits(node) for node in group}) > 1:
                remarks.append(f"{_where(group)}: not fused: their inputs have different bits")
                continue
            reason = _apart(group)
            try:
                joined = None if reason else _join_weights(graph, group)
            except NotJoinable as refused:
                joined, reason = None, str(refused)
            if joined is None:
                remarks.append(f"{_where(group)}: computed together, weights apart: {reason}")
                _together(graph, group)
            else:
                _as_one(graph, group, *joined)
            changed = True
        graph.prune_weights()
        return PassResult(changed, tuple(remarks))


def fused_origin(origins: Sequence[str]) -> str:
    """The path of what linears become: that of their module, and a name made of theirs.

    q_proj, k_proj, v_proj: qkv_proj. gate_proj, up_proj: gate_up_proj. w1, w3: w1_w3.
    """
    names = [origin.rpartition(".")[2] for origin in origins]
    tail = PROJECTION if all(n.endswith(PROJECTION) and n != PROJECTION for n in names) else ""
    heads = [name.removesuffix(tail) for name in names]
    joint = "" if all(len(head) == 1 for head in heads) else "_"
    parent = _module(origins[0])
    return f"{parent}." * bool(parent) + joint.join(heads) + tail


def _groups(graph: Graph) -> list[list[Node]]:
    """Linears that read one value in one module, in order; two at least in each."""
    found: dict[tuple[Value, str], list[Node]] = {}
    for node in graph.nodes:
        if node.op == "linear" and _is_plain(graph, node):
            found.setdefault((node.input(0), _module(node.origin)), []).append(node)
    groups = []
    for group in found.values():
        distinct = len({node.input(1) for node in group}) == len(group)
        if len(group) > 1 and distinct:
            groups.append(group)
    return groups


def _is_plain(graph: Graph, node: Node) -> bool:
    """Weights of its own name, and no router, which wants its few rows in floats and by itself."""
    parameters = [v for v in node.inputs[1:] if v is not None]
    routes = [user.op == "route" for user in node.output.users]
    return all(v.weight is not None for v in parameters) and not (routes and all(routes))


def _module(origin: str) -> str:
    return origin.rpartition(".")[0]


def _where(group: Sequence[Node]) -> str:
    return ", ".join(node.origin or node.output.name for node in group)


def _bias(node: Node) -> Value | None:
    return node.inputs[2] if len(node.inputs) > 2 else None


def _act_bits(node: Node) -> int | None:
    note = node.input(1).notes.get(Precision)
    return None if note is None else note.act_bits


def _stage(node: Node) -> int | None:
    note = node.notes.get(InStage)
    return None if note is None else note.index


def _apart(group: Sequence[Node]) -> str:
    """Why the weights of a group stay apart although they read one input; "" where they need not."""
    weights = [node.input(1) for node in group]
    if len({_stage(node) for node in group}) > 1:
        return "they lie in different stages"
    if len({_bias(node) is None for node in group}) > 1:
        return "some have a bias and some have none"
    shared = [v for node in group for v in (node.input(1), _bias(node)) if v and len(v.uses) > 1]
    if shared:
        return f"{shared[0].name} is read elsewhere too"
    if len({(str(v.type.dtype), v.type.shape[1]) for v in weights}) > 1:
        return "their types differ"
    schemes = [_scheme(v) for v in weights]
    if len(set(schemes)) > 1:
        return f"their schemes differ ({', '.join(schemes)})"
    unpacked = [v for v in weights if v.notes.get(Quantized) is None]
    assigned = [v.notes.get(Precision) for v in unpacked]
    if any(note is not None and not isinstance(note.scheme, Float) for note in assigned):
        return f"{unpacked[0].name} is not packed yet"
    return "some are packed and some are not" if 0 < len(unpacked) < len(weights) else ""


def _scheme(value: Value) -> str:
    packed, assigned = value.notes.get(Quantized), value.notes.get(Precision)
    if packed is not None:
        return str(packed.scheme)
    return "float" if assigned is None else str(assigned.scheme)


def _join_weights(graph: Graph, group: Sequence[Node]) -> tuple[Value, Value | None]:
    """The one weight, and the one bias. Raises NotJoinable before anything has changed."""
    weights = [node.input(1) for node in group]
    notes = _joined_notes(weights)
    origin = fused_origin([node.origin for node in group])
    weight = _joined(graph, f"{origin}.weight", weights)
    for note in notes:
        weight.notes.put(note)
    biases = [bias for node in group if (bias := _bias(node)) is not None]
    bias = _joined(graph, f"{origin}.bias", biases) if biases else None
    if bias is not None:
        for note in biases[0].notes:
            bias.notes.put(note)
    return weight, bias


def _joined_notes(weights: Sequence[Value]) -> list[Note]:
    notes: list[Note] = []
    assigned = [note for v in weights if (note := v.notes.get(Precision)) is not None]
    if assigned:
        reasons = "; ".join(dict.fromkeys(note.reason for note in assigned if note.reason))
        notes.append(Precision(assigned[0].scheme, assigned[0].act_bits, reasons))
    packed = [form for v in weights if (form := v.notes.get(Quantized)) is not None]
    if packed:
        whole = concat_rows([form.load() for form in packed])
        store = packed[0].store
        notes.append(Quantized(whole.scheme, write_packed(store, whole), store))
    return notes


def _joined(graph: Graph, wanted: str, parts: Sequence[Value]) -> Value:
    name, number = wanted, 0
    while name in graph.weights:
        number += 1
        name = f"{wanted}_{number}"
    ref = join(name, [v.weight for v in parts if v.weight is not None])
    value = graph.add_weight(ref)
    value.type = TensorType(parts[0].type.dtype, ref.type.shape)
    return value


def _as_one(graph: Graph, group: Sequence[Node], weight: Value, bias: Value | None) -> None:
    first = group[0]
    kind, x = first.output.type, first.input(0)
    origin = fused_origin([node.origin for node in group])
    rows = weight.type.static_shape()[0]
    made = graph.add_node(
        "linear",
        [x, weight, bias],
        [TensorType(kind.dtype, (*kind.shape[:-1], rows))],
        origin=origin,
        names=[origin.rpartition(".")[2] or "linear"],
        before=first,
    )
    made.notes.copy_from(first.notes)
    parts: list[Value] = []
    start = 0
    for node in group:
        stop = start + node.input(1).type.static_shape()[0]
        attrs: dict[str, Attr] = {"axis": kind.rank - 1, "start": start, "stop": stop, "step": 1}
        part = graph.add_node(
            "slice",
            [made.output],
            [node.output.type],
            attrs,
            origin=node.origin,
            names=[_name(node)],
            before=first,
        )
        part.notes.copy_from(first.notes)
        parts.append(part.output)
        start = stop
    _replace(graph, group, parts)


def _together(graph: Graph, group: Sequence[Node]) -> None:
    first = group[0]
    pairs = [value for node in group for value in (node.input(1), _bias(node))]
    made = graph.add_node(
        "linears",
        [first.input(0), *pairs],
        [node.output.type for node in group],
        origin=fused_origin([node.origin for node in group]),
        names=[_name(node) for node in group],
        before=first,
    )
    made.notes.copy_from(first.notes)
    _replace(graph, group, made.outputs)


def _replace(graph: Graph, group: Sequence[Node], outputs: Sequence[Value]) -> None:
    for node, output in zip(group, outputs, strict=True):
        output.notes.copy_from(node.output.notes)
        graph.replace_uses(node.output, output)
        graph.remove(node)


def _name(node: Node) -> str:
    return node.origin.rpartition(".")[2] or node.output.name
