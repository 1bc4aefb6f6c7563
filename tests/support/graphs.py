"""Small graphs for tests, built through the op table so that their types are right."""

import numpy as np

from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.graph import Attr, Graph, State, Value
from optimum_compile.compiler.ir.ops import infer_types
from optimum_compile.compiler.ir.shape import Dim, SymbolRange, parse_dim
from optimum_compile.compiler.ir.types import TensorType
from optimum_compile.compiler.ir.weights import inline_weight


def kind(dtype: DType | str, *shape: Dim | str) -> TensorType:
    """A type; dimensions may be given as text."""
    dims = tuple(parse_dim(d) if isinstance(d, str) else d for d in shape)
    return TensorType(DType(dtype), dims)


class Builder:
    """Builds one graph; output types come from the op table."""

    def __init__(self, name: str = "test", **symbols: tuple[int, int]) -> None:
        self.graph = Graph(name)
        for symbol, (low, high) in symbols.items():
            self.graph.symbols[symbol] = SymbolRange(low, high)

    def input(self, name: str, dtype: DType | str, *shape: Dim | str) -> Value:
        return self.graph.add_input(name, kind(dtype, *shape))

    def state(self, name: str, dtype: DType | str, *shape: Dim | str) -> State:
        return self.graph.add_state(name, kind(dtype, *shape))

    def weight(self, name: str, data: np.ndarray) -> Value:
        known = self.graph.weights.get(name)
        if known is not None:
            return known
        names = {"float32": "f32", "float16": "f16", "float64": "f64", "int64": "i64"}
        return self.graph.add_weight(inline_weight(name, data, DType(names[data.dtype.name])))

    def op(self, name: str, *inputs: Value | None, origin: str = "", **attrs: Attr) -> Value:
        types = [None if v is None else v.type for v in inputs]
        outputs = infer_types(name, types, attrs)
        assert outputs is not None
        return self.graph.add_node(name, inputs, outputs, attrs, origin=origin).output

    def aten(self, target: str, args: Attr, *inputs: Value | None, out: TensorType) -> Value:
        attrs: dict[str, Attr] = {"target": target, "args": args}
        return self.graph.add_node("aten", inputs, [out], attrs).output

    def returns(self, *outputs: Value) -> Graph:
        self.graph.outputs = list(outputs)
        return self.graph


def mlp(width: int = 8, hidden: int = 16, seed: int = 0) -> Graph:
    """x f32[n, width] -> linear, relu, linear; n in 1..64."""
    rng = np.random.default_rng(seed)
    b = Builder("mlp", n=(1, 64))
    x = b.input("x", "f32", "n", width)
    w1 = b.weight("up.weight", rng.standard_normal((hidden, width)).astype(np.float32))
    b1 = b.weight("up.bias", rng.standard_normal(hidden).astype(np.float32))
    w2 = b.weight("down.weight", rng.standard_normal((width, hidden)).astype(np.float32))
    h = b.op("relu", b.op("linear", x, w1, b1, origin="up"), origin="act")
    return b.returns(b.op("linear", h, w2, None, origin="down"))


def decoder(
    layers: int = 2,
    width: int = 32,
    heads: int = 4,
    kv_heads: int = 2,
    hidden: int = 64,
    vocab: int = 50,
    context: int = 24,
    max_prefill: int = 16,
    tied: bool = True,
    bias: bool = False,
    window: int = 0,
    seed: int = 0,
) -> Graph:
    """A canonical decoder with a KV cache, random weights, Hugging Face names (llama)."""
    b = Builder("decoder", seq=(1, max_prefill))
    maker = _Decoder(b, width, heads, kv_heads, hidden, context, bias, window, seed)
    tokens = b.input("tokens", "i64", 1, "seq")
    maker.past = b.input("past", "i64", 1)
    table = maker.random("model.embed_tokens.weight", vocab, width)
    x = b.op("embedding", tokens, table, origin="model.embed_tokens")
    for index in range(layers):
        x = maker.block(x, index)
    x = maker.norm(x, "model.norm")
    head = table if tied else maker.random("lm_head.weight", vocab, width)
    return b.returns(b.op("linear", x, head, None, origin="lm_head"))


class _Decoder:
    def __init__(
        self,
        builder: Builder,
        width: int,
        heads: int,
        kv_heads: int,
        hidden: int,
        context: int,
        bias: bool,
        window: int,
        seed: int,
    ) -> None:
        self.b = builder
        self.width, self.heads, self.kv_heads, self.hidden = width, heads, kv_heads, hidden
        self.context, self.bias, self.window = context, bias, window
        self.head_dim = width // heads
        self.rng = np.random.default_rng(seed)
        self.past: Value | None = None
        half = self.head_dim // 2
        table = (10000.0 ** (-np.arange(half) / half)).astype(np.float32)
        self.inv_freq = builder.weight("rope.inv_freq", table)

    def random(self, name: str, *shape: int) -> Value:
        data = self.rng.standard_normal(shape) / np.sqrt(shape[-1])
        return self.b.weight(name, data.astype(np.float32))

    def norm(self, x: Value, origin: str) -> Value:
        data = 1 + 0.1 * self.rng.standard_normal(self.width)
        weight = self.b.weight(f"{origin}.weight", data.astype(np.float32))
        return self.b.op("rms_norm", x, weight, eps=1e-5, origin=origin)

    def linear(self, x: Value, rows: int, origin: str, bias: bool = False) -> Value:
        weight = self.random(f"{origin}.weight", rows, int(x.type.shape[-1]))
        offset = self.random(f"{origin}.bias", rows) if bias else None
        return self.b.op("linear", x, weight, offset, origin=origin)

    def split_heads(self, x: Value, heads: int, origin: str) -> Value:
        x = self.b.op("reshape", x, shape=(1, "seq", heads, self.head_dim), origin=origin)
        return self.b.op("permute", x, perm=(0, 2, 1, 3), origin=origin)

    def attention(self, x: Value, index: int, at: str) -> Value:
        b, past = self.b, self.past
        q = self.linear(x, self.width, f"{at}.q_proj", self.bias)
        k = self.linear(x, self.kv_heads * self.head_dim, f"{at}.k_proj", self.bias)
        v = self.linear(x, self.kv_heads * self.head_dim, f"{at}.v_proj", self.bias)
        q = b.op("rope", self.split_heads(q, self.heads, at), past, self.inv_freq, scale=1.0)
        k = b.op("rope", self.split_heads(k, self.kv_heads, at), past, self.inv_freq, scale=1.0)
        v = self.split_heads(v, self.kv_heads, at)
        shape = (1, self.kv_heads, self.context, self.head_dim)
        keys = b.state(f"k_cache.{index}", "f32", *shape)
        values = b.state(f"v_cache.{index}", "f32", *shape)
        keys.written = b.op("kv_write", keys.read, k, past, axis=2, origin=at)
        values.written = b.op("kv_write", values.read, v, past, axis=2, origin=at)
        out = b.op(
            "cache_attention",
            q,
            keys.written,
            values.written,
            past,
            scale=self.head_dim**-0.5,
            window=self.window,
            origin=at,
        )
        out = b.op("permute", out, perm=(0, 2, 1, 3), origin=at)
        out = b.op("reshape", out, shape=(1, "seq", self.width), origin=at)
        return self.linear(out, self.width, f"{at}.o_proj")

    def block(self, x: Value, index: int) -> Value:
        b, at = self.b, f"model.layers.{index}"
        normed = self.norm(x, f"{at}.input_layernorm")
        x = b.op("add", x, self.attention(normed, index, f"{at}.self_attn"), origin=at)
        normed = self.norm(x, f"{at}.post_attention_layernorm")
        gate = self.linear(normed, self.hidden, f"{at}.mlp.gate_proj")
        up = self.linear(normed, self.hidden, f"{at}.mlp.up_proj")
        gated = b.op("mul", b.op("silu", gate, origin=f"{at}.mlp.act"), up, origin=f"{at}.mlp")
        return b.op("add", x, self.linear(gated, self.width, f"{at}.mlp.down_proj"), origin=at)
