"""What a path holds, by its content; and for what is not read, what to do instead."""

import zipfile
from pathlib import Path

from optimum_compile.compiler.errors import InputError

EXPORT = "import torch; ep = torch.export.export(model, example_inputs); torch.export.save(ep, 'model.pt2')"


def detect(path: Path) -> str:
    """Either "folder" or "archive". Raises InputError for everything else, with the way out."""
    if path.is_dir():
        return _folder(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file or folder")
    with path.open("rb") as file:
        head = file.read(16)
    if not head:
        raise InputError(f"{path}: the file is empty")
    if head[:4] == b"PK\x03\x04":
        return _zip(path)
    raise InputError(f"{path}: {_reason(head)}")


def _folder(path: Path) -> str:
    if (path / "config.json").is_file():
        return "folder"
    names = sorted(p.name for p in path.iterdir())
    what = "the folder is empty" if not names else f"no config.json among {', '.join(names[:4])}"
    if "manifest.json" in names:
        what = "this is a compiled bundle, not a model"
    if "snapshots" in names and path.resolve().name.startswith("models--"):
        what = "this is the hub's cache of a model; give one of its folders snapshots/REVISION"
    raise InputError(f"{path}: {what}; expected a Hugging Face folder (config.json, *.safetensors)")


def _zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as file:
            names = file.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise InputError(f"{path}: damaged archive: {error}; export the model again") from error
    if any(n.endswith("/models/model.json") for n in names):
        return "archive"
    if any("/code/" in n or n.endswith("constants.pkl") for n in names):
        raise InputError(
            f"{path}: TorchScript is not read, since it holds code; export instead: {EXPORT}"
        )
    if any(n.endswith("data.pkl") for n in names):
        raise InputError(
            f"{path}: a pickled checkpoint is never opened, since it can run code; save the weights as "
            f"safetensors beside a config.json, or export: {EXPORT}"
        )
    raise InputError(f"{path}: a zip file, but no torch.export archive; export the model: {EXPORT}")


def _reason(head: bytes) -> str:
    if head[:4] == b"GGUF":
        return "GGUF is not read, it is quantised already; use the original Hugging Face folder"
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return f"a pickle is never opened, since it can run code; export the model: {EXPORT}"
    if head[:8] == b"\x89HDF\r\n\x1a\n":
        return f"HDF5 is not read; export the model from torch: {EXPORT}"
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 1 << 30:
        return "a lone safetensors file has no architecture; give the folder that holds its config.json"
    return f"unknown kind of file (begins with {head[:8]!r}); give a Hugging Face folder, or export: {EXPORT}"
