"""From torch.export's serialised program (its JSON schema, version 8) to the graph IR.

One importer for both worlds: recipes are exported here and serialised in memory, archives bring the
same JSON with them. Nothing of torch reads the JSON, because torch's reader evaluates parts of it.

In-place operators on whole buffers become pure ones; a buffer that is written is a state.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from optimum_compile.compiler.errors import InputError, UnsupportedError
from optimum_compile.compiler.frontend.constraints import (
    read_guards,
    symbol_names,
    symbol_ranges,
)
from optimum_compile.compiler.frontend.program import (
    SCALARS,
    constant,
    functional,
    in_place,
    is_size,
    is_view,
    origin,
    tensors,
)
from optimum_compile.compiler.frontend.symbols import parse_srepr
from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.graph import Attr, Graph, Value
from optimum_compile.compiler.ir.guards import facts_of
from optimum_compile.compiler.ir.shape import Dim, as_dim, format_dim
from optimum_compile.compiler.ir.simplify import Assumptions, simplified
from optimum_compile.compiler.ir.types import TensorType
from optimum_compile.compiler.ir.verify import IMPORTED, verify
from optimum_compile.compiler.ir.weights import WeightRef

SCHEMA_MAJOR = 8
MAX_NODES = 1_000_000
DTYPES = {
    1: DType.U8,
    2: DType.I8,
    3: DType.I16,
    4: DType.I32,
    5: DType.I64,
    6: DType.F16,
    7: DType.F32,
    8: DType.F64,
    12: DType.BOOL,
    13: DType.BF16,
}
# Sizes and checks: `constraints` reads the facts in them.
SKIPPED = ("_assert", "sym_constrain_range", "_assert_scalar", "_assert_tensor_metadata")
OWN = {
    "rope": (("x", "past", "inv_freq"), ("scale",)),
    "kv_write": (("cache", "new", "past"), ("axis",)),
    "cache_attention": (("q", "k", "v", "past"), ("scale", "window")),
    "route": (("logits",), ("top_k", "renormalise")),
}


def import_program(
    program: Mapping[str, Any], weights: Mapping[str, WeightRef], name: str
) -> Graph:
    """The graph of an exported program.

    `weights` maps parameter, buffer and constant names to their bytes. Raises InputError for a
    program that is malformed, UnsupportedError for one that uses what the IR cannot hold.
    """
    version = program.get("schema_version")
    major = version.get("major") if isinstance(version, dict) else None
    if major != SCHEMA_MAJOR:
        raise InputError(
            f"{name}: export schema version {major!r}: expected {SCHEMA_MAJOR}; export the model "
            "again with torch 2.13"
        )
    try:
        graph = _Importer(program, weights, name).build()
    except (KeyError, TypeError, IndexError, AttributeError, ValueError, OverflowError) as error:
        raise InputError(
            f"{name}: the exported program is malformed: {error!r}; export the model again"
        ) from error
    wrong = verify(graph, IMPORTED)
    if wrong:
        raise InputError(
            f"{name}: the exported program is malformed: {wrong[0]}; export the model again"
        )
    return graph


@dataclass
class _Slot:
    """A name of the program: a tensor, or a size."""

    value: Value | None = None
    dim: Dim | None = None


class _Importer:
    def __init__(
        self, program: Mapping[str, Any], weights: Mapping[str, WeightRef], name: str
    ) -> None:
        module = program["graph_module"]
        self.source = module["graph"]
        self.signature = module["signature"]
        self.weights = weights
        self.graph = Graph(name)
        self.env: dict[str, _Slot] = {}
        self.buffers: dict[str, str] = {}  # buffer name -> its name in the program
        self.program = program
        self.known = Assumptions()
        ranges = program.get("range_constraints") or {}
        self.symbols = symbol_names(self.source, self.signature["input_specs"], ranges)
        self.graph.symbols.update(symbol_ranges(name, self.symbols, ranges))

    def build(self) -> Graph:
        if len(self.source["nodes"]) > MAX_NODES:
            raise InputError(f"{self.graph.name}: more than {MAX_NODES} nodes")
        mutated = self._mutated()
        for spec in self.signature["input_specs"]:
            self._input(spec, mutated)
        self._guards()
        for node in self.source["nodes"]:
            self._node(node)
        self._outputs()
        self.graph.prune_weights()
        return self.graph

    # ---- symbols and types

    def _dim(self, size: Mapping[str, Any]) -> Dim:
        if size.get("as_int") is not None:
            value = int(size["as_int"])
            if not 0 <= value < 1 << 40:
                raise InputError(f"{self.graph.name}: a size of {value} is out of range")
            return value
        try:
            dim = parse_srepr(size["as_expr"]["expr_str"], self.symbols)
            return simplified(dim, self.known)
        except InputError as error:
            raise InputError(f"{self.graph.name}: {error}; export the model again") from error

    def _type(self, name: str) -> TensorType:
        meta = self.source["tensor_values"][name]
        dtype = DTYPES.get(meta["dtype"])
        if dtype is None:
            raise UnsupportedError(
                f"{self.graph.name}: tensor {name} has element type {meta['dtype']}"
            )
        return TensorType(dtype, tuple(self._dim(s) for s in meta["sizes"]))

    def _guards(self) -> None:
        sizes = {v.name: v.type.shape for v in self.graph.inputs}
        symbols = self.graph.symbols
        guards = read_guards(self.graph.name, self.program, self.symbols, sizes, symbols)
        if guards is not None:
            self.graph.notes.put(guards)
        self.known = Assumptions(symbols, facts_of(self.graph))

    # ---- inputs and outputs

    def _mutated(self) -> set[str]:
        """Buffers that a call changes, by the signature or by an in-place operator."""
        names = {
            spec["buffer_mutation"]["buffer_name"]
            for spec in self.signature["output_specs"]
            if "buffer_mutation" in spec
        }
        by_value = {
            spec["buffer"]["arg"]["name"]: spec["buffer"]["buffer_name"]
            for spec in self.signature["input_specs"]
            if "buffer" in spec
        }
        for node in self.source["nodes"]:
            if not in_place(node["target"]):
                continue
            first = node["inputs"][0]["arg"].get("as_tensor") if node["inputs"] else None
            if first is not None and first["name"] in by_value:
                names.add(by_value[first["name"]])
            # later mutations go through the result of an earlier one
            if first is not None and first["name"] in by_value:
                for out in node["outputs"]:
                    by_value[out["as_tensor"]["name"]] = by_value[first["name"]]
        return names

    def _input(self, spec: Mapping[str, Any], mutated: set[str]) -> None:
        if "user_input" in spec:
            argument = spec["user_input"]["arg"]
            if "as_tensor" not in argument:
                if "as_none" in argument or "as_int" in argument or "as_bool" in argument:
                    return
                raise UnsupportedError(
                    f"{self.graph.name}: an input is no tensor: {sorted(argument)}"
                )
            name = argument["as_tensor"]["name"]
            self.env[name] = _Slot(self.graph.add_input(name, self._type(name)))
            return
        for kind, key in (
            ("parameter", "parameter_name"),
            ("buffer", "buffer_name"),
            ("tensor_constant", "tensor_constant_name"),
        ):
            if kind not in spec:
                continue
            name, own = spec[kind]["arg"]["name"], spec[kind][key]
            if own in mutated:
                self.env[name] = _Slot(self._state(own, self._type(name)))
                self.buffers[own] = name
                return
            self.env[name] = _Slot(self._weight(own, self._type(name)))
            return
        raise UnsupportedError(
            f"{self.graph.name}: inputs of kind {sorted(spec)} are not supported"
        )

    def _bytes(self, name: str, kind: TensorType) -> WeightRef:
        ref = self.weights.get(name)
        if ref is None:
            raise InputError(f"{self.graph.name}: the archive has no bytes for {name!r}")
        floats = ref.type.dtype.is_float and kind.dtype.is_float
        if ref.type.shape != kind.shape or not (floats or ref.type.dtype is kind.dtype):
            raise InputError(f"{self.graph.name}: {name} is {ref.type}, the program says {kind}")
        return ref

    def _weight(self, name: str, kind: TensorType) -> Value:
        value = self.graph.add_weight(self._bytes(name, kind))
        value.type = kind  # the program's type; the reference keeps how the bytes are stored
        return value

    def _state(self, name: str, kind: TensorType) -> Value:
        if self._bytes(name, kind).load().any():
            raise UnsupportedError(
                f"{self.graph.name}: buffer {name!r} is written by the model and does not start as "
                "zeros, as every state does; make it an input and an output, or start it as zeros"
            )
        return self.graph.add_state(name, kind).read

    def _outputs(self) -> None:
        for spec in self.signature["output_specs"]:
            if "user_output" in spec:
                argument = spec["user_output"]["arg"]
                if "as_tensor" in argument:
                    self.graph.outputs.append(self._tensor(argument["as_tensor"]["name"]))
                elif not (
                    "as_none" in argument or "as_sym_int" in argument or "as_int" in argument
                ):
                    raise UnsupportedError(
                        f"{self.graph.name}: an output is no tensor: {sorted(argument)}"
                    )
            elif "buffer_mutation" in spec:
                entry = spec["buffer_mutation"]
                self.env[self.buffers[entry["buffer_name"]]] = _Slot(
                    self._tensor(entry["arg"]["name"])
                )
            else:
                raise UnsupportedError(
                    f"{self.graph.name}: outputs of kind {sorted(spec)} are not supported"
                )
        for state in self.graph.states:
            state.written = self._tensor(self.buffers[state.name])

    def _tensor(self, name: str) -> Value:
        slot = self.env[name]
        if slot.value is None:
            raise InputError(f"{self.graph.name}: {name} is no tensor")
        return slot.value

    # ---- nodes

    def _node(self, node: Mapping[str, Any]) -> None:
        target = str(node["target"])
        outputs = node["outputs"]
        if target.removeprefix("torch.ops.aten.").startswith(SKIPPED):
            return
        if outputs and all(is_size(o) for o in outputs):
            for out in outputs:
                self._size(out)
            return
        if target.startswith("torch.ops.optimum_compile."):
            self._own(target.split(".")[3], node)
            return
        if not target.startswith("torch.ops.aten."):
            way_out = "; give the Hugging Face folder of a mixture of experts instead"
            raise UnsupportedError(
                f"{self.graph.name}: operator {target} at {origin(node) or 'top level'} is not ATen; "
                "only aten operators and this project's own are read"
                + (way_out if "experts" in origin(node) else "")
            )
        self._aten(target.removeprefix("torch.ops."), node)

    def _size(self, out: Mapping[str, Any]) -> None:
        if "as_sym_int" not in out:
            return
        name = out["as_sym_int"]["as_name"]
        self.env[name] = _Slot(dim=self._dim(self.source["sym_int_values"][name]))

    def _own(self, op: str, node: Mapping[str, Any]) -> None:
        if op not in OWN:
            raise UnsupportedError(f"{self.graph.name}: operator optimum_compile::{op} is unknown")
        given = {entry["name"]: entry["arg"] for entry in node["inputs"]}
        inputs, attrs = OWN[op]
        values = [self._tensor(given[k]["as_tensor"]["name"]) for k in inputs]
        found = {key: constant(given[key], as_float=key == "scale") for key in attrs}
        name = node["outputs"][0]["as_tensor"]["name"]
        made = self.graph.add_node(
            op, values, [self._type(name)], found, origin=origin(node), names=[name]
        )
        self.env[name] = _Slot(made.output)

    def _aten(self, target: str, node: Mapping[str, Any]) -> None:
        writes = in_place(node["target"])
        if writes:
            target = functional(target)
        inputs: list[Value | None] = []
        args: list[Attr] = []
        for entry in node["inputs"]:
            value = self._argument(entry["arg"], inputs)
            if value != ("$device",):
                args.append((str(entry["name"]), value))
        names = [t["name"] for out in node["outputs"] for t in tensors(out, self.graph.name)]
        made = self.graph.add_node(
            "aten",
            inputs,
            [self._type(n) for n in names],
            {"target": target, "args": tuple(args)},
            origin=origin(node),
            names=names,
        )
        for name, made_value in zip(names, made.outputs, strict=True):
            self.env[name] = _Slot(made_value)
        if writes:
            self._rebind(node, made.outputs[0])

    def _rebind(self, node: Mapping[str, Any], new: Value) -> None:
        """After an in-place operator, every name of the old value means the new one."""
        old = self._tensor(node["inputs"][0]["arg"]["as_tensor"]["name"])
        views = [u for u in old.users if is_view(u.attrs.get("target"))]
        if views or is_view(old.producer.attrs.get("target") if old.producer else None):
            raise UnsupportedError(
                f"{self.graph.name}: {node['target']} at {origin(node) or 'top level'} writes through a "
                "view; run `ep = ep.run_decompositions({})` before torch.export.save"
            )
        for name, slot in self.env.items():
            if slot.value is old:
                self.env[name] = _Slot(new)

    def _argument(self, arg: Mapping[str, Any], inputs: list[Value | None]) -> Attr:
        ((kind, data),) = arg.items()
        if kind in SCALARS:
            return SCALARS[kind](data)
        if kind.removesuffix("s") in SCALARS:
            return tuple(SCALARS[kind.removesuffix("s")](item) for item in data)
        if kind == "as_none":
            return None
        if kind == "as_tensor":
            return self._tensor_argument(data, inputs)
        if kind in ("as_tensors", "as_optional_tensors"):
            listed: list[Attr] = ["$list"]
            for item in data:
                item = item.get("as_tensor", item) if "as_none" not in item else None
                entry = None if item is None else self._tensor_argument(item, inputs)
                listed.append(entry[1] if isinstance(entry, tuple) else None)
            return tuple(listed)
        if kind == "as_optional_tensor":
            return None if "as_none" in data else self._tensor_argument(data["as_tensor"], inputs)
        if kind == "as_sym_int":
            return self._size_argument(data)
        if kind == "as_sym_ints":
            return tuple(self._size_argument(item) for item in data)
        if kind == "as_scalar_type":
            if data not in DTYPES:
                raise UnsupportedError(f"{self.graph.name}: element type {data} is not supported")
            return ("$dtype", DTYPES[data].value)
        if kind in ("as_device", "as_layout", "as_memory_format"):
            return ("$device",)
        raise UnsupportedError(f"{self.graph.name}: an argument of kind {kind} is not supported")

    def _tensor_argument(
        self, data: Mapping[str, Any], inputs: list[Value | None]
    ) -> tuple[Attr, ...]:
        inputs.append(self._tensor(data["name"]))
        return ("$", len(inputs) - 1)

    def _size_argument(self, data: Mapping[str, Any]) -> Attr:
        if data.get("as_int") is not None:
            return int(data["as_int"])
        dim = self.env[data["as_name"]].dim
        if dim is None:
            raise InputError(f"{self.graph.name}: {data['as_name']} is no size")
        dim = as_dim(dim)
        return dim if isinstance(dim, int) else ("$dim", format_dim(dim))
