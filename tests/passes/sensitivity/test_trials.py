"""What trials are looked at as."""

from pathlib import Path

import numpy as np
from support.graphs import decoder
from support.packed import random_packed

from optimum_compile.compiler.quant.nested import at_width
from optimum_compile.compiler.quant.scheme import Lut, Nested
from optimum_compile.passes.precision.problem import make_problem
from optimum_compile.passes.precision.units import units_of
from optimum_compile.passes.sensitivity.trials import Trials


def test_nested_trials_are_whole_or_their_narrowest_palette(tmp_path: Path) -> None:
    graph = decoder(layers=1)
    unit = next(u for u in units_of(graph) if "q_proj" in u.name)
    schemes = (Nested(2, 4, 4), Nested(3, 4, 4), Lut(4, 4))
    problem = make_problem(graph, [unit], (), {}, schemes={unit.name: schemes})
    whole = Trials(graph, problem, tmp_path)
    made = {s: random_packed(s, unit.use.rows, unit.use.columns) for s in schemes}
    for packed in made.values():
        whole.add(unit.name, packed)
    whole.save()
    narrow = Trials(graph, problem, tmp_path, narrowest=True)
    for scheme, packed in made.items():
        full = packed.dequantize()
        np.testing.assert_array_equal(whole.rounded(unit.name, scheme), full)
        seen = narrow.rounded(unit.name, scheme)
        if isinstance(scheme, Lut):
            np.testing.assert_array_equal(seen, full)
        else:
            expected = at_width(packed, scheme.seed_bits).dequantize()
            np.testing.assert_array_equal(seen, expected)
            assert not np.array_equal(seen, full)
