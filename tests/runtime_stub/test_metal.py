"""The Metal host and its kernels, as far as a machine without Metal can check them."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "runtime_stub"
APPLE = Path(__file__).parent / "apple"
HOST = sorted(path.name for path in (ROOT / "src" / "gpu").glob("*.mm"))
WORDS = {"uint": 1, "int": 1, "float": 1, "uint2": 2, "float2": 2, "uint4": 4, "float4": 4}
MOST_SHARED = 16 * 1024  # bytes: what every Vulkan device has
INTERFACES = json.loads((ROOT / "kernels/built/interfaces.json").read_text("utf-8"))


@pytest.mark.parametrize("mac", [0, 1])
@pytest.mark.parametrize("name", HOST)
def test_the_host_is_right_cplusplus(name: str, mac: int) -> None:
    """Against declarations of our own: what it calls of the runtime exists, as it calls it."""
    if shutil.which("clang++") is None:
        pytest.skip("no clang++, which reads Objective-C++")
    defines = ["-DOC_METAL", '-DOC_METALLIB="kernels"', f"-DTARGET_OS_OSX={mac}"]
    language = ["-x", "objective-c++", "-std=c++17", "-fblocks", "-fobjc-runtime=macosx-12"]
    language += ["-fobjc-arc", "-fobjc-arc-exceptions"]
    command = ["clang++", "-fsyntax-only", *language, "-Wall", "-Wextra", "-Werror", *defines]
    command += [f"-I{APPLE}", f"-I{ROOT / 'include'}", str(ROOT / "src" / "gpu" / name)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_build_names_the_host() -> None:
    text = (ROOT / "cmake" / "metal.cmake").read_text("utf-8")
    assert HOST
    assert all(f"src/gpu/{name}" in text for name in HOST)
    assert "-fno-fast-math" in text


@pytest.mark.parametrize("name", sorted(INTERFACES))
def test_kernels_take_what_the_host_gives(name: str) -> None:
    """Entry point, buffers at their bindings, function constants, params as the host packs them."""
    kernel, text = INTERFACES[name], (ROOT / f"kernels/built/metal/{name}.metal").read_text("utf-8")
    entry = re.search(rf"^kernel void {name}\((.*)\)$", text, re.M)
    assert entry is not None
    taken = re.findall(r"(constant|const device|device) \w+& \w+ \[\[buffer\((\d+)\)\]\]", entry[1])
    wanted = {0: "constant"} | {
        at: "device" if use == "write" else "const device"
        for at, (_, use) in enumerate(kernel["buffers"], 1)
    }
    assert taken
    assert all(wanted[int(at)] == space for space, at in taken)
    constants = {int(at) for at in re.findall(r"\[\[function_constant\((\d+)\)\]\]", text)}
    assert constants <= set(range(len(kernel["constants"]) + 1))
    struct = re.search(r"struct Params\n\{\n(.*?)\n\};", text, re.S)
    members = re.findall(r"^    (\w+) (\w+);", struct[1], re.M) if struct else []
    kinds = {"u32": "uint", "i32": "int", "f32": "float"}
    assert members == [(kinds[kind], param) for param, kind in kernel["params"]]
    shared = re.findall(r"^    threadgroup (\w+) \w+\[(\d+)\];", text, re.M)
    assert len(re.findall(r"^    threadgroup .*;", text, re.M)) == len(shared)
    assert 4 * sum(WORDS[kind] * int(count) for kind, count in shared) <= MOST_SHARED
