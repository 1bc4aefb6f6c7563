"""Vector tables in a program: run by the packed operators, a shared codebook stored once."""

from pathlib import Path

import pytest
from support.emission import Emitted, compared, emitted, with_schemes
from support.graphs import decoder

from optimum_compile.backends.base import Tolerance, WeightUse
from optimum_compile.backends.executorch.backend import BACKEND
from optimum_compile.compiler.package.describe import predicted_bytes
from optimum_compile.compiler.quant.scheme_text import parse_scheme

pytestmark = pytest.mark.executorch
FORMS = ["vec8x4", "vec8x4:g16@u4,shared", "vec7x2:g16@u6"]


def emission(form: str, work: Path) -> Emitted:
    graph = with_schemes(decoder(layers=2, tied=True), {"": parse_scheme(form)}, work)
    return emitted(graph, work, BACKEND)


@pytest.mark.parametrize(
    "form", [FORMS[1], *(pytest.param(f, marks=pytest.mark.slow) for f in FORMS[::2])]
)
def test_a_decoder_gives_what_the_oracle_does(form: str, tmp_path: Path) -> None:
    made = emission(form, tmp_path)
    found = compared(made, Tolerance(max_rel_err=2e-4, min_top1=1.0))
    assert found.ok, found.reason
    # Of a shared codebook one copy is predicted; 15 would be 28 KiB more.
    assert abs(made.result.weight_bytes - predicted_bytes(made.graph, BACKEND)) <= 64


def test_ragged_columns_are_refused() -> None:
    verdict = BACKEND.supports_scheme(parse_scheme("vec8x4"), WeightUse("w", 8, 30, True, False))
    assert verdict.reason == "vectors of 4 do not divide 30 columns"
