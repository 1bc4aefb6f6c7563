"""Open a model: detect what it is, import it, bring it to the canonical form."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from optimum_compile.compiler.bind import value_symbols
from optimum_compile.compiler.errors import (
    InputError,
    OptionError,
    UnsupportedError,
    UserError,
)
from optimum_compile.compiler.frontend.archive import read_archive
from optimum_compile.compiler.frontend.config import ModelConfig, read_config
from optimum_compile.compiler.frontend.detect import detect
from optimum_compile.compiler.frontend.experts import split_experts
from optimum_compile.compiler.frontend.hf_folder import (
    folder_name,
    folder_weights,
    match_weights,
    tokenizer_files,
)
from optimum_compile.compiler.frontend.importer import import_program
from optimum_compile.compiler.frontend.program import as_states
from optimum_compile.compiler.frontend.rotary import attention_scale, inverse_frequencies
from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.shape import format_dim, symbols_of
from optimum_compile.compiler.ir.weights import WeightRef, inline_weight
from optimum_compile.compiler.pass_manager import PassManager
from optimum_compile.passes.canonicalize.canonicalize import Canonicalize
from optimum_compile.passes.precision.units import parameter_count
from optimum_compile.passes.stages.blocks import block_count
from optimum_compile.passes.symbolic_shape.infer import InferShapes

DEFAULT_CONTEXT = 2048
DEFAULT_PREFILL = 512


@dataclass(frozen=True)
class Model:
    """An opened model: its canonical graph, and what goes along with it."""

    name: str
    graph: Graph
    kind: str  # "decoder" or "module"
    config: ModelConfig | None
    tokenizer_files: tuple[Path, ...]
    source: Path
    parameters: int
    blocks: int


def open_model(path: Path, *, context: int | None = None, max_prefill: int | None = None) -> Model:
    """Open a Hugging Face folder or a torch.export archive; no weight is read yet.

    `context` (tokens, default the model's own up to 2048) and `max_prefill` (default 512) shape
    decoders from folders. Raises InputError, UnsupportedError, OptionError.
    """
    path = Path(path)
    if detect(path) == "folder":
        graph, config = _folder_graph(path, context, max_prefill)
        files = tokenizer_files(path)
    else:
        if context is not None or max_prefill is not None:
            raise OptionError(
                "context and max-prefill are fixed in an exported archive; export it anew"
            )
        program, weights = read_archive(path)
        graph, config, files = import_program(program, weights, _name(path)), None, ()
    PassManager([Canonicalize(), InferShapes()]).run(graph)
    _refuse_impure(graph)
    _refuse_data_dependent(graph)
    kind = "decoder" if _is_decoder(graph) else "module"
    return Model(
        _name(path), graph, kind, config, files, path, parameter_count(graph), block_count(graph)
    )


def _refuse_impure(graph: Graph) -> None:
    """Raises InputError or UnsupportedError for an ATen operator that no graph may carry."""
    left = [n for n in graph.nodes if n.op == "aten"]
    if not left:
        return
    from optimum_compile.compiler.aten import aten_overload

    for node in left:
        try:
            aten_overload(str(node.attrs["target"]))
        except UserError as error:
            raise type(error)(
                f"{graph.name}: at {node.origin or 'top level'}: {error}, or try "
                "`ep = ep.run_decompositions({})` before torch.export.save"
            ) from error


def _refuse_data_dependent(graph: Graph) -> None:
    """Raises UnsupportedError for a size that no input's shape tells."""
    entries = [*graph.inputs, *(s.read for s in graph.states)]
    known = {s for value in entries for dim in value.type.shape for s in symbols_of(dim)}
    known |= set(value_symbols(graph))
    for node in graph.nodes:
        for dim in (d for value in node.outputs for d in value.type.shape):
            if not symbols_of(dim) <= known:
                raise UnsupportedError(
                    f"{graph.name}: at {node.origin or 'top level'}: the size {format_dim(dim)} of "
                    f"{node.attrs.get('target', node.op)} depends on the data; rewrite the module so "
                    "that every size follows from the shapes of its inputs"
                )


def _is_decoder(graph: Graph) -> bool:
    return bool(graph.states) and [v.name for v in graph.inputs] == ["tokens", "past"]


def _name(path: Path) -> str:
    """A name that is safe as a file name."""
    stem = folder_name(path) if path.is_dir() else path.stem
    return re.sub(r"[^A-Za-z0-9._-]", "_", stem).lstrip("._-")[:100] or "model"


def _folder_graph(
    path: Path, context: int | None, max_prefill: int | None
) -> tuple[Graph, ModelConfig]:
    config = read_config(path / "config.json")
    length = context or min(config.max_context, DEFAULT_CONTEXT)
    if length > config.max_context:
        raise OptionError(
            f"context={length}: the model was made for {config.max_context} tokens; give at most that"
        )
    prefill = min(max_prefill or DEFAULT_PREFILL, length)
    wanted = _recipe_shapes(config)
    found = split_experts(config, folder_weights(path))
    weights = match_weights(path, config, wanted, found)
    return decoder_graph(config, weights, _name(path), length, prefill), config


def _recipe_shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    recipe = _recipe(config).build(config)
    return {name: tuple(p.shape) for name, p in recipe.named_parameters()}


def _recipe(config: ModelConfig) -> Any:
    from optimum_compile.models import RECIPES

    return import_module(RECIPES[config.architecture])


def decoder_graph(
    config: ModelConfig, weights: dict[str, WeightRef], name: str, context: int, max_prefill: int
) -> Graph:
    """Export the recipe on meta tensors and import it; the caches become states."""
    import torch

    recipe = _recipe(config)
    module = recipe.build(config, attention_scale(config.rope))
    with _quiet(), torch.no_grad():
        exported = torch.export.export(
            module,
            recipe.example_inputs(config, context, max_prefill),
            dynamic_shapes=recipe.dynamic_dims(config, max_prefill),
            strict=False,
        )
    table = inverse_frequencies(config.rope, config.head_dim)
    refs = weights | {"inv_freq": inline_weight("inv_freq", table, DType.F32)}
    graph = import_program(_serialised(exported), refs, name)
    caches = [f"{kind}_cache.{i}" for kind in "kv" for i in range(config.layers)]
    as_states(graph, caches, 2, 1)
    return graph


def _serialised(exported: Any) -> dict[str, Any]:
    """The exported program as the JSON schema's dictionary, without weights."""
    from torch._export.serde.serialize import ExportedProgramSerializer, _dataclass_to_dict

    program: dict[str, Any] = _dataclass_to_dict(
        ExportedProgramSerializer().serialize(exported).exported_program
    )
    if not program.get("graph_module"):
        raise InputError("the recipe could not be exported")
    return program


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep torch's export chatter off stderr."""
    import logging

    logger = logging.getLogger("torch")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
