"""Of a nested weight a Core ML program has the widest palette, and counts its bytes as such."""

from pathlib import Path

import pytest
from support.emission import compared, emitted
from support.graphs import decoder
from support.packed import random_packed, with_packed

from optimum_compile.backends.base import Tolerance, WeightUse
from optimum_compile.backends.coreml.backend import BACKEND
from optimum_compile.backends.coreml.schemes import stored_bytes, supports_scheme
from optimum_compile.compiler.package.describe import predicted_bytes
from optimum_compile.compiler.quant.scheme import Lut, Nested
from optimum_compile.passes.precision.units import units_of

USE = WeightUse("w", 64, 96, True, False)


def test_bytes_are_those_of_the_palette_that_is_stored() -> None:
    for nested, palette in ((Nested(2, 4, 8), Lut(4, 8)), (Nested(1, 6), Lut(6))):
        assert supports_scheme(nested, USE).ok
        assert stored_bytes(nested, USE) == stored_bytes(palette, USE)


@pytest.mark.parametrize(
    ("scheme", "reason"),
    [
        (Nested(2, 5), "tables have 1, 2, 3, 4, 6 or 8 bits, not 5"),
        (Lut(7), "tables have 1, 2, 3, 4, 6 or 8 bits, not 7"),
        (Nested(2, 4, 7), "7 rows a table do not divide 64 rows"),
    ],
)
def test_what_no_palette_holds_is_refused(scheme: Nested, reason: str) -> None:
    verdict = supports_scheme(scheme, USE)
    assert not verdict.ok
    assert reason in verdict.reason


@pytest.mark.coreml
def test_a_decoder_of_nested_weights_agrees_with_the_oracle(tmp_path: Path) -> None:
    graph = decoder(layers=1, tied=True)
    weights = {
        u.name: random_packed(Nested(2, 4, 2), u.use.rows, u.use.columns, at)
        for at, u in enumerate(units_of(graph))
    }
    made = emitted(with_packed(graph, weights, tmp_path), tmp_path, BACKEND)
    verdict = compared(made, Tolerance(max_rel_err=1e-2))
    assert verdict.ok, verdict.reason
    # The last blob is not padded.
    assert 0 <= predicted_bytes(made.graph, BACKEND) - made.result.weight_bytes < 64
