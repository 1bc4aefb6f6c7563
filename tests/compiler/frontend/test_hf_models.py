"""Hugging Face folders against `transformers`: prefill and decode with cache, every variant."""

from pathlib import Path
from typing import Any

import pytest
import torch
from support.hf import (
    cached_logits,
    edit_config,
    graph_logits,
    relative_error,
    save_folder,
    tiny_model,
)
from transformers import LlamaForCausalLM, PreTrainedModel

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.frontend.open_model import open_model

TOKENS = torch.randint(0, 96, (1, 20), generator=torch.Generator().manual_seed(1))
CHUNKS = list(TOKENS.split([9, 1, 1, 5, 1, 3], 1))  # a prompt, tokens, a second prompt, ...
LIMIT = 1e-5


def assert_same(model: PreTrainedModel, folder: Path, **options: Any) -> None:
    graph = open_model(folder, **options).graph
    for found, wanted in zip(
        graph_logits(graph, CHUNKS), cached_logits(model, CHUNKS), strict=True
    ):
        assert relative_error(found, wanted) <= LIMIT


@pytest.mark.parametrize("kind", ["llama", "mistral", "qwen2", "qwen3"])
@pytest.mark.parametrize("tied", [False, True])
def test_every_architecture_with_its_own_and_with_a_tied_head(
    kind: str, tied: bool, tmp_path: Path
) -> None:
    model = tiny_model(kind, tie_word_embeddings=tied)
    assert_same(model, save_folder(model, tmp_path))


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("llama", {"attention_bias": True, "mlp_bias": True}),
        ("qwen3", {"attention_bias": True}),
        ("llama", {"num_key_value_heads": 4}),
        ("llama", {"num_key_value_heads": 1}),
        ("qwen3", {"head_dim": 32}),
        ("llama", {"rms_norm_eps": 0.5}),
        ("llama", {"hidden_act": "gelu"}),
        ("llama", {"hidden_act": "gelu_new"}),
        ("llama", {"hidden_act": "gelu_pytorch_tanh"}),
        ("llama", {"hidden_act": "relu"}),
        ("mistral", {"sliding_window": 4}),
        ("qwen2", {"use_sliding_window": True, "sliding_window": 4, "max_window_layers": 1}),
        ("qwen3", {"use_sliding_window": False, "sliding_window": 4, "max_window_layers": 1}),
        (
            "qwen3",
            {
                "use_sliding_window": True,
                "sliding_window": 3,
                "layer_types": ["sliding_attention", "full_attention"],
            },
        ),
    ],
    ids=lambda v: v if isinstance(v, str) else ",".join(f"{k}={x}" for k, x in v.items()),
)
def test_every_setting_of_the_architecture(
    kind: str, changes: dict[str, Any], tmp_path: Path
) -> None:
    model = tiny_model(kind, **changes)
    assert_same(model, save_folder(model, tmp_path))


ROPES = {
    "theta": {"rope_type": "default", "rope_theta": 100.0},
    "linear": {"rope_type": "linear", "factor": 4.0},
    "llama3": {
        "rope_type": "llama3",
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 16,
    },
    "yarn": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16},
    "yarn_attention": {
        "rope_type": "yarn",
        "factor": 4.0,
        "original_max_position_embeddings": 16,
        "attention_factor": 0.7,
    },
    "yarn_mscale": {
        "rope_type": "yarn",
        "factor": 4.0,
        "original_max_position_embeddings": 16,
        "mscale": 1.5,
        "mscale_all_dim": 0.5,
        "beta_fast": 4.0,
        "beta_slow": 0.5,
        "truncate": False,
    },
}


@pytest.mark.parametrize("name", ROPES)
def test_every_way_to_stretch_the_rotary_embedding(name: str, tmp_path: Path) -> None:
    rope = {"rope_theta": 10000.0} | ROPES[name]
    model = tiny_model("llama", rope_parameters=rope)
    assert_same(model, save_folder(model, tmp_path))


@pytest.mark.parametrize("key", ["rope_type", "type"])
def test_the_older_spelling_of_rope_means_the_same(key: str, tmp_path: Path) -> None:
    rope = {"rope_type": "linear", "factor": 4.0, "rope_theta": 500.0}
    model = tiny_model("llama", rope_parameters=rope)
    folder = save_folder(model, tmp_path)
    edit_config(
        folder,
        rope_parameters=None,
        rope_theta=500.0,
        rope_scaling={key: "linear", "factor": 4.0},
    )
    assert_same(model, folder)


@pytest.mark.parametrize("kind", ["dynamic", "longrope", "proportional"])
def test_a_rotary_embedding_that_is_not_known_is_refused(kind: str, tmp_path: Path) -> None:
    folder = save_folder(tiny_model("llama"), tmp_path)
    edit_config(folder, rope_parameters={"rope_type": kind, "factor": 2.0, "rope_theta": 1e4})
    with pytest.raises(
        InputError,
        match=rf"config.json: rope type '{kind}' is not supported; known: default, linear, llama3",
    ):
        open_model(folder)


def test_shards_give_the_same_model_as_one_file(tmp_path: Path) -> None:
    model = tiny_model("qwen2")
    folder = save_folder(model, tmp_path, max_shard_size="60KB")
    assert len(list(folder.glob("model-*-of-*.safetensors"))) > 2
    assert not (folder / "model.safetensors").exists()
    assert_same(model, folder)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_weights_of_16_bits_are_widened(dtype: torch.dtype, tmp_path: Path) -> None:
    folder = save_folder(tiny_model("llama").to(dtype), tmp_path)
    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32)
    assert_same(model.eval(), folder)


@pytest.mark.parametrize("options", [{"context": 20, "max_prefill": 9}, {"context": 64}])
def test_the_context_does_not_change_the_numbers(options: dict[str, int], tmp_path: Path) -> None:
    model = tiny_model("llama")
    assert_same(model, save_folder(model, tmp_path), **options)
