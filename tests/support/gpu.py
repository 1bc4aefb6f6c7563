"""Kernels of a GPU, one at a time, on this machine's Vulkan device (`runtime/probe.h`)."""

import ctypes
import json
from collections.abc import Mapping, Sequence
from ctypes import c_size_t, c_uint32
from pathlib import Path

import numpy as np
import pytest

from optimum_compile.backends.native.device import Device, DeviceFlags
from optimum_compile.backends.native.library import library
from optimum_compile.backends.native.probe import ProbeBuffer, ProbeCall
from optimum_compile.compiler.errors import ResourceError

BUILT = Path(__file__).resolve().parents[2] / "runtime_stub" / "kernels" / "built"


class Probe:
    """An opened device with kernels of its own; nothing of it is left when it is closed."""

    def __init__(self, built: Path = BUILT, *, validation: bool = False) -> None:
        """Raises RuntimeError, with the reason, where there is no device."""
        flags = DeviceFlags.VALIDATION if validation else DeviceFlags.NONE
        try:
            device = Device(flags=flags)
        except ResourceError as error:
            raise RuntimeError(str(error)) from None
        self._take(device, built)
        table = (built / "kernels.bin").read_bytes()
        self._check(self._library.oc_probe_kernels(device.handle, table, c_size_t(len(table))))

    @classmethod
    def on(cls, device: Device, built: Path = BUILT) -> "Probe":
        """The kernels that a device has already."""
        made = cls.__new__(cls)
        made._take(device, built)
        return made

    def _take(self, device: Device, built: Path) -> None:
        self._library, self.device = library(), device
        self.interfaces = json.loads((built / "interfaces.json").read_text("utf-8"))

    def close(self) -> None:
        self.device.close()

    def messages(self) -> tuple[int, str]:
        """What the validation layer said so far: how often, and the first texts."""
        return self.device.messages()

    def run(
        self,
        name: str,
        constants: Mapping[str, int],
        params: Mapping[str, float],
        buffers: Mapping[str, np.ndarray],
        groups: Sequence[int],
        variant: str | None = None,
        repeats: int = 1,
    ) -> dict[str, np.ndarray]:
        """See `run_kernel`. `ns` of the device's clock stay in `self.gpu_ns`."""
        kernel = self.interfaces[name]
        extra = (set(constants) - {c for c, _ in kernel["constants"]} - {"local_size_x"}) | (
            set(params) - {p for p, _ in kernel["params"]}
        )
        if extra or set(buffers) != {b for b, _ in kernel["buffers"]}:
            raise KeyError(f"{name}: {sorted(extra)} or buffers {sorted(buffers)}: {kernel}")
        chosen = [constants.get("local_size_x", 64)]
        chosen += [constants.get(c, default) for c, default in kernel["constants"]]
        words = [_word(params[p], kind) for p, kind in kernel["params"]]
        held, cells = {}, []
        for buffer, use in kernel["buffers"]:
            given = np.ascontiguousarray(buffers[buffer])
            data = np.zeros(max(-(-given.nbytes // 4), 1) * 4, np.uint8)
            data[: given.nbytes] = given.reshape(-1).view(np.uint8)
            out = data.copy() if use == "write" else None
            held[buffer] = (given, data, out)
            place = None if out is None else out.ctypes.data
            cells.append(ProbeBuffer(data.ctypes.data, place, data.nbytes))
        call = ProbeCall(
            name.encode(),
            None if variant is None else variant.encode(),
            (c_uint32 * len(chosen))(*chosen),
            len(chosen),
            (c_uint32 * max(len(words), 1))(*words),
            len(words),
            (ProbeBuffer * max(len(cells), 1))(*cells),
            len(cells),
            (c_uint32 * 3)(*(*groups, 1, 1)[:3]),
            repeats,
            0,
        )
        self._check(self._library.oc_probe_kernel(self.device.handle, ctypes.byref(call)))
        self.gpu_ns = int(call.gpu_ns)
        return {
            buffer: out[: given.nbytes].view(given.dtype).reshape(given.shape)
            for buffer, (given, _, out) in held.items()
            if out is not None
        }

    def _check(self, status: int) -> None:
        if status != 0:
            raise RuntimeError(self._library.oc_last_error().decode("utf-8", "replace"))


def _word(value: float, kind: str) -> int:
    kinds = {"u32": np.uint32, "i32": np.int32, "f32": np.float32}
    return int(np.array([value], kinds[kind]).view(np.uint32)[0])


_OPENED: dict[bool, Probe] = {}


def probe(*, validation: bool = False) -> Probe:
    """The device of this process; skips the test, with the reason, where there is none."""
    if not (BUILT / "kernels.bin").is_file():
        pytest.skip(f"{BUILT}: no kernels; run tools/dev/build_kernels.py")
    if validation not in _OPENED:
        try:
            _OPENED[validation] = Probe(validation=validation)
        except RuntimeError as error:
            pytest.skip(f"no Vulkan device: {error}")
    return _OPENED[validation]


def run_kernel(
    name: str,
    constants: Mapping[str, int],
    params: Mapping[str, float],
    buffers: Mapping[str, np.ndarray],
    groups: Sequence[int],
    variant: str | None = None,
) -> dict[str, np.ndarray]:
    """One dispatch on arrays; skips the test, with the reason, where there is no Vulkan device.

    Args:
        name: of the kernel, as in `built/interfaces.json`.
        constants: by name; `local_size_x` is 64 unless given, others have the source's defaults.
        params: all of them by name, as numbers.
        buffers: all of them by name, of any dtype and shape; read as words, zeros behind the end of the last.
        groups: workgroups in up to three directions.
        variant: `plain`, `subgroup` or `dot`; by default what a session would take on this device.

    Returns:
        The buffers that the kernel may write, with the dtypes and shapes that were given.
    """
    return probe().run(name, constants, params, buffers, groups, variant)
