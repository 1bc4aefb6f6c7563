"""The backward pass through one block for one sample, from the gradients of what leaves it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from optimum_compile.compiler.interpret import WeightCache, run_nodes
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.passes.calibrate.segments import Segment

Loss = Callable[[Tensor], Tensor]  # of the graph's first output, a number


@dataclass(frozen=True)
class Pulled:
    """Gradients of the loss: at the outputs that were watched, and by name of what enters the block.

    seen: the values that were asked for, as the forward pass computed them.
    """

    outputs: dict[Value, Tensor]
    entering: dict[str, Tensor]
    seen: dict[Value, Tensor]


def pull_back(
    graph: Graph,
    segment: Segment,
    values: Mapping[Value, Tensor],
    symbols: Mapping[str, int],
    behind: Loss | Mapping[str, Tensor],
    watched: Collection[Value],
    *,
    wanted: Collection[Value] = (),
    cache: WeightCache | None = None,
    replace: Mapping[Value, Tensor] | None = None,
) -> Pulled:
    """Run a block forward from `values`, which enter it, and backward.

    `behind` is the loss where the block is the last, otherwise the gradients of what leaves it, by
    name. What has no gradient is left out.
    """
    watching = set(watched)
    made: dict[Value, Tensor] = {}

    def observe(node: Node, outputs: tuple[Tensor, ...]) -> None:
        # What depends on nothing that has gradients (the looked-up tokens) begins a path of its own.
        if outputs[0].is_floating_point() and not outputs[0].requires_grad:
            outputs[0].requires_grad_()
        if node.outputs[0] in watching:
            outputs[0].retain_grad()
            made[node.outputs[0]] = outputs[0]

    for tensor in values.values():
        if tensor.is_floating_point():
            tensor.requires_grad_()
    found = run_nodes(
        graph,
        segment.nodes,
        values,
        symbols,
        (*segment.leaves, *wanted),
        observe=observe,
        cache=cache,
        gradients=True,
        replace=replace,
    )
    with torch.enable_grad():
        if callable(behind):
            behind(found[graph.outputs[0]]).backward()
        else:
            pairs = [
                (found[v], behind[v.name])
                for v in segment.leaves
                if v.name in behind and found[v].requires_grad
            ]
            torch.autograd.backward([t for t, _ in pairs], [g for _, g in pairs])
    return Pulled(
        {v: t.grad for v, t in made.items() if t.grad is not None},
        {v.name: t.grad for v, t in values.items() if t.grad is not None},
        {v: found[v].detach() for v in wanted},
    )


def sampled_loss(logits: Tensor, generator: torch.Generator) -> Tensor:
    """Cross entropy with labels drawn from the prediction itself, summed over tokens.

    Its squared gradients are those of the true Fisher information.
    """
    flat = logits.reshape(-1, logits.shape[-1])
    labels = torch.multinomial(flat.detach().softmax(-1), 1, generator=generator)[:, 0]
    return torch.nn.functional.cross_entropy(flat, labels, reduction="sum")
