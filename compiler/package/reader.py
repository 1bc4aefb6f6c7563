"""Open a bundle: read the manifest, and check that every file is what the manifest says."""

from dataclasses import dataclass
from pathlib import Path

from optimum_compile.backends.catalog import BACKENDS
from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.options import target_name
from optimum_compile.compiler.package.manifest import Artifact, Manifest, parse_manifest
from optimum_compile.compiler.package.writer import MANIFEST, sha256_of

MAX_MANIFEST_BYTES = 1 << 28


@dataclass(frozen=True)
class Bundle:
    """A bundle on disk."""

    path: Path
    manifest: Manifest

    def artifact(self, target: str) -> Artifact | None:
        """The first artifact of a platform ("ios") or of one kind ("android:onnxruntime"), or None."""
        found = (
            a
            for a in self.manifest.artifacts
            if target in (a.platform, f"{a.platform}:{a.kind}", target_name(a.platform, a.kind))
        )
        return next(found, None)

    def resolve(self, relative: str) -> Path:
        """A file of the bundle. Raises InputError for a path that leaves it."""
        try:
            path = (self.path / relative).resolve()
        except (OSError, RuntimeError, ValueError) as error:  # too long, a loop of links, a NUL
            raise InputError(f"{self.path / MANIFEST}: {relative!r}: {error}") from error
        if not path.is_relative_to(self.path.resolve()):
            raise InputError(f"{self.path / MANIFEST}: {relative!r} leads out of the bundle")
        return path


def open_bundle(path: Path) -> Bundle:
    """Open the bundle at `path`. Raises InputError when it is none."""
    file = path / MANIFEST
    if not path.is_dir() or not file.is_file():
        raise InputError(
            f"{path}: no bundle here (no {MANIFEST}); make one with: optimum-compile MODEL -o DIR"
        )
    if file.stat().st_size > MAX_MANIFEST_BYTES:
        raise InputError(f"{file}: more than {MAX_MANIFEST_BYTES} bytes; not a manifest")
    try:
        text = file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: not UTF-8: {error}") from error
    manifest = parse_manifest(text, str(file))
    for artifact in manifest.artifacts:
        if artifact.kind not in BACKENDS:
            raise InputError(
                f"{file}: artifact kind {artifact.kind!r}: expected one of {', '.join(BACKENDS)}"
            )
    return Bundle(path, manifest)


def damaged_files(bundle: Bundle) -> list[str]:
    """One line for each file that is missing or differs from its digest."""
    out = []
    for entry in bundle.manifest.files:
        path = bundle.resolve(entry.path)
        if not path.is_file():
            out.append(f"{entry.path}: missing")
        elif path.stat().st_size != entry.bytes:
            out.append(
                f"{entry.path}: {path.stat().st_size} bytes, the manifest says {entry.bytes}"
            )
        elif sha256_of(path) != entry.sha256:
            out.append(f"{entry.path}: its SHA-256 differs from the manifest's")
    return out
