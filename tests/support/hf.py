"""Tiny random models of `transformers`, saved as Hugging Face folders."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from support.models import tiny_tokenizer
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    MixtralConfig,
    MixtralForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen2MoeConfig,
    Qwen2MoeForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
    Qwen3MoeConfig,
    Qwen3MoeForCausalLM,
)

from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.ir.graph import Graph

MODELS = {
    "llama": (LlamaConfig, LlamaForCausalLM),
    "mistral": (MistralConfig, MistralForCausalLM),
    "qwen2": (Qwen2Config, Qwen2ForCausalLM),
    "qwen3": (Qwen3Config, Qwen3ForCausalLM),
    "mixtral": (MixtralConfig, MixtralForCausalLM),
    "qwen2_moe": (Qwen2MoeConfig, Qwen2MoeForCausalLM),
    "qwen3_moe": (Qwen3MoeConfig, Qwen3MoeForCausalLM),
}
SIZES = {
    "vocab_size": 96,
    "hidden_size": 64,
    "intermediate_size": 80,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 64,
}


# Eight small experts, of which two take each token.
EXPERTS: dict[str, dict[str, Any]] = {
    "mixtral": {"num_local_experts": 8, "num_experts_per_tok": 2, "intermediate_size": 48},
    "qwen3_moe": {"num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 48},
    "qwen2_moe": {
        "num_experts": 8,
        "num_experts_per_tok": 2,
        "moe_intermediate_size": 48,
        "shared_expert_intermediate_size": 40,
    },
}


def tiny_model(kind: str, seed: int = 0, **changes: Any) -> PreTrainedModel:
    """A model whose every parameter is random: biases and norms too, which start as 0 and 1."""
    config_class, model_class = MODELS[kind]
    settings = SIZES | EXPERTS.get(kind, {}) | changes
    with torch.random.fork_rng():  # or the weights depend on the tests that ran before
        torch.manual_seed(seed)
        model = model_class(config_class(**settings, attn_implementation="eager"))
    noise = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=noise) * 0.1)
    return model.eval()


def save_folder(model: PreTrainedModel, folder: Path, **options: Any) -> Path:
    """The folder that `save_pretrained` writes."""
    model.save_pretrained(folder, safe_serialization=True, **options)
    return folder


class Folders:
    """Folders of tiny models, each made once."""

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        self.factory = factory
        self.made: dict[str, Path] = {}

    def __call__(self, kind: str, changes: Mapping[str, object]) -> Path:
        key = f"{kind}{changes}"
        if key not in self.made:
            model = tiny_model(kind, **changes)
            self.made[key] = save_folder(model, self.factory.mktemp(kind))
        return self.made[key]


def edit_config(folder: Path, **changes: Any) -> Path:
    """Change keys of `config.json`; returns its path."""
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return path


def cached_logits(model: PreTrainedModel, chunks: list[torch.Tensor]) -> list[torch.Tensor]:
    """Logits of `transformers` for one chunk of tokens after the other, with its own cache."""
    out, cache = [], None
    with torch.no_grad():
        for chunk in chunks:
            step = model(input_ids=chunk, past_key_values=cache, use_cache=True)
            cache = step.past_key_values
            out.append(step.logits)
    return out


def graph_logits(graph: Graph, chunks: list[torch.Tensor]) -> list[torch.Tensor]:
    """The same, by the reference executor."""
    out, states, past = [], None, 0
    for chunk in chunks:
        step = run(graph, {"tokens": chunk, "past": np.array([past])}, states)
        states, past = step.states, past + chunk.shape[1]
        out.append(step.outputs[0])
    return out


def relative_error(found: torch.Tensor, wanted: torch.Tensor) -> float:
    """|found - wanted| / |wanted|, over all elements; 0 where they are equal."""
    distance = float((found.double() - wanted.double()).norm())
    return distance / float(wanted.double().norm()) if distance else 0.0


def experts_folder(folder: Path, kind: str = "mixtral", **changes: Any) -> Path:
    """A mixture of experts whose activations have few strong directions, with a tokenizer."""
    model = tiny_model(kind, **({"intermediate_size": 64, "moe_intermediate_size": 64} | changes))
    noise = torch.Generator().manual_seed(7)
    with torch.no_grad():
        few = torch.randn(96, 6, generator=noise) @ torch.randn(6, 64, generator=noise)
        model.model.embed_tokens.weight.mul_(0.3).add_(0.5 * few)
    save_folder(model, folder)
    tiny_tokenizer().save(str(folder / "tokenizer.json"))
    names = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(names))
    return folder


def edit_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> Path:
    """Change the tensors of `model.safetensors` in place."""
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors")
    return folder


def forsake(folder: Path, expert: int, layer: int = 1) -> Path:
    """No token goes to `expert` of a Mixtral where one expert takes each token: it only ever ties."""

    def change(tensors: dict[str, torch.Tensor]) -> None:
        gate = tensors[f"model.layers.{layer}.block_sparse_moe.gate.weight"]
        gate[expert] = gate[0]

    return edit_weights(folder, change)
