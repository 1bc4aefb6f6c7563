"""The recipe of Llama-form decoders: llama, mistral, qwen2, qwen3.

Parameter names are those of the Hugging Face checkpoints. The module is built on the meta device,
so that exporting it never needs a weight.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from optimum_compile.compiler.frontend.config import ModelConfig
from optimum_compile.models import ops


class Attention(nn.Module):
    """Grouped-query attention over a cache that is handed in and handed back."""

    def __init__(self, config: ModelConfig, window: int) -> None:
        super().__init__()
        self.config, self.window = config, window
        width, d = config.hidden_size, config.head_dim
        self.q_proj = nn.Linear(width, config.heads * d, bias=config.qkv_bias)
        self.k_proj = nn.Linear(width, config.kv_heads * d, bias=config.qkv_bias)
        self.v_proj = nn.Linear(width, config.kv_heads * d, bias=config.qkv_bias)
        self.o_proj = nn.Linear(config.heads * d, width, bias=config.output_bias)
        if config.qk_norm:
            self.q_norm = nn.RMSNorm(d, config.norm_eps)
            self.k_norm = nn.RMSNorm(d, config.norm_eps)

    def forward(
        self, x: Tensor, past: Tensor, k_cache: Tensor, v_cache: Tensor, rope: tuple[Tensor, float]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """X (1, seq, width), caches (1, kv_heads, context, head_dim)."""
        batch, seq, _ = x.shape
        config, d = self.config, self.config.head_dim
        q = self.q_proj(x).view(batch, seq, config.heads, d)
        k = self.k_proj(x).view(batch, seq, config.kv_heads, d)
        v = self.v_proj(x).view(batch, seq, config.kv_heads, d).transpose(1, 2)
        if config.qk_norm:
            q, k = self.q_norm(q), self.k_norm(k)
        own = torch.ops.optimum_compile
        q = own.rope(q.transpose(1, 2), past, *rope)
        k = own.rope(k.transpose(1, 2), past, *rope)
        k_cache = own.kv_write(k_cache, k, past, 2)
        v_cache = own.kv_write(v_cache, v, past, 2)
        out = own.cache_attention(q, k_cache, v_cache, past, d**-0.5, self.window)
        out = out.transpose(1, 2).reshape(batch, seq, config.heads * d)
        return self.o_proj(out), k_cache, v_cache


class MLP(nn.Module):
    """Gated feed-forward."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.activation = config.activation
        width, inner, bias = config.hidden_size, config.intermediate_size, config.mlp_bias
        self.gate_proj = nn.Linear(width, inner, bias=bias)
        self.up_proj = nn.Linear(width, inner, bias=bias)
        self.down_proj = nn.Linear(inner, width, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """X (1, seq, width)."""
        return self.down_proj(activate(self.activation, self.gate_proj(x)) * self.up_proj(x))


def activate(name: str, x: Tensor) -> Tensor:
    """One of `frontend.config.ACTIVATIONS`."""
    if name == "silu":
        return functional.silu(x)
    if name == "relu":
        return functional.relu(x)
    return functional.gelu(x, approximate="tanh" if name == "gelu_tanh" else "none")


class Block(nn.Module):
    """Attention and feed-forward, each on a norm of the residual stream."""

    def __init__(self, config: ModelConfig, window: int) -> None:
        super().__init__()
        self.self_attn = Attention(config, window)
        self.mlp = MLP(config)
        self.input_layernorm = nn.RMSNorm(config.hidden_size, config.norm_eps)
        self.post_attention_layernorm = nn.RMSNorm(config.hidden_size, config.norm_eps)

    def forward(
        self, x: Tensor, past: Tensor, k_cache: Tensor, v_cache: Tensor, rope: tuple[Tensor, float]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """See `Attention.forward`."""
        out, k_cache, v_cache = self.self_attn(
            self.input_layernorm(x), past, k_cache, v_cache, rope
        )
        x = x + out
        return x + self.mlp(self.post_attention_layernorm(x)), k_cache, v_cache


class Body(nn.Module):
    """Embedding, blocks and the last norm."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Block(config, w) for w in config.sliding_window)
        self.norm = nn.RMSNorm(config.hidden_size, config.norm_eps)


class Decoder(nn.Module):
    """The whole model. `inv_freq` (head_dim / 2,) float32 is a buffer that the loader fills."""

    def __init__(self, config: ModelConfig, rope_scale: float) -> None:
        super().__init__()
        self.config, self.rope_scale = config, rope_scale
        self.model = Body(config)
        self.register_buffer("inv_freq", torch.empty(config.head_dim // 2))
        if not config.tied:
            self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)

    def forward(
        self, tokens: Tensor, past: Tensor, k_cache: list[Tensor], v_cache: list[Tensor]
    ) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Tokens (1, seq) int64, past (1,) int64; returns logits (1, seq, vocab) and the caches."""
        x = self.model.embed_tokens(tokens)
        rope = (self.inv_freq, self.rope_scale)
        keys, values = [], []
        for layer, k, v in zip(self.model.layers, k_cache, v_cache, strict=True):
            x, k, v = layer(x, past, k, v, rope)
            keys.append(k)
            values.append(v)
        x = self.model.norm(x)
        if self.config.tied:
            return functional.linear(x, self.model.embed_tokens.weight), keys, values
        return self.lm_head(x), keys, values


def build(config: ModelConfig, rope_scale: float = 1.0) -> Decoder:
    """The recipe on the meta device."""
    ops.load()
    with torch.device("meta"):
        module = Decoder(config, rope_scale)
    module.eval()
    return module


def example_inputs(
    config: ModelConfig, context: int, max_prefill: int
) -> tuple[Tensor, Tensor, list[Tensor], list[Tensor]]:
    """Meta inputs for the export, within the range of `dynamic_dims`."""
    shape = (1, config.kv_heads, context, config.head_dim)
    tokens = torch.empty((1, min(3, max_prefill)), dtype=torch.int64, device="meta")
    past = torch.empty((1,), dtype=torch.int64, device="meta")
    caches = [[torch.empty(shape, device="meta") for _ in range(config.layers)] for _ in range(2)]
    return tokens, past, caches[0], caches[1]


def dynamic_dims(config: ModelConfig, max_prefill: int) -> tuple[object, ...]:
    """Dynamic shapes for the export: only the number of tokens varies."""
    seq = torch.export.Dim("seq", min=1, max=max_prefill) if max_prefill > 1 else None
    none: list[None] = [None] * config.layers
    return ({1: seq} if seq is not None else None, None, none, none)
