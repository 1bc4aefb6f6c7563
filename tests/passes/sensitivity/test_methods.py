"""What every method of this folder owes: all units and choices, finite, the same each time."""

import math
from dataclasses import is_dataclass, replace

import pytest
from support.graphs import decoder
from support.hf import experts_folder
from support.trials import WINDOWS, small_setting

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.passes.sensitivity.methods import METHODS, method_named

HERE = ("activation", "combined", "hessian", "taylor", "weights")


@pytest.fixture(scope="module")
def setting(tmp_path_factory):
    return small_setting(decoder(layers=2), tmp_path_factory.mktemp("trials"))


def test_names_are_those_of_the_table():
    assert set(HERE) < set(METHODS)
    for name in METHODS:
        method = method_named(name)
        assert method.name == name
        assert method.quantity
        assert is_dataclass(method)
    with pytest.raises(OptionError, match="sensitivity 'magic': expected one of activation, "):
        method_named("magic")


@pytest.mark.parametrize("name", HERE)
def test_every_unit_has_every_choice_and_the_same_numbers_each_time(setting, name):
    told = []
    watched = replace(setting, progress=lambda *what: told.append(what))
    found = method_named(name).measure(watched)
    again = method_named(name).measure(setting)
    assert again == found
    problem = setting.trials.problem
    assert list(found.scores) == [u.name for u in problem.units]
    for unit in problem.units:
        row = found.scores[unit.name]
        assert set(row) == {str(c.scheme) for c in unit.choices}
        assert all(math.isfinite(n) for n in row.values())
        assert abs(row["f16"]) < 5e-3 * abs(row["int2:g16"])
    assert told
    assert all(0 <= done <= total for _, done, total in told)
    assert not [p for p in setting.trials.folder.iterdir() if p.name.startswith("sweep-")]


@pytest.mark.parametrize("name", ["activation", "combined", "weights"])
def test_fewer_bits_harm_more(setting, name):
    for row in method_named(name).measure(setting).scores.values():
        assert row["int2:g16"] > row["int4:g16"] > row["f16"] >= 0


@pytest.mark.parametrize("name", ["combined", "weights"])
def test_another_seed_draws_anew(setting, name):
    found = method_named(name).measure(setting)
    assert method_named(name).measure(replace(setting, seed=1)).scores != found.scores


@pytest.mark.parametrize("name", HERE)
def test_a_mixture_has_its_experts_and_routers(tmp_path_factory, name):
    folder = tmp_path_factory.mktemp("moe")
    graph = open_model(experts_folder(folder / "model")).graph
    setting = small_setting(graph, folder / "trials", ("int2:g16", "f16"), WINDOWS[:2])
    method = replace(method_named(name), probes=1) if name == "hessian" else method_named(name)
    found = method.measure(setting).scores
    routers = [u for u in setting.trials.problem.units if u.unit.routes]
    assert routers
    experts = [n for n in found if "expert" in n]
    assert experts
    assert any(found[n]["int2:g16"] > 0 for n in experts)
