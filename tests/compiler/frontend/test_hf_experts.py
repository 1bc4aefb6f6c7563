"""Mixtures of experts against `transformers`: every variant, every spelling, every refusal."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from support.hf import (
    EXPERTS,
    cached_logits,
    edit_config,
    graph_logits,
    relative_error,
    save_folder,
    tiny_model,
)
from transformers import PreTrainedModel

from optimum_compile.compiler.errors import InputError, UnsupportedError
from optimum_compile.compiler.frontend.config import read_config
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.ir.parser import parse
from optimum_compile.compiler.ir.printer import print_graph

CHUNKS = list(
    torch.randint(0, 96, (1, 20), generator=torch.Generator().manual_seed(1)).split([9, 1, 1, 9], 1)
)


def assert_same(model: PreTrainedModel, folder: Path) -> None:
    graph = open_model(folder).graph
    found, wanted = graph_logits(graph, CHUNKS), cached_logits(model, CHUNKS)
    for a, b in zip(found, wanted, strict=True):
        assert relative_error(a, b) <= 1e-5


VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("mixtral", {}),
    ("mixtral", {"num_experts_per_tok": 1, "sliding_window": 4}),
    ("mixtral", {"num_experts_per_tok": 8, "tie_word_embeddings": True}),
    ("qwen3_moe", {"norm_topk_prob": True}),
    ("qwen3_moe", {"norm_topk_prob": False, "attention_bias": True}),
    ("qwen3_moe", {"mlp_only_layers": [0]}),
    ("qwen3_moe", {"use_sliding_window": True, "sliding_window": 3, "decoder_sparse_step": 2}),
    ("qwen2_moe", {}),
    ("qwen2_moe", {"norm_topk_prob": True, "qkv_bias": False, "hidden_act": "gelu"}),
]


@pytest.mark.parametrize(("kind", "changes"), VARIANTS, ids=str)
def test_logits_are_those_of_transformers(
    kind: str, changes: dict[str, Any], tmp_path: Path
) -> None:
    model = tiny_model(kind, **changes)
    assert_same(model, save_folder(model, tmp_path))


@pytest.mark.parametrize("kind", ["mixtral", "qwen3_moe"])
def test_the_printed_graph_reads_back(kind: str, tmp_path: Path) -> None:
    graph = open_model(save_folder(tiny_model(kind), tmp_path)).graph
    text = print_graph(graph)
    constants = {"inv_freq": graph.weights["inv_freq"].weight.load()}  # type: ignore[union-attr]
    assert print_graph(parse(text, folder=tmp_path, constants=constants)) == text
    routes = [n for n in graph.nodes if n.op == "route"]
    renormalised = kind == "mixtral"
    assert [n.attrs for n in routes] == [{"top_k": 2, "renormalise": renormalised}] * 2
    assert str(routes[0].output.type) == "f32[1, seq, 8]"


def test_each_matrix_of_an_expert_is_a_weight_of_its_own(tmp_path: Path) -> None:
    graph = open_model(save_folder(tiny_model("mixtral"), tmp_path)).graph
    matrices = {n.input(1).name: n.origin for n in graph.nodes if n.op == "linear"}
    stem = "model.layers.1.block_sparse_moe"
    assert matrices[f"{stem}.gate.weight"] == f"{stem}.gate"
    for at in range(8):
        for name in ("w1", "w2", "w3"):
            assert matrices[f"{stem}.experts.{at}.{name}.weight"] == f"{stem}.experts.{at}.{name}"


def fuse(folder: Path, kind: str) -> None:
    """Write experts as one tensor a layer, as `transformers` holds them in memory."""
    plain = load_file(folder / "model.safetensors")
    home, (gate, up, down) = "mlp", ("gate_proj", "up_proj", "down_proj")
    if kind == "mixtral":
        home, (gate, up, down) = "block_sparse_moe", ("w1", "w3", "w2")
    fused = {n: t for n, t in plain.items() if f"{home}.experts" not in n and "moe.gate" not in n}
    for layer in range(2):
        stem, new = f"model.layers.{layer}.{home}", f"model.layers.{layer}.mlp"

        def each(name: str, stem: str = stem) -> list[torch.Tensor]:
            return [plain[f"{stem}.experts.{e}.{name}.weight"] for e in range(8)]

        both = [torch.cat(pair) for pair in zip(each(gate), each(up), strict=True)]
        fused[f"{new}.experts.gate_up_proj"] = torch.stack(both)
        fused[f"{new}.experts.down_proj"] = torch.stack(each(down))
        fused[f"{new}.gate.weight"] = plain[f"{stem}.gate.weight"]
    save_file(fused, folder / "model.safetensors")


@pytest.mark.parametrize("kind", ["mixtral", "qwen3_moe"])
def test_experts_in_one_tensor_are_sliced(kind: str, tmp_path: Path) -> None:
    model = tiny_model(kind)
    folder = save_folder(model, tmp_path)
    apart = sorted(open_model(folder).graph.weights)
    fuse(folder, kind)
    assert sorted(open_model(folder).graph.weights) == apart
    assert_same(model, folder)


def test_a_fused_tensor_of_another_shape_is_refused(tmp_path: Path) -> None:
    folder = save_folder(tiny_model("mixtral"), tmp_path)
    fuse(folder, "mixtral")
    edit_config(folder, num_local_experts=7)
    text = r"down_proj has the shape \(8, 64, 48\), config.json says \(7, 64, 48\)"
    with pytest.raises(InputError, match=text):
        open_model(folder)


def test_an_expert_too_many_is_named(tmp_path: Path) -> None:
    folder = save_folder(tiny_model("qwen3_moe"), tmp_path)
    edit_config(folder, num_local_experts=7)
    with pytest.raises(InputError, match=r"gate.weight has the shape \(8, 64\), config.json says"):
        open_model(folder)


def test_both_spellings_of_the_number_of_experts_mean_the_same(tmp_path: Path) -> None:
    model = tiny_model("qwen3_moe")
    folder = save_folder(model, tmp_path)
    edit_config(folder, num_local_experts=None, num_experts=8)
    assert_same(model, folder)


class Logits(torch.nn.Module):
    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.model(input_ids=tokens, use_cache=False).logits
        return logits


def test_an_archive_with_fused_experts_is_refused_with_the_way_out(tmp_path: Path) -> None:
    model = tiny_model("mixtral", num_hidden_layers=1)
    model.set_experts_implementation("grouped_mm")
    example = (torch.zeros(1, 7, dtype=torch.int64),)
    with torch.no_grad():
        exported = torch.export.export(Logits(model), example, strict=False)
    torch.export.save(exported, tmp_path / "model.pt2")
    with pytest.raises(
        UnsupportedError, match=r"mlp.experts is not ATen.*give the Hugging Face fold"
    ):
        open_model(tmp_path / "model.pt2")


LIST = {"use_sliding_window": True, "sliding_window": 4, "layer_types": None}


@pytest.mark.parametrize(
    ("kind", "changes", "text"),
    [
        ("mixtral", {"num_local_experts": 0}, "num_local_experts=0: expected a whole number from 1"),
        ("mixtral", {"num_local_experts": None}, "num_local_experts=None: expected a whole number"),
        ("mixtral", {"num_experts_per_tok": 9}, "num_experts_per_tok=9: expected a whole number from 1 to 8"),
        ("qwen3_moe", {"num_local_experts": None}, "num_experts=None: expected a whole number from 1"),
        ("qwen3_moe", {"num_experts": 4}, "num_experts=4 and num_local_experts=8 differ"),
        ("qwen3_moe", {"num_experts_per_tok": 0}, "num_experts_per_tok=0: expected a whole number"),
        ("qwen3_moe", {"norm_topk_prob": "yes"}, "norm_topk_prob='yes': expected true or false"),
        ("qwen3_moe", {"moe_intermediate_size": -1}, "moe_intermediate_size=-1: expected a whole"),
        ("qwen3_moe", {"decoder_sparse_step": 0}, "decoder_sparse_step=0: expected a whole number"),
        ("qwen3_moe", {"mlp_only_layers": [2]}, r"mlp_only_layers=\[2\]: expected a list of layers from 0"),
        ("qwen3_moe", {"mlp_only_layers": 1}, "mlp_only_layers=1: expected a list of layers"),
        ("qwen3_moe", {"mlp_only_layers": [True]}, r"mlp_only_layers=\[True\]: expected a list"),
        ("qwen2_moe", {"shared_expert_intermediate_size": None}, "shared_expert_intermediate_size=None"),
        ("qwen2_moe", LIST, "use_sliding_window without layer_types"),
    ],
    ids=lambda v: str(v)[:50] if isinstance(v, dict) else "",
)  # fmt: skip
def test_a_refusal_names_the_key_the_value_and_what_is_allowed(
    kind: str, changes: dict[str, Any], text: str, folders: dict[str, Path], tmp_path: Path
) -> None:
    data = json.loads((folders[kind] / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(data | changes))
    with pytest.raises(InputError, match=text):
        read_config(tmp_path / "config.json")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {k: save_folder(tiny_model(k), tmp_path_factory.mktemp(k)) for k in EXPERTS}
