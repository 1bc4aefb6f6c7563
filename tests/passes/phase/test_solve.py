"""The cheapest schedule and the smallest pair: exact, and nothing dearer is run."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.graphs import decoder
from support.packed import random_packed, with_packed

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.quant.scheme import Lut, Nested, Sparse
from optimum_compile.compiler.schedule import Schedule, Switch
from optimum_compile.passes.phase.batched import BatchedEngine
from optimum_compile.passes.phase.bytes import sparse_of_bytes, step_bytes
from optimum_compile.passes.phase.controls import widths_of
from optimum_compile.passes.phase.judge import Judge, Measure, make_reference
from optimum_compile.passes.phase.notes import Figure, Phases
from optimum_compile.passes.phase.solve import grid, phase_pair, schedules, static_schedule
from optimum_compile.passes.precision.units import units_of


def nested(work: Path) -> BatchedEngine:
    graph = decoder()
    units = [u for u in units_of(graph) if "layers" in u.name]
    weights = {u.name: random_packed(Nested(2, 4, 4), u.use.rows, u.use.columns) for u in units}
    return BatchedEngine(with_packed(graph, weights, work))


def test_the_grid_is_that_of_the_paper() -> None:
    assert grid(255, 4) == (0, 85, 170, 255)
    assert grid(8, 3) == (0, 4, 8)
    with pytest.raises(OptionError, match="1 switching points"):
        grid(8, 1)
    with pytest.raises(OptionError, match="expected 2 to 4"):
        grid(3, 5)


@pytest.mark.parametrize(("widths", "points"), [((2, 3), 8), ((2, 3, 4), 5), ((2, 4), 2)])
def test_every_sequence_that_never_grows_is_there_once(
    widths: tuple[int, ...], points: int
) -> None:
    length = (points - 1) * 3
    found = {widths_of(s, length) for s in schedules(4, widths, length, points)}
    every = product(widths, repeat=points - 1)
    falling = {tuple(np.repeat(w, 3)) for w in every if list(w) == sorted(w, reverse=True)}
    assert found == falling


@given(st.integers(0, 10**6), st.floats(0, 0.5))
@settings(max_examples=60, deadline=None)
def test_the_schedule_found_is_the_cheapest_of_all(seed: int, epsilon: float) -> None:
    length, rng, asked = 12, np.random.default_rng(seed), {}

    def quality(schedule: Schedule) -> float:
        return asked.setdefault(widths_of(schedule, length), float(rng.random()))

    found = static_schedule(quality, 4, (2, 3, 4), length, epsilon, points=4)
    ran, least = dict(asked), found.least_quality
    every = {s: quality(s) for s in schedules(4, (2, 3, 4), length, 4)}
    passing = [s for s, q in every.items() if q >= least]
    cheapest = min(s.mean_bits(length) for s in passing)
    assert found.best.mean_bits == cheapest
    assert found.best.quality == max(every[s] for s in passing if s.mean_bits(length) == cheapest)
    # What is dearer was not run, but for the reference.
    dearer = [w for w in ran if sum(w) / length > cheapest]
    assert set(dearer) <= {(4,) * length}


def test_the_pair_is_the_narrowest_answer_and_then_the_narrowest_prompt() -> None:
    table = {(4, 4): 1.0, (4, 3): 0.99, (3, 3): 0.9, (4, 2): 0.5, (3, 2): 0.4, (2, 2): 0.3}

    def quality(schedule: Schedule) -> float:
        return table[schedule.prefill, schedule.width_at(0)]

    assert str(phase_pair(quality, (2, 3, 4), 0.02).schedule) == "prefill 4, decode 3@0"
    assert str(phase_pair(quality, (2, 3, 4), 0.11).schedule) == "prefill 3, decode 3@0"
    assert str(phase_pair(quality, (2, 3, 4), 0.0).schedule) == "prefill 4, decode 4@0"
    assert str(phase_pair(quality, (2, 3, 4), 1.0).schedule) == "prefill 2, decode 2@0"


def test_a_judge_finds_no_loss_in_the_reference_itself(tmp_path: Path) -> None:
    engine = nested(tmp_path)
    prompts = np.random.default_rng(0).integers(0, 50, (4, 6))
    known = make_reference(engine, prompts, 10)
    judge = Judge(engine, known)
    assert known.going_on().tolist() == [0, 1, 2, 3]
    first = int(known.answers[1, 3])
    stopped = make_reference(engine, prompts, 10, (first,))
    ends = [row for row in range(4) if first in known.answers[row]]
    assert stopped.going_on().tolist() == [row for row in range(4) if row not in ends]
    same = judge.scores(Schedule.fixed(4))
    assert same.rouge.tolist() == same.agreement.tolist() == [1.0] * 4
    assert same.diverges.tolist() == [10] * 4
    assert same.kl.max() < 1e-9
    other = judge.scores(Schedule.fixed(4, 2))
    assert other.kl[:, 0].max() < 1e-9 < other.kl[:, 1:].mean()
    assert judge.quality(Measure.KL)(Schedule.fixed(4, 2)) == pytest.approx(-other.kl.mean())
    assert judge.quality(Measure.ROUGE)(Schedule.fixed(2)) < 1
    with pytest.raises(OptionError, match="really follows the prompts is not known"):
        judge.quality(Measure.TEXT)(Schedule.fixed(2))
    with pytest.raises(OptionError, match="width 5 is not stored"):
        judge.scores(Schedule.fixed(5))


def test_a_step_reads_the_planes_of_its_width(tmp_path: Path) -> None:
    graph, scheme = decoder(layers=1), Nested(2, 4, 4)
    units = [u for u in units_of(graph) if "layers" in u.name]
    sizes = [(u.use.rows, u.use.columns) for u in units]
    weights = {u.name: random_packed(scheme, *size) for u, size in zip(units, sizes, strict=True)}
    found = step_bytes(with_packed(graph, weights, tmp_path))
    for width in (2, 3, 4):
        assert found.nested[width] == sum(scheme.read_bytes(*size, width) for size in sizes)
    # Keys and values of 2 heads, each 8 wide, in fp16.
    assert found.cache_per_token == 2 * 2 * 8 * 2
    table = next(u for u in units_of(graph) if "embed" in u.name)
    assert found.other >= 2 * table.use.rows * table.use.columns
    schedule = Schedule(4, (Switch(0, 4), Switch(2, 2)))
    each = [found.step(4, 5), found.step(4, 6), found.step(2, 7), found.step(2, 8)]
    assert found.mean(schedule, 5, 4) == pytest.approx(sum(each) / 4)
    assert found.step(1, 0) == found.step(2, 0)

    wanted = (found.nested[3] + found.nested[2]) / 2
    sparse = sparse_of_bytes(graph, Lut(2, 4), wanted)
    taken = sum(sparse.stored_bytes(*size) for size in sizes)
    assert isinstance(sparse, Sparse)
    assert 0.97 * wanted < taken <= wanted


def test_the_note_comes_back_from_json() -> None:
    static = Schedule(4, (Switch(0, 4), Switch(42, 3), Switch(85, 2)))
    figures = (("uniform 4", Figure(Schedule.fixed(4), 4.0, 0.9, 0.8, 0.95)),)
    read = ((2, 2.5), (3, 3.25), (4, 4.0))
    note = Phases((2, 3, 4), 4, 3, static, 0.02, Measure.ROUGE, 128, 40, figures, "why not", read)
    text = json.dumps(note.to_json())
    assert Phases.from_json(json.loads(text)) == note
    assert json.loads(text)["mean_bits"] == static.mean_bits(128)
    assert json.loads(text)["effective_bits"] == round((42 * 4 + 43 * 3.25 + 43 * 2.5) / 128, 4)
    assert json.loads(text)["figures"]["uniform 4"]["effective_bits"] == 4
    older = {k: v for k, v in note.to_json().items() if k not in ("bits_read", "effective_bits")}
    found = Phases.from_json(older).effective_bits(static)
    assert found == pytest.approx(static.mean_bits(128), abs=1e-4)
