"""Every sensitivity method by name."""

from collections.abc import Callable

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.passes.sensitivity.activation import Activation
from optimum_compile.passes.sensitivity.combined import Combined
from optimum_compile.passes.sensitivity.hessian import Hessian
from optimum_compile.passes.sensitivity.kl import KlDivergence, PerplexityDelta
from optimum_compile.passes.sensitivity.lsaq import Lsaq, stream_of
from optimum_compile.passes.sensitivity.mopeq import Mopeq, require_experts
from optimum_compile.passes.sensitivity.setting import Method
from optimum_compile.passes.sensitivity.taylor import Taylor
from optimum_compile.passes.sensitivity.weights import Weights

METHODS: dict[str, Callable[[], Method]] = {
    "activation": Activation,
    "combined": Combined,
    "hessian": Hessian,
    "kl": KlDivergence,
    "lsaq": Lsaq,
    "mopeq": Mopeq,
    "perplexity": PerplexityDelta,
    "taylor": Taylor,
    "weights": Weights,
}


def method_named(name: str) -> Method:
    """The method of that name, with its default options. Raises OptionError for an unknown one."""
    made = METHODS.get(name)
    if made is None:
        raise OptionError(f"sensitivity {name!r}: expected one of {', '.join(sorted(METHODS))}")
    return made()


def require_suitable(method: Method, graph: Graph) -> None:
    """Raise a UserError before any work where a method cannot be for this kind of model."""
    if isinstance(method, Mopeq):
        require_experts(graph)
    if isinstance(method, Lsaq):
        stream_of(graph)
