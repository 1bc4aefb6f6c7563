"""The note of a model: what was decided, by figures of the texts it was decided with."""

from pathlib import Path

import numpy as np
import pytest
from support.graphs import decoder
from support.packed import random_packed, with_packed

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.quant.scheme import Nested
from optimum_compile.passes.phase.batched import BatchedEngine
from optimum_compile.passes.phase.decide import Wish, decide
from optimum_compile.passes.phase.judge import Measure, Reference, make_reference
from optimum_compile.passes.phase.notes import Phases
from optimum_compile.passes.precision.units import units_of


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> tuple[BatchedEngine, Reference]:
    graph, work = decoder(), Path(tmp_path_factory.mktemp("weights"))
    units = [u for u in units_of(graph) if "layers" in u.name]
    weights = {u.name: random_packed(Nested(2, 4, 4), u.use.rows, u.use.columns) for u in units}
    engine = BatchedEngine(with_packed(graph, weights, work))
    prompts = np.random.default_rng(0).integers(0, 50, (4, 6))
    return engine, make_reference(engine, prompts, 12)


def test_no_loss_allowed_keeps_every_bit(subject: tuple[BatchedEngine, Reference]) -> None:
    note = decide(*subject, Wish(Measure.KL, 0.0))
    assert (note.prefill, note.decode) == (4, 4)
    assert str(note.static) == "prefill 4, decode 4@0"
    assert note.remark == "every narrower schedule loses more than 0"
    figures = dict(note.figures)
    assert figures["static"].mean_bits == 4
    assert figures["uniform 2"].quality < figures["uniform 4"].quality
    assert Phases.from_json(note.to_json()) == note


def test_any_loss_allowed_keeps_the_least(subject: tuple[BatchedEngine, Reference]) -> None:
    note = decide(*subject, Wish(Measure.ROUGE, 2.0))
    assert (note.prefill, note.decode) == (2, 2)
    assert str(note.static) == "prefill 4, decode 2@0"
    assert note.remark == ""


def test_what_lies_between_is_within_epsilon(subject: tuple[BatchedEngine, Reference]) -> None:
    everything = dict(decide(*subject, Wish(Measure.KL, 0.0)).figures)
    lost = everything["uniform 4"].quality - everything["uniform 2"].quality
    note = decide(*subject, Wish(Measure.KL, lost / 3, points=5))
    figures = dict(note.figures)
    assert figures["static"].quality >= figures["uniform 4"].quality - lost / 3
    assert 2 < figures["static"].mean_bits < 4
    assert (note.texts, note.length) == (4, 12)


def test_progress_begins_at_nothing_and_ends_with_everything(
    subject: tuple[BatchedEngine, Reference],
) -> None:
    told: list[tuple[int, int]] = []
    decide(*subject, Wish(Measure.KL, 0.0), lambda done, total: told.append((done, total)))
    (total,) = {most for _, most in told}
    assert told[0] == (0, total)
    assert told[-1] == (total, total)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert max(done for done, _ in told[:-1]) <= total


def test_what_is_refused(subject: tuple[BatchedEngine, Reference]) -> None:
    with pytest.raises(OptionError, match="epsilon=-1"):
        Wish(epsilon=-1)
    single = BatchedEngine(decoder())
    with pytest.raises(OptionError, match="a schedule needs two"):
        decide(single, subject[1])
