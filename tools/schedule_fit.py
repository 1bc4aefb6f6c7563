"""Training of a scheduler's network: a checkpoint after each epoch, the same bytes however it was cut."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from optimum_compile.compiler.errors import OptionError
from optimum_compile.passes.phase.learned import NORM_EPSILON, Learned, Plan
from optimum_compile.tools.schedule_data import Examples


@dataclass(frozen=True)
class Fit:
    """Size and training of the network. Dropout, decay and share held out are the paper's."""

    hidden: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    dropout: float = 0.1
    batch: int = 32
    epochs: int = 200
    patience: int = 25
    validation: float = 0.1
    seed: int = 0


@dataclass(frozen=True)
class Fitted:
    """The best network, the epochs run, and its cross-entropy in nats on the texts left out."""

    learned: Learned
    epochs: int
    best_epoch: int
    validation_loss: float


def fit(examples: Examples, plan: Plan, how: Fit, work: Path) -> Fitted:
    """Train, or resume from the checkpoint of the same training in `work`.

    Raises OptionError for too few texts.
    """
    import torch

    if len(examples) < 10:
        raise OptionError(f"{len(examples)} texts to learn from; expected at least ten")
    torch.manual_seed(how.seed)
    labels = examples.labels
    order = np.random.default_rng(how.seed).permutation(len(labels))
    cut = max(1, round(how.validation * len(labels)))
    held, known = np.sort(order[:cut]), np.sort(order[cut:])
    data = _padded(examples)
    heads, _, width = examples.keys[0].shape
    net = _network(heads, width, examples.values[0].shape[2], how, len(plan.steps))
    optimiser = torch.optim.AdamW(
        net.parameters(), lr=how.learning_rate, weight_decay=how.weight_decay
    )
    best = {k: v.clone() for k, v in net.state_dict().items()}
    state = {"epoch": 0, "best_epoch": 0, "best_loss": float("inf")}
    checkpoint = work / f"checkpoint-{_name(examples, plan, how)}.pt"
    if checkpoint.is_file():
        read = torch.load(checkpoint, weights_only=True)
        net.load_state_dict(read["network"])
        optimiser.load_state_dict(read["optimiser"])
        best, state = read["best"], read["state"]
    weights = _balanced(labels[known], len(plan.steps))
    targets = torch.from_numpy(labels)
    while state["epoch"] < how.epochs and state["epoch"] - state["best_epoch"] < how.patience:
        # All chance of an epoch depends on its number alone, so a resumed run takes the same course.
        number = how.seed * 1_000_003 + int(state["epoch"])
        torch.manual_seed(number)
        picked = np.random.default_rng(number).choice(known, len(known), p=weights)
        net.train()
        for at in range(0, len(picked), how.batch):
            rows = torch.from_numpy(picked[at : at + how.batch])
            loss = torch.nn.functional.cross_entropy(
                net(*(part[rows] for part in data)), targets[rows]
            )
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
        state["epoch"] += 1
        loss_now = _validate(net, data, labels, held, len(plan.steps))
        if loss_now < state["best_loss"]:
            state |= {"best_loss": loss_now, "best_epoch": state["epoch"]}
            best = {k: v.clone() for k, v in net.state_dict().items()}
        saved = {
            "network": net.state_dict(),
            "optimiser": optimiser.state_dict(),
            "best": best,
            "state": state,
        }
        torch.save(saved, checkpoint.with_suffix(".part"))
        checkpoint.with_suffix(".part").replace(checkpoint)
    learned = Learned.rounded(plan, {k: v.numpy() for k, v in best.items()})
    return Fitted(learned, int(state["epoch"]), int(state["best_epoch"]), float(state["best_loss"]))


def _name(examples: Examples, plan: Plan, how: Fit) -> str:
    """Of a training: all that decides its course, but not how far it goes."""
    text = json.dumps([asdict(plan), asdict(replace(how, epochs=0, patience=0))])
    digest = hashlib.sha256(text.encode() + examples.labels.tobytes())
    for part in (*examples.keys, *examples.values):
        digest.update(part.tobytes())
    return digest.hexdigest()[:16]


def _network(heads: int, width: int, value_width: int, how: Fit, steps: int) -> Any:
    """The same as `Learned` in torch, with dropout; parameters are named as its tensors."""
    import torch
    from torch import Tensor, nn

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.query = nn.Parameter(torch.randn(heads, width) / width**0.5)
            self.norm = nn.LayerNorm(value_width, eps=NORM_EPSILON)
            self.hidden = nn.Linear(value_width, how.hidden)
            self.out = nn.Linear(how.hidden, steps)
            self.drop = nn.Dropout(how.dropout)

        def forward(self, keys: Tensor, values: Tensor, real: Tensor) -> Tensor:
            scores = torch.einsum("hd,bhtd->bht", self.query, keys) / width**0.5
            shares = scores.masked_fill(~real[:, None], float("-inf")).softmax(-1)
            pooled = torch.einsum("bht,bhtd->bhd", shares, values).mean(1)
            inner = self.hidden(self.drop(self.norm(pooled))).relu()
            # Logits: the loss takes their softmax, and only once.
            made: Tensor = self.out(self.drop(inner))
            return made

    return Network()


def _padded(examples: Examples) -> tuple[Any, Any, Any]:
    """Keys, values (texts, heads, most tokens, width) and which tokens are real, as tensors."""
    import torch

    most = int(examples.lengths.max())
    real = np.arange(most) < examples.lengths[:, None]

    def joined(parts: tuple[np.ndarray, ...]) -> Any:
        heads, _, width = parts[0].shape
        out = np.zeros((len(parts), heads, most, width), np.float32)
        for row, part in zip(out, parts, strict=True):
            row[:, : part.shape[1]] = part
        return torch.from_numpy(out)

    return joined(examples.keys), joined(examples.values), torch.from_numpy(real)


def _balanced(labels: np.ndarray, steps: int) -> np.ndarray:
    """How likely each text is picked, so that every label that occurs is picked equally often."""
    counts = np.bincount(labels, minlength=steps)
    weights = 1 / counts[labels]
    share: np.ndarray = weights / weights.sum()
    return share


def _validate(net: Any, data: Any, labels: np.ndarray, held: np.ndarray, steps: int) -> float:
    """Cross-entropy of the texts left out, every label that occurs of the same weight."""
    import torch

    net.eval()
    rows = torch.from_numpy(held)
    with torch.no_grad():
        logs = net(*(part[rows] for part in data)).log_softmax(-1).double().numpy()
    share = _balanced(labels[held], steps)
    return float(-(share * logs[np.arange(len(held)), labels[held]]).sum())
