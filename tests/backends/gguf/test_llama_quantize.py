"""The rules in llama.cpp's own quantiser: every one is applied, and the bytes are those foretold."""

from pathlib import Path

import gguf
import numpy as np
import pytest
from support.hf import save_folder, tiny_model
from support.widths import assigned, emit_rules, given_tool, run_tool

from optimum_compile.backends.gguf.backend import BACKEND
from optimum_compile.backends.gguf.check import tensor_types, unapplied
from optimum_compile.backends.gguf.emit import FILE_TYPE, parse_rules
from optimum_compile.backends.gguf.names import gguf_name, is_kept
from optimum_compile.backends.gguf.types import TYPES
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.tools.bakeoff.gguf_export import write_gguf

REFERENCE = Path(__file__).resolve().parents[3] / "models" / "reference"
SCHEMES = [kind.scheme for kind in TYPES if kind.name != "F32"]


@pytest.fixture
def quantizer():
    return given_tool("OPTIMUM_LLAMA_QUANTIZE", "llama-quantize")


def by_turns(name, at):
    return "f16" if is_kept(name) else SCHEMES[at % len(SCHEMES)]


def quantized(quantizer, rules, source, target, kind=FILE_TYPE):
    run_tool(quantizer, "--tensor-type-file", rules, source, target, kind, "1")
    return {t.name: t for t in gguf.GGUFReader(target).tensors}


def test_every_rule_is_applied_to_the_reference_model(quantizer, tmp_path):
    graph = assigned(REFERENCE, by_turns)
    made = emit_rules(graph, BACKEND, tmp_path)
    source = tmp_path / "f32.gguf"
    write_gguf(open_model(REFERENCE), source)
    tensors = quantized(quantizer, made.artifact, source, tmp_path / "out.gguf")
    rules = parse_rules(made.artifact.read_text())
    assert len(rules) == 43
    assert {k.scheme for k in rules.values()} == set(SCHEMES)
    assert {n: tensors[n].tensor_type.name for n in rules} == {n: k.name for n, k in rules.items()}
    assert unapplied(tensor_types(tmp_path / "out.gguf"), rules) == []
    assert made.weight_bytes == sum(int(t.n_bytes) for t in tensors.values())
    assert {n for n, t in tensors.items() if len(t.shape) > 1} == set(rules)
    real = (tmp_path / "out.gguf").stat().st_size
    foretold = made.weight_bytes + BACKEND.container_bytes(graph)
    assert real <= foretold <= 1.01 * real


def test_a_file_type_of_floats_leaves_out_rules_and_the_check_says_so(quantizer, tmp_path):
    made = emit_rules(assigned(REFERENCE, lambda name, at: "int4:g32"), BACKEND, tmp_path)
    source = tmp_path / "f32.gguf"
    write_gguf(open_model(REFERENCE), source)
    quantized(quantizer, made.artifact, source, tmp_path / "out.gguf", "F16")
    rules = parse_rules(made.artifact.read_text())
    assert len(unapplied(tensor_types(tmp_path / "out.gguf"), rules)) == len(rules)


@pytest.mark.parametrize("kind", ["mixtral", "qwen2_moe", "qwen3_moe"])
def test_rules_reach_the_experts_that_lie_in_one_tensor(quantizer, kind, tmp_path):
    sizes = {
        "hidden_size": 256,
        "intermediate_size": 512,
        "moe_intermediate_size": 256,
        "head_dim": 64,
    }
    if kind == "qwen2_moe":
        sizes["shared_expert_intermediate_size"] = 256
    folder = save_folder(tiny_model(kind, **sizes), tmp_path / "model")
    graph = assigned(folder, by_turns)
    made = emit_rules(graph, BACKEND, tmp_path)
    source = tmp_path / "f32.gguf"
    write_stacked(graph, source)
    tensors = quantized(quantizer, made.artifact, source, tmp_path / "out.gguf")
    rules = parse_rules(made.artifact.read_text())
    assert {n: tensors[n].tensor_type.name for n in rules} == {n: k.name for n, k in rules.items()}
    assert sum("_exps" in name for name in rules) == 6
    assert made.weight_bytes == sum(int(t.n_bytes) for t in tensors.values())


def write_stacked(graph, file):
    """A GGUF with the weights of a graph, experts stacked; enough metadata for the quantiser alone."""
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_context_length(64)
    writer.add_embedding_length(256)
    writer.add_block_count(2)
    writer.add_feed_forward_length(512)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(64)
    writer.add_expert_count(8)
    writer.add_expert_used_count(2)
    writer.add_vocab_size(96)
    writer.add_tokenizer_model("no_vocab")
    stacks = {}
    for name, value in graph.weights.items():
        if value.weight is not None and gguf_name(name):
            stacks.setdefault(gguf_name(name), []).append(value.weight.load_f32())
    for name, parts in stacks.items():
        whole = np.stack(parts) if "_exps" in name else parts[0]
        writer.add_tensor(name, np.squeeze(whole) if whole.ndim == 2 else whole)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
