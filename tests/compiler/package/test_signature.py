"""Shapes, ranges and guards travel with an artifact and are checked before a call."""

import json

import pytest
from support.graphs import Builder, decoder

from optimum_compile.compiler.errors import InputError, UserError
from optimum_compile.compiler.ir.conditions import parse_condition
from optimum_compile.compiler.ir.guards import Guard, Guards
from optimum_compile.compiler.package.signature import (
    KEY,
    check_shapes,
    read_signature,
    signature_bytes,
    signature_of,
)


def module():
    b = Builder("m", batch=(1, 8), seq=(1, 64))
    graph = b.returns(b.op("neg", b.input("x", "f32", "batch", "2*seq", 4)))
    graph.notes.put(Guards((Guard((parse_condition("seq % 8 == 0"),), "an assertion"),)))
    return graph


def signature():
    return read_signature(json.dumps({KEY: signature_of(module())}))


def test_legal_shapes_pass():
    check_shapes(signature(), {"x": (3, 32, 4)})
    check_shapes(None, {"x": (1,)})


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ((3, 20, 4), r"m: seq=10: expected seq % 8 == 0 \(an assertion\); give inputs"),
        ((9, 32, 4), r"batch=9: expected 1\.\.8; give inputs"),
        ((3, 33, 4), r"x: got 33 where"),
        ((3, 32, 5), r"x: got 5 where"),
        ((3, 32), r"x: got the shape \(3, 32\)"),
    ],
)
def test_others_name_symbol_value_and_condition(shape, text):
    with pytest.raises(UserError, match=text):
        check_shapes(signature(), {"x": shape})


def test_decoders_and_fixed_modules_have_none():
    assert signature_of(decoder()) is None
    b = Builder()
    assert signature_of(b.returns(b.op("neg", b.input("x", "f32", 2, 4)))) is None
    assert read_signature("{}") is None
    assert read_signature("") is None
    assert signature_bytes(decoder()) == 0


def test_its_bytes_are_those_in_the_metadata():
    found = json.dumps({KEY: signature_of(module())}, separators=(",", ":"))
    assert signature_bytes(module()) == len(found) - 2 + 1  # braces out, a comma in


@pytest.mark.parametrize(
    "change",
    [
        {"inputs": {"x": ["__import__('os')"]}},
        {"inputs": {"x": ["9**9**9"]}},
        {"symbols": {"seq": [1]}},
        {"symbols": 3},
        {"guards": [{"any_of": ["seq"], "reason": ""}]},
        {"guards": [{"any_of": ["seq <= 1"], "reason": ""}] * 5000},
    ],
)
def test_damaged_ones_are_refused(change):
    document = {KEY: {**signature_of(module()), **change}}
    with pytest.raises(InputError, match="signature is malformed"):
        read_signature(json.dumps(document))
    with pytest.raises(InputError):
        read_signature("{")
