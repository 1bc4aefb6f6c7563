"""The recipe of Llama-form decoders: llama, mistral, qwen2, qwen3, and their mixtures of experts.

Parameter names are those of the Hugging Face checkpoints. The module is built on the meta device,
so that exporting it never needs a weight.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from optimum_compile.compiler.frontend.config import Experts, ModelConfig
from optimum_compile.models import ops

GATE_UP_DOWN = ("gate_proj", "up_proj", "down_proj")
MIXTRAL_NAMES = ("w1", "w3", "w2")


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

    def __init__(
        self, config: ModelConfig, inner: int, names: tuple[str, str, str] = GATE_UP_DOWN
    ) -> None:
        super().__init__()
        self.activation, self.names = config.activation, names
        width, bias = config.hidden_size, config.mlp_bias
        for name in names[:2]:
            self.add_module(name, nn.Linear(width, inner, bias=bias))
        self.add_module(names[2], nn.Linear(inner, width, bias=bias))

    def forward(self, x: Tensor) -> Tensor:
        """X (1, seq, width)."""
        gate, up, down = (self.get_submodule(name) for name in self.names)
        return down(activate(self.activation, gate(x)) * up(x))


class SparseMoe(nn.Module):
    """Experts, each token's output the sum of those that the router chose, times their gates.

    Every expert is computed for every token, and a gate of 0 drops it: the program has no branches,
    and each expert's matrices are ordinary linears.
    """

    def __init__(self, config: ModelConfig, experts: Experts, names: tuple[str, str, str]) -> None:
        super().__init__()
        self.options = experts
        self.gate = nn.Linear(config.hidden_size, experts.count, bias=False)
        self.experts = nn.ModuleList(
            MLP(config, experts.width, names) for _ in range(experts.count)
        )
        if experts.shared_width:
            self.shared_expert = MLP(config, experts.shared_width)
            self.shared_expert_gate = nn.Linear(config.hidden_size, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """X (1, seq, width)."""
        route = torch.ops.optimum_compile.route
        gates = route(self.gate(x), self.options.per_token, self.options.renormalise)
        out = self.experts[0](x) * gates[..., :1]
        for at in range(1, self.options.count):
            out = out + self.experts[at](x) * gates[..., at : at + 1]
        if self.options.shared_width:
            out = out + self.shared_expert(x) * self.shared_expert_gate(x).sigmoid()
        return out


def activate(name: str, x: Tensor) -> Tensor:
    """One of `frontend.config.ACTIVATIONS`."""
    if name == "silu":
        return functional.silu(x)
    if name == "relu":
        return functional.relu(x)
    return functional.gelu(x, approximate="tanh" if name == "gelu_tanh" else "none")


class Block(nn.Module):
    """Attention and feed-forward, each on a norm of the residual stream."""

    def __init__(self, config: ModelConfig, window: int, sparse: Experts | None) -> None:
        super().__init__()
        self.self_attn = Attention(config, window)
        self.feed_forward = "mlp" if config.architecture != "mixtral" else "block_sparse_moe"
        if sparse is None:
            self.mlp = MLP(config, config.intermediate_size)
        else:
            names = GATE_UP_DOWN if config.architecture != "mixtral" else MIXTRAL_NAMES
            self.add_module(self.feed_forward, SparseMoe(config, sparse, names))
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
        feed_forward = self.get_submodule(self.feed_forward)
        return x + feed_forward(self.post_attention_layernorm(x)), k_cache, v_cache


class Body(nn.Module):
    """Embedding, blocks and the last norm."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        sparse = config.experts.layers if config.experts else (False,) * config.layers
        self.layers = nn.ModuleList(
            Block(config, window, config.experts if has_experts else None)
            for window, has_experts in zip(config.sliding_window, sparse, strict=True)
        )
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
