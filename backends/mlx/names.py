"""Which module of `mlx-lm` holds a tensor of a Hugging Face decoder.

    model.layers.3.self_attn.q_proj.weight   model.layers.3.self_attn.q_proj
    model.layers.3.mlp.experts.7.up_proj.weight   model.layers.3.mlp.switch_mlp.up_proj (all experts)

Modules have the checkpoint's names but for experts, which one module of a layer holds together.
"""

import re

from optimum_compile.backends.gguf.names import gguf_name

_EXPERT = re.compile(r"(.{1,80}\.(?:mlp|block_sparse_moe))\.experts\.\d{1,6}\.(\w{1,20})")
_MIXTRAL = {"w1": "gate_proj", "w2": "down_proj", "w3": "up_proj"}


def mlx_path(name: str) -> str | None:
    """The module that holds a checkpoint's tensor, or None for a name of no known decoder."""
    if gguf_name(name) is None:  # it knows the same architectures
        return None
    stem = name.rpartition(".")[0]
    match = _EXPERT.fullmatch(stem)
    if match is None:
        return stem
    home, part = match.groups()
    return f"{home}.switch_mlp.{_MIXTRAL.get(part, part)}"
