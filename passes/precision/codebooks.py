"""Codebooks that all tensors of a model share: learned once, before the first one is quantised."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.ir.graph import Graph, Value
from optimum_compile.compiler.quant.kv import AnyScheme
from optimum_compile.compiler.quant.scheme import Scheme, Vector
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.quantizers.vectors.codebook import kmeans
from optimum_compile.passes.precision.quantizers.vectors.nearest import (
    Vectors,
    level,
    normalised,
    require_whole,
)

MAX_POINTS = 1 << 17  # vectors of the whole model that one codebook is learned from
LEAST_POINTS = 256  # of each tensor, where it has so many

Key = tuple[int, int]  # bits and width
Load = Callable[[str, Value], np.ndarray]  # a weight by name in float32, refused where broken


class Codebooks:
    """Shared codebooks of a graph by bits and width; fp16 (entries, width)."""

    def __init__(self, books: Mapping[Key, np.ndarray]) -> None:
        self._books = dict(books)

    def of(self, scheme: Scheme) -> np.ndarray | None:
        """The codebook that a scheme shares, None for all other schemes."""
        key = key_of(scheme)
        return None if key is None else self._books[key]


def key_of(scheme: AnyScheme) -> Key | None:
    """Which of a model's codebooks a scheme reads; None where it shares none, as caches."""
    if not isinstance(scheme, Vector) or scheme.codebook != "shared":
        return None
    return scheme.bits, scheme.width


def shared_codebooks(
    graph: Graph, seed: int, load: Load, folder: Path | None = None, *, resumed: bool = False
) -> Codebooks:
    """Learn the codebooks of the graph's schemes, and write them to `folder` where one is given.

    A run that is `resumed` reads there what it wrote before. Raises InputError for weights that are
    not finite, or a damaged file.
    """
    users: dict[Key, list[tuple[Value, Vector]]] = {}
    for value in graph.weights.values():
        note = value.notes.get(Precision)
        key = None if note is None else key_of(note.scheme)
        if key is None or note is None or not value.uses or not isinstance(note.scheme, Vector):
            continue
        users.setdefault(key, []).append((value, note.scheme))
    return learned_codebooks(users, seed, load, folder, resumed=resumed)


def learned_codebooks(
    users: Mapping[Key, Sequence[tuple[Value, Vector]]],
    seed: int,
    load: Load,
    folder: Path | None = None,
    *,
    resumed: bool = False,
) -> Codebooks:
    """A codebook for each key from its users, kept as in `shared_codebooks`."""
    books = {}
    for key in sorted(users):
        path = None if folder is None else folder / f"codebook{key[0]}x{key[1]}.npy"
        if resumed and path is not None and path.exists():
            books[key] = _read(path, key)
            continue
        books[key] = learn_codebook(key, users[key], seed, load)
        if path is not None:
            _write(path, books[key])
    return Codebooks(books)


def _read(path: Path, key: Key) -> np.ndarray:
    try:
        found: np.ndarray = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(
            f"{path}: damaged ({error}); remove {path.parent} to begin anew"
        ) from error
    if found.shape == (1 << key[0], key[1]) and found.dtype == np.float16:
        return found
    raise InputError(f"{path}: no codebook of {key[0]} bits; remove {path.parent} to begin anew")


def _write(path: Path, book: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.save(file, book)
    part.replace(path)


def learn_codebook(
    key: Key, users: Sequence[tuple[Value, Vector]], seed: int, load: Load
) -> np.ndarray:
    """A codebook for all `users` in their schemes: k-means over a sample of normalised vectors."""
    total = sum(value.type.elements() for value, _ in users) // key[1]
    rng = np.random.default_rng(seed)
    found, sizes = [], []
    for value, scheme in users:
        data = load(value.name, value)
        require_whole(scheme, data.shape[1])
        points, _ = normalised(Vectors.of(data, scheme, None))
        sizes.append(np.float64(level(data)))
        share = max(LEAST_POINTS, int(MAX_POINTS * len(points) / max(1, total)))
        if len(points) > share and total > MAX_POINTS:
            points = points[np.sort(rng.choice(len(points), share, replace=False))]
        found.append(points)
    points = np.concatenate(found)
    unit = np.float32(2.0 ** np.rint(np.mean(np.log2(sizes))))
    if not len(points):
        return np.zeros((1 << key[0], key[1]), np.float16)
    book: np.ndarray = (kmeans(points, np.ones(len(points)), 1 << key[0], seed) * unit).astype(
        np.float16
    )
    return book
