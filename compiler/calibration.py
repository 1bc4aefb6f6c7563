"""Text for calibration: read it, tokenise it, and watch the value ranges at each block's input."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from optimum_compile.compiler.errors import InputError, ResourceError

MAX_TEXT_BYTES = 1 << 30
# 64 texts written for this project: stories, and in turn prose, dialogue, lists, code, and other
# languages, so that the first few are as diverse as all of them.
BUILT_IN_FILE = "data/calibration.json"
TOKENIZER = "tokenizer.json"


@dataclass(frozen=True)
class TextSource:
    """Documents, each taken alone, or one stream that is cut into windows."""

    documents: tuple[str, ...]
    is_stream: bool
    label: str


@cache
def built_in() -> tuple[str, ...]:
    """The documents of the built-in calibration text; none of it is in the evaluation text."""
    file = resources.files("optimum_compile.compiler").joinpath(BUILT_IN_FILE)
    return tuple(json.loads(file.read_text("utf-8")))


def read_text(spec: str | None) -> TextSource | None:
    """The text that `--calibration` or `--text` names; None for "none", built-in text for None.

    A JSON list of strings is a list of documents; any other file is one stream.
    """
    if spec == "none":
        return None
    if spec is None:
        return TextSource(built_in(), is_stream=False, label="built-in")
    path = Path(spec)
    try:
        if path.stat().st_size > MAX_TEXT_BYTES:
            raise InputError(f"{path}: more than {MAX_TEXT_BYTES} bytes of text; cut the file")
        text = path.read_text("utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot read the text: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text: {error}") from error
    if not text.strip():
        raise InputError(f"{path}: the file is empty; give a text file or a JSON list of strings")
    if path.suffix != ".json":
        return TextSource((text,), is_stream=True, label=path.name)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON: {error}") from error
    if not isinstance(data, list) or not all(isinstance(d, str) for d in data):
        raise InputError(f"{path}: expected a JSON list of strings")
    if not any(d.strip() for d in data):
        raise InputError(f"{path}: no text in it; give a text file or a JSON list of strings")
    return TextSource(tuple(data), is_stream=False, label=path.name)


def load_tokenizer(files: Sequence[Path]) -> Any:
    """The tokenizer of a model folder, from its tokenizer.json. None where there is none."""
    found = next((f for f in files if f.name == TOKENIZER), None)
    if found is None:
        return None
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_file(str(found))
    except Exception as error:  # the library raises plain Exception for every malformed file
        raise InputError(f"{found}: not a tokenizer file: {error}") from error


def special_token_id(files: Sequence[Path], key: str, tokenizer: Any) -> int | None:
    """Id of "bos_token" or "eos_token" by tokenizer_config.json; None where it names none."""
    found = next((f for f in files if f.name == "tokenizer_config.json"), None)
    if found is None or tokenizer is None:
        return None
    try:
        config = json.loads(found.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{found}: not JSON: {error}") from error
    token = config.get(key) if isinstance(config, dict) else None
    if isinstance(token, dict):
        token = token.get("content")
    return tokenizer.token_to_id(token) if isinstance(token, str) else None


def encode(tokenizer: Any, text: str, bos: int | None) -> list[int]:
    """Token ids of one document, BOS first exactly once."""
    ids = list(tokenizer.encode(text).ids)
    if bos is not None and (not ids or ids[0] != bos):
        ids.insert(0, bos)
    return ids


def windows(
    source: TextSource, tokenizer: Any, bos: int | None, seqlen: int, stride: int | None = None
) -> list[list[int]]:
    """Token windows: each document cut at `seqlen`, or the stream cut every `stride` tokens."""
    if not source.is_stream:
        every = [encode(tokenizer, d, bos)[:seqlen] for d in source.documents]
        return [w for w in every if len(w) >= 2]
    ids = encode(tokenizer, source.documents[0], bos)
    step = stride or seqlen
    out = [ids[at : at + seqlen] for at in range(0, max(1, len(ids) - 1), step)]
    return [w for w in out if len(w) >= 2]


@dataclass(frozen=True)
class Split:
    """Windows by what may look at them; no window is in two parts.

    calibration: the quantiser's. profiling: damage is measured on it. selection: decides between
    finished assignments.
    """

    calibration: tuple[tuple[int, ...], ...]
    profiling: tuple[tuple[int, ...], ...]
    selection: tuple[tuple[int, ...], ...]


def split_windows(windows: Sequence[Sequence[int]], samples: int) -> Split:
    """Give the first `samples` windows to calibration, half of the others to each of the other parts.

    Where fewer than a quarter of the windows are left that way, a quarter is set apart first, drawn by
    a fixed seed: texts repeat their kinds in turn, and any fixed step could fall in with that. Every
    part keeps the order of the text. Three windows give each part one; of two, selection has none,
    and a single one is for calibration.
    """
    every = tuple(tuple(w) for w in windows)
    apart = max(min(2, len(every) - 1), len(every) // 4)
    first, order = samples, list(range(len(every)))
    if len(every) - samples < apart:
        order = np.random.default_rng(0).permutation(len(every)).tolist()
        first = len(every) - apart
    half = first + (len(every) - first + 1) // 2
    parts = (order[:first], order[first:half], order[half:])
    return Split(*(tuple(every[at] for at in sorted(part)) for part in parts))


def seeded_tokens(vocab: int, count: int, length: int, seed: int) -> list[list[int]]:
    """Random token windows for a model that has no tokenizer."""
    rng = np.random.default_rng(seed)
    return [rng.integers(0, vocab, length).tolist() for _ in range(count)]


def need_torch() -> None:
    """Raise ResourceError naming the extra when torch is missing."""
    try:
        import torch  # noqa: F401
    except ImportError:
        raise ResourceError(
            'torch is not installed; run: pip install "optimum-compile[torch]"'
        ) from None
