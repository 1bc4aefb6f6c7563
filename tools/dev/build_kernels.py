"""Build the GPU kernels: GLSL to SPIR-V, Metal and GLES, and their interfaces.

python tools/dev/build_kernels.py [--check] [--only NAME ...] [--out DIR]

Needs glslc, spirv-val and spirv-cross (Debian: glslc spirv-tools spirv-cross). With `--check` nothing is
written, and the exit code is 1 where results are out of date. With `--only` the other kernels are taken
from what was built before.
"""

import argparse
import json
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2] / "runtime_stub" / "kernels"
MAGIC = b"OCKERNEL"
VERSION = 1
VARIANTS = {"plain": (), "subgroup": ("SUBGROUP",), "dot": ("SUBGROUP", "DOT")}
KINDS = {"uint": "u32", "int": "i32", "float": "f32"}
MOST_PARAMS, MOST_BUFFERS = 64, 12


@dataclass(frozen=True)
class Kernel:
    """A line of kernels.txt."""

    name: str
    source: str
    variants: tuple[str, ...]
    defines: tuple[str, ...]


@dataclass(frozen=True)
class Built:
    """What became of a kernel. modules: SPIR-V by variant."""

    interface: dict[str, Any]
    modules: dict[str, bytes]
    metal: str
    gles: str


def read_list(path: Path) -> tuple[Kernel, ...]:
    """The kernels of a list; text behind # is a comment."""
    out = []
    for line in path.read_text("utf-8").splitlines():
        words = line.split("#")[0].split()
        if not words:
            continue
        name, source, variants, *defines = words
        chosen = tuple(variants.split(","))
        if "plain" not in chosen or not set(chosen) <= set(VARIANTS):
            raise SystemExit(
                f"{name}: variants {variants}: plain, and any of {', '.join(VARIANTS)}"
            )
        out.append(Kernel(name, source, chosen, tuple(defines)))
    names = [kernel.name for kernel in out]
    if len(set(names)) != len(names):
        raise SystemExit(f"{path}: a name occurs twice")
    return tuple(sorted(out, key=lambda kernel: kernel.name))


def run(*command: str) -> str:
    """Standard output of a tool; its errors end this program."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr}{done.stdout}")
    return done.stdout


def build(kernel: Kernel, work: Path) -> Built:
    """Compile, check and translate one kernel."""
    modules, found = {}, {}
    for variant in kernel.variants:
        path, named = (work / f"{kernel.name}.{variant}{end}.spv" for end in ("", ".named"))
        defines = [f"-D{d}" for d in (*VARIANTS[variant], *kernel.defines)]
        source = str(ROOT / "glsl" / kernel.source)
        options = ("--target-env=vulkan1.1", "-I", str(ROOT / "glsl"), "-Werror", *defines)
        run("glslc", *options, "-O0", source, "-o", str(named))
        run("glslc", *options, "-O", source, "-o", str(path))  # drops the names
        run("spirv-val", "--target-env", "vulkan1.1", str(path))
        modules[variant] = path.read_bytes()
        reflected = json.loads(run("spirv-cross", str(named), "--reflect"))
        found[variant] = interface_of(kernel.name, reflected)
    if any(found[variant] != found["plain"] for variant in found):
        raise SystemExit(f"{kernel.name}: its variants have different interfaces")
    rename = ("--rename-entry-point", "main", kernel.name, "comp")
    shown = "subgroup" if "subgroup" in modules else "plain"
    metal = run(
        *("spirv-cross", str(work / f"{kernel.name}.{shown}.named.spv"), *rename),
        *("--msl", "--msl-version", "20300", "--msl-decoration-binding"),
    )
    gles = run(
        "spirv-cross", str(work / f"{kernel.name}.plain.named.spv"), "--es", "--version", "310"
    )
    return Built(found["plain"], modules, metal, gles)


def interface_of(name: str, found: dict[str, Any]) -> dict[str, Any]:
    """Constants, params and buffers as the compiler and the runtime have to give them."""
    constants = sorted(found.get("specialization_constants", []), key=lambda c: int(c["id"]))
    ids = [int(c["id"]) for c in constants]
    types = {c["type"] for c in constants}
    if ids != list(range(1, len(ids) + 1)) and ids != list(range(len(ids))):
        raise SystemExit(f"{name}: constants have the ids {ids}")
    if not types <= {"uint"}:
        raise SystemExit(f"{name}: constants are {types}, not uint")
    size = found["entryPoints"][0]
    if not size.get("workgroup_size_is_spec_constant_id", [False])[0]:
        raise SystemExit(f"{name}: local_size_x is no specialisation constant")
    kernel_constants = [[c["name"], int(c["default_value"])] for c in constants if int(c["id"]) > 0]
    buffers = sorted(found.get("ssbos", []), key=lambda b: int(b["binding"]))
    bindings = [int(b["binding"]) for b in buffers]
    if bindings != list(range(1, len(bindings) + 1)) or len(bindings) > MOST_BUFFERS:
        raise SystemExit(f"{name}: storage buffers are bound at {bindings}")
    names = [found["types"][b["type"]]["members"][0]["name"] for b in buffers]
    written = [not b.get("readonly", False) for b in buffers]
    params: list[list[str]] = []
    for block in found.get("ubos", []):
        for place, member in enumerate(found["types"][block["type"]]["members"]):
            if member["offset"] != 4 * place or member["type"] not in KINDS:
                raise SystemExit(f"{name}: param {member['name']} is no 32-bit scalar")
            params.append([member["name"], KINDS[member["type"]]])
    if len(params) > MOST_PARAMS:
        raise SystemExit(f"{name}: {len(params)} params, at most {MOST_PARAMS}")
    held = [[n, "write" if w else "read"] for n, w in zip(names, written, strict=True)]
    return {"constants": kernel_constants, "params": params, "buffers": held}


def digest(name: str, interface: dict[str, Any]) -> int:
    """crc32 of an interface: names and order of everything that a dispatch gives."""
    text = json.dumps([name, interface], separators=(",", ":"), sort_keys=True)
    return zlib.crc32(text.encode())


def pack(built: dict[str, Built]) -> bytes:
    """The file that the runtime holds: a table of kernels, and their modules at multiples of 4.

    magic, u32 version, u32 kernels; for each: 32 bytes name, u32 crc32 of the interface, u32 constants
    (with local_size_x), u32 params, u32 buffers, u32 mask of buffers that are written, u32 offset and u32
    bytes of the variants plain, subgroup, dot (0: none).
    """
    head = len(MAGIC) + 8 + len(built) * (32 + 5 * 4 + 6 * 4)
    table, blob = b"", b""
    for name, each in built.items():
        kernel = each.interface
        mask = sum(1 << at for at, (_, use) in enumerate(kernel["buffers"]) if use == "write")
        numbers = [digest(name, kernel), 1 + len(kernel["constants"]), len(kernel["params"])]
        numbers += [len(kernel["buffers"]), mask]
        for variant in VARIANTS:
            module = each.modules.get(variant, b"")
            numbers += [head + len(blob) if module else 0, len(module)]
            blob += module
        if len(name) > 31:
            raise SystemExit(f"{name}: a name has at most 31 letters")
        table += name.encode().ljust(32, b"\0") + struct.pack(f"<{len(numbers)}I", *numbers)
    return MAGIC + struct.pack("<II", VERSION, len(built)) + table + blob


def unpack(data: bytes) -> dict[str, dict[str, bytes]]:
    """The modules of a packed file by kernel and variant."""
    out = {}
    (count,) = struct.unpack_from("<I", data, len(MAGIC) + 4)
    for at in range(count):
        place = len(MAGIC) + 8 + at * 76
        name = data[place : place + 32].rstrip(b"\0").decode()
        numbers = struct.unpack_from("<11I", data, place + 32)
        spans = zip(VARIANTS, numbers[5::2], numbers[6::2], strict=True)
        out[name] = {v: data[start : start + size] for v, start, size in spans if size}
    return out


def outputs(built: dict[str, Built]) -> dict[str, bytes]:
    """Every file by its path below `built/`."""
    interfaces = {n: b.interface | {"crc32": digest(n, b.interface)} for n, b in built.items()}
    out = {
        "kernels.bin": pack(built),
        "interfaces.json": (json.dumps(interfaces, indent=1) + "\n").encode(),
    }
    for name, each in built.items():
        out[f"metal/{name}.metal"] = each.metal.encode()
        out[f"gles/{name}.comp"] = each.gles.encode()
    return out


def earlier(folder: Path, names: Iterable[str]) -> dict[str, Built]:
    """Kernels as they were built before."""
    interfaces = json.loads((folder / "interfaces.json").read_text("utf-8"))
    modules = unpack((folder / "kernels.bin").read_bytes())
    out = {}
    for name in names:
        if name not in modules:
            continue
        interface = {k: v for k, v in interfaces[name].items() if k != "crc32"}
        metal = (folder / "metal" / f"{name}.metal").read_text("utf-8")
        gles = (folder / "gles" / f"{name}.comp").read_text("utf-8")
        out[name] = Built(interface, modules[name], metal, gles)
    return out


def main() -> int:
    """Build, and write or compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with what was built")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="kernels to build anew")
    parser.add_argument("--out", type=Path, default=ROOT / "built")
    args = parser.parse_args()
    kernels = read_list(ROOT / "kernels.txt")
    built: dict[str, Built] = {}
    if args.only:
        built = earlier(args.out, [k.name for k in kernels if k.name not in args.only])
        kernels = tuple(k for k in kernels if k.name in args.only)
    with tempfile.TemporaryDirectory() as work:
        built |= {kernel.name: build(kernel, Path(work)) for kernel in kernels}
    files = outputs(dict(sorted(built.items())))
    stale = [
        name
        for name, data in files.items()
        if not (args.out / name).is_file() or (args.out / name).read_bytes() != data
    ]
    present = (p for p in args.out.rglob("*") if p.is_file()) if args.out.is_dir() else ()
    extra = [p for p in present if p.relative_to(args.out).as_posix() not in files]
    if args.check:
        for name in (*stale, *(str(p) for p in extra)):
            print(f"out of date: {name}", file=sys.stderr)
        return int(bool(stale or extra))
    for name in stale:
        path = args.out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        part.write_bytes(files[name])
        part.replace(path)
    for path in extra:
        path.unlink()
    print(f"{len(built)} kernels, {len(files['kernels.bin'])} bytes of SPIR-V")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
