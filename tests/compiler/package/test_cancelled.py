import os
import shutil
import signal
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from optimum_compile.compiler.errors import ResourceError
from optimum_compile.compiler.package.writer import MANIFEST, CancelledError, staging


def make(folder, text="{}"):
    (folder / MANIFEST).write_text(text)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_an_sdk_swallowed_still_stops_the_bundle(tmp_path, number):
    with pytest.raises(CancelledError) as stop, staging(tmp_path / "b", overwrite=False) as work:
        make(work)
        with suppress(BaseException):  # as the bare `except:` of some SDKs
            os.kill(os.getpid(), number)
    assert stop.value.exit_code == 128 + number
    assert list(tmp_path.iterdir()) == []


def test_no_handler_for_all_exceptions_catches_a_cancellation():
    assert not issubclass(CancelledError, Exception)


def test_handlers_are_given_back(tmp_path):
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    with staging(tmp_path / "b", overwrite=False) as work:
        make(work)
        during = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before
    assert during != before


def test_a_handler_of_the_embedding_program_is_left_alone(tmp_path):
    came = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: came.append(number))
    try:
        with staging(tmp_path / "b", overwrite=False) as work:
            make(work)
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert came == [signal.SIGTERM]
    assert (tmp_path / "b" / MANIFEST).exists()


def test_a_bundle_can_be_written_from_another_thread(tmp_path):
    def write():
        with staging(tmp_path / "b", overwrite=False) as work:
            make(work)

    thread = threading.Thread(target=write)
    thread.start()
    thread.join()
    assert (tmp_path / "b" / MANIFEST).exists()


def test_a_signal_between_the_two_renames_brings_the_old_bundle_back(tmp_path, monkeypatch):
    final = tmp_path / "b"
    final.mkdir()
    make(final, "old")
    rename = Path.rename

    def interrupted(self, target):
        if Path(target) == final and self.name.startswith(".b.") and ".old-" not in self.name:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt), staging(final, overwrite=True) as work:
        make(work, "new")
    assert (final / MANIFEST).read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["b"]


def test_a_disk_that_fills_up_while_a_tree_is_copied_is_named_shortly(tmp_path):
    failures = [("from", "to", "[Errno 28] No space left on device: 'to'")] * 50
    with (
        pytest.raises(ResourceError) as stop,
        staging(tmp_path / "b", overwrite=False),
    ):
        raise shutil.Error(failures)
    assert str(stop.value).startswith(f"{tmp_path}: the disk is full; free some space")


def test_files_that_an_sdk_made_private_can_be_read_by_all(tmp_path):
    with staging(tmp_path / "b", overwrite=False) as work:
        make(work)
        (work / "deep").mkdir()
        (work / "deep" / "weights.bin").touch(0o600)
    assert (tmp_path / "b" / "deep" / "weights.bin").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o755
