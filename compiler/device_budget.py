"""The budget that the options ask for: a size, what a device's memory holds, and what it reads in time."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from optimum_compile.backends.base import Backend
from optimum_compile.compiler.devices import EFFICIENCY, Device, device_named
from optimum_compile.compiler.errors import BudgetError, OptionError
from optimum_compile.compiler.ir.graph import Graph, Value
from optimum_compile.compiler.ir.shape import bounds
from optimum_compile.compiler.options import CompileOptions, parse_budget
from optimum_compile.compiler.quant.kv import parse_kv_bits
from optimum_compile.compiler.quant.scheme import Scheme
from optimum_compile.passes.precision.budget import Budget
from optimum_compile.passes.precision.bytes_read import cache_bytes, weight_limit
from optimum_compile.passes.precision.kv import has_kv_choice
from optimum_compile.passes.precision.pins import Pin
from optimum_compile.passes.precision.units import units_of

ANYWHERE = ("native", "gpu")  # platforms of our own runtimes, which are built for any device
RUNTIME_BYTES = 64 << 20  # code and buffers of a runtime, and an app that shows text
SYMBOL_LIMIT = 512  # of a symbol without an upper bound


def budget_of(
    graph: Graph,
    options: CompileOptions,
    backends: Sequence[Backend],
    pins: Sequence[Pin] = (),
) -> Budget | None:
    """What `--budget`, `--device` and `--tokens-per-second` allow together; None without any of them.

    `pins`: schemes that are fixed before. The strictest holds on every target. Raises OptionError for a
    device that no target runs on, and BudgetError where caches and activations leave nothing for weights.
    """
    parsed = parse_budget(options.budget)
    size = None
    if parsed is not None:
        size = Budget(parsed.bytes, parsed.bits_per_weight, parsed.fraction)
    if options.device is None:
        return size
    device = device_named(options.device)
    fitting = (device.platform, *ANYWHERE)
    own = [b for b in backends if b.platform in fitting and b.traits.stores_weights]
    if not own:
        targets = ", ".join(b.platform for b in backends)
        raise OptionError(
            f"device {device.name!r} is an {device.platform} device, and the targets are {targets}; "
            f"add --target {device.platform} or {ANYWHERE[0]}"
        )
    # Where the cache is in a budget of bytes anyway, it is not taken off twice.
    bits = parse_kv_bits(options.kv_bits)
    counted = bits.rounds or has_kv_choice(bits, backends)
    held = min(file_limit(graph, device, b, with_cache=not counted) for b in own)
    if size is not None and size.bytes is not None:
        held = min(held, size.bytes)
    size = Budget(bytes=held) if size is None else replace(size, bytes=held)
    if options.tokens_per_second is None:
        return size
    speed = options.tokens_per_second
    known = {}
    for unit in units_of(graph):
        first = next((pin for pin in pins if pin.matches(unit.name)), None)
        if first is not None:
            known[unit.name] = first.scheme
    return replace(size, weight_bytes=min(speed_limit(graph, device, b, speed, known) for b in own))


def file_limit(graph: Graph, device: Device, backend: Backend, *, with_cache: bool = True) -> int:
    """Most bytes of an artifact that an app on the device can hold.

    The memory that the app may use, less the KV cache at its full context (`with_cache`), less activations.
    Activations are twice what the widest node of the longest prompt chunk reads and writes in float32,
    since a runtime keeps the result of one node beside the work of the next, and a share of 64 MiB for
    the runtime and the app itself. Raises BudgetError where nothing is left.
    """
    cache = cache_bytes(graph, backend) if with_cache else 0
    work = activation_bytes(graph)
    left = device.usable_bytes - cache - work
    if left <= 0:
        raise BudgetError(
            f"device {device.name!r}: an app may use {device.usable_bytes} bytes, the KV cache needs "
            f"{cache} and activations {work}; lower --context or --max-prefill"
        )
    return left


def speed_limit(
    graph: Graph,
    device: Device,
    backend: Backend,
    tokens_per_second: float,
    known: Mapping[str, Scheme] | None = None,
) -> int:
    """Most stored bytes of weights with which the device's memory serves so many tokens a second.

    A token reads bandwidth * efficiency / speed bytes at most, the KV cache at its full context included.
    The promise holds for calls of all bits, as calls are that name no width; those of fewer are faster.
    `known`: schemes by a weight's name, see `weight_limit`. Raises BudgetError where the cache alone
    needs more.
    """
    allowed = device.bandwidth_bytes_s * EFFICIENCY / tokens_per_second
    limit = weight_limit(graph, backend, allowed, known=known)
    if limit <= 0:
        raise BudgetError(
            f"tokens_per_second={tokens_per_second:g}: {device.name!r} can read {int(allowed)} bytes a "
            f"token, and the KV cache alone is {cache_bytes(graph, backend)}; ask for fewer, or lower "
            "--context"
        )
    return limit


def activation_bytes(graph: Graph) -> int:
    """See `file_limit`."""
    widest = 0
    for node in graph.nodes:
        inputs = [v for v in node.inputs if v is not None and v.producer is not None]
        widest = max(widest, sum(_elements(graph, v) for v in (*inputs, *node.outputs)))
    return 2 * 4 * widest + RUNTIME_BYTES


def _elements(graph: Graph, value: Value) -> int:
    total = 1
    for dim in value.type.shape:
        if isinstance(dim, int):
            total *= dim
            continue
        span = bounds(dim, graph.symbols)
        total *= SYMBOL_LIMIT if span is None else min(span.high, 1 << 20)
    return total
