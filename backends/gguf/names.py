"""What GGUF calls the tensors of a Hugging Face decoder.

    model.layers.3.self_attn.q_proj.weight   blk.3.attn_q.weight
    model.layers.3.mlp.experts.7.up_proj.weight   blk.3.ffn_up_exps.weight (all experts in one tensor)

The names are those of llama, mistral, qwen2, qwen3, mixtral, qwen2_moe and qwen3_moe, which do not contradict
each other. Nothing here needs the `gguf` package.
"""

import re

_OUTSIDE = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
}
_IN_LAYER = {
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "mlp.gate": "ffn_gate_inp",
    "block_sparse_moe.gate": "ffn_gate_inp",
    "mlp.shared_expert.gate_proj": "ffn_gate_shexp",
    "mlp.shared_expert.up_proj": "ffn_up_shexp",
    "mlp.shared_expert.down_proj": "ffn_down_shexp",
    "mlp.shared_expert_gate": "ffn_gate_inp_shexp",
}
_OF_EXPERT = {
    "gate_proj": "ffn_gate_exps",
    "up_proj": "ffn_up_exps",
    "down_proj": "ffn_down_exps",
    "w1": "ffn_gate_exps",
    "w3": "ffn_up_exps",
    "w2": "ffn_down_exps",
}
_LAYER = re.compile(r"model\.layers\.(\d{1,6})\.(.{1,80})")
_EXPERT = re.compile(r"(?:mlp|block_sparse_moe)\.experts\.\d{1,6}\.(\w{1,20})")
# llama-quantize leaves these as they are, whatever a rule says.
_KEPT = ("ffn_gate_inp", "ffn_gate_inp_shexp")


def gguf_name(name: str) -> str | None:
    """GGUF's name of a checkpoint's tensor, or None. Experts of one layer share theirs."""
    stem, dot, kind = name.rpartition(".")
    if not dot or kind not in ("weight", "bias"):
        return None
    found = _OUTSIDE.get(stem)
    if found is not None:
        return f"{found}.{kind}"
    match = _LAYER.fullmatch(stem)
    if match is None:
        return None
    layer, part = match.groups()
    expert = _EXPERT.fullmatch(part)
    inner = _IN_LAYER.get(part) if expert is None else _OF_EXPERT.get(expert.group(1))
    return None if inner is None else f"blk.{int(layer)}.{inner}.{kind}"


def is_kept(name: str) -> bool:
    """Whether a checkpoint's tensor is a router's, which `llama-quantize` does not round."""
    found = gguf_name(name)
    return found is not None and found.removesuffix(".weight").split(".")[-1] in _KEPT
