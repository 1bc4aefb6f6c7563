import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.graphs import decoder
from support.hf import save_folder, tiny_model
from support.models import FFN, HEAD_DIM, HEADS, HIDDEN, LAYERS, VOCAB, shared_model

from optimum_compile.compiler.errors import InputError, UnsupportedError
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.tools.bakeoff.imatrix import column_squares

gguf = pytest.importorskip("gguf", reason="the package gguf is not installed")
from optimum_compile.tools.bakeoff.gguf_export import (  # noqa: E402
    from_gguf_rows,
    gguf_names,
    read_gguf,
    to_gguf_rows,
    write_gguf,
)

REFERENCE = Path(__file__).parents[2] / "models" / "reference"


def halves_rotated(x, angles):
    """Hugging Face's rotary embedding: pairs (i, i + half)."""
    a, b = np.split(x, 2)
    return np.concatenate(
        [a * np.cos(angles) - b * np.sin(angles), b * np.cos(angles) + a * np.sin(angles)]
    )


def neighbours_rotated(x, angles):
    """GGUF's rotary embedding of a Llama: pairs (2i, 2i + 1)."""
    a, b = x[0::2], x[1::2]
    out = np.empty_like(x)
    out[0::2] = a * np.cos(angles) - b * np.sin(angles)
    out[1::2] = b * np.cos(angles) + a * np.sin(angles)
    return out


def test_attention_scores_survive_the_other_order_of_rows():
    rng = np.random.default_rng(0)
    dim, columns = 8, 12
    q, k, x = (rng.standard_normal(s) for s in ((2 * dim, columns), (2 * dim, columns), columns))
    q2, k2 = to_gguf_rows(q, 2), to_gguf_rows(k, 2)
    angles = rng.standard_normal(dim // 2)
    for head in range(2):
        rows = slice(head * dim, (head + 1) * dim)
        ours = halves_rotated(q[rows] @ x, angles) @ halves_rotated(k[rows] @ x, 2 * angles)
        other = neighbours_rotated(q2[rows] @ x, angles) @ neighbours_rotated(
            k2[rows] @ x, 2 * angles
        )
        assert other == pytest.approx(ours, rel=1e-12)


@given(heads=st.integers(1, 5), half=st.integers(1, 6), columns=st.integers(1, 4))
def test_order_of_rows_is_undone(heads, half, columns):
    weight = np.arange(heads * half * 2 * columns).reshape(-1, columns)
    there = to_gguf_rows(weight, heads)
    assert (from_gguf_rows(there, heads) == weight).all()
    assert half == 1 or not (there == weight).all()


def test_every_weight_comes_back_from_the_file(tmp_path):
    model = open_model(shared_model())
    write_gguf(model, tmp_path / "m.gguf")
    found = read_gguf(tmp_path / "m.gguf", model)
    for name, value in model.graph.weights.items():
        if value.weight is not None and value.weight.inline is None:
            assert (found.weights[name] == value.weight.load_f32()).all(), name
    assert set(found.types.values()) == {"F32"}
    assert found.weight_bytes == 4 * model.parameters
    assert found.file_bytes == (tmp_path / "m.gguf").stat().st_size > found.weight_bytes


def test_metadata_of_the_file(tmp_path):
    write_gguf(open_model(shared_model()), tmp_path / "m.gguf")
    reader = gguf.GGUFReader(tmp_path / "m.gguf")

    def field(name):
        return reader.fields[name].contents()

    assert field("general.architecture") == "llama"
    assert field("llama.block_count") == LAYERS
    assert field("llama.embedding_length") == HIDDEN
    assert field("llama.feed_forward_length") == FFN
    assert field("llama.attention.head_count") == HEADS
    assert field("llama.attention.key_length") == HEAD_DIM
    assert field("llama.rope.freq_base") == 10000.0
    assert field("llama.attention.layer_norm_rms_epsilon") == pytest.approx(1e-5)
    assert field("llama.vocab_size") == VOCAB
    assert field("tokenizer.ggml.model") == "no_vocab"  # its pre-tokenizer is not byte-level


def test_query_rows_lie_in_the_order_of_gguf(tmp_path):
    model = open_model(shared_model())
    write_gguf(model, tmp_path / "m.gguf")
    tensors = {t.name: t.data for t in gguf.GGUFReader(tmp_path / "m.gguf").tensors}
    query = model.graph.weights["model.layers.1.self_attn.q_proj.weight"].weight.load_f32()
    value = model.graph.weights["model.layers.1.self_attn.v_proj.weight"].weight.load_f32()
    half = HEAD_DIM // 2
    assert (tensors["blk.1.attn_q.weight"][1] == query[half]).all()
    assert (tensors["blk.1.attn_q.weight"][2] == query[1]).all()
    assert (tensors["blk.1.attn_v.weight"] == value).all()


def test_byte_level_tokenizer_is_written(tmp_path):
    model = open_model(REFERENCE)
    write_gguf(model, tmp_path / "m.gguf")
    reader = gguf.GGUFReader(tmp_path / "m.gguf")
    tokens = json.loads((REFERENCE / "tokenizer.json").read_text())["model"]
    assert reader.fields["tokenizer.ggml.model"].contents() == "gpt2"
    texts = reader.fields["tokenizer.ggml.tokens"].contents()
    assert [texts[i] for i in tokens["vocab"].values()] == list(tokens["vocab"])
    assert len(reader.fields["tokenizer.ggml.merges"].contents()) == len(tokens["merges"])
    assert list(reader.fields["tokenizer.ggml.token_type"].contents()[:4]) == [3, 3, 3, 1]


def quantized_copy(source, target, kind, skip=()):
    """The same tensors, matrices in another type: what a quantiser writes."""
    writer = gguf.GGUFWriter(target, "llama")
    for tensor in gguf.GGUFReader(source).tensors:
        if tensor.name in skip:
            continue
        is_matrix = tensor.data.ndim == 2
        data = gguf.quantize(tensor.data, kind) if is_matrix else tensor.data
        writer.add_tensor(tensor.name, np.array(data), raw_dtype=kind if is_matrix else None)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_quantised_file_is_dequantised_and_its_bytes_counted(tmp_path):
    model = open_model(shared_model())
    write_gguf(model, tmp_path / "m.gguf")
    kind = gguf.GGMLQuantizationType.Q8_0
    quantized_copy(tmp_path / "m.gguf", tmp_path / "q.gguf", kind)
    found = read_gguf(tmp_path / "q.gguf", model)
    matrices = vectors = 0
    for name, data in found.weights.items():
        ours = model.graph.weights[name].weight.load_f32()
        if ours.ndim == 1:
            vectors += ours.size
            continue
        matrices += ours.size
        assert found.types[name] == "Q8_0"
        assert 0 < np.abs(data - ours).max() <= np.abs(ours).max() / 127
    assert found.weight_bytes == matrices // 32 * 34 + 4 * vectors


def test_file_without_a_weight_is_refused(tmp_path):
    model = open_model(shared_model())
    write_gguf(model, tmp_path / "m.gguf")
    kind = gguf.GGMLQuantizationType.Q8_0
    quantized_copy(tmp_path / "m.gguf", tmp_path / "q.gguf", kind, skip=("blk.0.ffn_up.weight",))
    with pytest.raises(InputError, match=r"blk\.0\.ffn_up\.weight: no such tensor"):
        read_gguf(tmp_path / "q.gguf", model)


def test_other_architectures_are_refused(tmp_path):
    folder = save_folder(tiny_model("qwen2"), tmp_path / "qwen2")
    with pytest.raises(UnsupportedError, match="only Llama"):
        gguf_names(open_model(folder))


def test_rotary_scaling_is_refused(tmp_path):
    scaled = {"rope_type": "linear", "factor": 2.0, "rope_theta": 10000.0}
    folder = save_folder(tiny_model("llama", rope_parameters=scaled), tmp_path / "llama")
    with pytest.raises(UnsupportedError, match="linear rotary scaling"):
        write_gguf(open_model(folder), tmp_path / "m.gguf")


def test_importance_is_the_mean_square_of_what_a_matrix_reads():
    graph = decoder(layers=1)
    windows = [[3, 1, 4, 1], [5, 9]]
    found = column_squares(graph, windows)
    weights = {n: torch.from_numpy(v.weight.load_f32()) for n, v in graph.weights.items()}
    ids = torch.tensor([i for w in windows for i in w])
    x = weights["model.embed_tokens.weight"][ids].double()
    normed = x * torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-5)
    gain = weights["model.layers.0.input_layernorm.weight"].double()
    expected = (normed * gain).square().mean(0).numpy()
    query, key = (f"model.layers.0.self_attn.{n}_proj.weight" for n in "qk")
    assert np.allclose(found[query], expected, rtol=1e-4)
    assert (found[query] == found[key]).all()
    assert {n for n, v in graph.weights.items() if v.type.rank == 2} == set(found)


def test_importance_needs_text():
    with pytest.raises(InputError, match="no calibration text"):
        column_squares(decoder(layers=1), [])
