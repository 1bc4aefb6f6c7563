"""Devices: what is listed, what is refused and why, and single kernels on them."""

import ctypes
import json
import os
import struct
import subprocess
import sys
from ctypes import byref, c_size_t, c_void_p

import numpy as np
import pytest
from support.gpu import BUILT, Probe, probe

from optimum_compile.backends.native.device import (
    Device,
    DeviceFlags,
    DeviceKind,
    DeviceType,
    devices,
)
from optimum_compile.backends.native.library import Status, library
from optimum_compile.compiler.errors import ResourceError
from optimum_compile.runtime_stub.build import runtime_program

ENTRY = 32 + 11 * 4


def vulkan() -> tuple:
    try:
        return devices(DeviceKind.VULKAN)
    except ResourceError as none:
        pytest.skip(str(none))


def values(count: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(count).astype(np.float32)


def top(opened: Probe, **more: object) -> dict[str, np.ndarray]:
    numbers = values(300)
    buffers = {"x": numbers, "found": np.zeros(2 * 2 * 5, np.uint32)}
    params = {"size": 300, "k": 5, "x_at": 0, "x_row": 300, "found_at": 0}
    return opened.run("top_k_part", {}, params, buffers, (2, 1), **more)


def test_the_cpu_is_always_there():
    (cpu,) = devices(DeviceKind.CPU)
    assert (cpu.refusal, cpu.unified) == ("", True)
    assert Device(DeviceKind.CPU).info == cpu


def test_devices_say_what_they_are():
    for found in vulkan():
        assert found.kind is DeviceKind.VULKAN
        assert found.name
        assert found.driver.startswith("Vulkan 1.")
        assert found.memory_bytes > 0
        if not found.refusal:
            assert found.buffer_bytes >= 2**27  # what Vulkan promises
            assert Device(name=found.name).info == found


def test_the_best_device_is_taken():
    rank = [DeviceType.DISCRETE, DeviceType.INTEGRATED, DeviceType.VIRTUAL, DeviceType.OTHER]
    usable = [d for d in vulkan() if not d.refusal]
    if not usable:
        pytest.skip("no device that can be used")
    best = min((rank.index(d.type) if d.type in rank else 9) for d in usable)
    taken = Device(flags=DeviceFlags.LOW_PRIORITY | DeviceFlags.UNCHECKED).info
    assert (rank.index(taken.type) if taken.type in rank else 9) == best


def test_what_is_not_there_is_refused_with_the_reason():
    with pytest.raises(ResourceError, match="without Metal|Metal"):
        devices(DeviceKind.METAL)
    if sys.platform != "darwin":
        with pytest.raises(ResourceError):
            Device(DeviceKind.METAL)
    vulkan()
    with pytest.raises(ResourceError, match="no device nobody's among"):
        Device(name="nobody's")
    lib, handle = library(), c_void_p()
    assert lib.oc_device_open(1, 99, 0, byref(handle)) == Status.NO_DEVICE
    assert lib.oc_device_open(0, 0, 1 << 20, byref(handle)) == Status.BAD_ARGUMENT
    assert lib.oc_device_open(7, 0, 0, byref(handle)) == Status.BAD_ARGUMENT
    assert lib.oc_device_open(0, 0, 0, None) == Status.BAD_ARGUMENT
    assert lib.oc_device_count(0, None) == Status.BAD_ARGUMENT
    assert lib.oc_device_info(0, 1, None) == Status.BAD_ARGUMENT
    assert not handle.value


def test_without_a_driver_the_reason_is_given(tmp_path):
    """A process of its own: a loader that finds no driver."""
    empty = tmp_path / "none.json"
    empty.write_text("{}")
    names = ("VK_ICD_FILENAMES", "VK_DRIVER_FILES")
    program = str(runtime_program("tools/oc_run.cpp"))
    done = subprocess.run(
        [program, "--devices"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **dict.fromkeys(names, str(empty))},
    )
    assert done.returncode == 0
    assert done.stdout.startswith("vulkan: no Vulkan")


@pytest.mark.slow
def test_a_runtime_without_the_headers_says_so():
    program = str(runtime_program("tools/oc_run.cpp", ("-DOC_NO_VULKAN", "-O0")))
    done = subprocess.run([program, "--devices"], capture_output=True, text=True, check=False)
    assert "built without Vulkan" in done.stdout


def test_the_runtime_carries_the_kernels_of_the_folder():
    data, size = c_void_p(), c_size_t()
    assert library().oc_probe_built_in(byref(data), byref(size)) == Status.OK
    assert ctypes.string_at(data.value or 0, size.value) == (BUILT / "kernels.bin").read_bytes()


@pytest.mark.parametrize("variant", [None, "plain"])
def test_a_kernel_runs_alone(variant):
    opened = probe()
    numbers = values(300)
    found = top(opened, variant=variant)["found"].reshape(2, 2, 5)
    for part in range(2):
        order = np.argsort(-numbers[150 * part : 150 * part + 150], kind="stable")[:5]
        np.testing.assert_array_equal(found[part, 0], order + 150 * part)
        np.testing.assert_array_equal(found[part, 1].view(np.float32), numbers[found[part, 0]])
    again = top(opened, repeats=3)["found"].reshape(2, 2, 5)
    np.testing.assert_array_equal(again, found)


def test_calls_that_do_not_fit_a_kernel_are_refused():
    opened = probe()
    with pytest.raises(RuntimeError, match="no variant dot|cannot run the variant dot"):
        top(opened, variant="dot")
    with pytest.raises(RuntimeError, match="there are plain, subgroup and dot"):
        top(opened, variant="fast")
    numbers = {"x": values(8), "found": np.zeros(20, np.uint32)}
    params = {"size": 8, "k": 1, "x_at": 0, "x_row": 8, "found_at": 0}
    with pytest.raises(RuntimeError, match="a workgroup of 48"):
        opened.run("top_k_part", {"local_size_x": 48}, params, numbers, (1,))
    with pytest.raises(RuntimeError, match="workgroups in direction 1"):
        opened.run("top_k_part", {}, params, numbers, (1, 2**31))


def entry_of(name: str) -> int:
    names = sorted(json.loads((BUILT / "interfaces.json").read_text("utf-8")))
    return 16 + names.index(name) * ENTRY


def forged(change) -> bytes:
    """kernels.bin with another entry for top_k_part."""
    data = bytearray((BUILT / "kernels.bin").read_bytes())
    at = entry_of("top_k_part")
    words = list(struct.unpack_from("<11I", data, at + 32))
    change(words)
    struct.pack_into("<11I", data, at + 32, *words)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"OCKERNEM" + bytes(8), Status.BAD_FILE),
        (b"OCKERNEL" + struct.pack("<II", 2, 0), Status.BAD_VERSION),
        (b"OCKERNEL" + struct.pack("<II", 1, 3), Status.BAD_FILE),
        (b"OCKER", Status.BAD_FILE),
        (forged(lambda words: words.__setitem__(5, 2**31)), Status.BAD_FILE),
        (forged(lambda words: words.__setitem__(5, 2)), Status.BAD_FILE),
        (forged(lambda words: words.__setitem__(6, 2**32 - 4)), Status.BAD_FILE),
        (forged(lambda words: words.__setitem__(2, 65)), Status.BAD_FILE),
        (forged(lambda words: words.__setitem__(3, 13)), Status.BAD_FILE),
        (forged(lambda words: words.__setitem__(5, 0) or words.__setitem__(6, 0)), Status.BAD_FILE),
    ],
)
def test_damaged_tables_of_kernels_are_refused(data, status):
    vulkan()
    device = Device()
    assert library().oc_probe_kernels(device.handle, data, c_size_t(len(data))) == status


def test_what_the_driver_made_of_kernels_is_kept():
    vulkan()
    first = Device()
    table = (BUILT / "kernels.bin").read_bytes()
    assert library().oc_probe_kernels(first.handle, table, c_size_t(len(table))) == Status.OK
    wanted = top(Probe.on(first))["found"]
    saved = first.save_kernels()
    assert len(saved) >= 32
    wrong = bytearray(saved)
    wrong[20] ^= 1  # of the driver's identity
    for data in (saved, bytes(wrong), saved[:31], b""):
        next_ = Device()
        next_.load_kernels(data)
        np.testing.assert_array_equal(top(Probe.on(next_))["found"], wanted)
    cpu = Device(DeviceKind.CPU)
    assert cpu.save_kernels() == b""
    cpu.load_kernels(b"")
    size = c_size_t(len(saved) - 1)
    room = ctypes.create_string_buffer(len(saved))
    status = library().oc_device_save_kernels(first.handle, room, byref(size))
    assert status == Status.BAD_ARGUMENT


def test_what_the_validation_layer_says_is_read():
    vulkan()
    try:
        device = Device(flags=DeviceFlags.VALIDATION)
    except ResourceError as none:
        pytest.skip(str(none))
    assert device.messages() == (0, "")
    # A module that wants 64-bit integers, which were not asked for when the device was opened.
    data = bytearray(forged(lambda words: None))
    place = entry_of("top_k_part") + 32
    words = list(struct.unpack_from("<11I", data, place))
    module = data[words[5] : words[5] + words[6]]
    wanting = module[:20] + struct.pack("<II", 0x00020011, 11) + module[20:]
    words[5:] = [len(data), len(wanting), 0, 0, 0, 0]
    struct.pack_into("<11I", data, place, *words)
    data = bytes(data + wanting)
    assert library().oc_probe_kernels(device.handle, data, c_size_t(len(data))) == Status.OK
    top(Probe.on(device))
    count, text = device.messages()
    assert count > 0
    assert "VUID" in text
