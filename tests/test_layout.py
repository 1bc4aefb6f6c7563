"""The tree is what the packaging says, and imports go one way."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TOP = ("compiler", "passes", "backends", "runtime_stub", "models", "tools")
SDKS = ("coremltools", "executorch", "torchao", "onnx", "onnxruntime", "tvm")
SETUP = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]


def modules():
    for top in TOP:
        for path in sorted((ROOT / top).rglob("*.py")):
            if "dev" not in path.parts and "_build" not in path.parts:
                yield path


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def top_level_imports(path):
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_every_package_on_disk_is_listed():
    on_disk = {"optimum_compile"}
    for top in TOP:
        for init in (ROOT / top).rglob("__init__.py"):
            folder = init.parent.relative_to(ROOT)
            if folder.parts[-1] != "_root" and "_build" not in folder.parts:
                on_disk.add("optimum_compile." + ".".join(folder.parts))
    assert sorted(on_disk) == SETUP["packages"]


def test_every_module_lies_in_a_listed_package():
    for path in modules():
        assert (path.parent / "__init__.py").is_file(), f"{path} is in no package"


@pytest.mark.parametrize("folder", ["compiler/ir", "compiler/quant"])
def test_core_imports_nothing_of_ours_but_core(folder):
    allowed = (
        "optimum_compile.compiler.ir",
        "optimum_compile.compiler.quant",
        "optimum_compile.compiler.errors",
    )
    for path in sorted((ROOT / folder).glob("*.py")):
        for name in imports_of(path):
            assert not name.startswith(("torch", "coremltools", "executorch")), (
                f"{path} imports {name}"
            )
            if name.startswith("optimum_compile"):
                assert name.startswith(allowed), f"{path} imports {name}"


def test_nothing_imports_tools():
    for path in modules():
        if path.relative_to(ROOT).parts[0] == "tools":
            continue
        for name in imports_of(path):
            assert not name.startswith("optimum_compile.tools"), f"{path} imports {name}"


def test_sdks_are_imported_only_where_they_are_used():
    """At the top of a file only in a backend's lowering, which `emit` alone imports."""
    for path in modules():
        if path.name.startswith("lower") and path.parent.parent.name == "backends":
            continue
        for name in top_level_imports(path):
            assert name.split(".")[0] not in SDKS, f"{path} imports {name} at its top"


def test_the_command_line_and_the_backends_load_without_an_sdk():
    code = (
        "import sys, optimum_compile.tools.cli, optimum_compile.tools.compile\n"
        "from optimum_compile.backends.catalog import BACKENDS, load_backend\n"
        "[load_backend(name) for name in BACKENDS]\n"
        f"print(sorted({set(SDKS)!r} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_files_stay_short():
    for path in modules():
        assert len(path.read_text().splitlines()) <= 400, f"{path} has more than 400 lines"
