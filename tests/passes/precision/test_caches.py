"""KV caches as units of an assignment: their bytes, the limits, and the way to weights alone and back."""

from dataclasses import dataclass

import pytest
from support.graphs import decoder, mlp
from support.models import tiny_llama

from optimum_compile.backends.base import SUPPORTED, Support
from optimum_compile.backends.catalog import load_backend
from optimum_compile.compiler.decoder import caches_of
from optimum_compile.compiler.errors import BudgetError, OptionError
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.pass_manager import PassManager
from optimum_compile.compiler.quant.kv import KvScheme
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.passes.precision.assign import AssignPrecision, problem_of
from optimum_compile.passes.precision.budget import Budget
from optimum_compile.passes.precision.caches import (
    cache_numbers,
    exact_caches,
    has_caches,
    kept_exact,
    parse_schemes,
    shows_caches,
    weights_alone,
    with_caches,
    write_schemes,
)
from optimum_compile.passes.precision.kv import kv_bytes, kv_of
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.problem import make_problem
from optimum_compile.passes.precision.units import parameter_count, units_of

REFERENCE = load_backend("reference")


@dataclass(frozen=True)
class Few:
    """The reference, whose cache takes some widths only."""

    takes: tuple[int, ...]
    name: str = "coreml"
    platform: str = "ios"

    def __getattr__(self, name):
        return getattr(REFERENCE, name)

    def supports_kv(self, scheme):
        if isinstance(scheme, Float) or scheme.bits in self.takes:
            return SUPPORTED
        return Support(False, f"no {scheme}")


def long_decoder(context=300):
    return decoder(layers=2, width=64, kv_heads=2, context=context, max_prefill=64)


@pytest.fixture
def graph(tmp_path):
    """Of files, whose parameters count."""
    return open_model(tiny_llama(tmp_path / "tiny", context=160)).graph


def whole(graph, *backends):
    return with_caches(make_problem(graph, units_of(graph), backends, {}), graph, backends)


def options(budget, **values):
    given = {"policy": "measured", "backends": (REFERENCE,), "containers": (0,)}
    return AssignPrecision(budget=budget, chooses_caches=True, **(given | values))


def test_every_cache_is_a_unit_of_its_block_with_the_bytes_of_a_full_context():
    graph = long_decoder()
    weights = make_problem(graph, units_of(graph), (REFERENCE, REFERENCE), {})
    problem = with_caches(weights, graph, (REFERENCE, REFERENCE))
    assert problem.units[: len(weights.units)] == weights.units
    caches = problem.units[len(weights.units) :]
    assert [(u.name, u.unit.block) for u in caches] == [
        ("k_cache.0", 0),
        ("v_cache.0", 0),
        ("k_cache.1", 1),
        ("v_cache.1", 1),
    ]
    for unit, cache in zip(caches, caches_of(graph), strict=True):
        assert unit.unit.is_cache
        assert not unit.unit.has_class
        assert unit.unit.elements == cache.value.type.elements() == 2 * 300 * 16
        assert [str(c.scheme) for c in unit.choices] == ["kv2:g32", "kv4:g32", "kv8:g32", "f16"]
        assert all(len(set(c.bytes)) == 1 and len(c.bytes) == 2 for c in unit.choices)
        sizes = {c.scheme: c.bytes[0] for c in unit.choices}
        assert sizes[Float(16)] == 2 * 300 * 16 * 2
        assert sizes[KvScheme(4)] == KvScheme(4).stored_bytes(cache.role, 2, 300, 16)
    added = problem.bytes_of(problem.most())[0] - weights.bytes_of(weights.most())[0]
    assert added == kv_bytes(graph, {}) == 2 * cache_numbers(graph)
    assert problem.parameters == parameter_count(graph) + 4 * 2 * 300 * 16


def test_the_bytes_of_any_picks_are_those_of_weights_and_of_the_cache():
    graph = long_decoder()
    problem = whole(graph, REFERENCE)
    picks = tuple(at % len(u.choices) for at, u in enumerate(problem.units))
    schemes = problem.schemes(picks)
    names = {c.name for c in caches_of(graph)}
    alone = weights_alone(problem)
    count = len(alone.units)
    cached = kv_bytes(graph, {n: s for n, s in schemes.items() if n in names})
    assert problem.bytes_of(picks)[0] == alone.bytes_of(picks[:count])[0] + cached


def test_what_saves_no_byte_is_no_choice():
    few = {u.name: len(u.choices) for u in whole(long_decoder(60), REFERENCE).units}
    assert few["k_cache.0"] == few["v_cache.0"] == 1
    assert has_caches(whole(long_decoder(60), REFERENCE))
    assert not has_caches(with_caches(make_problem(mlp(), (), (), {}), mlp(), ()))


def test_targets_that_refuse_a_width_are_told():
    problem = whole(long_decoder(), Few((8, 4)), Few((4, 2), "executorch", "android"))
    unit = problem.units[-1]
    assert [str(c.scheme) for c in unit.choices] == ["kv4:g32", "f16"]
    assert dict(unit.refused) == {
        "kv8:g32": "android (executorch): no kv8:g32",
        "kv2:g32": "ios (coreml): no kv2:g32",
    }


def test_a_target_that_falls_back_counts_fp16():
    """Core ML keeps fp16 whatever is chosen, so only the other target's bytes fall."""
    problem = whole(long_decoder(), load_backend("coreml"), load_backend("executorch"))
    for unit in problem.units[-4:]:
        assert [str(c.scheme) for c in unit.choices] == ["kv2:g32", "kv4:g32", "kv8:g32", "f16"]
        assert {c.bytes[0] for c in unit.choices} == {2 * 300 * 16 * 2}
        sizes = [c.bytes[1] for c in unit.choices]
        assert sizes == sorted(set(sizes))
        assert sizes[-1] == 2 * 300 * 16 * 2
        assert unit.refused == ()


def test_a_budget_holds_weights_and_cache_together(graph):
    weights, cached = parameter_count(graph), cache_numbers(graph)

    def limit(budget, **values):
        return problem_of(graph, options(budget, **values)).limits[0]

    assert limit(Budget(bytes=90_000)) == 90_000
    assert limit(Budget(bytes=90_000), containers=(500,)) == 89_500
    share = limit(Budget(bits_per_weight=4)) - 4 * weights // 8
    assert share == 4 * cached // 8 == kv_bytes(graph, {}) * 4 // 16
    assert limit(Budget(fraction=0.25)) == (weights + cached) // 2
    # What a speed leaves for weights beside a 16-bit cache.
    assert limit(Budget(weight_bytes=1000)) == 1000 + kv_bytes(graph, {})
    # Policies that do not choose them have the cache taken off a budget of bytes.
    plain = limit(Budget(bytes=90_000), policy="tiers", kv_bytes=(kv_bytes(graph, {}),))
    assert plain == 90_000 - kv_bytes(graph, {})


def test_weights_alone_have_what_exact_caches_leave():
    problem = whole(long_decoder(), REFERENCE).limited((100_000,))
    alone = weights_alone(problem)
    assert not has_caches(alone)
    assert alone.parameters == parameter_count(long_decoder())
    assert alone.limits == (100_000 - kv_bytes(long_decoder(), {}),)
    picks = exact_caches(problem, alone.least())
    assert problem.bytes_of(picks)[0] - alone.bytes_of(alone.least())[0] == kv_bytes(
        long_decoder(), {}
    )
    assert alone.fits(alone.least()) == problem.fits(picks)
    assert exact_caches(problem, problem.least()) == picks
    schemes = kept_exact(problem).schemes(kept_exact(problem).least())
    assert {str(s) for n, s in schemes.items() if "cache" in n} == {"f16"}
    assert weights_alone(alone) == alone


@pytest.mark.parametrize(("tokens", "shown"), [(67, False), (68, True), (500, True)])
def test_short_texts_show_nothing(tokens, shown):
    """32 tokens of the window, 4 sinks, and a whole group of 32 between."""
    assert shows_caches(whole(long_decoder(), REFERENCE), tokens) is shown
    assert not shows_caches(kept_exact(whole(long_decoder(), REFERENCE)), tokens)


def test_schemes_are_written_on_weights_and_states_and_read_as_text():
    graph = long_decoder()
    problem = whole(graph, REFERENCE)
    schemes = problem.schemes(problem.least())
    write_schemes(graph, schemes)
    assert kv_of(graph) == {c.name: KvScheme(2) for c in caches_of(graph)}
    assert parse_schemes(graph, {n: str(s) for n, s in schemes.items()}) == schemes
    write_schemes(graph, {"k_cache.0": Float(16)})
    assert set(kv_of(graph)) == {"v_cache.0", "k_cache.1", "v_cache.1"}
    weight = problem.units[0].name
    write_schemes(graph, {weight: Float(16)})
    note = graph.weights[weight].notes.get(Precision)
    assert note is not None
    assert note.scheme == Float(16)
    for name, text in (("k_cache.0", "int4:g32"), (weight, "kv4:g32")):
        with pytest.raises(OptionError, match="scheme"):
            parse_schemes(graph, {name: text})


@pytest.mark.parametrize("bits", [4.0, 6.0])
def test_the_provisional_assignment_keeps_the_limit_with_the_cache(graph, bits):
    assign = options(Budget(bits_per_weight=bits))
    PassManager((assign,)).run(graph)
    problem = problem_of(graph, assign)
    notes = {n: v.notes.get(Precision) for n, v in graph.weights.items()}
    found = {n: note.scheme for n, note in notes.items() if note is not None}
    found |= {c.name: kv_of(graph).get(c.name, Float(16)) for c in caches_of(graph)}
    used = problem.bytes_of(problem.picks_of(found))
    assert 0.97 * problem.limits[0] <= used[0] <= problem.limits[0]


def test_a_budget_below_the_least_of_both_is_refused_with_the_range():
    graph = long_decoder()
    least = problem_of(graph, options(Budget(bytes=1 << 30)))
    low = least.bytes_of(least.least())[0]
    with pytest.raises(BudgetError, match=rf"weights and KV cache .* range is {low:,} to"):
        PassManager((options(Budget(bytes=low - 1)),)).run(graph)
    PassManager((options(Budget(bytes=low)),)).run(graph)
    assert set(kv_of(graph).values()) == {KvScheme(2)}
