"""Fixtures that every test may use: golden texts, and data that is not part of the repository."""

import os
import re
import signal
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
# Before torch is imported: threads that wait must not spin, other tests may need the cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden files instead of comparing"
    )


class Golden:
    """The expected text of one test, in tests/golden/MODULE/TEST.txt."""

    def __init__(self, path: Path, update: bool) -> None:
        self.path = path
        self.update = update

    def check(self, text: str) -> None:
        """Compare with the golden file, or write it under --update-golden."""
        if self.update:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(text, "utf-8")
            return
        if not self.path.exists():
            pytest.fail(f"{self.path} is missing; run pytest --update-golden and review the file")
        assert text == self.path.read_text("utf-8"), (
            f"differs from {self.path}; if that is wanted, run pytest --update-golden"
        )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """`golden.check(text)` compares with the file named after the test."""
    module = Path(request.node.path).relative_to(TESTS).with_suffix("")
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", request.node.name)
    path = TESTS / "golden" / module / f"{name}.txt"
    return Golden(path, request.config.getoption("--update-golden"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Models and texts outside the repository: $OPTIMUM_SHARED/data, or ../shared/data."""
    root = os.environ.get("OPTIMUM_SHARED")
    folder = (Path(root) if root else TESTS.parent.parent / "shared") / "data"
    if not folder.is_dir():
        pytest.skip(f"no folder {folder}; set OPTIMUM_SHARED to the folder that holds data/")
    return folder


@pytest.fixture(scope="session", autouse=True)
def interrupts_arrive():
    """A shell that starts the tests in the background has them ignore SIGINT, and their children too."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
