"""Training of a scheduler's network: a checkpoint after each epoch, the same bytes however it was cut."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from optimum_compile.compiler.errors import OptionError
from optimum_compile.passes.phase.learned import NORM_EPSILON, Learned, Plan
from optimum_compile.tools.train_scheduler.data import Examples


@dataclass(frozen=True)
class Fit:
    """Size and training of the network. Dropout, decay and share held out are the paper's.

    objective: "labels" learns the label of each text by cross-entropy, as the paper does; "tradeoff" the
    steps of the greatest mean of quality - price * bits, for which no label is needed. balance, for
    labels: 1 picks every label equally often, 0 every text. price, for the tradeoff: in multiples of what
    a bit is worth on average, the mean quality between never and always low.
    """

    hidden: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    dropout: float = 0.1
    batch: int = 32
    epochs: int = 200
    patience: int = 25
    validation: float = 0.1
    seed: int = 0
    objective: str = "labels"
    balance: float = 1.0
    price: float = 1.0


@dataclass(frozen=True)
class Fitted:
    """The best network, the epochs run, and its loss on the texts left out."""

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
    goal = _Goal(examples, plan, how)
    weights = goal.weights(known)
    while state["epoch"] < how.epochs and state["epoch"] - state["best_epoch"] < how.patience:
        # All chance of an epoch depends on its number alone, so a resumed run takes the same course.
        number = how.seed * 1_000_003 + int(state["epoch"])
        torch.manual_seed(number)
        picked = np.random.default_rng(number).choice(known, len(known), p=weights)
        net.train()
        for at in range(0, len(picked), how.batch):
            rows = torch.from_numpy(picked[at : at + how.batch])
            loss = goal.losses(net(*(part[rows] for part in data)), rows).mean()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
        state["epoch"] += 1
        net.eval()
        rows = torch.from_numpy(held)
        with torch.no_grad():
            losses = goal.losses(net(*(part[rows] for part in data)), rows).double().numpy()
        loss_now = float(goal.weights(held) @ losses)
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


class _Goal:
    """What is learned: the loss of each text, and how often each text counts."""

    def __init__(self, examples: Examples, plan: Plan, how: Fit) -> None:
        import torch

        if how.objective not in ("labels", "tradeoff"):
            raise OptionError(f"objective {how.objective!r}: expected labels or tradeoff")
        self._labels, self._how = examples.labels, how
        self._targets = torch.from_numpy(self._labels)
        bits = np.array([plan.schedule(s).mean_bits(plan.steps[-1]) for s in plan.steps])
        quality = examples.quality
        worth = (quality[:, -1] - quality[:, 0]).mean() / (bits[-1] - bits[0])
        gained = quality - how.price * worth * bits
        # In units of how much texts differ, so that one learning rate serves any measure.
        scale = max(float((quality[:, -1] - quality[:, 0]).std()), 1e-12)
        self._gained = torch.from_numpy((gained - gained[:, -1:]) / scale).float()

    def losses(self, logits: Any, rows: Any) -> Any:
        """Of logits (n, steps) of these texts, (n,)."""
        from torch.nn.functional import cross_entropy

        if self._how.objective == "labels":
            return cross_entropy(logits, self._targets[rows], reduction="none")
        return -(logits.softmax(-1) * self._gained[rows]).sum(-1)

    def weights(self, texts: np.ndarray) -> np.ndarray:
        """How likely each of these texts is picked; the sum is 1."""
        labels = self._labels[texts]
        counts = np.bincount(labels)[labels].astype(np.float64)
        balance = self._how.balance if self._how.objective == "labels" else 0.0
        weights = counts**-balance
        share: np.ndarray = weights / weights.sum()
        return share
