"""Run the tests of GPU kernels on kernels whose every access to a buffer is checked.

python tools/dev/check_bounds.py [arguments of pytest]

A Vulkan device may answer an access outside of a buffer with zeros, so that no test sees it. Here the
GLSL of each kernel is taken back from its SPIR-V, `buffer[index]` becomes
`buffer[within(index, length)]`, and an index that is not within counts in one more buffer. The exit code
is 1 where a test fails, or where one was found. Needs what build_kernels.py needs, and a Vulkan device.
"""

import json
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).resolve().parent
TESTS = HERE.parents[1] / "tests"
sys.path[:0] = [str(HERE), str(TESTS)]

import build_kernels as builder  # noqa: E402
from support import gpu  # noqa: E402

BUFFER = re.compile(r"buffer \w+\s*\{\s*uint \w+\[\];\s*\} (\w+);")
CHECK = """layout(set = 0, binding = {binding}, std430) buffer Fault {{ uint outside[]; }} fault;
uint within(uint i, uint length) {{
  if (i < length) return i;
  atomicAdd(fault.outside[0], 1u);
  return 0u;
}}
uint within(int i, uint length) {{ return within(uint(i), length); }}
"""


def checked(text: str, binding: int) -> str:
    """GLSL of a kernel with checks; they are counted in the buffer of that binding."""
    access = re.compile(rf"\b({'|'.join(BUFFER.findall(text))})\.(\w+)\[")

    def rewrite(part: str) -> str:
        out, at = "", 0
        while (found := access.search(part, at)) is not None:
            end, depth = found.end(), 1
            while depth:  # the bracket that closes this one
                depth += {"[": 1, "]": -1}.get(part[end], 0)
                end += 1
            index, buffer = rewrite(part[found.end() : end - 1]), f"{found[1]}.{found[2]}"
            out += part[at : found.start()] + f"{buffer}[within({index}, uint({buffer}.length()))]"
            at = end
        return out + part[at:]

    head, body = text.split("layout(local_size", 1)
    return head + CHECK.format(binding=binding) + "layout(local_size" + rewrite(body)


def build(kernel: builder.Kernel, work: Path) -> builder.Built:
    """A kernel with checks: all but its packed dot product, which GLSL has no word for."""
    modules, interface = {}, {}
    named, source, out = (work / name for name in ("named.spv", "checked.comp", "out.spv"))
    for variant in kernel.variants:
        if variant == "dot":
            continue
        defines = [f"-D{d}" for d in (*builder.VARIANTS[variant], *kernel.defines)]
        given = str(builder.ROOT / "glsl" / kernel.source)
        options = ("--target-env=vulkan1.1", "-I", str(builder.ROOT / "glsl"))
        builder.run("glslc", *options, *defines, "-O0", given, "-o", str(named))
        reflected = json.loads(builder.run("spirv-cross", str(named), "--reflect"))
        interface = builder.interface_of(kernel.name, reflected)
        text = builder.run("spirv-cross", str(named), "-V", "--version", "450")
        source.write_text(checked(text, len(interface["buffers"]) + 1), "utf-8")
        builder.run("glslc", *options, "-O", str(source), "-o", str(out))
        modules[variant] = out.read_bytes()
    interface["buffers"].append(["outside", "write"])
    return builder.Built(interface, modules, "", "")


def write(folder: Path) -> None:
    """All kernels, as the runtime and the tests read them."""
    kernels = builder.read_list(builder.ROOT / "kernels.txt")
    built = {kernel.name: build(kernel, folder) for kernel in kernels}
    (folder / "kernels.bin").write_bytes(builder.pack(built))
    interfaces = {name: each.interface for name, each in built.items()}
    (folder / "interfaces.json").write_text(json.dumps(interfaces), "utf-8")


def main(argv: Sequence[str]) -> int:
    """Build, run the tests, and say how many accesses lay outside."""
    with tempfile.TemporaryDirectory() as work:
        write(Path(work))
        probe = gpu.Probe(Path(work))
    counts = {"runs": 0, "outside": 0}

    def run_kernel(
        name: str,
        constants: Mapping[str, int],
        params: Mapping[str, float],
        buffers: Mapping[str, np.ndarray],
        groups: Sequence[int],
        variant: str | None = None,
    ) -> dict[str, np.ndarray]:
        if variant == "dot":
            variant = None  # the last that is there
        given = dict(buffers) | {"outside": np.zeros(1, np.uint32)}
        found: dict[str, np.ndarray] = probe.run(name, constants, params, given, groups, variant)
        outside = int(found.pop("outside")[0])
        counts["runs"] += 1
        counts["outside"] += outside
        assert outside == 0, f"{name}: {outside} accesses outside of its buffers"
        return found

    gpu.run_kernel = run_kernel
    tests = list(argv) or ["-q", "-m", "not slow", str(TESTS / "runtime_stub" / "kernels")]
    status = int(pytest.main(["-p", "no:cacheprovider", *tests]))
    print(f"{counts['runs']} runs of kernels, {counts['outside']} accesses outside of buffers")
    return int(status != 0 or counts["outside"] > 0)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
