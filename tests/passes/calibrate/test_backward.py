import pytest
import torch
from support.graphs import Builder, mlp

from optimum_compile.compiler.ir.graph import Value
from optimum_compile.passes.calibrate.backward import pull_back, sampled_loss
from optimum_compile.passes.calibrate.segments import segments_of


@pytest.fixture
def x():
    return torch.randn(5, 8, generator=torch.Generator().manual_seed(0))


def entering(graph, x: torch.Tensor) -> dict[Value, torch.Tensor]:
    return {graph.inputs[0]: x.clone()}


def test_gradients_are_those_of_the_formula(x):
    graph = mlp()
    (segment,) = segments_of(graph)
    up, act, down = (node.output for node in graph.nodes)
    found = pull_back(
        graph,
        segment,
        entering(graph, x),
        {"n": 5},
        lambda out: out.square().sum(),
        [up, down],
        wanted=[act],
    )
    w1, b1, w2 = (
        torch.from_numpy(graph.weights[n].weight.load())
        for n in ("up.weight", "up.bias", "down.weight")
    )
    before = x @ w1.T + b1
    last = 2 * before.relu() @ w2.T
    first = last @ w2 * (before > 0)
    torch.testing.assert_close(found.seen[act], before.relu())
    torch.testing.assert_close(found.outputs[down], last)
    torch.testing.assert_close(found.outputs[up], first)
    torch.testing.assert_close(found.entering["x"], first @ w1)
    assert not found.seen[act].requires_grad


def test_gradients_from_behind_go_on_where_they_left(x):
    graph = mlp()
    (segment,) = segments_of(graph)
    out = graph.outputs[0]
    given = torch.ones(5, 8)
    by_gradient = pull_back(graph, segment, entering(graph, x), {"n": 5}, {out.name: given}, [out])
    by_loss = pull_back(
        graph, segment, entering(graph, x), {"n": 5}, lambda logits: logits.sum(), [out]
    )
    torch.testing.assert_close(by_gradient.entering["x"], by_loss.entering["x"])
    torch.testing.assert_close(by_gradient.outputs[out], given)


def test_other_weights_may_be_used_instead(x):
    graph = mlp()
    (segment,) = segments_of(graph)
    zero = {graph.weights["down.weight"]: torch.zeros(8, 16)}
    found = pull_back(
        graph,
        segment,
        entering(graph, x),
        {"n": 5},
        lambda out: out.sum(),
        [graph.nodes[0].output],
        replace=zero,
    )
    assert not found.entering["x"].any()
    assert not found.outputs[graph.nodes[0].output].any()


def test_what_the_loss_does_not_read_has_no_gradient():
    b = Builder("two", n=(1, 8))
    x, y = b.input("x", "f32", "n", 2), b.input("y", "f32", "n", 2)
    kept, lost = b.op("relu", x), b.op("relu", y)
    graph = b.returns(kept, lost)
    (segment,) = segments_of(graph)
    values = {x: torch.ones(3, 2), y: torch.ones(3, 2)}
    found = pull_back(graph, segment, values, {"n": 3}, lambda out: out.sum(), [kept, lost])
    assert set(found.outputs) == {kept}
    assert set(found.entering) == {"x"}


def test_labels_are_drawn_from_the_prediction():
    p = torch.tensor([0.7, 0.2, 0.1])
    logits = p.log().expand(20000, 3).clone().requires_grad_()
    sampled_loss(logits, torch.Generator().manual_seed(0)).backward()
    drawn = (p - logits.grad).mean(0)  # the gradient is p less the label
    torch.testing.assert_close(drawn, p, rtol=0, atol=0.02)
