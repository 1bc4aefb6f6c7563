from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from optimum_compile.passes.stages.blocks import block_index
from optimum_compile.passes.stages.cut import block_runs, join_runs

CLASSES = ["INT8", "INT4", "INT2", "FP16"]


def elements(names):
    return {i: Counter({name: 10}) for i, name in enumerate(names)}


def test_equal_neighbours_form_one_run():
    runs = block_runs(elements(["INT8", "INT4", "INT4", "INT2"]), 4)
    assert [(name, span) for name, span, _ in runs] == [
        ("INT8", (0, 0)),
        ("INT4", (1, 2)),
        ("INT2", (3, 3)),
    ]


def test_joining_misnames_the_fewest_weights():
    sizes = {0: Counter(INT8=9), 1: Counter(INT4=1), 2: Counter(INT8=9), 3: Counter(INT2=9)}
    runs = join_runs(block_runs(sizes, 4), 2)
    assert [(name, span) for name, span, _ in runs] == [("INT8", (0, 2)), ("INT2", (3, 3))]


@given(names=st.lists(st.sampled_from(CLASSES), min_size=1, max_size=30), limit=st.integers(1, 6))
def test_runs_cover_the_blocks_in_order(names, limit):
    runs = join_runs(block_runs(elements(names), len(names)), limit)
    assert len(runs) <= limit
    covered = [b for _, (first, last), _ in runs for b in range(first, last + 1)]
    assert covered == list(range(len(names)))


def test_a_block_without_weights_joins_its_neighbour():
    runs = block_runs({1: Counter(INT4=5)}, 3)
    assert [(name, span) for name, span, _ in runs] == [("INT4", (0, 2))]


def test_block_index_is_the_first_number_of_the_path():
    assert block_index("model.layers.12.mlp.experts.3.up") == 12
    assert block_index("model.norm") is None
    assert block_index("0") == 0
