"""The scratch folder of a compilation: gone in the end, unless a stopped run can go on from it."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from optimum_compile.compiler.errors import ResourceError, UserError
from optimum_compile.compiler.options import CompileOptions
from optimum_compile.compiler.package.writer import made_folder
from optimum_compile.passes.calibrate.checkpoint import has_progress


@contextmanager
def scratch(options: CompileOptions, name: str, out: Path) -> Iterator[Path]:
    """Scratch folder: inside the staging folder unless `work_dir` names another place.

    With `resume` it has a fixed name. When the compilation does not come to its end, it stays if a
    later run can go on from it, and the exception says so in a note.
    """
    parent = out if options.work_dir is None else Path(options.work_dir)
    with made_folder(parent):
        if options.resume:
            folder = parent / f"{name}.progress"
            folder.mkdir(exist_ok=True)
            try:
                yield folder
            except BaseException as error:  # signals too
                if not has_progress(folder):
                    shutil.rmtree(folder, ignore_errors=True)
                elif isinstance(error, ResourceError) or not isinstance(error, UserError):
                    error.add_note(
                        f"progress is kept in {folder}; the same command with --resume continues it"
                    )
                raise
            shutil.rmtree(folder, ignore_errors=True)
            return
        folder = Path(tempfile.mkdtemp(prefix=".work-", dir=parent))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def sweep(work: Path, out: Path) -> None:
    """Scratch inside the bundle must be gone before the bundle is described."""
    if work.is_relative_to(out):
        shutil.rmtree(work)
