"""torch.export archives for tests: small models that are exported, and files made to deceive."""

import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

PROGRAM = "models/model.json"
WEIGHTS = "data/weights/model_weights_config.json"


class Mlp(nn.Module):
    """x (n, 8) -> linear, relu, linear."""

    def __init__(self) -> None:
        super().__init__()
        self.up = nn.Linear(8, 16)
        self.down = nn.Linear(16, 8, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(torch.relu(self.up(x)))


class CachedDecoder(nn.Module):
    """One attention layer that keeps its KV cache in buffers."""

    def __init__(self, context: int = 16, heads: int = 2, head_dim: int = 8) -> None:
        super().__init__()
        self.heads, self.head_dim, width = heads, head_dim, heads * head_dim
        self.embed = nn.Embedding(20, width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.head = nn.Linear(width, 20, bias=False)
        for name in ("keys", "values"):
            self.register_buffer(name, torch.zeros(1, heads, context, head_dim))

    def forward(self, tokens: Tensor, past: Tensor) -> Tensor:
        x = self.embed(tokens)
        batch, seq, width = x.shape
        split = [
            part.view(batch, seq, self.heads, self.head_dim).transpose(1, 2)
            for part in self.qkv(x).chunk(3, -1)
        ]
        where = past + torch.arange(seq)
        self.keys.index_copy_(2, where, split[1])
        self.values.index_copy_(2, where, split[2])
        mask = torch.arange(self.keys.shape[2])[None, :] <= where[:, None]
        y = functional.scaled_dot_product_attention(
            split[0], self.keys, self.values, attn_mask=mask
        )
        return self.head(x + self.out(y.transpose(1, 2).reshape(batch, seq, width)))


class Calls(nn.Module):
    """A module whose forward is a function."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: Tensor) -> Any:
        return self.function(*inputs)


def save_archive(
    path: Path,
    module: nn.Module,
    inputs: tuple[Tensor, ...],
    *,
    dynamic: Any = None,
    decompose: bool = False,
) -> Path:
    """Export and save `module`; `dynamic` are torch.export's dynamic shapes."""
    with torch.no_grad():
        exported = torch.export.export(module.eval(), inputs, dynamic_shapes=dynamic)
        if decompose:
            exported = exported.run_decompositions({})
    torch.export.save(exported, path)
    return path


def read_json(path: Path, member: str) -> Any:
    """A JSON member by the end of its name."""
    with zipfile.ZipFile(path) as file:
        return json.loads(file.read(full_name(path, member)))


def full_name(path: Path, member: str) -> str:
    """The name of a member by its end."""
    with zipfile.ZipFile(path) as file:
        (found,) = (n for n in file.namelist() if n.endswith(member))
    return found


def rewrite(
    source: Path,
    target: Path,
    change: Mapping[str, bytes | None] | None = None,
    add: Mapping[str, bytes] | None = None,
    compression: int = zipfile.ZIP_STORED,
) -> Path:
    """A copy with members replaced, left out (None) or added; names are given by their end."""
    changes = {full_name(source, name): data for name, data in (change or {}).items()}
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", compression) as new:
        for info in old.infolist():
            data = changes.get(info.filename, old.read(info))
            if data is not None:
                new.writestr(info.filename, data)
        for name, data in (add or {}).items():
            new.writestr(name, data)
    return target


def rewrite_json(source: Path, target: Path, member: str, change: Callable[[Any], object]) -> Path:
    """A copy in which `change` edited one JSON member in place."""
    data = read_json(source, member)
    change(data)
    return rewrite(source, target, {member: json.dumps(data).encode()})


def claim_size(path: Path, member: str, size: int) -> Path:
    """Make the archive's directory say that a member has `size` bytes."""
    data, name = bytearray(path.read_bytes()), full_name(path, member).encode()
    entry = data.rindex(name) - 46  # the fixed part of an entry of the directory
    assert data[entry : entry + 4] == b"PK\x01\x02"
    data[entry + 24 : entry + 28] = size.to_bytes(4, "little")
    path.write_bytes(data)
    return path
