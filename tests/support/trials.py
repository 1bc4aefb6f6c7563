"""A small problem with every trial made, for the tests of sensitivity methods."""

from collections.abc import Sequence
from pathlib import Path

from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.calibrate.propagate import decoder_samples
from optimum_compile.passes.precision.problem import make_problem
from optimum_compile.passes.precision.units import units_of
from optimum_compile.passes.sensitivity.rounding import round_all
from optimum_compile.passes.sensitivity.setting import Setting
from optimum_compile.passes.sensitivity.trials import Trials

SCHEMES = ("int2:g16", "int4:g16", "int8:channel", "f16")
WINDOWS = ([1, 2, 3, 4, 5, 6, 7, 8], [9, 8, 7], list(range(20, 34)))


def small_setting(
    graph: Graph,
    folder: Path,
    schemes: Sequence[str] = SCHEMES,
    windows: Sequence[Sequence[int]] = WINDOWS,
    names: Sequence[str] | None = None,
) -> Setting:
    """All units, or those of `names`, in `schemes`; trials by the full range, and text."""
    units = [u for u in units_of(graph) if names is None or u.name in names]
    proposed = {u.name: [parse_scheme(text) for text in schemes] for u in units}
    trials = Trials(graph, make_problem(graph, units, (), {}, schemes=proposed), folder)
    round_all(trials, "minmax")
    return Setting(graph, trials, decoder_samples(windows, 16))
