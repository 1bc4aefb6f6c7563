"""Training of a scheduler: what it learns from, the same bytes however it is cut, and an honest report."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.models import CONTEXT, tiny_llama

from optimum_compile.compiler.api import plan
from optimum_compile.compiler.errors import InputError, OptionError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.schedule import Schedule
from optimum_compile.passes.phase.batched import BatchedEngine
from optimum_compile.passes.phase.choosers import Fixed, Seen
from optimum_compile.passes.phase.engine import generate
from optimum_compile.passes.phase.judge import Measure
from optimum_compile.passes.phase.learned import Learned, Plan, shapes_of
from optimum_compile.passes.phase.learned_file import load, to_bytes
from optimum_compile.passes.phase.metrics import rouge_l
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.tools.train_scheduler.__main__ import (
    documents_of,
    last_caches,
    main,
    nested_graph,
    parser,
    rounded_by,
    rounding,
)
from optimum_compile.tools.train_scheduler.data import Examples, Recipe, Source, collect, prompts_of
from optimum_compile.tools.train_scheduler.fit import Fit, fit
from optimum_compile.tools.train_scheduler.report import (
    at_equal_bits,
    chosen,
    report,
    static_step,
    table,
)

LENGTH, STEPS = 12, (0, 6, 12)
PLAN = Plan(4, 4, 2, STEPS, "k_cache.2", "v_cache.2")
RECIPE = Recipe((4, 6), LENGTH, cuts=1)
TEXT = ["".join(chr(32 + (7 * i + j * j) % 90) for j in range(30)) for i in range(12)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("scheduler")
    tiny_llama(made / "model")
    (made / "text.json").write_text(json.dumps(TEXT))
    return made


def arguments(folder: Path, *more: str) -> list[str]:
    given = (folder / "model", "--text", folder / "text.json", "--work", folder / "work")
    rounded = ("--quantizer", "rtn", "--samples", 1)
    sizes = ("--length", LENGTH, "--points", 3, "--prompts", 4, 6, "--cuts", 1, "--widths", 4, 2)
    return [str(each) for each in (*given, *rounded, *sizes, "--epochs", 4, *more)]


@pytest.fixture(scope="module")
def graph(folder) -> Graph:
    args = parser().parse_args(arguments(folder))
    return nested_graph(rounding(args), args.model)


def schemes(graph: Graph) -> dict[str, str]:
    notes = {name: value.notes.get(Precision) for name, value in graph.weights.items()}
    return {name: str(note.scheme) for name, note in notes.items() if note is not None}


@pytest.mark.parametrize("targets", [["native"], ["android:executorch", "native"]])
def test_weights_are_rounded_as_a_bundle_with_the_same_widths_has_them(folder, graph, targets):
    options = {"nested": "2,3,4", "quantizer": "rtn", "companions": False}
    planned = plan(folder / "model", targets, **options, output=str(folder / "bundle"))
    assert schemes(graph) == schemes(planned.model.graph)
    assert "nest2-4" in " ".join(schemes(graph).values())


def test_one_scheme_may_serve_every_linear(folder, tmp_path):
    args = parser().parse_args(
        arguments(folder, "--scheme", "nest2-4:r16", "--work", str(tmp_path))
    )
    options = rounding(args)
    found = schemes(nested_graph(options, args.model))
    assert set(found.values()) == {"int8:channel", "nest2-4:r16"}


def test_other_rounding_is_another_setting(folder, graph, prompts, tmp_path):
    said = parser().parse_args(arguments(folder))
    by = rounded_by(rounding(said), graph)
    assert by == rounded_by(rounding(said), graph)
    other = parser().parse_args(arguments(folder, "--samples", "2"))
    assert rounded_by(rounding(other), graph) != by
    engines = BatchedEngine(graph, original=True), Source(graph)
    collect(*engines, prompts[:1], PLAN, RECIPE, (), tmp_path, 96, by)
    with pytest.raises(OptionError, match="other settings"):
        collect(*engines, prompts[:1], PLAN, RECIPE, (), tmp_path, 96, "others")


def test_texts_are_joined(tmp_path):
    for name, content in (("one", ["a", "b", "c"]), ("two", ["d", "e"])):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    both = [str(tmp_path / "one.json"), str(tmp_path / "two.json")]
    assert documents_of(both, None) == ["a", "b", "c", "d", "e"]
    assert documents_of(both, 1) == ["a", "d"]
    with pytest.raises(InputError, match="none: expected a text"):
        documents_of([*both, "none"], None)


@pytest.fixture(scope="module")
def prompts() -> list[tuple[int, ...]]:
    rng = np.random.default_rng(0)
    return prompts_of([rng.integers(3, 90, 8).tolist() for _ in range(10)], RECIPE)


@pytest.fixture(scope="module")
def examples(graph, prompts, tmp_path_factory) -> Examples:
    engines = BatchedEngine(graph, original=True), Source(graph)
    return collect(*engines, prompts, PLAN, RECIPE, (), tmp_path_factory.mktemp("answers"), 96)


def test_prompts_are_beginnings_none_twice_and_the_seed_decides():
    documents = [list(range(10)), list(range(10)), list(range(5)), [1]]
    found = prompts_of(documents, Recipe((4, 6), cuts=2))
    assert sorted(found) == [(0, 1, 2, 3), (0, 1, 2, 3, 4, 5)]
    many = [list(range(i, i + 10)) for i in range(20)]
    one, other = (prompts_of(many, Recipe((4, 6), cuts=1, seed=s)) for s in (0, 1))
    assert one == prompts_of(many, Recipe((4, 6), cuts=1)) != other
    with pytest.raises(InputError, match="0 prompts"):
        prompts_of([[1]], RECIPE)


def test_examples_are_what_whole_runs_give(graph, prompts, examples):
    original, rounded = BatchedEngine(graph, original=True), BatchedEngine(graph)
    row = 0
    for length in (4, 6):
        same = np.array([p for p in prompts if len(p) == length])
        wanted = generate(original, same, LENGTH, Schedule.fixed(original.widths[-1])).tokens
        for at, step in enumerate(STEPS):
            answers = generate(rounded, same, LENGTH, PLAN.schedule(step)).tokens
            for text, (answer, known) in enumerate(zip(answers, wanted, strict=True)):
                assert examples.rouge[row + text, at] == rouge_l(answer, known)
        row += len(same)
    assert row == len(examples) == 10
    assert sorted({k.shape for k in examples.keys}) == [(2, 4, 16), (2, 6, 16)]
    # All low loses most, and never switching nothing that the high width does not.
    assert (examples.kl <= 0).all()
    assert examples.kl[:, 0].mean() < examples.kl[:, 2].mean()


def test_a_tolerance_moves_labels_to_earlier_steps(examples):
    by_kl = replace(examples, measure=Measure.KL)
    loose = replace(by_kl, tolerance=float(np.ptp(by_kl.kl)) + 1)
    assert (loose.labels == 0).all()
    assert by_kl.labels.mean() > 0
    assert set(examples.labels.tolist()) <= {0, 1, 2}


def test_chunks_of_other_settings_are_refused(graph, prompts, tmp_path):
    engines = BatchedEngine(graph, original=True), Source(graph)
    collect(*engines, prompts[:1], PLAN, RECIPE, (), tmp_path, 96)
    with pytest.raises(OptionError, match="other settings"):
        collect(*engines, prompts[:2], PLAN, RECIPE, (), tmp_path, 96)
    every = tuple(range(96))
    with pytest.raises(InputError, match="every answer ends"):
        collect(*engines, prompts[:1], PLAN, RECIPE, every, tmp_path / "other", 96)


def made_up(texts: int = 200, seed: int = 0) -> Examples:
    """Texts whose best step shows in their values: what a scheduler can learn."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, texts)
    keys = tuple(rng.standard_normal((2, 5, 4)).astype(np.float16) for _ in labels)
    means = np.array([[2, -1, 0, -1], [-1, 2, -1, 0], [0, -1, -1, 2]])
    values = tuple(
        (means[label] + 0.3 * rng.standard_normal((2, 5, 4))).astype(np.float16) for label in labels
    )
    quality = np.where(np.arange(3) < labels[:, None], 0.3, 0.9)
    sure, lengths = np.full((texts, LENGTH), 0.5, np.float32), np.full(texts, 5)
    return Examples(keys, values, quality, quality - 1, sure, lengths)


def test_what_can_be_learned_is(tmp_path):
    known, fresh = made_up(), made_up(80, seed=1)
    assert sorted(set(known.labels.tolist())) == [0, 1, 2]
    plan = replace(PLAN, keys="k", values="v")
    done = fit(known, plan, Fit(hidden=8, learning_rate=1e-2, epochs=40), tmp_path)
    found = report(done.learned, known, fresh, 0.01)
    assert found["accuracy"]["fresh"] > 0.9
    assert found["beats_chance"]
    for control in ("random uniform", "random prior", "shuffled"):
        assert found["gain"][control]["rouge"]["low"] > 0.05
    assert found["gain"]["shuffled"]["bits"] == pytest.approx(0)
    assert found["static_step"] == LENGTH
    assert found["rules"]["always high"]["mean_bits"]["mean"] == 4
    assert found["rules"]["random uniform"]["mean_bits"]["mean"] == pytest.approx(3)
    assert "| learned |" in table(found)


def test_nothing_is_claimed_where_there_is_nothing_to_learn(tmp_path):
    known, fresh = made_up(), made_up(80, seed=1)
    blind = [replace(e, values=e.keys) for e in (known, fresh)]
    done = fit(blind[0], PLAN, Fit(hidden=8, epochs=5), tmp_path)
    assert not report(done.learned, blind[0], blind[1], 0.01)["beats_chance"]


def test_training_goes_on_to_the_same_bytes(tmp_path):
    known, how = made_up(), Fit(hidden=4, epochs=6)
    one, other = tmp_path / "whole", tmp_path / "cut"
    one.mkdir()
    other.mkdir()
    whole = fit(known, PLAN, how, one)
    fit(known, PLAN, replace(how, epochs=2), other)
    resumed = fit(known, PLAN, how, other)
    assert to_bytes(resumed.learned) == to_bytes(whole.learned)
    assert (resumed.epochs, resumed.best_epoch) == (whole.epochs, whole.best_epoch)
    assert len(list(other.iterdir())) == 1
    # Another training does not go on from this one.
    assert to_bytes(fit(known, PLAN, replace(how, seed=1), one).learned) != to_bytes(whole.learned)
    assert len(list(one.iterdir())) == 2
    with pytest.raises(OptionError, match="at least ten"):
        fit(made_up(9), PLAN, how, tmp_path)


def test_the_stored_network_is_the_one_that_was_trained(tmp_path):
    """Numpy on fp16 numbers gives what torch made: texts of several lengths were padded there."""
    known = made_up()
    short = [k[:, :3] for k in known.keys[:100]], [v[:, :3] for v in known.values[:100]]
    lengths = np.where(np.arange(200) < 100, 3, 5)
    mixed = replace(
        known,
        keys=(*short[0], *known.keys[100:]),
        values=(*short[1], *known.values[100:]),
        lengths=lengths,
    )
    how = Fit(hidden=8, learning_rate=1e-2, epochs=30)
    done = fit(mixed, PLAN, how, tmp_path)
    found = chosen(done.learned, mixed, STEPS)
    assert (found == mixed.labels).mean() > 0.9


def test_steps_between_those_that_were_run_count_as_the_later_one(examples):
    assert chosen(Fixed(0), examples, STEPS).tolist() == [0] * 10
    assert chosen(Fixed(1), examples, STEPS).tolist() == [1] * 10
    assert chosen(Fixed(99), examples, STEPS).tolist() == [2] * 10
    quality = np.array([[0.5, 0.79, 0.8]] * 10)
    known = replace(examples, rouge=quality)
    assert [static_step(known, STEPS, e) for e in (0.0, 0.02, 1.0)] == [12, 6, 0]


def test_bits_are_no_gain_by_themselves():
    rng = np.random.default_rng(0)
    bits, ease = np.array([2.0, 3.0, 4.0]), rng.standard_normal(400)
    # All texts gain by bits, some more than others.
    quality = np.stack([0 * ease, 1 + 0.2 * ease, 2 + 0.4 * ease], axis=1)
    high, low = np.tile([0, 0, 1], (400, 1)), np.tile([1, 0, 0], (400, 1))
    assert at_equal_bits(high, low, quality, bits)["mean"] == pytest.approx(0, abs=1e-9)
    clever = np.eye(3)[np.where(ease > np.median(ease), 2, 0)]
    found = at_equal_bits(clever, np.tile([0, 1, 0], (400, 1)), quality, bits)
    assert found["sign"] == 1
    assert found["mean"] == pytest.approx((clever * quality).sum(axis=1).mean() - 1, abs=0.02)
    assert found["high"] - found["low"] < 0.1  # plain resampling: 0.2
    chance = np.eye(3)[rng.permutation(np.arange(400) % 3)]
    assert at_equal_bits(chance, np.full((400, 3), 1 / 3), quality, bits)["sign"] == 0


def test_the_tradeoff_learns_without_labels(tmp_path):
    known, fresh = made_up(), made_up(80, seed=1)
    how = Fit(hidden=8, learning_rate=1e-2, epochs=40, objective="tradeoff")
    done = fit(known, PLAN, how, tmp_path)
    assert report(done.learned, known, fresh, 0.01)["beats_chance"]
    # Bits that cost nothing are all taken, and none where they cost too much.
    for price, step in ((0.0, 2), (9.0, 0)):
        dear = fit(known, PLAN, replace(how, price=price), tmp_path).learned
        assert chosen(dear, fresh, STEPS).mean() == pytest.approx(step, abs=0.7)
    with pytest.raises(OptionError, match="expected labels or tradeoff"):
        fit(known, PLAN, Fit(objective="other"), tmp_path)


def test_the_whole_way(folder, graph, tmp_path, capsys):
    out, said = tmp_path / "schedule.safetensors", tmp_path / "report.json"
    more = ("-o", str(out), "--held-out", str(folder / "text.json"), "--json", str(said))
    assert last_caches(graph) == ("k_cache.2", "v_cache.2")
    assert main(arguments(folder, *more)) == 0
    learned = load(out)
    assert (learned.plan.high, learned.plan.low, learned.plan.steps) == (4, 2, STEPS)
    assert learned.sizes == (2, 16, 16)
    assert len(learned.plan.model) == 64
    assert "schedule.safetensors: " in capsys.readouterr().out
    first = out.read_bytes()
    assert main(arguments(folder, *more)) == 0  # everything is there already
    assert out.read_bytes() == first
    found = json.loads(said.read_text())
    assert found["bytes"] == len(first) < 8192
    assert set(found["report"]["rules"]) > {"learned", "static", "confidence", "random uniform"}
    assert CONTEXT >= 6 + LENGTH


def test_errors_are_said_in_a_line(folder, capsys):
    assert main(arguments(folder, "--widths", "5", "2")) == 1
    assert "--widths: 5 is not among [2, 3, 4]" in capsys.readouterr().err


def test_a_learned_rule_serves_where_a_rule_is_asked(examples):
    shapes = shapes_of(2, 16, 16, 3, 3)
    learned = Learned.rounded(PLAN, {k: np.ones(s) for k, s in shapes.items()})
    assert learned.choose(Seen(examples.keys[0], examples.values[0])) in STEPS
