"""What `evaluate` runs: a model, or an artifact of a bundle, opened before any work."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optimum_compile.backends.catalog import load_backend
from optimum_compile.compiler.calibration import load_tokenizer
from optimum_compile.compiler.decoder import context_of
from optimum_compile.compiler.errors import InputError, OptionError
from optimum_compile.compiler.frontend.config import read_config
from optimum_compile.compiler.frontend.detect import detect
from optimum_compile.compiler.frontend.hf_folder import TOKENIZER_FILES
from optimum_compile.compiler.frontend.open_model import Model, open_model
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.options import target_name
from optimum_compile.compiler.package.manifest import Artifact, WidthRead
from optimum_compile.compiler.package.reader import Bundle, damaged_files, open_bundle
from optimum_compile.compiler.package.writer import MANIFEST
from optimum_compile.passes.precision.units import parameter_count
from optimum_compile.tools.schedules import no_choice

# Longest window where `--seqlen` names none, tokens.
DEFAULT_SEQLEN = 512
PLATFORMS = ("ios", "android", "native")  # in the order of preference


@dataclass(frozen=True)
class Subject:
    """A model or a bundle, opened, before anything ran.

    `tokenizer_files` make its tokenizer; `limit` is the longest window it takes; `vocabulary` the
    tokens that it predicts. What runs is a graph (its float weights) or an artifact of `bundle`.
    """

    path: Path
    tokenizer_files: tuple[Path, ...]
    limit: int
    vocabulary: int
    weight_bytes: int
    bits_per_weight: float
    graph: Graph | None = None
    bundle: Bundle | None = None
    artifact: Artifact | None = None
    read: WidthRead | None = None  # with how many bits, where that was chosen

    @property
    def tokenizer(self) -> Any:
        """Its tokenizer. Raises InputError where it has none."""
        found = load_tokenizer(self.tokenizer_files)
        if found is None:
            raise InputError(
                f"{self.path}: no tokenizer.json here, so no text can be read; save the tokenizer "
                "into the model's folder"
            )
        return found


def open_subject(
    path: Path, seqlen: int | None, artifact: str | None, width: int | None = None
) -> Subject:
    """Open a bundle or a model; `seqlen` None takes what it can, up to `DEFAULT_SEQLEN`.

    width: bits that nested weights are read with, None for all. Raises OptionError for a window that is too
    long and a width that is not stored, InputError for what cannot be evaluated.
    """
    is_bundle = (path / MANIFEST).is_file()
    if not is_bundle and width is not None:
        raise OptionError(f"width={width}: {path} is a model; only artifacts have nested weights")
    if not is_bundle and artifact is not None:
        raise OptionError(
            f"artifact {artifact}: {path} is a model, and only a bundle has artifacts"
        )
    return _open_bundle(path, seqlen, artifact, width) if is_bundle else _open_model(path, seqlen)


def _open_model(path: Path, seqlen: int | None) -> Subject:
    opened, limit = open_decoder(path, seqlen)
    stored = sum(
        v.weight.nbytes
        for v in opened.graph.weights.values()
        if opened.graph.is_used(v) and v.weight is not None and v.weight.inline is None
    )
    return Subject(
        path,
        opened.tokenizer_files,
        limit,
        vocabulary_of(path, opened.graph.outputs[0].type.shape),
        stored,
        8 * stored / max(1, parameter_count(opened.graph)),
        graph=opened.graph,
    )


def open_decoder(path: Path, seqlen: int | None) -> tuple[Model, int]:
    """The model with a cache just long enough, and how long a window may be.

    Raises OptionError for a window that is too long, InputError for what is no decoder.
    """
    if detect(path) == "folder":
        most = read_config(path / "config.json").max_context
        _refuse_long(seqlen, most, "the model was made for")
        opened = open_model(path, context=seqlen or min(most, DEFAULT_SEQLEN))
    else:
        opened = open_model(path)
    if opened.kind != "decoder":
        raise InputError(f"{path}: not a decoder of tokens and past; evaluate reads those only")
    limit = context_of(opened.graph) or DEFAULT_SEQLEN
    _refuse_long(seqlen, limit, "the cache of the model holds")
    return opened, limit


def _refuse_long(seqlen: int | None, limit: int, what: str) -> None:
    if seqlen is not None and seqlen > limit:
        raise OptionError(f"seqlen={seqlen}: {what} {limit} tokens; give at most that")


def _open_bundle(
    path: Path, seqlen: int | None, platform: str | None, width: int | None
) -> Subject:
    bundle = open_bundle(path)
    found = _artifact(bundle, platform, chooses=width is not None)
    backend = load_backend(found.kind)
    if not backend.traits.stores_weights:
        backend.logits(bundle.resolve(found.path))  # which says what to run instead
    if "decode" not in found.functions:
        raise InputError(
            f"{found.path}: not a decoder of tokens and past; evaluate runs those only"
        )
    read = None if width is None else _width_of(bundle, found, width)
    damaged = damaged_files(bundle)
    if damaged:
        raise InputError(f"{path}: {'; '.join(damaged)}; compile again")
    manifest = bundle.manifest
    sizes = [s.shape[2] for s in manifest.states if len(s.shape) > 2]
    limit = min((n for n in sizes if isinstance(n, int)), default=DEFAULT_SEQLEN)
    _refuse_long(seqlen, limit, "the cache of the bundle holds")
    return Subject(
        path,
        tuple(path / n for n in TOKENIZER_FILES if (path / n).is_file()),
        limit,
        vocabulary_of(path, manifest.outputs[0].shape if manifest.outputs else ()),
        manifest.weight_bytes,
        manifest.bits_per_weight,
        bundle=bundle,
        artifact=found,
        read=read,
    )


def _artifact(bundle: Bundle, platform: str | None, *, chooses: bool = False) -> Artifact:
    """That of a target, or the first; with `chooses` the first whose calls choose a width, if any does."""
    held = [target_name(a.platform, a.kind) for a in bundle.manifest.artifacts]
    found = [bundle.artifact(p) for p in (PLATFORMS if platform is None else (platform,))]
    there = [a for a in found if a is not None]
    able = [a for a in there if load_backend(a.kind).traits.chooses_widths]
    chosen = next(iter(able if chooses and able else there), None)
    if chosen is None:
        raise InputError(
            f"{bundle.path}: no {platform or 'ios, android or native'} artifact; it has "
            f"{', '.join(held) or 'none'}; compile with --target {platform or 'ios'}"
        )
    return chosen


def _width_of(bundle: Bundle, artifact: Artifact, width: int) -> WidthRead:
    """What a token reads at a width. Raises InputError where calls choose none, OptionError for another."""
    held = {each.width: each for each in bundle.manifest.widths if each.path == artifact.path}
    if not load_backend(artifact.kind).traits.chooses_widths or not held:
        raise no_choice(bundle)
    if width not in held:
        raise OptionError(
            f"width={width}: {artifact.path} has nested weights of {', '.join(map(str, held))} bits"
        )
    return held[width]


def vocabulary_of(path: Path, shape: Sequence[Any]) -> int:
    """Tokens that logits of this shape are about. Raises InputError for a shape of none."""
    if not shape or not isinstance(shape[-1], int):
        raise InputError(f"{path}: its first output is no row of logits: {list(shape)}")
    return shape[-1]
