"""Write a bundle: into a temporary folder beside the target, synced, then renamed."""

import errno
import hashlib
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from optimum_compile.compiler.errors import OptionError, ResourceError, UserError
from optimum_compile.compiler.package.manifest import FileEntry

MANIFEST = "manifest.json"
CHUNK = 1 << 20


class CancelledError(KeyboardInterrupt):
    """SIGINT or SIGTERM arrived; nothing was written. No `Exception`: an SDK would catch it."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.exit_code = 128 + number


def refuse_existing(final: Path, overwrite: bool, marker: str = MANIFEST) -> None:
    """Raise OptionError when the folder is there already and may not be replaced.

    What may be is a bundle, or another folder of ours that holds `marker`.
    """
    if not final.exists() and not final.is_symlink():
        return
    if not overwrite:
        raise OptionError(
            f"{final} exists; pass --overwrite to replace it, or another --name or -o"
        )
    if final.is_symlink() or not (final / marker).is_file():
        what = "not a bundle" if marker == MANIFEST else "something else"
        raise OptionError(f"{final} is {what} (no {marker}); it will not be replaced")


@contextmanager
def staging(final: Path, overwrite: bool, marker: str = MANIFEST) -> Iterator[Path]:
    """A folder that becomes `final` when the block ends well, and vanishes when it does not.

    Raises ResourceError when the disk is full or the parent cannot be written.
    """
    refuse_existing(final, overwrite, marker)
    work: Path | None = None
    try:
        with made_folder(final.parent), _signals_raise() as came:
            try:
                work = Path(tempfile.mkdtemp(prefix=f".{final.name}.", dir=final.parent))
                yield work
                _sync(work)
                if came:  # and somebody caught the exception: SDKs have bare `except:` clauses
                    raise CancelledError(came[0])
                _swap(work, final)
            finally:
                if work is not None:
                    shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        told = _resource(error, final)
        for note in getattr(error, "__notes__", ()):
            told.add_note(note)
        raise told from error


@contextmanager
def temporary_folder(parent: Path) -> Iterator[Path]:
    """A folder in `parent` that vanishes in any case, when a signal comes too."""
    with made_folder(parent), _signals_raise() as came:
        folder = Path(tempfile.mkdtemp(prefix=".work-", dir=parent))
        try:
            yield folder
            if came:
                raise CancelledError(came[0])
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def write_whole(path: Path, text: str) -> None:
    """Write a file that is complete or absent, whatever happens meanwhile; an old one is replaced.

    Raises ResourceError when the disk is full or the folder cannot be written.
    """
    part = path.with_name(f".{path.name}.part-{os.getpid()}")
    try:
        try:
            with part.open("x", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except OSError as error:
        raise _resource(error, path) from error


@contextmanager
def made_folder(folder: Path) -> Iterator[Path]:
    """Make `folder` and its parents; in the end, those that were made and are empty are removed."""
    missing = [p for p in (folder, *folder.parents) if not p.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
    finally:
        with suppress(OSError):  # the first that is not empty ends it
            for each in missing:
                each.rmdir()


def _resource(error: OSError, final: Path) -> UserError:
    if _is_full(error):
        return ResourceError(
            f"{final.parent}: the disk is full; free some space or choose another -o and --work-dir"
        )
    name = error.filename or final.parent
    return ResourceError(
        f"{name}: {error.strerror or error}; choose another -o, or another --work-dir"
    )


def _is_full(error: OSError) -> bool:
    full = (errno.ENOSPC, errno.EDQUOT)
    if isinstance(error, shutil.Error):  # copying a tree: only texts are kept of each file's error
        return any(f"[Errno {number}]" in str(error) for number in full)
    return error.errno in full


@contextmanager
def _signals_raise() -> Iterator[list[int]]:
    """Turn SIGINT and SIGTERM into exceptions, so that the cleaning up happens.

    Yields the signals that came. Where the embedding program handles one itself, or this is not the
    main thread, it is left alone.
    """
    came: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        came.append(number)
        raise CancelledError(number)

    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                before[number] = signal.signal(number, stop)
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _sync(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            path.chmod(0o644)  # some SDKs write through temporary files, which are private
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
        except BaseException:  # a signal too
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
