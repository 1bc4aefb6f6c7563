"""The builder of GPU kernels, and whether what was built is what the sources say."""

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support import gpu

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tools" / "dev" / "build_kernels.py"
KERNELS = ROOT / "runtime_stub" / "kernels"
BUILT = KERNELS / "built"
TOOLS = ("glslc", "spirv-val", "spirv-cross")


def _load(script: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(script.stem, script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[script.stem] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    return _load(SCRIPT)


def _check(*arguments: str) -> subprocess.CompletedProcess[str]:
    _require_tools()
    command = [sys.executable, str(SCRIPT), "--check", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _require_tools() -> None:
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)}: not installed (Debian: glslc spirv-tools spirv-cross)")


def test_every_kernel_is_built(builder: ModuleType) -> None:
    listed = {kernel.name: kernel for kernel in builder.read_list(KERNELS / "kernels.txt")}
    interfaces = json.loads((BUILT / "interfaces.json").read_text("utf-8"))
    modules = builder.unpack((BUILT / "kernels.bin").read_bytes())
    assert listed.keys() == interfaces.keys() == modules.keys()
    for name, kernel in listed.items():
        assert modules[name].keys() == set(kernel.variants)
        assert all(m[:4] == b"\x03\x02\x23\x07" and len(m) % 4 == 0 for m in modules[name].values())
        interface = {k: v for k, v in interfaces[name].items() if k != "crc32"}
        assert interfaces[name]["crc32"] == builder.digest(name, interface)
    assert {p.stem for p in (BUILT / "metal").iterdir()} == listed.keys()
    assert {p.stem for p in (BUILT / "gles").iterdir()} == listed.keys()


def test_metal_and_gles_have_the_interface() -> None:
    interfaces = json.loads((BUILT / "interfaces.json").read_text("utf-8"))
    for name, interface in interfaces.items():
        metal = (BUILT / "metal" / f"{name}.metal").read_text("utf-8")
        entry = re.search(rf"^kernel void {name}\((.*)\)$", metal, re.MULTILINE)
        assert entry is not None, name
        found = sorted(map(int, re.findall(r"\[\[buffer\((\d+)\)\]\]", entry[1])))
        assert found == list(range(len(interface["buffers"]) + 1)), name
        constants = set(map(int, re.findall(r"\[\[function_constant\((\d+)\)\]\]", metal)))
        assert constants <= set(range(len(interface["constants"]) + 1)), name
        gles = (BUILT / "gles" / f"{name}.comp").read_text("utf-8")
        assert gles.startswith("#version 310 es"), name


def test_gles_compiles() -> None:
    if shutil.which("glslangValidator") is None:
        pytest.skip("glslangValidator is not installed (Debian: glslang-tools)")
    texts = sorted(str(path) for path in (BUILT / "gles").iterdir())
    done = subprocess.run(
        ["glslangValidator", "-S", "comp", *texts], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_small_kernels_are_up_to_date() -> None:
    done = _check("--only", "kv_write", "quantize_rows")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_all_kernels_are_up_to_date() -> None:
    done = _check()
    assert done.returncode == 0, done.stderr


def test_accesses_are_checked(builder: ModuleType) -> None:
    bounds = _load(SCRIPT.with_name("check_bounds.py"))
    text = (
        "#version 450\nlayout(local_size_x_id = 0) in;\n"
        "buffer A\n{\n    uint a[];\n} _1;\nbuffer B\n{\n    uint b[];\n} _2;\n"
        "void main() { _2.b[i + _1.a[c[j]]] = _1.a[0]; }\n"
    )
    body = bounds.checked(text, 3).splitlines()[-1]
    inner = "_1.a[within(c[j], uint(_1.a.length()))]"
    assert body == (
        f"void main() {{ _2.b[within(i + {inner}, uint(_2.b.length()))] = "
        "_1.a[within(0, uint(_1.a.length()))]; }"
    )


@pytest.mark.slow
def test_embeddings_stay_within_their_buffers() -> None:
    # All kernels: python tools/dev/check_bounds.py
    _require_tools()
    gpu.probe()
    script = SCRIPT.with_name("check_bounds.py")
    tests = str(ROOT / "tests" / "runtime_stub" / "kernels" / "test_embed.py")
    command = [sys.executable, str(script), "-q", tests]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert " 0 accesses outside" in done.stdout


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a a.comp plain\na b.comp plain\n", "twice"),
        ("a a.comp subgroup\n", "plain"),
        ("a a.comp plain,fast\n", "plain, and any of"),
    ],
)
def test_lists_that_are_refused(
    builder: ModuleType, tmp_path: Path, text: str, reason: str
) -> None:
    path = tmp_path / "kernels.txt"
    path.write_text(text, "utf-8")
    with pytest.raises(SystemExit, match=reason):
        builder.read_list(path)


def test_interfaces_that_are_refused(builder: ModuleType) -> None:
    block = {"members": [{"name": "x", "type": "uint", "offset": 0}]}
    fine: dict[str, Any] = {
        "entryPoints": [{"workgroup_size_is_spec_constant_id": [True, False, False]}],
        "types": {"_1": {"members": [{"name": "x"}]}, "_2": block},
        "ssbos": [{"type": "_1", "binding": 1, "readonly": True}],
        "ubos": [{"type": "_2"}],
        "specialization_constants": [{"id": 1, "name": "N", "type": "uint", "default_value": 4}],
    }
    assert builder.interface_of("a", fine) == {
        "constants": [["N", 4]],
        "params": [["x", "u32"]],
        "buffers": [["x", "read"]],
    }
    constant, vector = (
        fine["specialization_constants"][0],
        {"name": "v", "type": "vec4", "offset": 0},
    )
    changes = {
        "no specialisation constant": {"entryPoints": [{}]},
        "bound at": {"ssbos": [{"type": "_1", "binding": 2}]},
        "not uint": {"specialization_constants": [constant | {"type": "int"}]},
        "have the ids": {"specialization_constants": [constant | {"id": 3}]},
        "no 32-bit scalar": {"types": fine["types"] | {"_2": {"members": [vector]}}},
    }
    for reason, change in changes.items():
        with pytest.raises(SystemExit, match=reason):
            builder.interface_of("a", fine | change)
