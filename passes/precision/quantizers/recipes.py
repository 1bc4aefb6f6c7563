"""The quantisers by name: which steps make the codes of a matrix."""

from dataclasses import dataclass
from typing import Literal

from optimum_compile.compiler.errors import OptionError

Range = Literal["minmax", "mse", "hessian"]


@dataclass(frozen=True)
class Routing:
    """How tokens count for the linears of an expert.

    weight: "gate", by the square of the expert's gate, with which its error enters the sum; or
    "routed", every token that is routed there alike. shrink: for each column so many tokens of the
    layer's mean are mixed in, since a Hessian needs about as many tokens as it has columns.

    On a small trained mixture (8 experts, 256 columns, 3 bits) with 1000 tokens of text the KL was
    0.068 without shrinking, 0.050 with 64 tokens, 0.047 with 256 and with 1024, and 0.048 by the
    layer's mean alone; with 4000 tokens 0.038, 0.040, 0.037, 0.038 and 0.041; with 16,000 tokens 0.035
    with one token a column, and 0.041 by the mean. Between the two weights there was no difference
    beyond noise; "gate" is what the error of the sum asks for.
    """

    weight: Literal["gate", "routed"] = "gate"
    shrink: float = 1.0


@dataclass(frozen=True)
class Recipe:
    """Steps, each of which may be left out.

    range: how scales (or tables) begin: the full range, the least squared error of the weights, or
    that error weighted with the mean squares of the inputs (the diagonal of the Hessian).
    feedback: GPTQ's error feedback. sweeps: coordinate descent over the codes after it.
    rounds: alternations of refitted scales or tables with more sweeps (LNQ).
    propagation: strength of QEP's correction for errors of earlier layers, 0 for none.
    guided: groups of output rows with a Hessian of their own, weighted with squared gradients
    (GuidedQuant); 0 for the plain Hessian. scaling: AWQ's channel scales before everything else.
    smoothing: QQQ's channel scales instead, for inputs that are rounded to int8.
    routing: what the experts of a mixture see.
    """

    range: Range = "mse"
    feedback: bool = False
    sweeps: int = 0
    rounds: int = 0
    propagation: float = 0.0
    guided: int = 0
    scaling: bool = False
    smoothing: bool = False
    routing: Routing = Routing()

    @property
    def needs_inputs(self) -> bool:
        """Whether it has to see activations."""
        weighs = self.range == "hessian" or self.propagation > 0 or self.guided > 0
        return self.feedback or self.scaling or self.smoothing or weighs

    @property
    def int8_inputs(self) -> bool:
        """Whether it is meant for targets that round the inputs of matrices to int8."""
        return self.smoothing


AUTO = "auto"  # the best that is measured; plain squared errors where there are no activations
LNQ_QEP = Recipe("hessian", feedback=True, sweeps=2, rounds=3, propagation=0.5)
RECIPES = {
    "rtn": Recipe("minmax"),
    "mse": Recipe("mse"),
    "weighted": Recipe("hessian"),
    "awq": Recipe("mse", scaling=True),
    "gptq": Recipe("mse", feedback=True),
    "gptq-weighted": Recipe("hessian", feedback=True),
    "gptq-sweeps": Recipe("hessian", feedback=True, sweeps=3),
    "qqq": Recipe("mse", feedback=True, smoothing=True),
    "lnq": Recipe("hessian", feedback=True, sweeps=2, rounds=3),
    "qep": LNQ_QEP,
    "awq-qep": Recipe("hessian", True, sweeps=2, rounds=3, propagation=0.5, scaling=True),
    "guided": Recipe("hessian", feedback=True, sweeps=2, rounds=3, guided=1),
    "guided-qep": Recipe("hessian", True, sweeps=2, rounds=3, propagation=0.5, guided=1),
    AUTO: LNQ_QEP,
}


def recipe_named(name: str) -> Recipe:
    """The recipe of that name. Raises OptionError naming the known ones."""
    if name not in RECIPES:
        raise OptionError(f"quantizer {name!r}: expected one of {', '.join(RECIPES)}")
    return RECIPES[name]
