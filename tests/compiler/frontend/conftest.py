"""Models that several tests open; nobody changes them."""

from pathlib import Path

import pytest
import torch
from support.archives import CachedDecoder, Mlp, save_archive
from support.hf import save_folder, tiny_model


@pytest.fixture(scope="session")
def llama_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny llama as one file."""
    return save_folder(tiny_model("llama"), tmp_path_factory.mktemp("models") / "llama")


@pytest.fixture(scope="session")
def mlp_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`Mlp`, with 1 to 64 rows."""
    torch.manual_seed(0)
    rows = {0: torch.export.Dim("rows", min=1, max=64)}
    path = tmp_path_factory.mktemp("archives") / "mlp.pt2"
    return save_archive(path, Mlp(), (torch.randn(3, 8),), dynamic=(rows,))


@pytest.fixture(scope="session")
def decoder_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`CachedDecoder`, with 1 to 8 new tokens."""
    torch.manual_seed(0)
    tokens = {1: torch.export.Dim("tokens", min=1, max=8)}
    path = tmp_path_factory.mktemp("archives") / "cached.pt2"
    example = (torch.zeros(1, 5, dtype=torch.int64), torch.zeros(1, dtype=torch.int64))
    return save_archive(path, CachedDecoder(), example, dynamic=(tokens, None))
