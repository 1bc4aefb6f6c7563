"""Whether devices have the memory that the artifacts of a bundle take, and what to change if not."""

from dataclasses import dataclass, replace

from optimum_compile.backends.catalog import load_backend
from optimum_compile.compiler.device_budget import ANYWHERE, RUNTIME_BYTES
from optimum_compile.compiler.devices import Device, device_named, devices
from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.memory_report import (
    Question,
    Use,
    artifact_of,
    chosen,
    platform,
    use_of,
)
from optimum_compile.compiler.package.footprint import kv_bytes_of
from optimum_compile.compiler.package.manifest import Footprint, Manifest
from optimum_compile.compiler.quant.kv import KV_BITS, KvScheme
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.passes.precision.kv import kv_at

ALL_DEVICES = "all"
LEAST_BITS = 2  # a weight, in the narrowest schemes


@dataclass(frozen=True)
class Fit:
    """Whether a device has the memory. needed_bytes: the peak, and what runtime and app take themselves.

    context: the greatest that fits where the asked one does not; 0 where none does.
    """

    device: Device
    target: str
    needed_bytes: int
    context: int
    advice: str

    @property
    def margin_bytes(self) -> int:
        """What is left; negative where it does not fit."""
        return self.device.usable_bytes - self.needed_bytes

    @property
    def fits(self) -> bool:
        """Whether it is enough."""
        return self.margin_bytes >= 0


def fits_of(
    manifest: Manifest, question: Question, device: str, target: str | None = None
) -> tuple[Fit, ...]:
    """Whether a device, by name, or each one ("all") has the memory for the artifacts of its platform.

    Raises as `memory_of`, and OptionError for a device that is unknown or that no artifact runs on.
    """
    wanted = devices() if device.casefold() == ALL_DEVICES else (device_named(device),)
    footprints = chosen(manifest, target)
    out = []
    for each in wanted:
        for found in footprints:
            if platform(found) in (each.platform, *ANYWHERE):
                out.append(_fit(manifest, found, question, each))
    if out:
        return tuple(out)
    targets = ", ".join(found.target for found in footprints)
    if len(wanted) == 1:
        raise OptionError(
            f"device {wanted[0].name!r} is an {wanted[0].platform} device, and the bundle has {targets}; "
            f"compile with --target {wanted[0].platform}"
        )
    raise OptionError(f"no known device runs {targets}; compile with --target ios or android")


def _fit(manifest: Manifest, found: Footprint, question: Question, device: Device) -> Fit:
    use = use_of(manifest, found, question)
    needed = use.peak + RUNTIME_BYTES
    if needed <= device.usable_bytes:
        return Fit(device, found.target, needed, use.context, "")
    room = device.usable_bytes - RUNTIME_BYTES
    context = _largest_context(manifest, found, use, room)
    return Fit(device, found.target, needed, context, _advice(manifest, found, use, room, context))


def _largest_context(manifest: Manifest, found: Footprint, use: Use, room: int) -> int:
    """The greatest context below the asked one that fits, with a prompt no longer than it; or 0."""
    low, high = 0, use.context  # 0 may fit, `high` does not
    while high - low > 1:
        middle = (low + high) // 2
        asked = Question(middle, min(use.prompt, middle))
        if use_of(manifest, found, asked).peak <= room:
            low = middle
        else:
            high = middle
    return low


def _advice(manifest: Manifest, found: Footprint, use: Use, room: int, context: int) -> str:
    """What to compile otherwise."""
    ways = []
    if context:
        ways.append(f"compile with --context {context}")
    bits = _kv_bits(manifest, found, use, room)
    if bits:
        ways.append(f"keep the context with --kv-bits {bits}")
    files = room - use.kv - use.activations
    tables = max(0, use.weights - found.weight_bytes)  # grow with the context, whatever the bits
    if 8 * (files - tables) >= LEAST_BITS * manifest.parameters:
        ways.append(f"compile with --budget {files}B")
    elif not ways:
        ways.append("no smaller context fits: choose a smaller model, or a smaller --max-prefill")
    return ", or ".join(ways)


def _kv_bits(manifest: Manifest, found: Footprint, use: Use, room: int) -> int | None:
    """The widest codes of a cache with which it would fit; None where none does, or there are codes already."""
    if not found.caches or any(c.scheme not in ("f16", "f32") for c in found.caches):
        return None
    backend = load_backend(artifact_of(manifest, found).kind)
    for bits in KV_BITS:
        scheme = kv_at(KvScheme(bits), backend)
        if isinstance(scheme, Float):
            continue
        coded = tuple(replace(c, scheme=str(scheme)) for c in found.caches)
        kv = kv_bytes_of(coded, use.context, max(1, found.kv_alignment))
        if use.peak - use.kv + kv <= room:
            return bits
    return None
