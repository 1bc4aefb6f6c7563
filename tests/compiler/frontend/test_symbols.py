"""Symbolic sizes are read by hand: what torch writes comes back, anything else is refused."""

import time

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._sympy.functions import FloorDiv

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.frontend.symbols import MAX_CHARS, parse_srepr
from optimum_compile.compiler.ir.shape import Dim, evaluate, format_dim, parse_dim, symbols_of


def srepr_symbol(name: str) -> sympy.Symbol:
    return sympy.Symbol(name, integer=True, positive=True)


S0, S1 = srepr_symbol("s0"), srepr_symbol("s1")


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (sympy.Integer(7), "7"),
        (S0, "seq"),
        (S0 + 1, "seq+1"),
        (2 * S0 - S1, "2*seq-s1"),
        (S0 * S1, "s1*seq"),
        (S0**2, "seq**2"),
        (FloorDiv(S0 + 3, 4), "(seq+3)//4"),
        (FloorDiv(S0, 2) * 2, "2*(seq//2)"),
        (3 * (S0 + 1) ** 2, "3*seq**2+6*seq+3"),
    ],
    ids=str,
)
def test_what_torch_writes_is_read(expression: sympy.Expr, text: str) -> None:
    assert parse_srepr(sympy.srepr(expression), {"s0": "seq"}) == parse_dim(text)


def test_a_constant_becomes_a_plain_number() -> None:
    found = parse_srepr("Add(Integer(2), Mul(Integer(-1), Integer(5)))", {})
    assert found == -3
    assert type(found) is int


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("__import__('os').system('touch owned')", 'unexpected ".system(\'tou"'),
        ("__import__('os')", "expected a term, found \"'os'\""),
        ("Symbol('s0').__class__.__bases__", "unexpected '.__class__._'"),
        ("Symbol('s0', __import__('os'))", "unexpected ')'"),
        ("exec('1')", "expected a term, found \"'1'\""),
        ("eval(Symbol('a'))", "eval is not supported"),
        ("lambda: 0", "unexpected ': 0'"),
        ("[1 for _ in (1,)]", "unexpected '[1 for _ in '"),
        ("open('/etc/passwd')", 'unexpected "\'/etc/passwd"'),
        ("Symbol('a\\'b')", "unexpected \"'a\\\\'b')\""),
        ("Symbol('a b')", "unexpected \"'a b')\""),
        ("Symbol(s0)", "a symbol has no name"),
        ("Symbol('" + "a" * 65 + "')", 'unexpected "\'aaaaaaaaaaa"'),
        ("Symbol('s0'", "a parenthesis is not closed"),
        ("Symbol('s0', (((", "a parenthesis is not closed"),
        ("Add(1, 2", "a parenthesis is not closed"),
        ("Add()", "Add has no arguments"),
        ("Pow()", "Pow has no arguments"),
        ("Integer()", "Integer has no arguments"),
        ("Integer(1, 2)", "Integer is not supported"),
        ("", "expected a term, found ''"),
        (",", "expected a term, found ','"),
        ("1 2", "unexpected '2'"),
        ("1.5", "unexpected '.5'"),
        ("1" * 19, "unexpected '1'"),
        ("Integer(\N{ARABIC-INDIC DIGIT THREE})", "unexpected '\N{ARABIC-INDIC DIGIT THREE})'"),
        ("Abs(Symbol('a'))", "Abs is not supported"),
        ("FloorDiv(Symbol('a'), 0)", "FloorDiv is not supported"),
        ("FloorDiv(Symbol('a'), Add(1, -1))", "FloorDiv is not supported"),
        ("Pow(Symbol('a'), -1)", "Pow is not supported"),
        ("Pow(Symbol('a'), Symbol('b'))", "Pow is not supported"),
        ("Pow(Symbol('a'), 9)", "Pow is not supported"),
    ],
)
def test_anything_else_is_refused_and_nothing_runs(text: str, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_srepr(text, {})
    assert str(caught.value) == f"symbolic size {text[:80]!r}: {reason}"
    assert caught.value.exit_code == 3


def nested(text: str, times: int) -> str:
    return f"{'Pow(' * times}{text}{', 8)' * times}"


SUM = ",".join(f"Symbol('a{i}')" for i in range(60))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Symbol('a')" + " " * MAX_CHARS, f"of {MAX_CHARS + 11} characters: at most {MAX_CHARS}"),
        ("Add(" * 40 + "1" + ")" * 40, "nested more than 32 deep"),
        (nested("9" * 18, 12), "a number above 2**63"),
        (nested("Symbol('a')", 12), "a power above 8"),
        (f"Pow(Add({SUM}), 8)", "more than 64 terms"),
        (f"Mul({','.join(['Add(Symbol(chr),1)'] * 20)})".replace("chr", "'a'"), "more than 64 terms"),
        (f"Add({SUM},{SUM})".replace("'a", "'b", 60), "more than 64 terms"),
    ],
    ids=["long", "deep", "number", "power", "power of a sum", "product of sums", "sum"],
)  # fmt: skip
def test_a_short_text_cannot_grow_into_a_huge_expression(text: str, reason: str) -> None:
    begin = time.perf_counter()
    with pytest.raises(InputError) as caught:
        parse_srepr(text, {})
    assert reason in str(caught.value)
    assert time.perf_counter() - begin < 2


def _combine(inner: st.SearchStrategy[sympy.Expr]) -> st.SearchStrategy[sympy.Expr]:
    whole = st.integers(1, 9).map(sympy.Integer)
    return (
        st.builds(lambda a, b: a + b, inner, inner)
        | st.builds(lambda a, b: a * b, inner, whole)
        | st.builds(FloorDiv, inner, whole)
    )


expressions = st.recursive(
    st.sampled_from([S0, S1]) | st.integers(0, 100).map(sympy.Integer), _combine, max_leaves=5
)


@settings(max_examples=150, deadline=None)
@given(expressions, st.integers(1, 50), st.integers(1, 50))
def test_an_expression_keeps_its_value(expression: sympy.Expr, first: int, second: int) -> None:
    found = parse_srepr(sympy.srepr(expression), {"s0": "seq"})
    bindings = {"seq": first, "s1": second}
    assert evaluate(found, bindings) == int(expression.subs({S0: first, S1: second}))
    assert parse_dim(format_dim(found)) == found


_words = st.sampled_from(
    "Symbol( Add( Mul( Pow( FloorDiv( Integer( 's0' ' ( ) , = 0 1 -1 8 99999 integer True".split()
)


@settings(max_examples=500, deadline=None)
@given(st.lists(_words, max_size=12).map(" ".join) | st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    found: Dim | None
    try:
        found = parse_srepr(text, {})
    except InputError:
        found = None
    assert found is None or symbols_of(found) <= {"s0"}
