"""Companions: artifacts that the plain name of a platform adds, which take whatever was decided for it.

A companion decides nothing: no scheme, no ladder, no budget, no bits of caches. Where it cannot take the
model it is left out with a remark. Once it is written, it is compared with the oracle like any other.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from optimum_compile.backends.base import Backend, BackendOptions
from optimum_compile.backends.catalog import load_backend
from optimum_compile.compiler.errors import OptionError, ResourceError, UnsupportedError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.options import TARGETS, Target, resolve_targets, target_name
from optimum_compile.compiler.quantizing import refuse_float_inputs
from optimum_compile.passes.precision.kv import kv_fallbacks, kv_of
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.units import units_of

# By the plain name of a platform; exact names (ios:coreml) have none. All are names of `TARGETS`.
COMPANIONS: dict[str, tuple[str, ...]] = {
    "ios": ("gpu",),
    "android": ("gpu", "android:nnapi"),
}

Able = tuple[tuple[Backend, ...], tuple[str, ...]]


def companions_of(names: Sequence[str]) -> dict[Target, tuple[Target, ...]]:
    """What each of these targets brings along.

    Every companion stands once, at the first target that brings it, and at none if it was asked for by name.
    Raises OptionError for a name that is unknown.
    """
    known = set(resolve_targets(tuple(names)))
    out: dict[Target, tuple[Target, ...]] = {}
    for name in names:
        added = [TARGETS[c] for c in COMPANIONS.get(name, ()) if TARGETS[c] not in known]
        known.update(added)
        out[TARGETS[name]] = (*out.get(TARGETS[name], ()), *added)
    return out


def shared_remarks(target: Target, names: Sequence[str]) -> tuple[str, ...]:
    """Of several assignments a companion takes one: tells so at `target` where others bring it as well."""
    out = []
    for companion in companions_of(names)[target]:
        bringing = [n for n in names if companion in (TARGETS[c] for c in COMPANIONS.get(n, ()))]
        if len(bringing) > 1:
            name = target_name(companion.platform, companion.artifact)
            own = target_name(target.platform, target.artifact)
            out.append(f"{name}: one for {', '.join(bringing)}, with the assignment of {own}")
    return tuple(out)


def configured(
    targets: Iterable[Target], choices: BackendOptions, *checks: Callable[[Backend], None]
) -> Able:
    """The backends of companions that are installed and pass the checks; and remarks on the others.

    A check raises UnsupportedError for what the backend cannot take.
    """

    def made(backend: Backend) -> Backend:
        found = backend.configured(choices)
        found.require()
        for check in checks:
            check(found)
        return found

    return _able((load_backend(target.artifact) for target in targets), made)


def settled(graph: Graph, quantizer: str, companions: Sequence[Backend]) -> Able:
    """Those that can store what was decided, and remarks on the others and on caches kept in floats.

    graph: with a scheme for every weight and every cache.
    """

    def takes(backend: Backend) -> Backend:
        _refuse_schemes(graph, backend)
        refuse_float_inputs(graph, quantizer, (backend,))
        return backend

    kept, told = _able(companions, takes)
    return kept, (*told, *kv_fallbacks(kv_of(graph).values(), kept))


def left_out(backend: Backend, error: Exception) -> str:
    """The remark on a companion that cannot take the model."""
    name = target_name(backend.platform, backend.name)
    return f"{name}: left out: {str(error).removeprefix(f'{backend.name}: ')}"


def files_below(folder: Path) -> frozenset[Path]:
    """What lies there before a companion is written, for `forget`."""
    return frozenset(folder.rglob("*"))


def forget(folder: Path, before: frozenset[Path]) -> None:
    """Remove what was begun in `folder` since, and the folder where nothing is left in it."""
    for path in sorted(files_below(folder) - before, reverse=True):  # what is inside comes first
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _able(backends: Iterable[Backend], check: Callable[[Backend], Backend]) -> Able:
    kept, told = [], []
    for backend in backends:
        try:
            kept.append(check(backend))
        except (OptionError, ResourceError, UnsupportedError) as error:
            told.append(left_out(backend, error))
    return tuple(kept), tuple(told)


def _refuse_schemes(graph: Graph, backend: Backend) -> None:
    """Raise UnsupportedError for the first weight, or cache, in a scheme that it does not store."""
    for unit in units_of(graph):
        note = graph.weights[unit.name].notes.get(Precision)
        verdict = None if note is None else backend.supports_scheme(note.scheme, unit.use)
        if note is not None and verdict is not None and not verdict.ok:
            raise UnsupportedError(f"{unit.name} has {note.scheme}: {verdict.reason}")
    for name, scheme in kv_of(graph).items():
        verdict = backend.supports_kv(scheme)
        if not verdict.ok and not verdict.falls_back:
            raise UnsupportedError(f"{name} has {scheme}: {verdict.reason}")
