"""Write a bundle: into a temporary folder beside the target, synced, then renamed."""

import errno
import hashlib
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from optimum_compile.compiler.errors import OptionError, ResourceError, UserError
from optimum_compile.compiler.package.manifest import FileEntry

MANIFEST = "manifest.json"
CHUNK = 1 << 20


class CancelledError(UserError):
    """SIGTERM or SIGINT arrived; nothing was written."""

    exit_code = 130


def refuse_existing(final: Path, overwrite: bool) -> None:
    """Raise OptionError when the bundle is there already and may not be replaced."""
    if not final.exists() and not final.is_symlink():
        return
    if not overwrite:
        raise OptionError(
            f"{final} exists; pass --overwrite to replace it, or another --name or -o"
        )
    if final.is_symlink() or not (final / MANIFEST).is_file():
        raise OptionError(f"{final} is not a bundle (no {MANIFEST}); it will not be replaced")


@contextmanager
def staging(final: Path, overwrite: bool) -> Iterator[Path]:
    """A folder that becomes `final` when the block ends well, and vanishes when it does not.

    Raises ResourceError when the disk is full or the parent cannot be written.
    """
    refuse_existing(final, overwrite)
    made = _make_parents(final.parent)
    work: Path | None = None
    try:
        with _terminate_raises():
            work = Path(tempfile.mkdtemp(prefix=f".{final.name}.", dir=final.parent))
            yield work
            _sync(work)
            _swap(work, final)
            made = []
    except OSError as error:
        raise _resource(error, final) from error
    finally:
        if work is not None:
            shutil.rmtree(work, ignore_errors=True)
        for folder in reversed(made):  # only those that we made, and only while empty
            try:
                folder.rmdir()
            except OSError:
                break


def _resource(error: OSError, final: Path) -> UserError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ResourceError(
            f"{final.parent}: the disk is full; free some space or choose another -o and --work-dir"
        )
    name = error.filename or final.parent
    return ResourceError(f"{name}: {error.strerror or error}; choose another -o")


def _make_parents(folder: Path) -> list[Path]:
    missing = [p for p in (folder, *folder.parents) if not p.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _resource(error, folder / "x") from error
    return list(reversed(missing))


@contextmanager
def _terminate_raises() -> Iterator[None]:
    """Turn SIGTERM into an exception, so that the cleaning up happens. Main thread only."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise CancelledError("stopped by SIGTERM; nothing was written")

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not the main thread: the embedding program handles signals
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _sync(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _swap(work: Path, final: Path) -> None:
    work.chmod(0o755)
    if final.exists():
        old = final.with_name(f".{final.name}.old-{os.getpid()}")
        final.rename(old)
        try:
            work.rename(final)
        except OSError:
            old.rename(final)
            raise
        shutil.rmtree(old, ignore_errors=True)
    else:
        work.rename(final)
    _sync_folder(final.parent)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def file_entries(folder: Path) -> tuple[FileEntry, ...]:
    """Every file below `folder` except the manifest, in order of its path."""
    found = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != MANIFEST)
    return tuple(
        FileEntry(p.relative_to(folder).as_posix(), p.stat().st_size, sha256_of(p)) for p in found
    )


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    if path.is_file():
        return path.stat().st_size
    return sum(p.stat().st_size for p in path.rglob("*") if p.is_file())
