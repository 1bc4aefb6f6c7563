"""What programs can run on: the CPU, and Vulkan's devices where there is a driver (`oc_device_*`)."""

import ctypes
import weakref
from ctypes import byref, c_char, c_int32, c_int64, c_size_t, c_void_p, create_string_buffer
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from functools import cached_property

from optimum_compile.backends.native.library import check, library
from optimum_compile.compiler.errors import InternalError

TEXT_BYTES = 20_000


class DeviceKind(IntEnum):
    """`oc_device_kind`."""

    CPU = 0
    VULKAN = 1
    METAL = 2


class DeviceType(IntEnum):
    """`oc_device_type`."""

    OTHER = 0
    INTEGRATED = 1
    DISCRETE = 2
    VIRTUAL = 3
    SOFTWARE = 4


class DeviceFlags(IntFlag):
    """For opening: give way to others; Vulkan's validation layer; no bounds checks by the device.

    APART, for tests: as if the memory of the device were apart from the host's.
    """

    NONE = 0
    LOW_PRIORITY = 1
    VALIDATION = 2
    UNCHECKED = 4
    APART = 0x10000


class _Description(ctypes.Structure):
    _fields_ = (
        ("name", c_char * 256),
        ("driver", c_char * 256),
        ("refusal", c_char * 256),
        ("memory_bytes", c_int64),
        ("buffer_bytes", c_int64),
        ("kind", c_int32),
        ("type", c_int32),
        ("unified", c_int32),
        ("subgroup", c_int32),
        ("dot", c_int32),
        ("low_priority", c_int32),
    )


@dataclass(frozen=True)
class DeviceInfo:
    """`oc_device_description`: refusal says why a device cannot be used, and is empty where it can.

    buffer_bytes: most that a kernel sees of one buffer. subgroup: its size, 0 where it cannot add.
    """

    name: str
    driver: str
    refusal: str
    memory_bytes: int
    buffer_bytes: int
    kind: DeviceKind
    type: DeviceType
    unified: bool
    subgroup: int
    dot: bool
    low_priority: bool


def _info(found: _Description) -> DeviceInfo:
    return DeviceInfo(
        found.name.decode("utf-8", "replace"),
        found.driver.decode("utf-8", "replace"),
        found.refusal.decode("utf-8", "replace"),
        found.memory_bytes,
        found.buffer_bytes,
        DeviceKind(found.kind),
        DeviceType(found.type),
        bool(found.unified),
        found.subgroup,
        bool(found.dot),
        bool(found.low_priority),
    )


def devices(kind: DeviceKind) -> tuple[DeviceInfo, ...]:
    """All of a kind, also those that cannot be used.

    Raises ResourceError, with the reason, where there is no driver or the runtime was built without.
    """
    lib, count = library(), c_int64()
    check(lib.oc_device_count(kind, byref(count)), kind.name.lower())
    out = []
    for at in range(count.value):
        found = _Description()
        check(lib.oc_device_info(kind, at, byref(found)), kind.name.lower())
        out.append(_info(found))
    return tuple(out)


class Device:
    """A device that sessions can be made on; they keep what they need of it."""

    def __init__(
        self,
        kind: DeviceKind = DeviceKind.VULKAN,
        name: str | None = None,
        flags: DeviceFlags = DeviceFlags.NONE,
    ) -> None:
        """Open the best device of a kind, or the first one whose name contains `name`.

        Raises ResourceError, with the reason, where there is none that can be used.
        """
        self._library = library()
        self.flags = flags
        handle, index, what = c_void_p(), c_int64(-1), kind.name.lower()
        if name is not None:
            check(self._library.oc_device_find(kind, name.encode(), byref(index)), what)
        check(self._library.oc_device_open(kind, index, int(flags), byref(handle)), what)
        self._handle = handle
        self.close = weakref.finalize(self, self._library.oc_device_close, handle)

    @cached_property
    def info(self) -> DeviceInfo:
        """What it is and can do."""
        found = _Description()
        check(self._library.oc_device_describe(self.handle, byref(found)), "device")
        return _info(found)

    def messages(self) -> tuple[int, str]:
        """How often the validation layer spoke since the device was opened, and its first words."""
        count, text = c_int64(), create_string_buffer(TEXT_BYTES)
        status = self._library.oc_device_messages(self.handle, byref(count), text, TEXT_BYTES)
        check(status, "device")
        return count.value, text.value.decode("utf-8", "replace")

    def save_kernels(self) -> bytes:
        """What the driver made of the kernels so far, for `load_kernels` of the next start."""
        size = c_size_t()
        check(self._library.oc_device_save_kernels(self.handle, None, byref(size)), "device")
        room = create_string_buffer(max(size.value, 1))
        check(self._library.oc_device_save_kernels(self.handle, room, byref(size)), "device")
        return room.raw[: size.value]

    def load_kernels(self, saved: bytes) -> None:
        """Take what was saved; bytes of another driver or version are ignored."""
        status = self._library.oc_device_load_kernels(self.handle, saved, len(saved))
        check(status, "device")

    @property
    def handle(self) -> c_void_p:
        """For the C interface. Raises InternalError after `close`."""
        if not self.close.alive:
            raise InternalError("a device used after it was closed")
        return self._handle
