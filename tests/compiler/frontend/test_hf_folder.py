"""Folders: names of shards that lead elsewhere, weights that are missing, and tokenizer files."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from support.hf import edit_config, save_folder, tiny_model

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.frontend.hf_folder import INDEX, folder_weights, tokenizer_files
from optimum_compile.compiler.frontend.open_model import open_model


def refused(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        open_model(folder)
    assert caught.value.exit_code == 3
    assert str(caught.value).startswith(str(folder))
    return str(caught.value).removeprefix(f"{folder}").removeprefix(f"/{INDEX}")


@pytest.fixture
def folder(llama_folder: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(llama_folder, tmp_path / "llama"))


@pytest.fixture
def sharded(folder: Path) -> Path:
    """The copy in two shards, a.safetensors and b.safetensors."""
    tensors = load_file(folder / "model.safetensors")
    names = sorted(tensors)
    where = {n: "a.safetensors" if n < "model.layers" else "b.safetensors" for n in names}
    for shard in ("a.safetensors", "b.safetensors"):
        save_file({n: tensors[n] for n in names if where[n] == shard}, folder / shard)
    (folder / INDEX).write_text(json.dumps({"weight_map": where}))
    (folder / "model.safetensors").unlink()
    return folder


def point_to(folder: Path, shard: Any) -> None:
    """Let the index say that the first tensor is in `shard`."""
    index = json.loads((folder / INDEX).read_text())
    index["weight_map"][min(index["weight_map"])] = shard
    (folder / INDEX).write_text(json.dumps(index))


def test_shards_are_found_by_the_index(sharded: Path, llama_folder: Path) -> None:
    found, whole = folder_weights(sharded), folder_weights(llama_folder)
    assert found.keys() == whole.keys()
    for name, ref in found.items():
        assert (ref.load() == whole[name].load()).all()


@pytest.mark.parametrize(
    "shard",
    ["../a.safetensors", "/etc/passwd", "sub/a.safetensors", "./a.safetensors", "..", ".", "", "a/",
     "..\\a.safetensors", "C:\\a.safetensors", "a\0b", 5, None, ["a.safetensors"], {"a": 1}, True],
    ids=repr,
)  # fmt: skip
def test_a_shard_that_is_no_plain_name_is_refused(shard: Any, sharded: Path) -> None:
    shutil.copy(sharded / "a.safetensors", sharded.parent / "a.safetensors")
    point_to(sharded, shard)
    assert refused(sharded) == f": shard name {shard!r} is not a plain file name; refused"


@pytest.mark.parametrize("target", ["../outside.safetensors", "{parent}/outside.safetensors"])
def test_a_shard_that_links_out_of_the_folder_is_refused(target: str, sharded: Path) -> None:
    (sharded / "a.safetensors").rename(sharded.parent / "outside.safetensors")
    (sharded / "a.safetensors").symlink_to(target.format(parent=sharded.parent))
    outside = sharded.parent / "outside.safetensors"
    assert refused(sharded).startswith(
        f": shard 'a.safetensors' is a link that leads out of the folder (to {outside}); refused: "
    )


@pytest.mark.parametrize("name", ["model.safetensors", INDEX])
def test_weights_and_index_that_link_out_of_the_folder_are_refused(name: str, folder: Path) -> None:
    (folder.parent / "outside").write_bytes((folder / "model.safetensors").read_bytes())
    (folder / "model.safetensors").unlink()
    (folder / name).symlink_to("../outside")
    assert f"{name} is a link that leads out of the folder" in f"{name}{refused(folder)}"


def as_hub_cache(folder: Path, root: Path, cache: str = "models--org--name") -> Path:
    """The snapshot of a cache that holds the files of `folder` as the hub's client lays them out."""
    snapshot = root / cache / "snapshots" / ("0123abcd" * 5)
    blobs = root / cache / "blobs"
    blobs.mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for number, file in enumerate(sorted(folder.iterdir())):
        file.rename(blobs / f"{number:040x}")
        (snapshot / file.name).symlink_to(f"../../blobs/{number:040x}")
    return snapshot


def test_a_snapshot_of_the_hub_cache_is_read_with_its_tokenizer(
    sharded: Path, tmp_path: Path
) -> None:
    (sharded / "tokenizer.json").write_text("{}")
    before = open_model(sharded)
    snapshot = as_hub_cache(sharded, tmp_path / "hub")
    found = open_model(snapshot)
    assert found.parameters == before.parameters
    assert found.name == "name"
    assert [f.name for f in found.tokenizer_files] == [f.name for f in before.tokenizer_files]
    name = "model.layers.0.mlp.up_proj.weight"
    assert found.graph.weights[name].weight.load().any()
    with pytest.raises(InputError, match=r"give one of its folders snapshots/REVISION"):
        open_model(snapshot.parent.parent)


@pytest.mark.parametrize("cache", ["models--org--name", "other"])
def test_a_snapshot_may_link_into_its_own_cache_only(
    cache: str, sharded: Path, tmp_path: Path
) -> None:
    snapshot = as_hub_cache(sharded, tmp_path / "hub", cache)
    if cache != "other":  # a folder of another name is no cache: even its own blobs are refused
        stranger = tmp_path / "hub" / "models--org--stranger" / "blobs" / "x"
        stranger.parent.mkdir(parents=True)
        (snapshot / "a.safetensors").resolve().rename(stranger)
        (snapshot / "a.safetensors").unlink()
        (snapshot / "a.safetensors").symlink_to(stranger)
    assert " is a link that leads out of the folder (to " in refused(snapshot)


def test_a_shard_that_links_within_the_folder_is_read(sharded: Path) -> None:
    (sharded / "a.safetensors").rename(sharded / "blob")
    (sharded / "a.safetensors").symlink_to("blob")
    assert open_model(sharded).parameters > 0


@pytest.mark.parametrize("shard", ["c.safetensors", "c" * 300, "\ud800"], ids=["c", "long", "odd"])
def test_a_shard_that_is_missing_is_named(shard: str, sharded: Path) -> None:
    point_to(sharded, shard)
    assert refused(sharded) == f": shard {shard!r} is missing; fetch it again"


def test_a_shard_that_links_to_itself_or_is_a_folder_is_refused(sharded: Path) -> None:
    (sharded / "loop").symlink_to("loop")
    point_to(sharded, "loop")
    assert refused(sharded) == ": shard 'loop' is missing; fetch it again"
    (sharded / "sub").mkdir()
    point_to(sharded, "sub")
    assert refused(sharded) == ": shard 'sub' is no file; fetch it again"


def test_a_shard_without_its_tensor_is_refused(sharded: Path) -> None:
    point_to(sharded, "b.safetensors")
    assert refused(sharded) == ": b.safetensors does not hold 'lm_head.weight'; fetch it again"


@pytest.mark.parametrize("index", [[], {}, {"weight_map": {}}, {"weight_map": ["a"]}, "a"])
def test_an_index_without_a_map_is_refused(index: Any, sharded: Path) -> None:
    (sharded / INDEX).write_text(json.dumps(index))
    assert refused(sharded) == ": expected an object weight_map: tensor name to file name"


def test_a_damaged_shard_is_refused_by_its_own_name(sharded: Path) -> None:
    data = (sharded / "b.safetensors").read_bytes()
    (sharded / "b.safetensors").write_bytes(data[:-4])
    assert "/b.safetensors: tensor 'model.norm.weight': bytes" in refused(sharded)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.pth", "model.gguf"])
def test_pickled_weights_are_not_even_opened(name: str, folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    torch.save({"w": torch.zeros(1)}, folder / name)
    assert refused(folder) == (
        f": no model.safetensors, only {name}. Pickled checkpoints are never opened; "
        "convert with: model.save_pretrained(folder, safe_serialization=True)"
    )


def test_a_folder_without_weights_says_what_it_lacks(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    assert refused(folder) == (
        f": neither model.safetensors nor {INDEX} is here; fetch the weights"
    )


def change_weights(folder: Path, **changes: torch.Tensor | None) -> None:
    tensors = load_file(folder / "model.safetensors")
    for name, tensor in changes.items():
        tensors.pop(name, None)
        if tensor is not None:
            tensors[name] = tensor
    save_file(tensors, folder / "model.safetensors")


def test_what_does_not_fit_the_config_is_listed(folder: Path) -> None:
    change_weights(
        folder,
        **{
            "model.norm.weight": None,
            "lm_head.weight": torch.zeros(96, 63),
            "model.layers.0.mlp.up_proj.weight": torch.zeros(80, 64, dtype=torch.int64),
            "model.layers.0.mlp.up_proj.bias": torch.zeros(80),
        },
    )
    assert refused(folder) == (
        ": model.layers.0.mlp.up_proj.weight is i64, expected a float type; "
        "model.norm.weight is missing; "
        "lm_head.weight has the shape (96, 63), config.json says (96, 64); "
        "model.layers.0.mlp.up_proj.bias is not part of llama"
    )


def test_a_long_list_of_problems_is_cut(folder: Path) -> None:
    edit_config(folder, num_hidden_layers=512)
    text = refused(folder)
    assert text.startswith(": model.layers.2.self_attn.q_proj.weight is missing; ")
    assert text.endswith(" and 4585 more")
    assert len(text) < 500


def test_buffers_that_everybody_computes_are_ignored(folder: Path) -> None:
    before = open_model(folder).parameters
    change_weights(folder, **{"model.layers.0.self_attn.rotary_emb.inv_freq": torch.zeros(8)})
    assert open_model(folder).parameters == before


def test_a_head_beside_a_tied_embedding_is_ignored(tmp_path: Path) -> None:
    folder = save_folder(tiny_model("llama", tie_word_embeddings=True), tmp_path)
    before = open_model(folder)
    change_weights(folder, **{"lm_head.weight": torch.zeros(96, 64)})
    after = open_model(folder)
    assert after.parameters == before.parameters
    assert "lm_head.weight" not in after.graph.weights


def test_an_untied_model_needs_its_head(folder: Path) -> None:
    change_weights(folder, **{"lm_head.weight": None})
    assert refused(folder) == ": lm_head.weight is missing"


def test_tokenizer_files_that_lead_out_of_the_folder_are_left_out(folder: Path) -> None:
    (folder.parent / "secret").write_text("{}")
    (folder / "tokenizer.json").write_text("{}")
    (folder / "tokenizer_config.json").symlink_to(folder.parent / "secret")
    (folder / "vocab.json").symlink_to("tokenizer.json")
    (folder / "merges.txt").mkdir()
    names = [path.name for path in tokenizer_files(folder)]
    assert names == ["tokenizer.json", "generation_config.json", "vocab.json"]
    assert open_model(folder).tokenizer_files == tokenizer_files(folder)
