"""Write a Llama decoder as GGUF, and read the weights of a quantised GGUF back.

GGUF keeps the rows of query and key matrices in another order: its rotary embedding turns neighbours
(2i, 2i+1), that of Hugging Face turns (i, i + head_dim / 2).
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from optimum_compile.backends.gguf.names import gguf_name
from optimum_compile.compiler.errors import InputError, UnsupportedError
from optimum_compile.compiler.frontend.config import ModelConfig, read_json
from optimum_compile.compiler.frontend.open_model import Model

# The types of tokens that GGUF knows and that matter here.
NORMAL, CONTROL, UNUSED = 1, 3, 5


def to_gguf_rows(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows of a query or key matrix (heads * head_dim, columns) in GGUF's order."""
    rows, columns = weight.shape
    halves = weight.reshape(heads, 2, rows // heads // 2, columns)
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(rows, columns))


def from_gguf_rows(weight: np.ndarray, heads: int) -> np.ndarray:
    """The inverse of `to_gguf_rows`."""
    rows, columns = weight.shape
    pairs = weight.reshape(heads, rows // heads // 2, 2, columns)
    return np.ascontiguousarray(pairs.swapaxes(1, 2).reshape(rows, columns))


def gguf_names(model: Model) -> dict[str, str]:
    """GGUF's name of each weight of a Hugging Face checkpoint."""
    _supported(model)
    out = {}
    for name, value in model.graph.weights.items():
        if value.weight is None or value.weight.inline is not None:
            continue
        found = gguf_name(name)
        if found is None:
            raise UnsupportedError(f"weight {name}: GGUF has no name for it in a Llama model")
        out[name] = found
    return out


def _supported(model: Model) -> ModelConfig:
    config = model.config
    if config is None or config.architecture not in ("llama", "mistral"):
        raise UnsupportedError(f"{model.name}: only Llama decoders are written as GGUF")
    odd = [
        name
        for name, is_odd in (
            ("biases", config.qkv_bias or config.output_bias or config.mlp_bias),
            ("norms of queries and keys", config.qk_norm),
            ("a sliding window", any(config.sliding_window)),
            (f"{config.rope.kind} rotary scaling", config.rope.kind != "default"),
            (f"activation {config.activation}", config.activation != "silu"),
        )
        if is_odd
    ]
    if odd:
        raise UnsupportedError(f"{model.name}: {', '.join(odd)} is not written as GGUF")
    return config


def write_gguf(model: Model, file: Path) -> None:
    """Write every weight in float32, with the metadata that llama.cpp needs.

    A byte-level BPE tokenizer is written too; without one the file has token ids only.

    Raises UnsupportedError for a model that is no plain Llama decoder.
    """
    config, names = _supported(model), gguf_names(model)
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_name(model.name)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_context_length(config.max_context)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.heads)
    writer.add_head_count_kv(config.kv_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(config.rope.theta)
    writer.add_layer_norm_rms_eps(config.norm_eps)
    writer.add_vocab_size(config.vocab_size)
    _add_tokenizer(writer, model, config.vocab_size)
    for name, other in names.items():
        ref = model.graph.weights[name].weight
        if ref is None:
            raise InputError(f"weight {name} has no bytes")
        heads = _rotated_heads(name, config)
        data = ref.load_f32()
        writer.add_tensor(other, to_gguf_rows(data, heads) if heads else data)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _rotated_heads(name: str, config: ModelConfig) -> int:
    if name.endswith("q_proj.weight"):
        return config.heads
    return config.kv_heads if name.endswith("k_proj.weight") else 0


def _add_tokenizer(writer: gguf.GGUFWriter, model: Model, vocab_size: int) -> None:
    tokens = _byte_level_bpe(model)
    if tokens is None:
        writer.add_tokenizer_model("no_vocab")
        return
    texts = [f"[unused {i}]" for i in range(vocab_size)]
    types = [UNUSED] * vocab_size
    for text, index in tokens["model"]["vocab"].items():
        texts[index], types[index] = text, NORMAL
    for added in tokens.get("added_tokens", ()):
        texts[added["id"]] = added["content"]
        types[added["id"]] = CONTROL if added.get("special") else NORMAL
    merges = tokens["model"]["merges"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(texts)
    writer.add_token_types(types)
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in merges])


def _byte_level_bpe(model: Model) -> Any:
    """The document of tokenizer.json where it is a byte-level BPE, else None."""
    file = next((f for f in model.tokenizer_files if f.name == "tokenizer.json"), None)
    if file is None:
        return None
    data = read_json(file)
    is_bpe = data.get("model", {}).get("type") == "BPE" and data["model"].get("merges")
    return data if is_bpe and "ByteLevel" in json.dumps(data.get("pre_tokenizer")) else None


@dataclass(frozen=True)
class QuantizedFile:
    """A GGUF file's sizes in bytes, its types, and its weights under their Hugging Face names."""

    weight_bytes: int
    file_bytes: int
    types: dict[str, str]
    weights: dict[str, np.ndarray]


def read_gguf(file: Path, model: Model) -> QuantizedFile:
    """Read a GGUF of `model` with its weights dequantised to float32.

    Raises InputError where a weight of the model is missing or has another shape.
    """
    config = _supported(model)
    tensors = {t.name: t for t in gguf.GGUFReader(file).tensors}
    types, weights = {}, {}
    for name, other in gguf_names(model).items():
        tensor = tensors.get(other)
        shape = model.graph.weights[name].type.static_shape()
        if tensor is None or tuple(int(d) for d in reversed(tensor.shape)) != shape:
            found = "no such tensor" if tensor is None else f"shape {tensor.shape.tolist()}"
            raise InputError(f"{file}: {other}: {found}; expected the weight {name} {shape}")
        data = gguf.dequantize(tensor.data, tensor.tensor_type).reshape(shape)
        heads = _rotated_heads(name, config)
        weights[name] = from_gguf_rows(data, heads) if heads else np.array(data, np.float32)
        types[name] = tensor.tensor_type.name
    stored = sum(int(t.n_bytes) for t in tensors.values())
    return QuantizedFile(stored, file.stat().st_size, types, weights)
