"""The recipe: the names and shapes of the checkpoints, no memory, and the eager result."""

from pathlib import Path
from typing import Any

import pytest
import torch
from support.hf import cached_logits, edit_config, relative_error, save_folder, tiny_model

from optimum_compile.compiler.frontend.config import (
    ACTIVATIONS,
    ARCHITECTURES,
    ModelConfig,
    read_config,
)
from optimum_compile.compiler.frontend.rotary import attention_scale, inverse_frequencies
from optimum_compile.models import RECIPES, decoder

VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("llama", {}),
    ("llama", {"tie_word_embeddings": True}),
    ("llama", {"attention_bias": True, "mlp_bias": True}),
    ("mistral", {"sliding_window": 3}),
    ("qwen2", {}),
    ("qwen3", {"head_dim": 24}),
    ("qwen3", {"attention_bias": True}),
]


def config_of(model: Any, folder: Path) -> ModelConfig:
    return read_config(save_folder(model, folder) / "config.json")


def test_every_architecture_has_a_recipe() -> None:
    assert set(RECIPES) == set(ARCHITECTURES)
    assert set(RECIPES.values()) == {decoder.__name__}


@pytest.mark.parametrize(("kind", "changes"), VARIANTS, ids=str)
def test_parameters_are_those_of_the_checkpoint(
    kind: str, changes: dict[str, Any], tmp_path: Path
) -> None:
    model = tiny_model(kind, **changes)
    recipe = decoder.build(config_of(model, tmp_path))
    found = {name: p.shape for name, p in recipe.named_parameters()}
    assert found == {name: p.shape for name, p in model.named_parameters()}


@pytest.mark.parametrize(("kind", "changes"), VARIANTS, ids=str)
def test_the_recipe_runs_eagerly_with_its_own_cache(
    kind: str, changes: dict[str, Any], tmp_path: Path
) -> None:
    model = tiny_model(kind, **changes)
    config = config_of(model, tmp_path)
    recipe = decoder.build(config, attention_scale(config.rope)).to_empty(device="cpu")
    recipe.load_state_dict(model.state_dict(), strict=False)
    recipe.inv_freq = torch.from_numpy(inverse_frequencies(config.rope, config.head_dim))
    shape = (1, config.kv_heads, 16, config.head_dim)
    keys, values = ([torch.zeros(shape) for _ in range(config.layers)] for _ in "kv")
    chunks = [torch.tensor([[5, 9, 2, 7, 1]]), torch.tensor([[3]]), torch.tensor([[8, 8, 4]])]
    past = 0
    for chunk, wanted in zip(chunks, cached_logits(model, chunks), strict=True):
        with torch.no_grad():
            logits, keys, values = recipe(chunk, torch.tensor([past]), keys, values)
        assert relative_error(logits, wanted) <= 1e-5
        past += chunk.shape[1]


def test_a_model_of_any_size_is_built_without_memory(tmp_path: Path) -> None:
    folder = save_folder(tiny_model("llama"), tmp_path)
    large = {"hidden_size": 65536, "intermediate_size": 1 << 18, "vocab_size": 1 << 20}
    recipe = decoder.build(read_config(edit_config(folder, **large)))
    assert all(p.is_meta for p in (*recipe.parameters(), *recipe.buffers()))
    assert sum(p.nbytes for p in recipe.parameters()) > 1 << 36


def test_a_sliding_window_is_set_layer_by_layer(tmp_path: Path) -> None:
    changes = {"use_sliding_window": True, "sliding_window": 5, "max_window_layers": 1}
    recipe = decoder.build(config_of(tiny_model("qwen2", **changes), tmp_path))
    assert [layer.self_attn.window for layer in recipe.model.layers] == [0, 5]


@pytest.mark.parametrize(("context", "prefill"), [(64, 1), (64, 2), (2, 2), (64, 16)])
def test_the_example_lies_in_the_range_of_the_export(
    context: int, prefill: int, tmp_path: Path
) -> None:
    config = config_of(tiny_model("llama"), tmp_path)
    tokens, past, keys, values = decoder.example_inputs(config, context, prefill)
    assert 1 <= tokens.shape[1] <= prefill
    assert past.shape == (1,)
    assert [c.shape for c in (*keys, *values)] == [(1, 2, context, 16)] * 4
    assert all(x.is_meta for x in (tokens, past, *keys, *values))
    (first, *rest) = decoder.dynamic_dims(config, prefill)
    assert (first is None) == (prefill == 1)
    assert rest == [None, [None, None], [None, None]]


def test_every_activation_of_a_config_is_computed() -> None:
    x = torch.linspace(-4, 4, 33)
    results = [decoder.activate(name, x) for name in sorted(set(ACTIVATIONS.values()))]
    for at, one in enumerate(results):
        assert one[-1] == pytest.approx(4, abs=0.1)
        assert not any(torch.equal(one, other) for other in results[:at])
