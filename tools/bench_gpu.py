"""Bandwidth of matrix-vector kernels on a GPU against a copy on the same device, as a markdown table.

    python -m optimum_compile.tools.bench_gpu [--device NAME] [--mib 256] [--columns 2048,8192]
        [--formats int8:channel,..] [--rows 4,8] [--local 64] [--json FILE] [--software]

Each kernel reads a random weight with the columns of a model's layers and as many rows as take the
stated bytes: far more than caches hold, so that they cannot serve what is counted. 2048 and 8192 columns
are those of a decoder of 1 billion parameters, 3072 and 8192 those of one of 3 billion. Bytes are those of
codes, scales and tables, read once; of the copy those read and those written. Times are of the device's
clock, the best of several rounds. A device that is a CPU measures nothing of a GPU and is refused, unless
`--software` asks for a table that is no result.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from ctypes import byref, c_uint32
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from optimum_compile.backends.gpu.interfaces import interface
from optimum_compile.backends.native.device import Device, DeviceKind, DeviceType
from optimum_compile.backends.native.library import check, library
from optimum_compile.backends.native.probe import ProbeBuffer, ProbeCall
from optimum_compile.compiler.errors import OptionError, ResourceError
from optimum_compile.compiler.quant.scheme import Affine, Float, Lut, Nested, Scheme, Vector
from optimum_compile.compiler.quant.scheme_text import parse_scheme

FORMATS = "f16,int8:channel,int4:g32,vec6x2:channel,vec8x4:channel,lut4:r1,nest2-4:r1"
COLUMNS = "2048,3072,8192"
ROUNDS, REPEATS = 5, 4
COPY_WIDTH = 1 << 16  # words of a row of the copy
MOST_BLOCKS = 1 << 14


@dataclass(frozen=True)
class Load:
    """A dispatch. buffers: words by name, of which those left out have one; bytes_: what it moves."""

    kernel: str
    constants: Mapping[str, int]
    params: Mapping[str, int]
    buffers: Mapping[str, np.ndarray]
    groups: tuple[int, int, int]
    bytes_: int


@dataclass(frozen=True)
class Row:
    """One measurement; fraction is that of the copy's bandwidth."""

    format: str
    columns: int
    rows: int
    rows_of_group: int
    local: int
    megabytes: float
    milliseconds: float
    gigabytes_per_second: float
    fraction: float


def measure(device: Device, load: Load) -> float:
    """Seconds of one dispatch: the best of several rounds.

    Raises ResourceError for a device without a clock, or one that refuses the kernel.
    """
    kernel = interface(load.kernel)
    nothing = np.zeros(4, np.uint32)
    held = [load.buffers.get(name, nothing) for name, _ in kernel.buffers]
    cells = [ProbeBuffer(data.ctypes.data, None, data.nbytes) for data in held]
    chosen = [load.constants["local_size_x"]]
    chosen += [load.constants.get(name, default) for name, default in kernel.constants]
    params = [load.params.get(name, 0) for name, _ in kernel.params]
    call = ProbeCall(
        load.kernel.encode(),
        None,
        (c_uint32 * len(chosen))(*chosen),
        len(chosen),
        (c_uint32 * len(params))(*params),
        len(params),
        (ProbeBuffer * len(cells))(*cells),
        len(cells),
        (c_uint32 * 3)(*load.groups),
        REPEATS,
        0,
    )
    best = float("inf")
    for _ in range(ROUNDS):
        check(library().oc_probe_kernel(device.handle, byref(call)), load.kernel)
        if call.gpu_ns <= 0:
            raise ResourceError(f"{device.info.name} has no clock")
        best = min(best, call.gpu_ns * 1e-9 / REPEATS)
    return best


def copy(size: int) -> Load:
    """About `size` bytes read and as many written."""
    lines = max(1, size // (4 * COPY_WIDTH))
    words = np.arange(lines * COPY_WIDTH, dtype=np.uint32)
    sizes = {"width": COPY_WIDTH, "size_1": 1}
    sizes |= {f"{name}_2": COPY_WIDTH for name in "xy"} | {f"{name}_3": 1 for name in "xy"}
    constants = {"local_size_x": 256, "X_HALF": 0, "Y_HALF": 0}
    groups = (COPY_WIDTH // 512, lines, 1)
    return Load(
        "copy", constants, sizes, {"x": words, "y": np.zeros_like(words)}, groups, 2 * words.nbytes
    )


def product(scheme: Scheme, columns: int, size: int, rows_of_group: int, local: int) -> Load:
    """A weight of about `size` random bytes times one fp16 vector.

    Raises OptionError for a scheme that is not measured here.
    """
    rows = max(8, size * 8192 // scheme.stored_bytes(8192, columns) // 8 * 8)
    rng = np.random.default_rng(0)

    def words(bits: int) -> np.ndarray:
        return np.frombuffer(rng.bytes(-(-bits // 32) * 4), np.uint32)

    def halves(count: int) -> np.ndarray:
        return np.full(-(-count // 2) * 2, 0.01, np.float16).view(np.uint32)

    constants = {"local_size_x": local, "ROWS": rows_of_group, "TOKENS": 1, "ALIGNED": 1}
    params = {"tokens": 1, "x_inner": columns, "y0_inner": rows, "columns": columns}
    params |= {"row_end": rows, "end0": rows, "end1": rows}
    buffers = {"x": halves(columns), "y0": halves(rows)}
    if isinstance(scheme, Float):
        kind, parts = "float", {"codes": words(rows * columns * scheme.bits)}
        constants["WEIGHT_HALF"] = int(scheme.bits == 16)
    elif isinstance(scheme, Nested):
        kind, parts = "nested", {"planes": words(rows * columns * scheme.bits)}
        parts["table"] = halves(scheme.tables(rows) << scheme.bits)
        params |= {"rows_per_table": scheme.rows_per_table, "plane_bytes": rows * columns // 8}
    elif isinstance(scheme, Lut):
        kind, parts = "lut", {"codes": words(rows * columns * scheme.bits)}
        parts["table"] = halves(scheme.tables(rows) << scheme.bits)
        params["rows_per_table"] = scheme.rows_per_table
    elif isinstance(scheme, Affine | Vector) and getattr(scheme, "symmetric", True):
        group = scheme.group_size(columns)
        constants |= {"GROUP": 0 if group >= columns else group, "SCALE_BITS": scheme.scale_bits}
        width = scheme.width if isinstance(scheme, Vector) else 1
        kind, parts = "affine", {"codes": words(rows * columns // width * scheme.bits)}
        count = rows * scheme.groups(columns)
        parts["scales"] = words(count * scheme.scale_bits) if scheme.scale_bits else halves(count)
        parts["supers"] = halves(rows)
        if isinstance(scheme, Vector):
            kind, constants["WIDTH"] = "vectors", width
            parts["table"] = halves(width << scheme.bits)
    else:
        raise OptionError(f"{scheme}: expected a signed grid, a palette, vectors, nest or f16")
    if not isinstance(scheme, Float):
        constants["BITS"] = scheme.bits
    groups = (min(-(-rows // rows_of_group), MOST_BLOCKS), 1, 1)
    moved = sum(part.nbytes for part in parts.values())
    return Load(f"matvec_{kind}", constants, params, buffers | parts, groups, moved)


def rows_of(
    device: Device,
    formats: Sequence[str],
    columns: Sequence[int],
    size: int,
    shapes: Sequence[tuple[int, int]],
) -> Iterator[Row]:
    """The copy, then every format and number of columns with the best of the shapes."""
    load = copy(size)
    seconds = measure(device, load)
    reached = load.bytes_ / seconds
    yield Row("copy", 0, 0, 0, 256, load.bytes_ / 1e6, seconds * 1e3, reached / 1e9, 1.0)
    for text in formats:
        scheme = parse_scheme(text)
        for count in columns:
            found = []
            for rows_of_group, local in shapes:
                load = product(scheme, count, size, rows_of_group, local)
                found.append((measure(device, load), load, rows_of_group, local))
            seconds, load, rows_of_group, local = min(found, key=lambda each: each[0])
            rate = load.bytes_ / seconds
            numbers = (load.bytes_ / 1e6, seconds * 1e3, rate / 1e9, rate / reached)
            yield Row(text, count, load.params["row_end"], rows_of_group, local, *numbers)


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="bench_gpu", description=__doc__.splitlines()[0])
    parser.add_argument("--device", help="part of the name of a Vulkan device")
    parser.add_argument("--mib", type=int, default=256, help="bytes of a weight")
    parser.add_argument("--columns", default=COLUMNS)
    parser.add_argument("--formats", default=FORMATS)
    parser.add_argument("--rows", default="2,4,8", help="rows of a workgroup that are tried")
    parser.add_argument("--local", default="32,64,128", help="sizes of workgroups that are tried")
    parser.add_argument("--json", type=Path, help="raw numbers")
    parser.add_argument("--software", action="store_true", help="also on a CPU: no result")
    args = parser.parse_args(argv)
    device = Device(DeviceKind.VULKAN, args.device)
    info = device.info
    if info.type is DeviceType.SOFTWARE and not args.software:
        raise ResourceError(
            f"{info.name} is a CPU: what it takes says nothing of a GPU; --software to see it anyway"
        )
    if args.mib < 1 or args.mib << 20 > info.buffer_bytes:
        most = info.buffer_bytes >> 20
        raise OptionError(f"--mib {args.mib}: {info.name} sees 1 to {most} MiB of a buffer")
    columns = [int(text) for text in args.columns.split(",")]
    if any(count < 32 or count % 32 for count in columns):
        raise OptionError(f"--columns {args.columns}: expected multiples of 32")
    shapes = [(int(r), int(n)) for r in args.rows.split(",") for n in args.local.split(",")]
    label = " (a CPU: no result)" if info.type is DeviceType.SOFTWARE else ""
    print(f"{info.name}, {info.driver}{label}\n")
    print("| format | columns | rows | ROWS x local | MB | ms | GB/s | of the copy |")
    print("|---|---|---|---|---|---|---|---|")
    rows = []
    for row in rows_of(device, args.formats.split(","), columns, args.mib << 20, shapes):
        rows.append(asdict(row))
        print(
            f"| {row.format} | {row.columns or ''} | {row.rows or ''} | "
            f"{row.rows_of_group} x {row.local} | {row.megabytes:.0f} | {row.milliseconds:.3f} | "
            f"{row.gigabytes_per_second:.0f} | {row.fraction:.0%} |",
            flush=True,
        )
    if args.json:
        software = info.type is DeviceType.SOFTWARE
        found = {"device": info.name, "driver": info.driver, "software": software, "rows": rows}
        args.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
