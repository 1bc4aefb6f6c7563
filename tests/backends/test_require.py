"""A missing SDK is refused before any work."""

from importlib import metadata
from pathlib import Path

import pytest

import optimum_compile as oc
from optimum_compile.backends.catalog import load_backend
from optimum_compile.compiler.errors import ResourceError

REFERENCE = Path(__file__).parents[2] / "models" / "reference"


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", version)


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize("name", ["coreml", "executorch", "onnxruntime"])
def test_it_names_what_to_install(name):
    with pytest.raises(ResourceError, match=rf'pip install "optimum-compile\[{name}\]"'):
        load_backend(name).require()


@pytest.mark.usefixtures("nothing_installed")
def test_compile_asks_before_it_works(tmp_path):
    with pytest.raises(ResourceError, match="coremltools is not installed"):
        oc.compile(REFERENCE, targets=["ios:coreml"], output=str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()
