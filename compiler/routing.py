"""How decided the routing of a mixture of experts is: cases must not hang on two that are nearly tied."""

import math
from collections.abc import Callable, Iterable

from torch import Tensor

from optimum_compile.backends.base import DECISIVE_MARGIN, Case
from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.graph import Graph, Node, Value


class RoutingMargin:
    """An observer of `interpret.run` that keeps the least routing margin of all it has seen.

    The margin of a position is the difference between the k-th and the (k+1)-th greatest router logit,
    as a part of the standard deviation of the position's logits: 0 is a tie. `least` is infinite as long
    as nothing was routed; routes over all experts and over inputs of the graph are not looked at.
    """

    def __init__(self, graph: Graph) -> None:
        self.least = math.inf
        self._top_k: dict[Value, set[int]] = {}
        for node in graph.nodes:
            if node.op == "route":
                top_k = node.attrs["top_k"]
                if not isinstance(top_k, int):
                    raise InternalError(f"{node!r} at {node.origin}: top_k {top_k!r} is no number")
                self._top_k.setdefault(node.input(0), set()).add(top_k)

    @property
    def routes(self) -> bool:
        """Whether the graph routes at all."""
        return bool(self._top_k)

    def __call__(self, node: Node, outputs: tuple[Tensor, ...]) -> None:
        """See `interpret.Observe`."""
        for value, logits in zip(node.outputs, outputs, strict=True):
            for top_k in self._top_k.get(value, ()):
                self.least = min(self.least, least_margin(logits, top_k))


def least_margin(logits: Tensor, top_k: int) -> float:
    """The least margin over the positions of router logits (..., experts); infinite without a choice."""
    if logits.shape[-1] <= top_k or not logits.numel():
        return math.inf
    ordered = logits.detach().sort(dim=-1, descending=True).values
    gaps = ordered[..., top_k - 1] - ordered[..., top_k]
    spread = logits.detach().std(dim=-1, correction=0)
    return float((gaps / spread.clamp_min(1e-30)).min())  # equal logits: 0 of anything


def most_decided(candidates: Iterable[Callable[[], Case]]) -> Case:
    """The first case whose margin is decisive, or else the one of the greatest margin, the first of equals.

    Candidates after a decisive one are never made. Raises InternalError without candidates.
    """
    best: Case | None = None
    for make in candidates:
        case = make()
        if best is None or case.margin > best.margin:
            best = case
        if best.margin >= DECISIVE_MARGIN:
            break
    if best is None:
        raise InternalError("a case without candidates")
    return best
