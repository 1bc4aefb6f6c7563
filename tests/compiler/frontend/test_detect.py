"""What a path holds is told by its content, and what is not read says what to do instead."""

import io
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from support.archives import Mlp

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.frontend.detect import EXPORT, detect
from optimum_compile.compiler.frontend.open_model import open_model


class Bomb:
    """Unpickled, it leaves a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.path,)


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        open_model(path)
    assert caught.value.exit_code == 3
    return str(caught.value).removeprefix(f"{path}: ")


def zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name in names:
            file.writestr(name, b"x")
    return out.getvalue()


def test_an_archive_is_known_whatever_its_name(mlp_archive: Path, tmp_path: Path) -> None:
    assert detect(mlp_archive) == "archive"
    for name in ("model.pt", "model", "model.safetensors"):
        (tmp_path / name).write_bytes(mlp_archive.read_bytes())
        assert detect(tmp_path / name) == "archive"


def test_a_folder_is_known_by_its_config(llama_folder: Path) -> None:
    assert detect(llama_folder) == "folder"


def test_a_folder_without_a_config_says_what_is_there(tmp_path: Path) -> None:
    expected = "expected a Hugging Face folder (config.json, *.safetensors)"
    assert refused(tmp_path) == f"the folder is empty; {expected}"
    for name in "edcba":
        (tmp_path / name).touch()
    assert refused(tmp_path) == f"no config.json among a, b, c, d; {expected}"
    (tmp_path / "config.json").mkdir()
    assert refused(tmp_path) == f"no config.json among a, b, c, config.json; {expected}"
    (tmp_path / "manifest.json").touch()
    assert refused(tmp_path) == f"this is a compiled bundle, not a model; {expected}"


def test_a_path_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "absent") == "no such file or folder"
    (tmp_path / "dangling").symlink_to("absent")
    assert refused(tmp_path / "dangling") == "no such file or folder"


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("name", ["model.pt2", "pytorch_model.bin", "model.pkl"])
def test_a_pickle_is_refused_unopened_whatever_its_name(
    name: str, protocol: int, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(pickle.dumps(Bomb(tmp_path / "owned"), protocol))
    text = refused(tmp_path / name)
    assert text == f"a pickle is never opened, since it can run code; export the model: {EXPORT}"
    assert not (tmp_path / "owned").exists()


def test_a_pickled_checkpoint_is_refused_unopened(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    torch.save({"weight": Bomb(tmp_path / "owned")}, path)
    assert refused(path).startswith(
        "a pickled checkpoint is never opened, since it can run code; save the weights as safetensors"
    )
    assert not (tmp_path / "owned").exists()


def test_an_older_checkpoint_is_refused_unopened(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    torch.save({"w": torch.zeros(2)}, path, _use_new_zipfile_serialization=False)
    assert refused(path).startswith("a pickle is never opened")


def test_torchscript_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    torch.jit.trace(Mlp(), torch.zeros(1, 8)).save(str(path))
    assert refused(path) == (
        f"TorchScript is not read, since it holds code; export instead: {EXPORT}"
    )


def test_a_lone_safetensors_file_lacks_its_config(tmp_path: Path) -> None:
    save_file({"w": torch.zeros(2)}, tmp_path / "model.safetensors")
    assert refused(tmp_path / "model.safetensors") == (
        "a lone safetensors file has no architecture; give the folder that holds its config.json"
    )


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "the file is empty"),
        (b"GGUF\x03\0\0\0", "GGUF is not read, it is quantised already; use the original"),
        (b"\x89HDF\r\n\x1a\n", "HDF5 is not read; export the model from torch"),
        (b"\x08\x07\x12\x07pytorch", "unknown kind of file (begins with b'\\x08\\x07\\x12\\x07pyto')"),
        (b"{}", "unknown kind of file (begins with b'{}'); give a Hugging Face folder, or export"),
        (b"PK\x05\x06" + bytes(18), "unknown kind of file (begins with b'PK"),
        (b"PK\x03\x04 and no more", "damaged archive: File is not a zip file; export the model again"),
        (zipped("a.txt"), "a zip file, but no torch.export archive; export the model: "),
        (zipped("m/models/other.json"), "a zip file, but no torch.export archive"),
        (zipped("m/code/__torch__.py", "m/data.pkl"), "TorchScript is not read"),
        (zipped("m/constants.pkl", "m/data.pkl"), "TorchScript is not read"),
        (zipped("m/data.pkl"), "a pickled checkpoint is never opened"),
        (zipped("m/models/model.json")[:-30], "damaged archive: File is not a zip file"),
    ],
)  # fmt: skip
def test_other_files_are_refused_by_their_kind(content: bytes, text: str, tmp_path: Path) -> None:
    path = tmp_path / "model.pt2"
    path.write_bytes(content)
    assert refused(path).startswith(text)
