"""`config.json` of a Hugging Face folder: typed, bounded, nothing trusted."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optimum_compile.compiler.errors import InputError

MAX_JSON_BYTES = 32 << 20
ACTIVATIONS = {
    "silu": "silu",
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "relu": "relu",
}
ARCHITECTURES = ("llama", "mistral", "qwen2", "qwen3", "mixtral", "qwen2_moe", "qwen3_moe")
MAX_EXPERTS = 1024


@dataclass(frozen=True)
class Rope:
    """Rotary embedding: base, and how it is stretched."""

    theta: float
    kind: str = "default"  # default, linear, llama3, yarn
    factor: float = 1.0
    low_freq_factor: float = 1.0
    high_freq_factor: float = 4.0
    original_context: int = 8192
    beta_fast: float = 32.0
    beta_slow: float = 1.0
    attention_factor: float | None = None
    mscale: float | None = None
    mscale_all_dim: float | None = None
    truncate: bool = True


@dataclass(frozen=True)
class Experts:
    """A mixture of experts in place of the feed-forward part."""

    count: int
    per_token: int
    renormalise: bool  # gates of the chosen ones sum to 1
    width: int  # inner width of one expert
    shared_width: int  # of the expert that every token goes through; 0 without one
    layers: tuple[bool, ...]  # which layers have experts; the others are dense


@dataclass(frozen=True)
class ModelConfig:
    """Everything about the architecture that the recipe needs."""

    architecture: str
    vocab_size: int
    hidden_size: int
    intermediate_size: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    max_context: int
    norm_eps: float
    activation: str
    tied: bool
    qkv_bias: bool
    output_bias: bool
    mlp_bias: bool
    qk_norm: bool
    sliding_window: tuple[int, ...]  # per layer; 0: all positions
    rope: Rope
    experts: Experts | None = None


def read_json(path: Path) -> Any:
    """A JSON file with a bounded size. Raises InputError."""
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise InputError(f"{path}: {path.stat().st_size} bytes is too large for a JSON file")
        return json.loads(path.read_text("utf-8"), object_pairs_hook=_unique)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not valid JSON: {error}") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        raise ValueError("a key occurs twice")
    return out


class _Fields:
    """Typed access to one JSON object; every refusal names file, key, value and what is allowed."""

    def __init__(self, path: Path, data: Mapping[str, Any]) -> None:
        self.path = path
        self.data = data

    def whole(self, key: str, low: int, high: int, default: int | None = None) -> int:
        value = self.data.get(key, default)
        if value is None:
            value = default
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise InputError(
                f"{self.path}: {key}={value!r}: expected a whole number from {low} to {high}"
            )
        return value

    def number(self, key: str, low: float, high: float, default: float | None = None) -> float:
        value = self.data.get(key, default)
        if value is None:
            value = default
        good = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not good or not low <= value <= high:
            raise InputError(
                f"{self.path}: {key}={value!r}: expected a number from {low} to {high}"
            )
        return float(value)

    def flag(self, key: str, default: bool) -> bool:
        value = self.data.get(key, default)
        if not isinstance(value, bool):
            raise InputError(f"{self.path}: {key}={value!r}: expected true or false")
        return value


def read_config(path: Path) -> ModelConfig:
    """Read and check `config.json`. Raises InputError that names the key and what is allowed."""
    data = read_json(path)
    if not isinstance(data, dict):
        raise InputError(f"{path}: expected a JSON object")
    kind = data.get("model_type")
    if kind not in ARCHITECTURES:
        raise InputError(
            f"{path}: model_type {kind!r} has no recipe; known: {', '.join(ARCHITECTURES)}. "
            "Export the model with torch.export.save(ep, 'model.pt2') and compile that instead"
        )
    f = _Fields(path, data)
    heads = f.whole("num_attention_heads", 1, 1024)
    hidden = f.whole("hidden_size", 1, 65536)
    layers = f.whole("num_hidden_layers", 1, 512)
    kv_heads = f.whole("num_key_value_heads", 1, 1024, heads)
    if heads % kv_heads:
        raise InputError(
            f"{path}: num_attention_heads={heads} is not a multiple of num_key_value_heads={kv_heads}"
        )
    sparse = kind in ("mixtral", "qwen2_moe", "qwen3_moe")
    if data.get("head_dim") is None and kind != "qwen3" and hidden % heads:
        raise InputError(
            f"{path}: hidden_size={hidden} is not a multiple of num_attention_heads={heads}"
        )
    head_dim = f.whole("head_dim", 2, 4096, 128 if kind == "qwen3" else hidden // heads)
    if head_dim % 2:
        raise InputError(f"{path}: head_dim={head_dim}: rotary embedding needs an even number")
    activation = data.get("hidden_act", "silu")
    if not isinstance(activation, str) or activation not in ACTIVATIONS:
        raise InputError(
            f"{path}: hidden_act={activation!r}: expected one of {', '.join(ACTIVATIONS)}"
        )
    context = f.whole("max_position_embeddings", 1, 1 << 24, 2048)
    biased = ("llama", "qwen3", "qwen3_moe")
    bias = f.flag("attention_bias", False) if kind in biased else False
    qkv_bias = kind == "qwen2" or bias or (kind == "qwen2_moe" and f.flag("qkv_bias", True))
    return ModelConfig(
        architecture=kind,
        vocab_size=f.whole("vocab_size", 2, 1 << 20),
        hidden_size=hidden,
        intermediate_size=f.whole("intermediate_size", 1, 1 << 18),
        layers=layers,
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        max_context=context,
        norm_eps=f.number("rms_norm_eps", 0.0, 1.0, 1e-5 if kind == "mixtral" else 1e-6),
        activation=ACTIVATIONS[activation],
        tied=f.flag("tie_word_embeddings", False),
        qkv_bias=qkv_bias,
        output_bias=bias,
        mlp_bias=f.flag("mlp_bias", False) if kind == "llama" else False,
        qk_norm=kind in ("qwen3", "qwen3_moe"),
        sliding_window=_windows(f, kind, layers),
        rope=_rope(f, context),
        experts=_experts(f, kind, layers) if sparse else None,
    )


def _experts(f: _Fields, kind: str, layers: int) -> Experts:
    """Mixtral's keys, or those of Qwen, of which newer files spell the number of experts alike."""
    if kind == "mixtral":
        count = f.whole("num_local_experts", 1, MAX_EXPERTS)
        per_token = f.whole("num_experts_per_tok", 1, count)
        width = f.whole("intermediate_size", 1, 1 << 18)
        return Experts(count, per_token, True, width, 0, (True,) * layers)
    spelled = [k for k in ("num_experts", "num_local_experts") if f.data.get(k) is not None]
    count = f.whole(spelled[0] if spelled else "num_experts", 1, MAX_EXPERTS)
    if len(spelled) == 2 and f.data[spelled[1]] != count:
        raise InputError(
            f"{f.path}: num_experts={count} and num_local_experts={f.data[spelled[1]]} differ"
        )
    shared = "shared_expert_intermediate_size"
    return Experts(
        count=count,
        per_token=f.whole("num_experts_per_tok", 1, count),
        renormalise=f.flag("norm_topk_prob", False),
        width=f.whole("moe_intermediate_size", 1, 1 << 18),
        shared_width=f.whole(shared, 1, 1 << 18) if kind == "qwen2_moe" else 0,
        layers=_sparse_layers(f, layers),
    )


def _sparse_layers(f: _Fields, layers: int) -> tuple[bool, ...]:
    """Every n-th layer has experts, but for those that are listed as dense."""
    step = f.whole("decoder_sparse_step", 1, 4096, 1)
    dense = f.data.get("mlp_only_layers")
    dense = [] if dense is None else dense
    if not isinstance(dense, list) or not all(type(n) is int and 0 <= n < layers for n in dense):
        raise InputError(
            f"{f.path}: mlp_only_layers={dense!r}: expected a list of layers from 0 to {layers - 1}"
        )
    return tuple(i not in dense and (i + 1) % step == 0 for i in range(layers))


def _windows(f: _Fields, kind: str, layers: int) -> tuple[int, ...]:
    """Sliding window of each layer; 0 where a layer sees every position."""
    if f.data.get("sliding_window") is None or kind == "llama":
        return (0,) * layers
    if kind == "qwen2_moe" and not f.flag("use_sliding_window", False):
        return (0,) * layers  # newer files say sliding_window 0 then
    size = f.whole("sliding_window", 1, 1 << 24)
    if kind in ("mistral", "mixtral"):
        return (size,) * layers
    if not f.flag("use_sliding_window", False):
        return (0,) * layers
    if kind == "qwen3_moe":
        return (size,) * layers
    kinds = f.data.get("layer_types")
    if kinds is None and kind == "qwen2_moe":
        raise InputError(
            f"{f.path}: use_sliding_window without layer_types, which versions of the training library "
            f"read differently; give layer_types, a list of {layers} names"
        )
    if kinds is None:
        first = f.whole("max_window_layers", 0, 4096, 28)
        return tuple(size if i >= first else 0 for i in range(layers))
    if not isinstance(kinds, list) or len(kinds) != layers:
        raise InputError(f"{f.path}: layer_types: expected a list of {layers} names")
    for at, found in enumerate(kinds):
        if found not in ("full_attention", "sliding_attention"):
            raise InputError(
                f"{f.path}: layer_types[{at}]={found!r}: expected full_attention or "
                "sliding_attention; other kinds have no recipe"
            )
    return tuple(size if k == "sliding_attention" else 0 for k in kinds)


def _rope(f: _Fields, context: int) -> Rope:
    """Both spellings: rope_theta with rope_scaling, or one rope_parameters."""
    nested = f.data.get("rope_parameters") or {}
    scaling = f.data.get("rope_scaling") or {}
    if not isinstance(nested, dict) or not isinstance(scaling, dict):
        raise InputError(f"{f.path}: rope_parameters and rope_scaling must be objects")
    merged = {k: v for k, v in {**scaling, **nested}.items() if v is not None}
    g = _Fields(f.path, merged)
    usual = 1e6 if f.data.get("model_type") == "mixtral" else 1e4
    base = f.number("rope_theta", 1.0, 1e12, usual)
    theta = g.number("rope_theta", 1.0, 1e12, base)
    kind = str(merged.get("rope_type", merged.get("type", "default")))
    if kind not in ("default", "linear", "llama3", "yarn"):
        raise InputError(
            f"{f.path}: rope type {kind!r} is not supported; known: default, linear, llama3, yarn"
        )
    if kind == "default":
        return Rope(theta)
    if kind == "yarn":
        theta = g.number("rope_theta", 1.001, 1e12, base)  # its formula divides by log(theta)
    optional = {
        key: g.number(key, 0.0, 1e6)
        for key in ("attention_factor", "mscale", "mscale_all_dim")
        if key in merged
    }
    low = g.number("low_freq_factor", 1e-6, 1e6, 1.0)
    high = g.number("high_freq_factor", 1e-6, 1e6, 4.0)
    if low >= high:
        raise InputError(
            f"{f.path}: low_freq_factor={low}: expected less than high_freq_factor={high}"
        )
    return Rope(
        theta=theta,
        kind=kind,
        factor=g.number("factor", 1.0, 1e6),
        low_freq_factor=low,
        high_freq_factor=high,
        original_context=g.whole("original_max_position_embeddings", 1, 1 << 24, context),
        beta_fast=g.number("beta_fast", 1e-6, 1e6, 32.0),
        beta_slow=g.number("beta_slow", 1e-6, 1e6, 1.0),
        truncate=g.flag("truncate", True),
        **optional,
    )
