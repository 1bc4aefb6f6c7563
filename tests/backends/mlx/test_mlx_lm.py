"""The predicate in `mlx_lm.convert` itself: bits at every path, and the bytes that were foretold."""

import json
from pathlib import Path

import pytest
from safetensors import safe_open
from support.hf import edit_config, save_folder, tiny_model
from support.models import tiny_tokenizer
from support.widths import assigned, emit_rules, given_tool, run_tool

from optimum_compile.backends.mlx.backend import BACKEND
from optimum_compile.backends.mlx.forms import LADDER

REFERENCE = Path(__file__).resolve().parents[3] / "models" / "reference"
SIZE = {"U32": 4, "F16": 2}
LOADED = """
import sys, mlx.core as mx, mlx_lm
model, _ = mlx_lm.load(sys.argv[1])
logits = model(mx.array([[3, 1, 4, 1, 5]]))
assert mx.isfinite(logits).all().item() and logits.shape[1] == 5
print("finite")
"""


@pytest.fixture
def python():
    """An interpreter that has mlx-lm, which the compiler itself does not need."""
    return given_tool("OPTIMUM_MLX_PYTHON")


def converted(python, folder, made, out):
    """Convert a model; the config's dict, and each tensor's shape and type."""
    run_tool(python, made.artifact, folder, out, env={"HF_HUB_OFFLINE": "1"})
    found = {}
    for file in out.glob("*.safetensors"):
        with safe_open(file, "np") as data:
            slices = {name: data.get_slice(name) for name in data.keys()}  # noqa: SIM118
            found |= {n: (s.get_shape(), s.get_dtype()) for n, s in slices.items()}
    return json.loads((out / "config.json").read_text())["quantization"], found


def assert_as_said(made, config, tensors):
    rules = json.loads(made.beside[0].read_text())
    assert {k: config.pop(k) for k in ("group_size", "bits", "mode")} == {
        k: rules.pop(k) for k in ("group_size", "bits", "mode")
    }
    assert config == {path: rule for path, rule in rules.items() if rule}
    for path, rule in rules.items():
        shape, kind = tensors[f"{path}.weight"]
        if not rule:
            assert (kind, f"{path}.scales" in tensors) == ("F16", False)
            continue
        scales, columns = tensors[f"{path}.scales"], shape[-1] * 32 // rule["bits"]
        assert (kind, scales[1], tensors[f"{path}.biases"]) == ("U32", "F16", scales)
        assert scales[0] == [*shape[:-1], columns // rule["group_size"]]
    assert made.weight_bytes == sum(_elements(s) * SIZE[kind] for s, kind in tensors.values())


def _elements(shape):
    out = 1
    for size in shape:
        out *= size
    return out


def test_every_module_of_the_reference_model_gets_its_bits(python, tmp_path):
    turns = (*LADDER, "int4:g32@bf16", "int8:channel")
    graph = assigned(REFERENCE, lambda name, at: turns[at % len(turns)])
    made = emit_rules(graph, BACKEND, tmp_path)
    assert_as_said(made, *converted(python, REFERENCE, made, tmp_path / "out"))
    real = (tmp_path / "out" / "model.safetensors").stat().st_size
    foretold = made.weight_bytes + BACKEND.container_bytes(graph)
    assert real <= foretold <= 1.001 * real
    assert "finite" in run_tool(python, "-c", LOADED, tmp_path / "out", env={"HF_HUB_OFFLINE": "1"})


@pytest.mark.parametrize("kind", ["qwen2", "qwen3", "mixtral", "qwen2_moe", "qwen3_moe"])
def test_every_module_of_other_architectures_gets_its_bits(python, kind, tmp_path):
    sizes = {"intermediate_size": 96, "moe_intermediate_size": 64, "decoder_sparse_step": 1}
    if kind == "qwen2_moe":
        sizes["shared_expert_intermediate_size"] = 64
    folder = save_folder(tiny_model(kind, **sizes), tmp_path / "model")
    if kind == "qwen3_moe":  # keys that newer files leave out, and mlx-lm asks for
        edit_config(folder, num_experts=8, rope_theta=10000.0)
    tiny_tokenizer().save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')

    def scheme(name, at):
        if name.endswith(("gate.weight", "layers.1.self_attn.k_proj.weight")):
            return "f16"
        return ("uint3:g32@zf16", "uint8:g32@zf16", "int4:g32")[at % 3]

    made = emit_rules(assigned(folder, scheme), BACKEND, tmp_path)
    assert_as_said(made, *converted(python, folder, made, tmp_path / "out"))
    assert "finite" in run_tool(python, "-c", LOADED, tmp_path / "out", env={"HF_HUB_OFFLINE": "1"})
