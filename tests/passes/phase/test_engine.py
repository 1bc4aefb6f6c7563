"""Many texts at once compute what the oracle does with each, at every width and in any order."""

from pathlib import Path

import numpy as np
import pytest
import torch
from support.graphs import decoder
from support.hf import experts_folder
from support.packed import random_packed, with_packed

from optimum_compile.compiler.errors import InputError, OptionError, UnsupportedError
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.nested import at_width
from optimum_compile.compiler.quant.scheme import Nested
from optimum_compile.compiler.schedule import Schedule, Switch
from optimum_compile.passes.phase.batched import ONLY_WIDTH, BatchedEngine
from optimum_compile.passes.phase.engine import follow, generate, log_softmax, spans
from optimum_compile.passes.precision.notes import Quantized
from optimum_compile.passes.precision.units import units_of

SCHEDULE = Schedule(4, (Switch(0, 3), Switch(4, 2)))


def nested(graph: Graph, work: Path, scheme: Nested | None = None) -> Graph:
    """The linears of the blocks nested, everything else as it was."""
    scheme = scheme or Nested(2, 4, 4)
    units = [u for u in units_of(graph) if "layers" in u.name]
    weights = {u.name: random_packed(scheme, u.use.rows, u.use.columns) for u in units}
    return with_packed(graph, weights, work)


def oracle(graph: Graph, tokens: np.ndarray, parts: list[tuple[int, int]]) -> np.ndarray:
    """Logits (n, vocab) of one text in calls of (tokens, width)."""
    states, past, found = None, 0, []
    for count, width in parts:
        slices = {}
        for name, value in graph.weights.items():
            note = value.notes.get(Quantized)
            if note is not None and isinstance(note.scheme, Nested):
                data = at_width(note.load(), width).dequantize()
                slices[name] = torch.from_numpy(np.array(data, np.float32))
        call = {"tokens": tokens[None, past : past + count], "past": np.array([past])}
        done = run(graph, call, states, weights="quantized", replace_weights=slices)
        states, past = done.states, past + count
        found.append(done.outputs[0][0].numpy())
    return np.concatenate(found)


@pytest.fixture(params=["dense", "window", "experts"])
def graph(request: pytest.FixtureRequest, tmp_path: Path) -> Graph:
    if request.param == "experts":
        made = open_model(experts_folder(tmp_path / "model"), context=24).graph
    else:
        made = decoder(window=5 if request.param == "window" else 0, vocab=64)
    return nested(made, tmp_path / "weights")


def test_each_text_of_a_batch_is_what_the_oracle_makes_of_it(graph: Graph) -> None:
    rng = np.random.default_rng(1)
    tokens = rng.integers(0, 40, (3, 12))
    parts = [(6, 4), (1, 4), (1, 3), (2, 3), (1, 2), (1, 4)]
    engine = BatchedEngine(graph)
    assert tuple(engine.widths) == (2, 3, 4)
    engine.start(3)
    past, found = 0, []
    for count, width in parts:
        found.append(engine.feed(tokens[:, past : past + count], width))
        past += count
    for text, row in zip(tokens, np.concatenate(found, axis=1), strict=True):
        wanted = oracle(graph, text, parts)
        np.testing.assert_allclose(row, wanted, atol=2e-5 * np.abs(wanted).max())


def test_steps_of_one_width_taken_together_are_steps_one_by_one(tmp_path: Path) -> None:
    engine = BatchedEngine(nested(decoder(), tmp_path))
    rng = np.random.default_rng(2)
    prompts, answers = rng.integers(0, 50, (2, 7)), rng.integers(0, 50, (2, 9))
    together = follow(engine, prompts, answers, SCHEDULE)
    engine.start(2)
    rows = [engine.feed(prompts, 4)[:, -1:]]
    for at in range(8):
        rows.append(engine.feed(answers[:, at : at + 1], SCHEDULE.width_at(at)))
    np.testing.assert_allclose(together, log_softmax(np.concatenate(rows, axis=1)), atol=1e-5)
    assert list(spans(SCHEDULE, 8)) == [(0, 4, 3), (4, 8, 2)]
    assert list(spans(SCHEDULE, 3)) == [(0, 3, 3)]
    assert list(spans(SCHEDULE, 0)) == []


def test_generated_tokens_are_the_likeliest_behind_those_before(tmp_path: Path) -> None:
    engine = BatchedEngine(nested(decoder(), tmp_path))
    prompts = np.random.default_rng(3).integers(0, 50, (3, 6))
    made = generate(engine, prompts, 8, SCHEDULE, confidence=True)
    known = follow(engine, prompts, made.tokens, SCHEDULE)
    np.testing.assert_array_equal(known.argmax(axis=2), made.tokens)
    assert made.confidence is not None
    np.testing.assert_allclose(made.confidence, np.exp(known.max(axis=2)), rtol=1e-4)
    assert generate(engine, prompts, 8, SCHEDULE).confidence is None


def test_the_original_weights_have_one_width(tmp_path: Path) -> None:
    graph = nested(decoder(), tmp_path)
    engine = BatchedEngine(graph, original=True)
    assert tuple(engine.widths) == (ONLY_WIDTH,)
    tokens = np.arange(10)[None]
    engine.start(1)
    wanted = run(graph, {"tokens": tokens, "past": np.array([0])}).outputs[0].numpy()
    np.testing.assert_allclose(engine.feed(tokens, ONLY_WIDTH), wanted, atol=1e-4)


def test_weights_with_fewer_widths_are_read_at_the_nearest(tmp_path: Path) -> None:
    graph = decoder(layers=1)
    names = [u for u in units_of(graph) if "layers" in u.name]
    weights = {
        u.name: random_packed(Nested(3, 4) if at % 2 else Nested(2, 3), u.use.rows, u.use.columns)
        for at, u in enumerate(names)
    }
    engine = BatchedEngine(with_packed(graph, weights, tmp_path))
    tokens = np.arange(8)[None]
    found = {}
    for width in engine.widths:
        engine.start(1)
        found[width] = engine.feed(tokens, width)
    assert sorted(found) == [2, 3, 4]
    assert not np.array_equal(found[2], found[3])
    assert not np.array_equal(found[3], found[4])


def test_what_an_engine_refuses(tmp_path: Path) -> None:
    graph = nested(decoder(context=10), tmp_path)
    engine = BatchedEngine(graph)
    engine.start(2)
    with pytest.raises(OptionError, match="width 5: expected one of 2, 3, 4"):
        engine.feed(np.zeros((2, 3), np.int64), 5)
    with pytest.raises(InputError, match="expected 2 rows"):
        engine.feed(np.zeros((3, 3), np.int64), 4)
    with pytest.raises(InputError, match="do not fit the context of 10"):
        engine.feed(np.zeros((2, 11), np.int64), 4)
    node = next(n for n in graph.nodes if n.op == "permute")
    node.attrs["perm"] = (1, 0, 2, 3)
    with pytest.raises(UnsupportedError, match="keep the texts of a batch apart"):
        BatchedEngine(graph)
