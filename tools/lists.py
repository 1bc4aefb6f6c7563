"""`optimum-compile targets`, `models` and `devices`: what there is, and what each can store."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table

from optimum_compile.backends.base import WeightUse
from optimum_compile.backends.catalog import load_backend
from optimum_compile.compiler.devices import EFFICIENCY, devices, usable_rules
from optimum_compile.compiler.options import TARGETS
from optimum_compile.compiler.quant.kv import KV_BITS, KvScheme
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.tools.cli import print_json
from optimum_compile.tools.tables import console, size

SCHEMES = (
    "f16",
    "int8",
    "uint8",
    "int4:g32",
    "int4:g32@bf16",
    "uint4:g32",
    "int4",
    "int2:g32",
    "int4:g32@u6",
    "uint4:g32@u6",
    "uint2:g16@u4,zu4",
    "int3:g16@u6",
    "uint4:g32@u6,zu6",
    "int6:g16@u8",
    "uint4:g64@zf16",
    "e0m4:g32",
    "int4:g128+s0.005",
    "int4:g128+o0.08",
    "lut2:r1",
    "lut3:r1",
    "lut4:r1",
    "lut6:r4",
    "lut2:r1+s0.005",
    "nest2-4:r4",
    "vec8x4:channel@shared",
    "vec8x4:g32@u4,shared",
    "vec6x2",
)
PROBE = WeightUse("probe", 256, 256, as_linear=True, as_table=False)
LISTED = (
    *("ios", "android", "android:onnxruntime", "android:vulkan", "android:nnapi", "android:tvm"),
    *("gpu", "native", "gguf", "mlx", "reference"),
)


def main(command: str, argv: Sequence[str]) -> int:
    """Print the list; returns the exit code."""
    parser = argparse.ArgumentParser(prog=f"optimum-compile {command}", description=__doc__)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(list(argv))
    if command == "models":
        recipes = models_document()
        if args.json:
            print_json(dict(recipes))
            return 0
        for name, text in recipes.items():
            console().print(f"{name}: {text}")
        return 0
    if command == "devices":
        found = devices_document()
        if args.json:
            print_json(found)
        else:
            show_devices(found)
        return 0
    targets = targets_document()
    if args.json:
        print_json(dict(targets))
        return 0
    for name, found in targets.items():
        table = Table("scheme", "", "why not", box=None, title=f"{name} ({found['artifact']})")
        for scheme, reason in (found["schemes"] | found["kv_cache"]).items():
            table.add_row(scheme, "no" if reason else "yes", reason)
        console().print(table)
    return 0


def targets_document() -> dict[str, dict[str, Any]]:
    """Per target: artifact kind, and per scheme "" or why a 256x256 linear, or a cache, cannot have it."""
    out: dict[str, dict[str, Any]] = {}
    for name in LISTED:
        backend = load_backend(TARGETS[name].artifact)
        verdicts = {s: backend.supports_scheme(parse_scheme(s), PROBE) for s in SCHEMES}
        caches = {str(s): backend.supports_kv(s) for s in map(KvScheme, KV_BITS)}
        out[name] = {
            "artifact": f"{TARGETS[name].artifact} {backend.suffix}",
            "schemes": {s: "" if v.ok else v.reason for s, v in verdicts.items()},
            "kv_cache": {s: "" if v.ok else v.reason for s, v in caches.items()},
        }
    return out


def devices_document() -> dict[str, Any]:
    """Known devices with their figures and sources, and how usable memory follows from memory."""
    return {
        "devices": [asdict(device) for device in devices()],
        "usable_memory": dict(usable_rules()),
        "efficiency": EFFICIENCY,
    }


def show_devices(document: dict[str, Any]) -> None:
    """Print the devices as a table, sources below."""
    heads = ("device", "platform", "memory", "for an app", "GB/s", "figures")
    table = Table(*heads, box=None, pad_edge=False)
    for device in document["devices"]:
        sizes = (size(device[key]) for key in ("memory_bytes", "usable_bytes"))
        rate = f"{device['bandwidth_gb_s']:.1f}"
        table.add_row(device["name"], device["platform"], *sizes, rate, device["confidence"])
    console().print(table)
    for platform, rule in document["usable_memory"].items():
        console().print(f"{platform}: {rule}", soft_wrap=True)
    console().print("--json has the source of every figure.")


def models_document() -> dict[str, str]:
    """Architectures that have a recipe."""
    from optimum_compile.models import RECIPES

    out = dict.fromkeys(sorted(RECIPES), "Hugging Face folder, through the project's own recipe")
    return out | {"any module": "torch.export archive (.pt2) whose ops the targets can run"}
