"""Hugging Face folders: weights by reference, from one file or from shards, and the tokenizer."""

from collections.abc import Mapping
from pathlib import Path

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.frontend.config import ModelConfig, read_json
from optimum_compile.compiler.frontend.safetensors_file import read_safetensors
from optimum_compile.compiler.ir.weights import WeightRef

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "generation_config.json",
    "chat_template.jinja",
    "vocab.json",
    "merges.txt",
    "tokenizer.model",
)
CACHED = "models--"  # how the hub's cache begins the name of a model's folder
# Saved by some versions of the training library, computed by everybody.
IGNORED_SUFFIXES = ("rotary_emb.inv_freq", "attn.masked_bias")


def root_of(folder: Path) -> Path:
    """Where the links of a folder may lead: into itself; from a snapshot, into its model's cache.

    The hub's cache has models--ORG--NAME/snapshots/REVISION, whose files are links into
    models--ORG--NAME/blobs.
    """
    real = folder.resolve()
    cache = real.parent.parent
    is_snapshot = real.parent.name == "snapshots" and cache.name.startswith(CACHED)
    return cache if is_snapshot else real


def folder_name(folder: Path) -> str:
    """The name of a model's folder; of a snapshot in the hub's cache NAME, not the revision."""
    real, root = folder.resolve(), root_of(folder)
    return real.name if root == real else root.name.rpartition("--")[2]


def tokenizer_files(folder: Path) -> tuple[Path, ...]:
    """The tokenizer's files; a link that leads elsewhere (see `root_of`) is left out."""
    found = (folder / name for name in TOKENIZER_FILES)
    root = root_of(folder)
    return tuple(f for f in found if f.is_file() and f.resolve().is_relative_to(root))


def folder_weights(folder: Path) -> dict[str, WeightRef]:
    """Every tensor of the folder. Raises InputError when files are missing or lie."""
    if (folder / INDEX).is_file():
        return _sharded(folder)
    if (folder / SINGLE).is_file():
        return read_safetensors(_inside(folder, SINGLE, f"{folder}: {SINGLE}"))
    other = sorted(p.name for p in folder.iterdir() if p.suffix in (".bin", ".pt", ".pth", ".gguf"))
    if other:
        raise InputError(
            f"{folder}: no {SINGLE}, only {', '.join(other[:3])}. Pickled checkpoints are never opened; "
            "convert with: model.save_pretrained(folder, safe_serialization=True)"
        )
    raise InputError(f"{folder}: neither {SINGLE} nor {INDEX} is here; fetch the weights")


def _sharded(folder: Path) -> dict[str, WeightRef]:
    index = read_json(_inside(folder, INDEX, f"{folder}: {INDEX}"))
    where = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(where, dict) or not where:
        raise InputError(
            f"{folder / INDEX}: expected an object weight_map: tensor name to file name"
        )
    opened: dict[str, dict[str, WeightRef]] = {}
    out: dict[str, WeightRef] = {}
    for name, shard in where.items():
        key = str(shard)
        if key not in opened:
            opened[key] = read_safetensors(_contained(folder, shard))
        if name not in opened[key]:
            raise InputError(f"{folder / INDEX}: {shard} does not hold {name!r}; fetch it again")
        out[name] = opened[key][name]
    return out


def _contained(folder: Path, shard: object) -> Path:
    """The path of a shard, which must be a plain name of a file in the folder itself."""
    plain = isinstance(shard, str) and shard == Path(shard).name and shard not in ("", ".", "..")
    if not isinstance(shard, str) or not plain or "\\" in shard or "\0" in shard:
        raise InputError(
            f"{folder / INDEX}: shard name {shard!r} is not a plain file name; refused"
        )
    return _inside(folder, shard, f"{folder / INDEX}: shard {shard!r}")


def _inside(folder: Path, name: str, what: str) -> Path:
    """The path of a file, which may be a link, but none that leads elsewhere."""
    path = folder / name
    try:
        found = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: a link to itself
        raise InputError(f"{what} is missing; fetch it again") from error
    if not found.is_relative_to(root_of(folder)):
        raise InputError(
            f"{what} is a link that leads out of the folder (to {found}); refused: links may "
            "lead into the folder itself, or from a snapshot of the hub's cache to its blobs"
        )
    if not found.is_file():
        raise InputError(f"{what} is no file; fetch it again")
    return path


def match_weights(
    folder: Path,
    config: ModelConfig,
    wanted: Mapping[str, tuple[int, ...]],
    found: Mapping[str, WeightRef],
) -> dict[str, WeightRef]:
    """The weight for every parameter of the recipe. Raises InputError listing what does not fit."""
    problems = []
    out: dict[str, WeightRef] = {}
    for name, shape in wanted.items():
        ref = found.get(name)
        if ref is None:
            problems.append(f"{name} is missing")
        elif ref.type.static_shape() != shape:
            problems.append(
                f"{name} has the shape {ref.type.static_shape()}, config.json says {shape}"
            )
        elif not ref.type.dtype.is_float:
            problems.append(f"{name} is {ref.type.dtype.value}, expected a float type")
        else:
            out[name] = ref
    tied = {"lm_head.weight"} if config.tied else set()
    for name in sorted(set(found) - set(wanted) - tied):
        if not name.endswith(IGNORED_SUFFIXES):
            problems.append(f"{name} is not part of {config.architecture}")
    if problems:
        more = f" and {len(problems) - 5} more" if len(problems) > 5 else ""
        raise InputError(f"{folder}: {'; '.join(problems[:5])}{more}")
    return out
