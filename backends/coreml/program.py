"""Read the functions of a saved package into plain data: ops, variables, constants held once.

coremltools reads one function at a time and its objects are let go, because it holds a copy of every
weight for each function: a model of a billion weights would take five times its size.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from optimum_compile.backends.coreml.toolchain import load, quiet
from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.memory import release_memory


@dataclass(frozen=True)
class Var:
    """A variable: name, type ("fp16", "int32", ...), shape, and what a constant holds."""

    name: str
    kind: str
    shape: tuple[int, ...]
    value: Any = field(default=None, compare=False)


@dataclass(frozen=True)
class Op:
    """An operation. An input is one variable or a list of them; absent ones are left out."""

    op_type: str
    name: str
    inputs: dict[str, Var | list[Var]]
    outputs: tuple[Var, ...]

    def given(self, name: str) -> Var | None:
        """The input `name`, where it is one variable."""
        found = self.inputs.get(name)
        return found if isinstance(found, Var) else None


@dataclass(frozen=True)
class Function:
    """A function: plain inputs and states by name, operations in order, outputs."""

    inputs: dict[str, Var]
    states: dict[str, Var]
    operations: tuple[Op, ...]
    outputs: tuple[Var, ...]

    def makers(self) -> dict[str, Op]:
        """The op that makes each variable."""
        return {var.name: op for op in self.operations for var in op.outputs}


def read_functions(path: Path) -> dict[str, Function]:
    """Every function of the package `path`. Raises InputError for one that cannot be read."""
    ct = load()
    pool: dict[tuple[str, tuple[int, ...], bytes], np.ndarray] = {}
    out: dict[str, Function] = {}
    with quiet():
        from coremltools.converters.mil.frontend.milproto import load as milproto
        from coremltools.proto import Model_pb2

        try:
            model = ct.models.MLModel(str(path), skip_model_load=True)
            spec = model.get_spec()
            for name in spec.mlProgram.functions:
                single = Model_pb2.Model()
                single.CopyFrom(spec)
                for other in set(spec.mlProgram.functions) - {name}:
                    del single.mlProgram.functions[other]
                program = milproto.load(single, spec.specificationVersion, model.weights_dir)
                out[name] = _function(program.functions[name], pool)
                del program
                release_memory()
        except Exception as error:
            raise InputError(f"{path}: the package cannot be read: {error!r}") from error
    return out


def _function(body: Any, pool: dict[Any, np.ndarray]) -> Function:
    known: dict[str, Var] = {}

    def var(source: Any) -> Var:
        if source.name not in known:
            known[source.name] = _var(source, pool)
        return known[source.name]

    operations = []
    for op in body.operations:
        inputs: dict[str, Var | list[Var]] = {}
        for name, given in op.inputs.items():
            if isinstance(given, (list, tuple)):
                inputs[name] = [var(v) for v in given]
            elif given is not None:
                inputs[name] = var(given)
        outputs = tuple(var(v) for v in op.outputs)
        operations.append(Op(op.op_type, op.name, inputs, outputs))
    every = {name: var(v) for name, v in body.inputs.items()}
    return Function(
        {n: v for n, v in every.items() if v.kind != "state"},
        {n: v for n, v in every.items() if v.kind == "state"},
        tuple(operations),
        tuple(var(v) for v in body.outputs),
    )


def _var(source: Any, pool: dict[Any, np.ndarray]) -> Var:
    is_state = hasattr(source.sym_type, "wrapped_type")
    shape = source.sym_type.wrapped_type().get_shape() if is_state else source.shape
    kind = "state" if is_state else getattr(source.dtype, "__name__", "")
    is_constant = source.op is not None and source.op.op_type == "const"
    value = source.val if is_constant else None
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        value = _pooled(value, pool)
    return Var(source.name, kind, tuple(int(d) for d in shape), value)


def _pooled(array: np.ndarray, pool: dict[Any, np.ndarray]) -> np.ndarray:
    data = np.ascontiguousarray(array)
    digest = hashlib.blake2b(data.reshape(-1).view(np.uint8).data).digest()
    return pool.setdefault((str(data.dtype), data.shape, digest), data)
