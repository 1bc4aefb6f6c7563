import errno
import os

import pytest

from optimum_compile.compiler.errors import OptionError, ResourceError
from optimum_compile.compiler.package.writer import MANIFEST, staging


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
