"""The form of each linear, in text."""

import pytest
from support.passes import check_pass

from optimum_compile.compiler.ir.records import note_classes
from optimum_compile.passes.fuse.notes import Form
from optimum_compile.passes.fuse.split_phases import SplitPhases

BODY = """
    graph "g" {{
      symbol seq in 1..9
      input %x : f32[{rows}, 4]
      weight @w : f32[4, 4] = unknown
      weight @v : f32[4, 4] = unknown
      %a = linear(%x, @w) : f32[{rows}, 4]{note}
      %b, %c = linears(%a, @w, _, @v, _) : f32[{rows}, 4], f32[{rows}, 4]{note}
      %d = add(%b, %c) : f32[{rows}, 4]
      %e = linear_add(%d, @w, _, %a) : f32[{rows}, 4]{note}
      return %e
    }}
"""


@pytest.mark.parametrize(
    ("rows", "kind"),
    [("1, 1", "VECTOR"), ("1, seq", "MATRIX"), ("1, 64", "MATRIX"), ("2, 1", "MATRIX")],
)
def test_one_row_is_a_vector_and_more_are_a_matrix(rows: str, kind: str) -> None:
    note = f" with Form{{kind = FormKind.{kind}}}"
    after = BODY.format(rows=rows, note=note)
    check_pass(SplitPhases(), BODY.format(rows=rows, note=""), after, notes=note_classes(Form))
