import errno
import os
import signal
from contextlib import nullcontext, suppress

import pytest

from optimum_compile.compiler.errors import OptionError, ResourceError
from optimum_compile.compiler.package.writer import (
    MANIFEST,
    CancelledError,
    staging,
    temporary_folder,
    write_whole,
)


def make(folder, text="{}"):
    (folder / MANIFEST).write_text(text)


def test_a_bundle_appears_whole(tmp_path):
    final = tmp_path / "new" / "b"
    with staging(final, overwrite=False) as work:
        make(work)
        assert not final.exists()
    assert sorted(p.name for p in final.parent.iterdir()) == ["b"]
    assert (final / MANIFEST).read_text() == "{}"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_nothing_is_left_after_a_failure(tmp_path, error):
    with pytest.raises(error), staging(tmp_path / "deep" / "er" / "b", overwrite=False) as work:
        make(work)
        raise error
    assert list(tmp_path.iterdir()) == []


def test_an_existing_bundle_needs_overwrite(tmp_path):
    final = tmp_path / "b"
    final.mkdir()
    make(final, "old")
    with (
        pytest.raises(OptionError, match="b exists; pass --overwrite"),
        staging(final, overwrite=False),
    ):
        pass
    with staging(final, overwrite=True) as work:
        make(work, "new")
    assert (final / MANIFEST).read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["b"]


def test_overwrite_keeps_the_old_bundle_on_failure(tmp_path):
    final = tmp_path / "b"
    final.mkdir()
    make(final, "old")
    with pytest.raises(RuntimeError), staging(final, overwrite=True):
        raise RuntimeError
    assert (final / MANIFEST).read_text() == "old"


def test_a_folder_that_is_no_bundle_is_never_replaced(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "thesis.tex").write_text("precious")
    with (
        pytest.raises(OptionError, match="is not a bundle"),
        staging(tmp_path / "b", overwrite=True),
    ):
        pass
    assert (tmp_path / "b" / "thesis.tex").read_text() == "precious"


def test_a_full_disk_is_a_resource_error(tmp_path):
    with (
        pytest.raises(ResourceError, match="the disk is full; free some space"),
        staging(tmp_path / "b", overwrite=False) as work,
    ):
        make(work)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [None, RuntimeError, KeyboardInterrupt])
def test_a_temporary_folder_and_its_parents_vanish_in_any_case(tmp_path, error):
    with (
        pytest.raises(error) if error else nullcontext(),
        temporary_folder(tmp_path / "deep" / "er") as folder,
    ):
        (folder / "file").write_text("data")
        if error:
            raise error
    assert list(tmp_path.iterdir()) == []


def test_a_signal_that_a_library_swallows_is_told_in_the_end(tmp_path):
    with pytest.raises(CancelledError), temporary_folder(tmp_path), suppress(BaseException):
        signal.raise_signal(signal.SIGTERM)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "a.json"
    for text in ("first", "the second one"):
        write_whole(path, text)
        assert path.read_text() == text
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    path.write_text("old")

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ResourceError, match="the disk is full"):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(ResourceError, match="nowhere"):
        write_whole(tmp_path / "nowhere" / "a.json", "new")
