import re
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.policies import at_bpw, decoder_problem, made_up_map

from optimum_compile.backends.catalog import load_backend
from optimum_compile.compiler.errors import BudgetError, InputError, OptionError
from optimum_compile.passes.precision.policies import POLICIES, require_map
from optimum_compile.passes.precision.policies.mlx_mixed import use_more_bits

BOTH = (load_backend("coreml"), load_backend("executorch"))
WEB = (load_backend("onnxruntime"),)


def given_a_map(problem, facts, name, factor=lambda unit: 1.0):
    method = POLICIES[name].method
    return replace(facts, sensitivity=made_up_map(problem, method, factor)) if method else facts


def schemes(problem, picks):
    return {name: str(s) for name, s in problem.schemes(picks).items()}


@given(
    name=st.sampled_from(list(POLICIES)),
    bpw=st.floats(2.0, 18),
    layers=st.integers(1, 5),
    tied=st.booleans(),
    backends=st.sampled_from([(), BOTH, WEB]),
    seed=st.integers(0, 3),
)
@settings(max_examples=120, deadline=None)
def test_every_policy_fits_fills_and_repeats_itself(name, bpw, layers, tied, backends, seed):
    problem, facts = decoder_problem(backends, layers=layers, tied=tied)
    problem = at_bpw(problem, bpw)
    facts = replace(given_a_map(problem, facts, name), seed=seed)
    decide = POLICIES[name].decide
    if not problem.fits(problem.least()):
        with pytest.raises(BudgetError, match="the achievable range is"):
            decide(problem, facts)
        return
    made = decide(problem, facts)
    assert problem.fits(made.picks)
    assert made == decide(problem, facts)
    if made.picks == problem.most():
        return
    smallest = min(
        max(
            (b - a) / limit
            for a, b, limit in zip(u.choices[i].bytes, u.choices[i + 1].bytes, problem.limits,
                                   strict=True)
        )
        for u, i in zip(problem.units, made.picks, strict=True)
        if i + 1 < len(u.choices)
    )  # fmt: skip
    used = max(
        n / most for n, most in zip(problem.bytes_of(made.picks), problem.limits, strict=True)
    )
    books = sum(max(sizes) for sizes in problem.codebooks.values()) / min(problem.limits)
    assert used >= 1 - smallest - books


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_without_a_budget_needs_none(name):
    problem, facts = decoder_problem(layers=8)
    made = POLICIES[name].decide(problem, given_a_map(problem, facts, name))
    assert len(made.picks) == len(problem.units)


@pytest.mark.parametrize("name", POLICIES)
def test_four_hundred_units_take_no_time(name):
    problem, facts = decoder_problem(layers=57)
    assert len(problem.units) == 400
    problem = at_bpw(problem, 3.5)
    facts = given_a_map(problem, facts, name)
    began = time.perf_counter()
    POLICIES[name].decide(problem, facts)
    assert time.perf_counter() - began < 10  # under 1 s on an idle core


def test_uniform_is_one_scheme_and_the_next_for_the_first_tensors():
    problem, facts = decoder_problem(layers=4, tied=False)
    made = POLICIES["uniform"].decide(at_bpw(problem, 4.5), facts)
    found = list(schemes(problem, made.picks).values())
    kinds = [text.split(":")[0] for text in found]
    change = kinds.index("vec8x2")
    assert set(kinds[:change]) == {"int4"}
    assert kinds[change:].count("vec8x2") >= len(kinds) - change - 2
    count, total = re.search(r"uniform: (\d+) of (\d+) tensors are wider", made.remarks[0]).groups()
    assert (int(count), int(total)) == (sum(k != "vec8x2" for k in kinds), len(kinds))
    assert "vec8x2:channel@shared everywhere" in made.remarks[0]


def test_uniform_below_its_first_rung_narrows_what_it_must():
    problem, facts = decoder_problem(layers=3)
    facts = replace(facts, classes={4: tuple(1 for _ in problem.units)})
    made = POLICIES["uniform"].decide(at_bpw(problem, 3.2), facts)
    assert "narrower than" in made.remarks[0]
    assert set(made.picks) == {0, 1}


def test_mlx_uses_more_bits_where_mlx_lm_does():
    """Worked out by hand from the rule that mlx-lm publishes."""
    assert [i for i in range(24) if use_more_bits(i, 24)] == [
        0, 1, 2, 5, 8, 11, 14, 17, 20, 21, 22, 23
    ]  # fmt: skip
    assert [i for i in range(6) if use_more_bits(i, 6)] == [2, 5]


def test_mlx_mixed_raises_v_down_and_the_head():
    problem, facts = decoder_problem(layers=6, tied=False)
    made = POLICIES["mlx-mixed"].decide(problem, facts)
    high = {n for n, text in schemes(problem, made.picks).items() if text.startswith("lut6")}
    assert high == {"lm_head.weight"} | {
        f"model.layers.{i}.{part}.weight" for i in (2, 5) for part in
        ("self_attn.v_proj", "mlp.down_proj")
    }  # fmt: skip
    problem, facts = decoder_problem(layers=6, tied=True)
    found = schemes(problem, POLICIES["mlx-mixed"].decide(problem, facts).picks)
    assert found["model.embed_tokens.weight"] == "vec8x2:channel@shared"


@pytest.mark.parametrize(("bpw", "bits"), [(3.0, 2), (4.2, 3), (5.2, 4)])
def test_the_recipe_of_mlx_mixed_follows_the_budget(bpw, bits):
    problem, facts = decoder_problem(layers=6, tied=False)
    made = POLICIES["mlx-mixed"].decide(at_bpw(problem, bpw), facts)
    assert f"the others with {bits}" in made.remarks[0]


def test_tiers_are_tables_and_ends_then_v_and_down_then_the_rest():
    problem, facts = decoder_problem(layers=12, tied=False)
    made = POLICIES["tiers"].decide(problem, facts)
    found = schemes(problem, made.picks)
    first = {n for n, text in found.items() if text == "int8:channel"}
    assert first == {n for n in found if "layers.0." in n or "layers.11." in n or "layers" not in n}
    second = {n for n, text in found.items() if text.startswith("lut6")}
    assert second
    assert {n.split(".")[-2] for n in second} <= {"v_proj", "down_proj"}
    lowest = {n.split(".")[-2] for n, text in found.items() if text.startswith("vec8x4")}
    assert lowest == {"gate_proj", "up_proj"}
    sizes = {u.name: u.unit.elements for u in problem.units}
    rest = sum(sizes.values()) - sum(sizes[n] for n in first)
    assert sum(sizes[n] for n in second) / rest == pytest.approx(15 / 95, abs=0.04)
    assert "(published: 5/15/50/30)" in made.remarks[0]


def test_inside_a_rank_tiers_follow_the_map():
    problem, facts = decoder_problem(layers=12, tied=False)
    late = made_up_map(problem, "kl", lambda unit: 1.0 + unit.block)
    made = POLICIES["tiers"].decide(problem, replace(facts, sensitivity=late))
    found = schemes(problem, made.picks)
    second = sorted({int(n.split(".")[2]) for n, text in found.items() if text.startswith("lut6")})
    assert second[-1] == 10
    assert second[0] > 1


def test_lsaq_gives_the_important_blocks_the_higher_width():
    problem, facts = decoder_problem(layers=6, tied=True)
    importance = [0.1, 0.9, 0.3, 0.9, 0.2, 0.5]
    facts = replace(
        facts, sensitivity=made_up_map(problem, "lsaq", lambda unit: importance[unit.block])
    )
    problem = at_bpw(problem, 3.6)
    made = POLICIES["lsaq"].decide(problem, facts)
    assert (
        "blocks in 4 bits, the others in 2; in order of importance 1, 3, 5, 2, 4, 0"
        in (made.remarks[0])
    )
    found = schemes(problem, made.picks)
    ups = [found[f"model.layers.{i}.mlp.up_proj.weight"].split(":")[0] for i in (1, 3, 5, 2, 4, 0)]
    assert ups[:2] == ["vec8x2", "vec8x2"]
    assert ups[-1] == "vec8x4"


def test_lsaq_goes_to_the_next_pair_with_the_memory():
    problem, facts = decoder_problem(layers=4, vocab=32)
    facts = given_a_map(problem, facts, "lsaq")
    for bpw, pair in ((3, (4, 2)), (6, (8, 4)), (12, (16, 8))):
        made = POLICIES["lsaq"].decide(at_bpw(problem, bpw), facts)
        assert f"blocks in {pair[0]} bits, the others in {pair[1]}" in made.remarks[0]


def test_first_order_is_no_worse_than_any_other_policy_by_its_own_score():
    problem, facts = decoder_problem(layers=5)
    known = made_up_map(problem, "taylor", lambda unit: 1 + (7 * unit.block) % 5)
    problem = at_bpw(problem, 3.3)

    def score(picks):
        return sum(known.score(n, scheme) for n, scheme in problem.schemes(picks).items())

    own = score(POLICIES["first-order"].decide(problem, replace(facts, sensitivity=known)).picks)
    for name in ("uniform", "cascade", "tiers", "mlx-mixed", "random"):
        assert own <= score(POLICIES[name].decide(problem, facts).picks) * 1.001


def test_chance_depends_on_the_seed_alone():
    problem, facts = decoder_problem(layers=5)
    problem = at_bpw(problem, 3.5)
    made = [POLICIES["random"].decide(problem, replace(facts, seed=s)) for s in (0, 0, 1)]
    assert made[0] == made[1] != made[2]


def test_a_policy_without_its_map_is_refused():
    problem, _ = decoder_problem()
    with pytest.raises(
        OptionError, match=r"'lsaq' needs .* method 'lsaq', and there is none: pass"
    ):
        require_map("lsaq", None)
    with pytest.raises(OptionError, match="method 'taylor', and the map is of 'kl'"):
        require_map("first-order", made_up_map(problem, "kl"))
    require_map("tiers", None)
    require_map("first-order", made_up_map(problem, "taylor"))


def test_a_map_that_lacks_a_choice_is_refused():
    problem, facts = decoder_problem()
    short = made_up_map(problem, "taylor")
    del short.units["model.embed_tokens.weight"]["f16"]
    with pytest.raises(InputError, match="no number for model.embed_tokens.weight in f16"):
        POLICIES["first-order"].decide(at_bpw(problem, 4), replace(facts, sensitivity=short))
