"""Our names against the table of the `gguf` package."""

import gguf
import pytest
from support.hf import MODELS, save_folder, tiny_model

from optimum_compile.backends.gguf.names import gguf_name, is_kept
from optimum_compile.compiler.frontend.open_model import open_model

ARCHITECTURES = {
    "llama": gguf.MODEL_ARCH.LLAMA,
    "mistral": gguf.MODEL_ARCH.LLAMA,
    "qwen2": gguf.MODEL_ARCH.QWEN2,
    "qwen3": gguf.MODEL_ARCH.QWEN3,
    "mixtral": gguf.MODEL_ARCH.LLAMA,
    "qwen2_moe": gguf.MODEL_ARCH.QWEN2MOE,
    "qwen3_moe": gguf.MODEL_ARCH.QWEN3MOE,
}


def theirs(architecture, name):
    """What the package calls a tensor; it knows experts by the name of all together."""
    parts = name.split(".")
    if "experts" in parts:
        at = parts.index("experts")
        name = ".".join((*parts[: at + 1], *parts[at + 2 :]))
    table = gguf.get_tensor_name_map(ARCHITECTURES[architecture], 2)
    return table.get_name(name, try_suffixes=(".weight", ".bias"))


@pytest.mark.parametrize("architecture", list(MODELS))
def test_every_weight_of_a_recipe_has_the_name_that_llama_cpp_knows(architecture, tmp_path):
    graph = open_model(save_folder(tiny_model(architecture), tmp_path)).graph
    names = [n for n, v in graph.weights.items() if v.weight and v.weight.inline is None]
    assert len(names) > 15
    assert {n: gguf_name(n) for n in names} == {n: theirs(architecture, n) for n in names}


@pytest.mark.parametrize(
    "name",
    [
        "weight",
        "model.embed_tokens",
        "model.embed_tokens.scales",
        "model.layers.x.self_attn.q_proj.weight",
        "model.layers.1.self_attn.rotary.weight",
        "model.layers.1.mlp.experts.2.up_proj.deep.weight",
        "model.layers.1.mlp.experts.gate_up_proj",
        "blocks.0.up_proj.weight",
        'model.layers.1.self_attn.q_proj"\n.weight',
    ],
)
def test_other_names_have_none(name):
    assert gguf_name(name) is None


def test_routers_are_kept_and_gates_of_the_feed_forward_part_are_not():
    kept = ("mlp.gate", "mlp.shared_expert_gate", "block_sparse_moe.gate")
    assert all(is_kept(f"model.layers.3.{part}.weight") for part in kept)
    rounded = ("mlp.gate_proj", "mlp.experts.1.gate_proj", "mlp.shared_expert.gate_proj")
    assert not any(is_kept(f"model.layers.3.{part}.weight") for part in rounded)
    assert not is_kept("probe")
