import numpy as np
import pytest
import torch
from support.graphs import decoder
from support.trials import small_setting

from optimum_compile.passes.sensitivity.differences import differences, zero_scores


@pytest.fixture(scope="module")
def trials(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trials")
    return small_setting(decoder(layers=1), folder, ("lut4:r8", "int4:g16", "f32")).trials


@pytest.mark.parametrize("limit", [1, 3 * 32 * 20, 1 << 20])
def test_runs_of_rows_cover_the_weight_and_keep_tables_whole(trials, limit):
    for unit in trials.problem.units:
        original = trials.original(unit.name)
        runs = list(differences(trials, unit, limit))
        assert [r.begin for r in runs[1:]] == [r.end for r in runs[:-1]]
        assert all(r.begin % 8 == 0 for r in runs)
        assert limit > 1 or runs[0].end == 8
        np.testing.assert_array_equal(torch.cat([r.weight for r in runs]).numpy(), original)
        for choice in unit.choices:
            if str(choice.scheme) == "f32":
                continue
            change = torch.cat([r.changes[str(choice.scheme)] for r in runs]).numpy()
            np.testing.assert_array_equal(
                change, original - trials.rounded(unit.name, choice.scheme)
            )


def test_what_changes_nothing_is_left_out(trials):
    for rows in differences(trials, trials.problem.units[0]):
        assert set(rows.changes) == {"lut4:r8", "int4:g16"}
    assert set(zero_scores(trials.problem)[trials.problem.units[0].name].values()) == {0.0}
