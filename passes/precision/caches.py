"""KV caches as units of an assignment problem: the keys and the values of every layer, each with its bits.

A cache that is not rounded (`f16`) is always its widest choice, and the one that everything else is
measured around.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from optimum_compile.backends.base import Backend, WeightUse
from optimum_compile.compiler.decoder import Cache, caches_of
from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.kv import (
    AnyScheme,
    KvScheme,
    kv_stored_bytes,
    parse_kv_scheme,
)
from optimum_compile.compiler.quant.kv_static import KvStatic
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.precision.kv import kv_at, kv_choices
from optimum_compile.passes.precision.notes import KvPrecision, Precision
from optimum_compile.passes.precision.problem import Choice, Picks, Problem, UnitChoices
from optimum_compile.passes.precision.units import Unit
from optimum_compile.passes.stages.blocks import blocks_of


def with_caches(
    problem: Problem,
    graph: Graph,
    backends: Sequence[Backend],
    limits: Sequence[int] | None = None,
) -> Problem:
    """The problem with every KV cache as a unit after the weights, in what all targets can store.

    A budget then holds weights and cache together, the cache as full as the graph's context. One in bytes
    is the same number for both. Bits per weight, and shares of 16 bits, are those of all stored numbers:
    `parameters` counts the cache's too, so that the limit grows by the same share of the 16-bit cache.

    Args:
        problem: weights only.
        graph: the decoder.
        backends: the targets; without any, everything of the vocabulary is legal.
        limits: of weights and caches together; those of the problem without it.
    """
    caches = caches_of(graph)
    if not caches:
        return problem
    where = blocks_of(graph)
    choices, refused = kv_choices(backends)
    why = tuple((str(scheme), reason) for scheme, reason in refused.items())
    units = []
    for cache in caches:
        block = min(where[node] for node in cache.readers)
        found = _choices(cache, choices, backends)
        units.append(UnitChoices(_unit(cache, block), found, why))
    return replace(
        problem,
        units=(*problem.units, *units),
        parameters=problem.parameters + cache_numbers(graph),
        limits=problem.limits if limits is None else tuple(limits),
    )


def _unit(cache: Cache, block: int) -> Unit:
    heads, context, width = cache.sizes
    use = WeightUse(cache.name, heads * context, width, as_linear=False, as_table=False)
    return Unit(cache.name, block, use, is_cache=True)


def _choices(
    cache: Cache, schemes: Sequence[KvScheme | Float], backends: Sequence[Backend]
) -> tuple[Choice, ...]:
    """Widest last. Schemes that save nothing are left out: none does in a context of a few tokens."""
    heads, context, width = cache.sizes
    found: list[Choice] = []
    for scheme in reversed(schemes):
        kept = [kv_at(scheme, backend) for backend in backends] or [scheme]
        sizes = tuple(kv_stored_bytes(s, cache.role, heads, context, width) for s in kept)
        if not found or sum(sizes) < sum(found[-1].bytes):
            found.append(Choice(scheme, sizes))
    return tuple(reversed(found))


def cache_numbers(graph: Graph) -> int:
    """Numbers in all caches once they are full."""
    return sum(cache.value.type.elements() for cache in caches_of(graph))


def has_caches(problem: Problem) -> bool:
    """Whether caches are among the units."""
    return any(u.unit.is_cache for u in problem.units)


def weights_alone(problem: Problem) -> Problem:
    """The weights, in what 16-bit caches leave of the limits; limits may be below what weights need."""
    caches = [u for u in problem.units if u.unit.is_cache]
    taken = [sum(u.choices[-1].bytes[at] for u in caches) for at in range(len(problem.limits))]
    return replace(
        problem,
        units=tuple(u for u in problem.units if not u.unit.is_cache),
        parameters=problem.parameters - sum(u.unit.elements for u in caches),
        limits=tuple(n - m for n, m in zip(problem.limits, taken, strict=True)),
    )


def exact_caches(problem: Problem, picks: Sequence[int]) -> Picks:
    """The picks with all caches at 16 bits; of weights alone too, whose caches are then added."""
    return tuple(
        len(u.choices) - 1 if u.unit.is_cache else picks[at] for at, u in enumerate(problem.units)
    )


def kept_exact(problem: Problem) -> Problem:
    """The problem in which caches have no choice but 16 bits."""
    return replace(
        problem,
        units=tuple(
            replace(u, choices=u.choices[-1:]) if u.unit.is_cache else u for u in problem.units
        ),
    )


def shows_caches(problem: Problem, tokens: int) -> bool:
    """Whether a text of so many tokens reads any cache rounded; shorter ones show no damage."""
    schemes = (c.scheme for u in problem.units for c in u.choices if u.unit.is_cache)
    return any(isinstance(s, KvScheme) and s.rounded_tokens(tokens) > 0 for s in schemes)


def write_schemes(graph: Graph, schemes: Mapping[str, AnyScheme]) -> None:
    """Write schemes on the weights and states of those names; no note on a cache that is not rounded."""
    states = {state.name: state.read for state in graph.states}
    for name, scheme in schemes.items():
        if isinstance(scheme, KvScheme):
            states[name].notes.put(KvPrecision(scheme))
        elif name in states:
            states[name].notes.drop(KvPrecision)
        else:
            graph.weights[name].notes.put(Precision(scheme))


def parse_schemes(graph: Graph, texts: Mapping[str, str]) -> dict[str, AnyScheme]:
    """Schemes of weights and of states by name. Raises OptionError for a text that is none."""
    states = {state.name for state in graph.states}
    return {
        name: _cache_scheme(text) if name in states else parse_scheme(text)
        for name, text in texts.items()
    }


def _cache_scheme(text: str) -> KvScheme | Float:
    scheme = parse_kv_scheme(text)
    if isinstance(scheme, KvStatic):
        raise OptionError(f"kv scheme {text!r}: not for an assignment, use --kv-bits {scheme.bits}")
    return scheme
