"""Pass: how the KV cache is stored, and the questions about it that assignment asks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from optimum_compile.backends.base import SUPPORTED, Backend, Support
from optimum_compile.compiler.decoder import caches_of
from optimum_compile.compiler.errors import OptionError, UnsupportedError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.options import target_name
from optimum_compile.compiler.pass_manager import PassContext, PassResult
from optimum_compile.compiler.quant.kv import (
    KV_BITS,
    KvBits,
    KvScheme,
    KvStored,
    kv_stored_bytes,
)
from optimum_compile.compiler.quant.kv_static import STATIC_BITS, KvStatic
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.passes.precision.notes import KvConstants, KvPrecision

CONSTANT_WIDTH = 8  # channels of a head come in eights where scales are constant


@dataclass(frozen=True)
class AssignKv:
    """Write a `KvPrecision` note on every state that holds keys or values, where bits are given.

    Before:  state %k_cache.0 : f32[1, 4, 2048, 64]
    After:   state %k_cache.0 : f32[1, 4, 2048, 64] {KvPrecision(scheme=kv4:g32)}

    "auto" writes nothing: assignment decides, and this pass says where a target leaves it no choice, or a
    policy that does not choose caches (`chosen`) makes none.
    """

    name: ClassVar[str] = "assign-kv"
    needs: ClassVar[tuple[type[Note], ...]] = ()
    writes: ClassVar[tuple[type[Note], ...]] = (KvPrecision,)

    bits: KvBits
    backends: tuple[Backend, ...] = ()
    chosen: bool = True

    def run(self, graph: Graph, ctx: PassContext) -> PassResult:
        """Raises OptionError without a cache, UnsupportedError for a target that cannot store it."""
        caches = caches_of(graph)
        if self.bits.auto:
            _, refused = kv_choices(self.backends)
            why = "; ".join(dict.fromkeys(refused.values()))
            if len(refused) < len(KV_BITS):
                why = (
                    "" if self.chosen else "this policy chooses weights only, use --policy measured"
                )
            if not caches:
                return PassResult(False)
            if why:
                return PassResult(False, (f"the KV cache stays at 16 bits: {why}",))
            falling = kv_fallbacks(map(KvScheme, KV_BITS), self.backends)
            return PassResult(False, tuple(self._falls_back(reason) for reason in falling))
        if not caches:
            raise OptionError(
                f"kv_bits={self.bits}: the model has no KV cache; leave the option out"
            )
        changed = False
        schemes = uniform_kv(graph, self.bits)
        constant = _constant_remarks(graph, self.bits, self.backends)
        falling = kv_fallbacks(schemes.values(), self.backends)
        remarks = (*constant, *(self._falls_back(reason) for reason in falling))
        for cache in caches:
            scheme = schemes[cache.name]
            verdict = kv_legal(scheme, self.backends)
            if verdict.falls_back:  # nowhere in so few bits
                continue
            if not verdict.ok:
                raise UnsupportedError(
                    f"kv_bits={self.bits}: {verdict.reason}; leave the target out, or use "
                    "--kv-bits 16 or auto"
                )
            note = KvPrecision(scheme)
            changed |= cache.value.notes.get(KvPrecision) != note
            cache.value.notes.put(note)
        return PassResult(changed, remarks)

    def _falls_back(self, reason: str) -> str:
        return f"kv_bits={self.bits}: {reason}"


def kv_legal(scheme: KvStored, backends: Sequence[Backend]) -> Support:
    """Whether targets can store a cache so; the reason names the first that cannot.

    Targets that fall back to fp16 do not refuse, unless no other is left to store it.
    """
    falling: list[Support] = []
    for backend in backends:
        verdict = backend.supports_kv(scheme)
        if verdict.ok or constant_at(scheme, backend) is not None:
            continue
        target = target_name(backend.platform, backend.name)
        told = Support(False, f"{target} ({backend.name}): {verdict.reason}", verdict.falls_back)
        if not verdict.falls_back:
            return told
        falling.append(told)
    return falling[0] if falling and len(falling) == len(backends) else SUPPORTED


def kv_fallbacks(schemes: Iterable[KvStored], backends: Sequence[Backend]) -> tuple[str, ...]:
    """Targets that keep floats instead of one of the schemes, each with its reason."""
    found: dict[str, None] = {}
    for scheme in schemes:
        for backend in backends:
            verdict = backend.supports_kv(scheme)
            if verdict.falls_back:
                target = target_name(backend.platform, backend.name)
                kept = "float32" if _floats(backend).bits == 32 else "fp16"
                told = f"{target} ({backend.name}): {verdict.reason}; there the KV cache is {kept}"
                found[told] = None
    return tuple(sorted(found))


def kv_at(scheme: KvStored, backend: Backend) -> KvStored:
    """How a target stores a cache of this scheme: with constant scales where it has only these.

    Where it falls back, in its own floats.
    """
    if backend.supports_kv(scheme).ok:
        return scheme
    return constant_at(scheme, backend) or _floats(backend)


def _floats(backend: Backend) -> Float:
    """In what a target keeps a cache that is not rounded."""
    return Float(32) if backend.supports_kv(Float(32)).ok else Float(16)


def constant_at(scheme: KvStored, backend: Backend) -> KvStatic | None:
    """The same bits with constant scales, where a target has these and not what was asked for."""
    if not isinstance(scheme, KvScheme) or scheme.bits not in STATIC_BITS:
        return None
    found = KvStatic(scheme.bits)
    taken = not backend.supports_kv(scheme).ok and backend.supports_kv(found).ok
    return found if taken else None


def _constant_remarks(graph: Graph, bits: KvBits, backends: Sequence[Backend]) -> tuple[str, ...]:
    """What targets with constant scales do; refuses what they have no operator for, before work."""
    found = [
        backend
        for scheme in set(uniform_kv(graph, bits).values())
        for backend in backends
        if constant_at(scheme, backend) is not None
    ]
    if not found:
        return ()
    name = target_name(found[0].platform, found[0].name)
    if bits.keys != bits.values:
        raise UnsupportedError(
            f"kv_bits={bits}: {name} ({found[0].name}) has one width for keys and values; "
            "use --kv-bits 8, or leave the target out"
        )
    for cache in caches_of(graph):
        if cache.sizes[2] % CONSTANT_WIDTH or len(cache.readers) != 1:
            raise UnsupportedError(
                f"kv_bits={bits}: {name} ({found[0].name}) rounds caches that one attention reads, with "
                f"heads of a multiple of {CONSTANT_WIDTH} channels; {cache.name} has {cache.sizes[2]} "
                f"and {len(cache.readers)} readers; use --kv-bits 16"
            )
    return (
        f"kv_bits={bits}: {name} ({found[0].name}) has constant scales, from the calibration text: "
        f"{KvStatic(bits.keys)}",
    )


def caches_at(graph: Graph, backend: Backend) -> dict[str, KvStored]:
    """How a target keeps the KV caches: as their notes say where it can, otherwise in its own floats."""
    noted = kv_of(graph)
    found: dict[str, KvStored] = {}
    for cache in caches_of(graph):
        scheme = kv_at(noted.get(cache.name, Float(32)), backend)
        note = cache.value.notes.get(KvConstants)
        calibrated = note is not None and scheme == KvStatic(note.scheme.bits)
        found[cache.name] = note.scheme if note is not None and calibrated else scheme
    return found


def calibrated_bits(graph: Graph, backends: Sequence[Backend]) -> dict[str, KvStatic]:
    """Caches whose constant scales calibration must find for one of the targets, by state name."""
    schemes = ((name, s, b) for name, s in kv_of(graph).items() for b in backends)
    found = ((name, constant_at(scheme, backend)) for name, scheme, backend in schemes)
    return {name: scheme for name, scheme in found if scheme is not None}


def kv_choices(
    backends: Sequence[Backend],
) -> tuple[tuple[KvScheme | Float, ...], dict[KvStored, str]]:
    """What all targets can store, fewest bits first, and why others are not among it.

    Constant scales are not chosen by assignment, which measures the damage of the others.
    """
    ladder = [KvScheme(bits) for bits in sorted(KV_BITS)]
    verdicts = {scheme: kv_legal(scheme, backends) for scheme in ladder}
    refused: dict[KvStored, str] = {s: v.reason for s, v in verdicts.items() if not v.ok}
    for scheme in ladder:
        for backend in backends:
            constant = constant_at(scheme, backend)
            if constant is not None and scheme not in refused:
                target = target_name(backend.platform, backend.name)
                refused[scheme] = (
                    f"{target} ({backend.name}): {backend.supports_kv(scheme).reason}; "
                    f"{constant} is there with --kv-bits {scheme.bits}"
                )
    found = tuple(scheme for scheme in ladder if scheme not in refused)
    return (*found, Float(16)), refused


def has_kv_choice(bits: KvBits, backends: Sequence[Backend]) -> bool:
    """Whether bits are to be chosen, and all targets can store a cache in fewer than 16."""
    return bits.auto and len(kv_choices(backends)[0]) > 1


def uniform_kv(graph: Graph, bits: KvBits) -> dict[str, KvStored]:
    """Every cache by its state's name, keys of one width and values of one."""
    return {cache.name: bits.scheme(cache.role) for cache in caches_of(graph)}


def kv_of(graph: Graph) -> dict[str, KvStored]:
    """What the notes say, by the name of the state, as `interpret.run` takes it."""
    notes = ((s.name, s.read.notes.get(KvPrecision)) for s in graph.states)
    return {name: note.scheme for name, note in notes if note is not None}


def kv_bytes(
    graph: Graph, schemes: Mapping[str, KvStored] | None = None, tokens: int | None = None
) -> int:
    """Bytes of the whole cache once it holds `tokens`; without a number, the graph's context.

    `schemes` by the name of the state, otherwise the notes; a cache without either counts as fp16.
    """
    chosen = kv_of(graph) if schemes is None else schemes
    total = 0
    for cache in caches_of(graph):
        heads, context, width = cache.sizes
        scheme = chosen.get(cache.name, Float(16))
        total += kv_stored_bytes(scheme, cache.role, heads, tokens or context, width)
    return total
