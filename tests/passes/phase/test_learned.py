"""The learned scheduler's network, its file, and the rules that it is compared with."""

import math

import numpy as np
import pytest
import torch

from optimum_compile.compiler.errors import InputError, OptionError
from optimum_compile.compiler.schedule import Schedule
from optimum_compile.passes.phase.choosers import Confidence, Fixed, Random, Seen
from optimum_compile.passes.phase.learned import Learned, Plan, shapes_of
from optimum_compile.passes.phase.learned_file import from_bytes, load, save, to_bytes

HEADS, WIDTH, VALUE_WIDTH, STEPS = 3, 8, 6, (0, 4, 8)


def plan(**other) -> Plan:
    said = {"prefill": 4, "high": 3, "low": 2, "steps": STEPS, "keys": "k", "values": "v"}
    return Plan(**said | other)


def network(seed: int = 0) -> Learned:
    rng = np.random.default_rng(seed)
    shapes = shapes_of(HEADS, WIDTH, VALUE_WIDTH, 5, len(STEPS))
    return Learned.rounded(plan(), {k: rng.standard_normal(s) for k, s in shapes.items()})


def seen(tokens: int = 7, seed: int = 0) -> Seen:
    rng = np.random.default_rng(seed)
    keys = rng.standard_normal((HEADS, tokens, WIDTH))
    return Seen(keys, rng.standard_normal((HEADS, tokens, VALUE_WIDTH)))


def test_the_network_is_attention_a_norm_and_two_layers():
    learned, given = network(), seen()
    t = {k: torch.from_numpy(v) for k, v in learned.tensors.items()}
    keys, values = (torch.from_numpy(x.astype(np.float32)) for x in (given.keys, given.values))
    taken = torch.nn.functional.scaled_dot_product_attention(t["query"][:, None], keys, values)
    x = torch.nn.functional.layer_norm(
        taken[:, 0].mean(0), (VALUE_WIDTH,), t["norm.weight"], t["norm.bias"]
    )
    wanted = t["out.weight"] @ (t["hidden.weight"] @ x + t["hidden.bias"]).relu() + t["out.bias"]
    assert learned.logits(given) == pytest.approx(wanted.numpy(), rel=1e-4, abs=1e-4)
    assert learned.choose(given) == STEPS[int(wanted.argmax())]


def test_one_token_is_enough_and_none_is_not():
    assert np.isfinite(network().logits(seen(1))).all()
    with pytest.raises(InputError, match="3 heads of 8 and 6 channels, and a token"):
        network().logits(seen(0))
    with pytest.raises(InputError, match="3 heads of 8"):
        network().logits(Seen(seen().values, seen().keys))


def test_the_file_holds_all_of_it(tmp_path):
    learned = network()
    save(learned, tmp_path / "schedule.safetensors")
    found = load(tmp_path / "schedule.safetensors")
    assert found.plan == learned.plan
    assert all(np.array_equal(found.tensors[k], v) for k, v in learned.tensors.items())
    assert to_bytes(found) == to_bytes(learned)
    assert [p.name for p in tmp_path.iterdir()] == ["schedule.safetensors"]


def test_it_is_safetensors(tmp_path):
    from safetensors.numpy import load_file

    save(network(), tmp_path / "schedule.safetensors")
    found = load_file(tmp_path / "schedule.safetensors")
    assert {k: v.shape for k, v in found.items()} == shapes_of(HEADS, WIDTH, VALUE_WIDTH, 5, 3)
    assert all(np.array_equal(v, network().tensors[k]) for k, v in found.items())


def test_deep_json_and_other_files_are_refused(tmp_path):
    deep = b"[" * 40000
    for text in (deep, b'{"a":1}', b"[]", b'{"__metadata__":{"format":1}}'):
        with pytest.raises(InputError):
            from_bytes(len(text).to_bytes(8, "little") + text)
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path)


@pytest.mark.parametrize(
    "other",
    [
        {"low": 3},
        {"prefill": 2},
        {"prefill": 9},
        {"low": 0},
        {"steps": (0,)},
        {"steps": (1, 2)},
        {"steps": (0, 3, 3)},
        {"steps": tuple(range(65))},
        {"steps": (0, 1 << 30)},
        {"keys": 'a"b'},
        {"model": "x" * 300},
    ],
)
def test_plans_that_cannot_be_are_refused(other):
    with pytest.raises(InputError):
        plan(**other)


def test_networks_of_other_shapes_or_odd_numbers_are_refused():
    tensors = dict(network().tensors)
    with pytest.raises(InputError, match=r"out\.bias"):
        Learned(plan(), tensors | {"out.bias": np.zeros(4, np.float32)})
    with pytest.raises(InputError, match="not finite"):
        Learned(plan(), tensors | {"out.bias": np.array([0, math.nan, 0], np.float32)})
    with pytest.raises(InputError):
        Learned(plan(), {})


def test_a_choice_is_a_schedule():
    assert plan().schedule(4) == Schedule.two(4, 3, 2, 4)
    assert plan().schedule(0) == Schedule.fixed(4, 2)
    assert plan().schedule(8) == Schedule.fixed(4, 3)  # the last step: never


def sure(*later: float) -> Seen:
    first = np.array([0.4, 0.6] * 5)  # mean 0.5, deviation 0.1
    return Seen(seen().keys, seen().values, np.array([*first, *later]))


def test_confidence_drops_at_the_first_token_that_is_surer_than_usual():
    rule = Confidence(16)
    assert rule.choose(sure(0.55, 0.59, 0.61, 0.2, 0.9)) == 12
    assert rule.choose(sure(0.55, 0.59)) == 16  # not yet
    assert rule.choose(Seen(sure().keys, sure().values, np.full(4, 0.9))) == 16
    assert Confidence(12).choose(sure(0.5, 0.5, 0.9)) == 12  # its length comes first
    # What follows the token changes nothing: the rule can be asked token by token.
    assert rule.choose(sure(0.61)) == rule.choose(sure(0.61, 0.99, 0.99)) == 10
    with pytest.raises(OptionError, match="probabilities"):
        rule.choose(seen())


def test_chance_takes_steps_as_often_as_it_is_told():
    given = seen()
    rule = Random.prior(STEPS, np.array([0, 0, 0, 2]), seed=3)
    taken = [rule.choose(given) for _ in range(4000)]
    assert taken.count(4) == 0
    assert taken.count(0) / 4000 == pytest.approx(0.75, abs=0.03)
    even = Random.uniform(STEPS, seed=1)
    assert {even.choose(given) for _ in range(100)} == set(STEPS)
    assert [Random.uniform(STEPS, 5).choose(given) for _ in range(2)] == [
        Random.uniform(STEPS, 5).choose(given)
    ] * 2
    assert Fixed(4).choose(given) == 4
    for shares in ([1, 1], [1, -1, 1], [0, 0, 0], [1, math.inf, 1]):
        with pytest.raises(OptionError):
            Random(STEPS, shares)
