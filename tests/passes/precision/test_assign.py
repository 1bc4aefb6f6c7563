import re
from bisect import bisect_right
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.graphs import decoder, mlp
from support.passes import check_pass

from optimum_compile.backends.catalog import load_backend
from optimum_compile.compiler.errors import BudgetError, OptionError, UnsupportedError
from optimum_compile.compiler.ir.records import note_classes
from optimum_compile.compiler.ir.verify import check
from optimum_compile.compiler.ir.weights import FileBytes, WeightRef
from optimum_compile.compiler.package.describe import predicted_bytes, weight_bytes
from optimum_compile.compiler.pass_manager import PassContext, PassManager
from optimum_compile.compiler.quant.scheme import PerChannel, PerGroup
from optimum_compile.passes.precision.assign import AssignPrecision, Budget, problem_of
from optimum_compile.passes.precision.classes import ClassOptions, class_of
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.units import legal, parameter_count, units_of
from optimum_compile.passes.specs import ASSIGNED

COREML, EXECUTORCH = load_backend("coreml"), load_backend("executorch")
BOTH = (COREML, EXECUTORCH)

# Three blocks, an embedding and an untied head; `bias` is no matrix.
GRAPH = """
    graph "three" {{
      symbol n in 1..8
      input %ids : i64[1, n]
      weight @embed.weight : f16[96, 64]{embed} = file "m.safetensors" at 0 for 12288
      weight @layers.0.up.weight : f16[128, 64]{first} = file "m.safetensors" at 12288 for 16384
      weight @layers.0.up.bias : f16[128] = file "m.safetensors" at 65536 for 256
      weight @layers.1.down.weight : f16[64, 128]{second} = file "m.safetensors" at 28672 for 16384
      weight @layers.2.mix.weight : f16[64, 64]{third} = file "m.safetensors" at 45056 for 8192
      weight @head.weight : f16[96, 64]{head} = file "m.safetensors" at 53248 for 12288

      %e = embedding(%ids, @embed.weight) : f16[1, n, 64] from "embed"
      %a = linear(%e, @layers.0.up.weight, @layers.0.up.bias) : f16[1, n, 128] from "layers.0.up"
      %b = linear(%a, @layers.1.down.weight, _) : f16[1, n, 64] from "layers.1.down"
      %c = linear(%b, @layers.2.mix.weight, _) : f16[1, n, 64] from "layers.2.mix"
      %d = linear(%c, @head.weight, _) : f16[1, n, 96] from "head"
      return %d
    }}
"""
PLACES = ("embed", "first", "second", "third", "head")
INT8 = 'Affine{bits = 8, group = PerChannel{}, symmetric = true, scale_dtype = "f16"}'
INT4 = 'Affine{bits = 4, group = PerGroup{size = 32}, symmetric = true, scale_dtype = "bf16"}'
INT2 = "Lut{bits = 2, rows_per_table = 4}"
WIDE = "Lut{bits = 2, rows_per_table = 2}"
FLOAT = "Float{bits = 16}"


def text(*schemes):
    """The graph with these schemes on embed, first, second, third and head."""
    notes = [f' !Precision{{scheme = {s}, act_bits = none, reason = ""}}' for s in schemes]
    return GRAPH.format(**dict(zip(PLACES, notes or [""] * 5, strict=True)))


@pytest.mark.parametrize(
    ("step", "schemes"),
    [
        (AssignPrecision(policy="uniform"), [INT8] * 5),
        (AssignPrecision(policy="uniform", bits=16), [FLOAT] * 5),
        (AssignPrecision(policy="uniform", bits=4), [INT4] * 5),
        (AssignPrecision(policy="uniform", bits=2), [INT2, INT2, WIDE, INT2, INT2]),
        (AssignPrecision(), [INT8, INT8, INT4, INT2, INT2]),
        (AssignPrecision(head_high=True), [INT8, INT8, INT4, INT2, INT8]),
    ],
    ids=["uniform-8", "uniform-16", "uniform-4", "uniform-2", "cascade", "cascade-head-high"],
)
def test_policies_write_a_scheme_on_every_matrix(step, schemes):
    graph = check_pass(step, text(), text(*schemes), notes=note_classes(Precision))
    check(graph, ASSIGNED)


def test_a_group_size_replaces_the_classes_own_granularity():
    grouped = INT8.replace("PerChannel{}", "PerGroup{size = 64}")
    step = AssignPrecision(policy="uniform", classes=ClassOptions(group=PerGroup(64)))
    check_pass(step, text(), text(*[grouped] * 5), notes=note_classes(Precision))


def test_asymmetric_grids_have_fp16_scales_and_a_zero_point():
    grid = INT4.replace("symmetric = true", "symmetric = false").replace("bf16", "f16")
    step = AssignPrecision(policy="uniform", bits=4, classes=ClassOptions(symmetric=False))
    check_pass(step, text(), text(*[grid] * 5), notes=note_classes(Precision))


def run(graph, **options):
    """Assign and return the schemes by name."""
    PassManager([AssignPrecision(**options)]).run(graph)
    return {u.name: str(scheme_of(graph, u.name)) for u in units_of(graph)}


def on_disk(graph):
    """The same graph with weights that lie in a file, as those of a model do."""
    for name, value in graph.weights.items():
        if name != "rope.inv_freq":
            source = FileBytes(Path("model.safetensors"), 0, value.weight.nbytes)
            value.weight = WeightRef(name, value.weight.type, source)
    return graph


def scheme_of(graph, name):
    return graph.weights[name].notes.get(Precision).scheme


def test_a_tied_head_keeps_the_class_of_the_embedding_and_says_so():
    graph = decoder(layers=3, tied=True)
    remarks = PassManager([AssignPrecision()]).run(graph)
    assert str(scheme_of(graph, "model.embed_tokens.weight")) == "int8:channel"
    assert remarks == (
        "model.embed_tokens.weight is embedding and head in one: it keeps the embedding's INT8, "
        "not the head's INT2",
        "the published cascade has keys and values of 2 bits: no policy by depth changes the cache, "
        "it stays as the target stores it",
    )


def test_a_graph_without_matrices_is_left_alone():
    from support.graphs import Builder

    b = Builder()
    x = b.input("x", "f32", 4)
    result = AssignPrecision().run(b.returns(b.op("neg", x)), PassContext())
    assert (result.changed, result.remarks) == (False, ("no matrix to quantise",))


def test_a_new_policy_replaces_the_old_decision():
    graph = decoder()
    run(graph, policy="uniform", bits=8)
    assert set(run(graph, policy="uniform", bits=16).values()) == {"f16"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"policy": "magic"}, "policy 'magic': expected one of uniform, cascade"),
        ({"bits": 5}, r"bits=5: expected one of \(16, 8, 4, 3, 2\)"),
    ],
)
def test_options_are_checked_when_the_pass_is_made(options, message):
    with pytest.raises(OptionError, match=message):
        AssignPrecision(**options)


def test_a_group_that_does_not_divide_falls_back_with_its_reason():
    graph = mlp(width=8, hidden=16)
    assert run(graph, policy="uniform", bits=4)["up.weight"] == "int4:channel"
    reason = graph.weights["up.weight"].notes.get(Precision).reason
    assert reason == "groups of 32 do not divide 8 columns"
    explicit = ClassOptions(group=PerGroup(24))
    with pytest.raises(UnsupportedError, match="up.weight 16x8: INT4 would become int4:channel"):
        run(mlp(width=8, hidden=16), policy="uniform", bits=4, classes=explicit)
    allowed = ClassOptions(group=PerGroup(24), allow_fallback=True)
    found = run(mlp(width=8, hidden=16), policy="uniform", bits=4, classes=allowed)
    assert found["up.weight"] == "int4:channel"


def test_bits_are_widened_only_when_that_is_allowed_and_with_every_refusal():
    class Only8:
        """Takes 8 bits per channel and nothing else."""

        name = "only8"

        def supports_scheme(self, scheme, use):
            from optimum_compile.backends.base import SUPPORTED, Support

            good = str(scheme) == "int8:channel"
            return SUPPORTED if good else Support(False, f"{scheme} is too narrow")

        def stored_bytes(self, scheme, use):
            return scheme.stored_bytes(use.rows, use.columns)

        def fixed_bytes(self, graph):
            return 0

    options = {"policy": "uniform", "bits": 2, "backends": (Only8(),)}
    with pytest.raises(UnsupportedError, match="INT2 would become int8:channel .*allow-fallback"):
        run(mlp(), **options)
    graph = mlp()
    found = run(graph, **options, classes=ClassOptions(allow_fallback=True))
    assert set(found.values()) == {"int8:channel"}
    reason = graph.weights["up.weight"].notes.get(Precision).reason
    assert "lut2:r16: only8: lut2:r16 is too narrow" in reason
    assert "int4:channel: only8: int4:channel is too narrow" in reason


@given(
    layers=st.integers(1, 6),
    tied=st.booleans(),
    bias=st.booleans(),
    policy=st.sampled_from(["cascade", "uniform", "tiers", "mlx-mixed", "random"]),
    menu=st.sampled_from(["auto", "classes", "ladder"]),
    backends=st.sampled_from([(), (COREML,), (EXECUTORCH,), BOTH]),
    head_high=st.booleans(),
    budget=st.builds(Budget, bytes=st.integers(1, 120_000))
    | st.builds(Budget, bits_per_weight=st.floats(0.1, 40))
    | st.builds(Budget, fraction=st.floats(0.01, 2)),
)
@settings(max_examples=60, deadline=None)
def test_a_budget_is_never_exceeded_on_any_target(
    layers, tied, bias, policy, menu, backends, head_high, budget
):
    graph = on_disk(decoder(layers, width=32, hidden=64, vocab=48, tied=tied, bias=bias))
    options = {"policy": policy, "head_high": head_high, "backends": backends, "menu": menu}
    limit = budget.limit_bytes(parameter_count(graph))
    try:
        run(graph, budget=budget, **options)
    except BudgetError as error:
        least, most = achievable(error)
        assert limit < least <= most
        # What a bias adds to a matrix whose scales come after it is known with the schemes only.
        limit = least + bias * 256
        run(graph, budget=Budget(bytes=limit), **options)
    check(graph, ASSIGNED)
    used = max([weight_bytes(graph)] if not backends else sizes(graph, backends))
    assert used <= limit
    assert used >= 0.9 * min(limit, 2 * parameter_count(graph))  # the steps of so small a model
    for unit in units_of(graph):
        assert legal(scheme_of(graph, unit.name), unit.use, backends).ok


def achievable(error):
    found = re.search(r"range is ([\d,]+) to ([\d,]+) bytes", str(error)).groups()
    return [int(number.replace(",", "")) for number in found]


def sizes(graph, backends):
    return [predicted_bytes(graph, b) for b in backends]


@given(one=st.integers(2_000, 60_000), more=st.integers(0, 30_000))
@settings(max_examples=30, deadline=None)
def test_more_bytes_never_give_a_much_smaller_model(one, more):
    """One percent is left to chance: the last steps are what happens to fit."""
    totals = []
    for limit in (one, one + more):
        graph = on_disk(decoder(4, width=32, hidden=64, vocab=48))
        try:
            run(graph, budget=Budget(bytes=limit))
        except BudgetError:
            return
        totals.append(weight_bytes(graph))
    assert totals[1] >= 0.99 * totals[0]


@given(layers=st.integers(1, 8), limit=st.integers(3_000, 90_000))
@settings(max_examples=30, deadline=None)
def test_a_cascade_hardly_gets_wider_with_depth(layers, limit):
    """Two tensors may: what is left of a budget goes to the first steps that still fit."""
    graph = on_disk(decoder(layers, width=32, hidden=64, vocab=48))
    try:
        run(graph, budget=Budget(bytes=limit))
    except BudgetError:
        return
    order = ["FP16", "INT8", "INT4", "INT3", "INT2"]
    depth = [order.index(class_of(scheme_of(graph, u.name))) for u in units_of(graph)]
    ends: list[int] = []  # of the longest run of classes that never gets wider
    for rank in depth:
        at = bisect_right(ends, rank)
        ends[at : at + 1] = [rank]
    assert len(ends) >= len(depth) - 2


def test_a_budget_of_nothing_is_refused():
    with pytest.raises(OptionError, match="budget: expected bytes, bits per weight"):
        Budget().limit_bytes(10)


def test_per_channel_may_be_asked_for():
    options = ClassOptions(group=PerChannel())
    found = run(decoder(), policy="uniform", bits=4, classes=options)
    assert set(found.values()) == {"int4:channel"}


def test_bytes_hold_the_container_and_the_cache_as_well():
    graph = on_disk(decoder(4, width=32, hidden=64, vocab=48))
    options = {"policy": "tiers", "backends": BOTH, "budget": Budget(bytes=40_000)}
    run(graph, **options)
    assert 39_000 < max(sizes(graph, BOTH)) <= 40_000
    containers = tuple(b.container_bytes(graph) for b in BOTH)
    options["budget"] = Budget(bytes=40_000 + max(containers))
    run(graph, **options, containers=containers, kv_bytes=(1_000, 1_000))
    pairs = zip(BOTH, sizes(graph, BOTH), strict=True)
    files = [size + backend.container_bytes(graph) for backend, size in pairs]
    assert 38_000 + max(containers) < max(files) <= 39_000 + max(containers)


def test_policies_that_divide_a_budget_have_a_usual_one():
    graph = on_disk(decoder(4, width=64, hidden=128, vocab=48))
    remarks = PassManager([AssignPrecision("random")]).run(graph)
    assert remarks[-1] == "random divides a budget: without --budget it is 4.5bpw"
    assert 0.98 * 4.5 < 8 * weight_bytes(graph) / parameter_count(graph) <= 4.5


def test_chance_follows_the_seed_of_the_run():
    graph = on_disk(decoder(4, width=64, hidden=128, vocab=48))
    made = []
    for seed in (0, 1, 0):
        AssignPrecision("random").run(graph, PassContext(seed=seed))
        made.append([str(scheme_of(graph, u.name)) for u in units_of(graph)])
    assert made[0] == made[2] != made[1]


@pytest.mark.parametrize("policy", ["uniform", "cascade"])
def test_classes_are_kept_while_they_fit(policy):
    """Below them the targets' own schemes take over, unless a group size was asked for."""
    graph = on_disk(decoder(4, width=128, hidden=256, vocab=512))
    budget = {"policy": policy, "backends": BOTH}
    roomy = run(graph, **budget, budget=Budget(bits_per_weight=5))
    assert not any(text.startswith("vec") for text in roomy.values())
    classes = problem_of(graph, AssignPrecision(policy, menu="classes", backends=BOTH))
    tight = Budget(bytes=max(classes.bytes_of(classes.least())) - 1)
    low = run(graph, **budget, budget=tight)
    assert any(text.startswith("vec8x4") for text in low.values())
    with pytest.raises(BudgetError, match="the achievable range is"):
        run(graph, **budget, budget=tight, menu="classes")
    with pytest.raises(BudgetError, match="the achievable range is"):
        run(graph, **budget, budget=tight, classes=ClassOptions(group=PerGroup(32)))


def test_classes_that_a_growing_container_pushes_out_give_way(monkeypatch):
    """What the chosen schemes add to the container may be more than the classes can spare."""
    graph = on_disk(decoder(4, width=128, hidden=256, vocab=512))
    classes = problem_of(graph, AssignPrecision("uniform", menu="classes", backends=BOTH))
    limit = max(classes.bytes_of(classes.least())) + 1_000
    growth = 4_000
    monkeypatch.setattr(AssignPrecision, "container_growth", lambda self, graph: (growth,) * 2)
    found = run(graph, policy="uniform", backends=BOTH, budget=Budget(bytes=limit))
    assert any(text.startswith("vec8x4") for text in found.values())
    assert limit - 4_000 < max(sizes(graph, BOTH)) + growth <= limit


def test_a_group_size_is_kept_under_a_budget():
    graph = on_disk(decoder(4, width=64, hidden=128, vocab=48))
    options = {"policy": "uniform", "budget": Budget(bits_per_weight=5)}
    found = run(graph, **options, classes=ClassOptions(group=PerGroup(64), symmetric=False))
    assert {text.split(":")[1] for text in found.values()} == {"g64"}
    assert {text[:4] for text in found.values()} <= {"uint"}


def test_a_group_size_that_no_class_keeps_is_refused_under_a_budget_too():
    graph = on_disk(decoder(2, width=64, hidden=128, vocab=48))
    options = {"policy": "uniform", "budget": Budget(bits_per_weight=5)}
    with pytest.raises(UnsupportedError, match="groups of 48 do not divide 64 columns"):
        run(graph, **options, classes=ClassOptions(group=PerGroup(48)))


def test_a_target_that_forces_a_width_is_named():
    """Tables suit one target and 2-bit grids the other, so that both together begin at 4 bits."""
    both = (COREML, load_backend("onnxruntime"))
    graph = on_disk(decoder(4, width=64, hidden=128, vocab=48))
    step = AssignPrecision("tiers", budget=Budget(bits_per_weight=7), backends=both)
    remarks = PassManager([step]).run(graph)
    notes = [graph.weights[u.name].notes.get(Precision) for u in units_of(graph)]
    narrow = {n.reason for n in notes if str(n.scheme).startswith("uint4") and n.reason}
    assert narrow
    for reason in narrow:
        assert "uint2:g64: coreml: integer grids have 4 or 8 bits" in reason
        assert "vec8x4:channel@shared: onnxruntime:" in reason
    assert any(" more: uint4" in r and "because" in r for r in remarks)


def test_a_policy_that_reads_a_map_needs_one():
    graph = decoder()
    with pytest.raises(OptionError, match="needs a sensitivity map of method 'lsaq'"):
        run(graph, policy="lsaq")
    with pytest.raises(OptionError, match="menu 'all': expected one of auto, classes, ladder"):
        AssignPrecision(menu="all")


def test_the_problem_of_the_pass_is_what_it_solves():
    graph = on_disk(decoder(4, width=64, hidden=128, vocab=48))
    step = AssignPrecision("tiers", budget=Budget(bits_per_weight=5), backends=BOTH)
    problem = problem_of(graph, step)
    PassManager([step]).run(graph)
    picks = problem.picks_of({u.name: scheme_of(graph, u.name) for u in units_of(graph)})
    assert problem.fits(picks)
    assert list(problem.bytes_of(picks)) == sizes(graph, BOTH)
