"""The loss whose gradients a method looks at, as a sum over the tokens of a sample."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from optimum_compile.compiler.errors import InputError
from optimum_compile.passes.calibrate.propagate import Sample

LossName = Literal["kl", "cross-entropy"]


def divergence(logits: Tensor, original: Tensor) -> Tensor:
    """KL(original || logits) in nats, summed over tokens; both (..., tokens, vocabulary)."""
    first = torch.log_softmax(original.reshape(-1, original.shape[-1]), -1)
    second = torch.log_softmax(logits.reshape(-1, logits.shape[-1]), -1)
    return F.kl_div(second, first, reduction="sum", log_target=True)


def next_token_loss(logits: Tensor, sample: Sample) -> Tensor:
    """Cross entropy of the text itself in nats, summed over tokens.

    Raises InputError for a model that reads no tokens: it has no next one.
    """
    tokens = sample.inputs.get("tokens")
    if tokens is None:
        raise InputError("cross entropy: the model has no input `tokens`; use the loss 'kl'")
    flat = logits.reshape(-1, logits.shape[-1])
    labels = torch.from_numpy(tokens.reshape(-1)[1:].copy())
    return F.cross_entropy(flat[:-1], labels, reduction="sum")
