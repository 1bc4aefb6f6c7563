"""What is missing is named before any work."""

from importlib import metadata

import pytest

from optimum_compile.backends.tvm import toolchain
from optimum_compile.compiler.errors import ResourceError


def test_tvm_is_asked_for_by_name(monkeypatch):
    def version(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", version)
    with pytest.raises(ResourceError, match=r'pip install "optimum-compile\[tvm\]"'):
        toolchain.require()


def test_a_linker_is_asked_for_by_name(monkeypatch):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(ResourceError, match=r"g\+\+ is missing"):
        toolchain.linker()


@pytest.mark.parametrize(
    ("machine", "flags", "expected"),
    [
        ("x86_64", "flags : fpu avx2 fma f16c bmi2 avx", "x86-64-v3"),
        ("x86_64", "flags : fpu avx", "x86-64"),
        ("aarch64", "Features : fp asimd", "generic"),
    ],
)
def test_the_host_module_is_for_this_processor(monkeypatch, tmp_path, machine, flags, expected):
    (tmp_path / "cpuinfo").write_text(f"processor : 0\n{flags}\n")
    monkeypatch.setattr(toolchain, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr("platform.system", lambda: "Linux")
    assert toolchain.host_target()["mcpu"] == expected


def test_other_machines_are_refused(monkeypatch):
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    with pytest.raises(ResourceError, match="not Darwin on"):
        toolchain.host_target()
