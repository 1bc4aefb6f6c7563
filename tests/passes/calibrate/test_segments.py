import itertools

import numpy as np
import torch
from support.graphs import decoder, mlp

from optimum_compile.compiler.interpret import run, run_nodes
from optimum_compile.passes.calibrate.segments import nodes_before, readings_of, segments_of


def test_every_node_is_in_one_segment():
    graph = decoder(layers=3)
    segments = segments_of(graph)
    assert len(segments) == 3
    assert [n for s in segments for n in s.nodes] == list(graph.nodes)


def test_what_leaves_a_segment_enters_the_next():
    segments = segments_of(decoder(layers=3))
    for first, second in itertools.pairwise(segments):
        assert first.leaves == second.enters
    # The residual stream and the position: nothing else crosses.
    assert [len(s.enters) for s in segments] == [2, 2, 2]


def test_segments_in_a_row_compute_what_the_graph_computes():
    graph = decoder(layers=3)
    inputs = {"tokens": np.array([[3, 1, 4, 1, 5]]), "past": np.array([0])}
    expected = run(graph, inputs).outputs[0]
    values = {v: torch.from_numpy(inputs[v.name]) for v in graph.inputs}
    for segment in segments_of(graph):
        assert set(segment.enters) <= set(values)
        values = run_nodes(graph, segment.nodes, values, {"seq": 5}, segment.leaves)
    torch.testing.assert_close(values[graph.outputs[0]], expected, rtol=0, atol=0)


def test_linears_that_read_one_value_are_one_reading():
    readings = readings_of(segments_of(decoder(layers=2))[0])
    names = [[n.input(1).name.split(".")[-2] for n in r.linears] for r in readings]
    assert names == [
        ["q_proj", "k_proj", "v_proj"],
        ["o_proj"],
        ["gate_proj", "up_proj"],
        ["down_proj"],
    ]


def test_only_what_a_value_depends_on_runs_before_it():
    segment = segments_of(decoder(layers=2))[1]
    first = readings_of(segment)[0].source
    assert [n.op for n in nodes_before(segment, (first,))] == ["rms_norm"]
    assert nodes_before(segment, segment.enters[:1]) == ()


def test_a_module_without_blocks_is_one_segment():
    assert len(segments_of(mlp())) == 1
