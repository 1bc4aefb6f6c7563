"""The bench of GPU kernels: what it refuses, and a table that is no result."""

import json
from pathlib import Path

import pytest
from support import gpu

from optimum_compile.backends.native.device import DeviceKind as Kind
from optimum_compile.backends.native.device import DeviceType, devices
from optimum_compile.compiler.errors import OptionError, ResourceError
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.tools import bench_gpu


def test_a_cpu_measures_nothing() -> None:
    gpu.probe()  # skips where there is no device
    if any(found.type is not DeviceType.SOFTWARE for found in devices(Kind.VULKAN)):
        pytest.skip("a GPU is at hand")
    with pytest.raises(ResourceError, match="is a CPU"):
        bench_gpu.main([])
    small = ["--software", "--mib", "1"]
    with pytest.raises(OptionError, match="multiples of 32"):
        bench_gpu.main([*small, "--columns", "100"])
    with pytest.raises(OptionError, match="MiB of a buffer"):
        bench_gpu.main(["--software", "--mib", "100000000"])


def test_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gpu.probe()
    path = tmp_path / "raw.json"
    small = ["--software", "--mib", "1", "--columns", "1024", "--rows", "2", "--local", "32"]
    assert bench_gpu.main([*small, "--formats", "int8:channel", "--json", str(path)]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert len(lines) == 4
    assert lines[3].startswith("| int8:channel | 1024 |")
    rows = json.loads(path.read_text())["rows"]
    assert rows[0]["fraction"] == 1
    assert rows[1]["megabytes"] == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize(
    "text", ["f16", "int3:g64", "int4:g32@u6", "lut6:r4", "vec8x4:g32@u6", "nest2-4:r1"]
)
def test_bytes_are_those_that_are_stored(text: str) -> None:
    scheme = parse_scheme(text)
    load = bench_gpu.product(scheme, 1024, 1 << 20, 4, 64)
    rows = load.params["row_end"]
    stored = scheme.stored_bytes(rows, 1024)
    assert (
        0.7 < load.bytes_ / stored < 1.15
    )  # scale codes are counted as fp16, narrower tables are not read
    assert stored == pytest.approx(1 << 20, rel=0.05)


def test_formats_that_are_not_measured() -> None:
    with pytest.raises(OptionError, match="expected"):
        bench_gpu.product(parse_scheme("uint4:g32"), 1024, 1 << 20, 4, 64)
