import pytest
from support.graphs import decoder

from optimum_compile.backends.catalog import load_backend
from optimum_compile.compiler.errors import OptionError, UnsupportedError
from optimum_compile.compiler.pass_manager import PassManager
from optimum_compile.compiler.quant.scheme import Affine, Lut, PerGroup
from optimum_compile.passes.precision.assign import AssignPrecision
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.pins import Pin, parse_pin

EMBEDDING = Pin("embed_tokens", Affine(4, PerGroup(32)))


def assigned(*pins, backends=()):
    graph = decoder(layers=2)
    step = AssignPrecision(policy="uniform", bits=8, pins=pins, backends=backends)
    return graph, PassManager([step]).run(graph)


def scheme(graph, name):
    return str(graph.weights[name].notes.get(Precision).scheme)


def test_the_last_equals_sign_divides():
    assert parse_pin("a=b=lut2:r4") == Pin("a=b", Lut(2, 4))
    assert parse_pin("embed_tokens=int4:g32") == EMBEDDING


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("int4", "expected REGEX=SCHEME"),
        ("=int4", "expected REGEX=SCHEME"),
        ("(=int4", r"'\(' is no regular expression"),
        ("x=int7.5", "scheme 'int7.5': expected"),
        ("x" * 501 + "=int4", "expected REGEX=SCHEME"),
    ],
)
def test_what_is_no_pin_is_refused(text, message):
    with pytest.raises(OptionError, match=message):
        parse_pin(text)


def test_the_first_pin_that_matches_decides_and_the_policy_has_the_rest():
    first = Pin(r"layers\.0\..*_proj", Lut(2, 4))
    graph, remarks = assigned(EMBEDDING, first, Pin("down_proj", Affine(4)))
    assert scheme(graph, "model.embed_tokens.weight") == "int4:g32"
    assert scheme(graph, "model.layers.0.mlp.down_proj.weight") == "lut2:r4"
    assert scheme(graph, "model.layers.1.mlp.down_proj.weight") == "int4:channel"
    assert scheme(graph, "model.layers.1.mlp.up_proj.weight") == "int8:channel"
    assert remarks == ()  # what the user asked for needs no excuse


def test_a_pin_for_nothing_is_refused():
    with pytest.raises(OptionError, match=r"pin lm_head=int4:g32: no weight is left for it"):
        assigned(Pin("lm_head", Affine(4, PerGroup(32))))


def test_a_pin_that_another_one_covers_is_refused():
    with pytest.raises(OptionError, match="no weight is left for it"):
        assigned(Pin("proj", Affine(4)), Pin("up_proj", Affine(8)))


def test_a_target_that_cannot_store_a_pin_says_so():
    with pytest.raises(UnsupportedError, match=r"embed_tokens=int2:g32.*use lut2"):
        assigned(Pin("embed_tokens", Affine(2, PerGroup(32))), backends=(load_backend("coreml"),))


@pytest.mark.parametrize("policy", ["uniform", "cascade"])
def test_a_budget_counts_what_is_pinned(policy):
    from optimum_compile.passes.precision.assign import Budget
    from optimum_compile.passes.precision.units import units_of

    graph = decoder(layers=4)
    step = AssignPrecision(policy=policy, budget=Budget(bytes=60_000), pins=(EMBEDDING,))
    PassManager([step]).run(graph)
    assert scheme(graph, "model.embed_tokens.weight") == "int4:g32"
    total = sum(
        graph.weights[u.name].notes.get(Precision).scheme.stored_bytes(u.use.rows, u.use.columns)
        for u in units_of(graph)
    )

    assert 20_000 < total <= 60_000
