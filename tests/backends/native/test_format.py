"""The file of a native program: round trip, determinism, and what a reader refuses."""

import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimum_compile.backends.native import program as p
from optimum_compile.backends.native.check import ProgramError, evaluate
from optimum_compile.backends.native.decode import FormatError, decode, decode_program, read
from optimum_compile.backends.native.encode import (
    HEADER,
    SECTION,
    encode,
    encode_program,
    head_of,
    write,
)
from optimum_compile.compiler.errors import InputError

index = st.integers(0, p.NONE)
i64 = st.integers(-(2**63), 2**63 - 1)
u64 = st.integers(0, 2**64 - 1)
text = st.text(max_size=12)


def many(entry, most=3):
    return st.lists(entry, max_size=most).map(tuple)


def operand():
    return st.builds(p.Operand, st.sampled_from(p.OperandKind), index)


def attribute():
    number = st.builds(
        p.Attribute, st.sampled_from([p.AttributeKind.INT, p.AttributeKind.EXPR]), i64
    )
    real = st.floats(allow_nan=False, allow_infinity=False)
    return number | st.builds(p.Attribute, st.just(p.AttributeKind.FLOAT), real)


@st.composite
def views(draw):
    rank = draw(st.integers(0, p.MAX_RANK))
    axes = st.lists(index, min_size=rank, max_size=rank).map(tuple)
    return p.View(draw(index), draw(index), draw(axes), draw(axes))


buffers = st.builds(
    p.Buffer, text, st.sampled_from(p.Space), st.sampled_from(p.Element), index, index
)
steps = st.builds(
    p.Step,
    st.sampled_from(p.Op),
    st.integers(0, 2**16 - 1),
    many(operand()),
    many(operand()),
    many(attribute()),
)
functions = st.builds(p.Function, text, i64, i64, index, many(buffers), many(views()), many(steps))
programs = st.builds(
    p.Program,
    st.builds(p.Sizes, i64, i64, i64),
    many(st.builds(p.Symbol, text, i64, i64)),
    many(st.builds(p.Expr, many(st.tuples(st.sampled_from(p.ExprOp), i64)))),
    many(st.builds(p.Guard, index, st.sampled_from(p.Relation), i64, text)),
    many(st.builds(p.Stage, text, text)),
    many(st.builds(p.Part, u64, u64, st.sampled_from(p.Element))),
    many(
        st.builds(p.Weight, text, st.sampled_from(p.WeightKind), i64, i64, many(i64), many(index))
    ),
    many(st.builds(p.Cache, text, st.sampled_from(p.Role), *[i64] * 8)),
    many(functions),
)


def small() -> p.Program:
    """Logits are the embedding of the token: the least that is a program."""
    const, sym = p.ExprOp.CONST, p.ExprOp.SYMBOL
    exprs = [
        *([(const, n)] for n in (0, 1, 4, 8)),
        [(sym, 0)],
        [(sym, 0), (const, 4), (p.ExprOp.MUL, 0)],
        [(const, 8), (p.ExprOp.REF, 4), (p.ExprOp.SUB, 0), (sym, 1), (p.ExprOp.SUB, 0)],
    ]
    ids, y = p.Operand(p.OperandKind.VIEW, 0), p.Operand(p.OperandKind.VIEW, 1)
    table = p.Operand(p.OperandKind.WEIGHT, 0)
    function = p.Function(
        "decode",
        1,
        8,
        0,
        (
            p.Buffer("tokens", p.Space.INPUT, p.Element.I64, 4, 0),
            p.Buffer("logits", p.Space.OUTPUT, p.Element.F32, 5, 0),
        ),
        (p.View(0, 0, (1, 4), (4, 1)), p.View(1, 0, (1, 4, 2), (5, 2, 1))),
        (p.Step(p.Op.EMBEDDING, 0, (ids, table), (y,)),),
    )
    return p.Program(
        p.Sizes(4, 8, 8),
        (p.Symbol("seq", 1, 8), p.Symbol("past", 0, 8)),
        tuple(p.Expr(tuple(e)) for e in exprs),
        (p.Guard(6, p.Relation.NOT_NEGATIVE, 0, "the cache holds 8 tokens"),),
        (p.Stage("stage0_fp16", "FP16"),),
        (p.Part(0, 32, p.Element.F16),),
        (p.Weight("table", p.WeightKind.F16, 4, 4, (), (0,)),),
        (p.Cache("k_cache.0", p.Role.KEYS, 16, 1, 8, 4, 0, 0, 0, 0),),
        (function,),
    )


@given(programs)
@settings(max_examples=200, deadline=None)
def test_round_trip(program):
    body = encode_program(program)
    assert decode_program(body) == program
    assert encode_program(decode_program(body)) == body


@given(programs, st.data())
@settings(max_examples=100, deadline=None)
def test_a_shorter_program_is_refused(program, data):
    body = encode_program(program)
    with pytest.raises(FormatError):
        decode_program(body[: data.draw(st.integers(0, len(body) - 1))])
    with pytest.raises(FormatError):
        decode_program(body + b"\0")


def test_file_round_trip(tmp_path: Path):
    weights = tmp_path / "weights"
    weights.write_bytes(bytes(range(32)))
    write(tmp_path / "x.ocm", small(), '{"a":1}', weights)
    data = (tmp_path / "x.ocm").read_bytes()
    assert data == encode(small(), '{"a":1}', bytes(range(32)))
    found = read(tmp_path / "x.ocm", check_weights=True)
    assert (found.program, found.metadata_json) == (small(), '{"a":1}')
    assert bytes(found.weights) == bytes(range(32))
    assert sorted(f.name for f in tmp_path.iterdir()) == ["weights", "x.ocm"]


def test_sections_lie_as_documented():
    data = encode(small(), "{}", bytes(32))
    magic, version, _, size, count, _ = HEADER.unpack_from(data)
    assert (magic[1:4], version, size, count) == (b"OCM", 1, len(data), 3)
    rows = [SECTION.unpack_from(data, 32 + 24 * at) for at in range(3)]
    assert [kind for kind, *_ in rows] == [1, 2, 3]
    assert [offset % 64 for _, _, offset, _ in rows] == [0, 0, 0]
    assert rows[2][2] % 4096 == 0
    for _, crc, offset, length in rows:
        assert zlib.crc32(data[offset : offset + length]) == crc


def test_every_flipped_byte_is_refused():
    """Header, metadata, program and the zeros between them; the weights when asked."""
    data = encode(small(), '{"a":1}', bytes(range(32)))
    for at in range(len(data)):
        broken = bytearray(data)
        broken[at] ^= 0x41
        with pytest.raises(FormatError):
            decode(bytes(broken))


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_a_changed_program_with_a_right_checksum_is_read_or_refused(data):
    """Whatever the tables say: FormatError, or a program whose indices all hold."""
    body = bytearray(encode_program(small()))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at] = data.draw(st.sampled_from([0, 1, 2, 7, 0x7F, 0x80, 0xFF]))
    file = with_program(bytes(body))
    try:
        found = decode(file).program
    except FormatError:
        return
    assert encode_program(found) == bytes(body)


def with_program(body: bytes) -> bytes:
    """The small file with another section `PROGRAM`, checksums and places put right."""
    data = encode(small(), "{}", bytes(32))
    rows = [list(SECTION.unpack_from(data, 32 + 24 * at)) for at in range(3)]
    assert rows[1][2] + len(body) <= rows[2][2]
    rows[1][1], rows[1][3] = zlib.crc32(body), len(body)
    middle = (data[: rows[1][2]] + body).ljust(rows[2][2], b"\0")
    head = HEADER.pack(p.MAGIC, 1, 0, len(data), 3, 0) + b"".join(
        SECTION.pack(*row) for row in rows
    )
    head = head[:12] + zlib.crc32(head).to_bytes(4, "little") + head[16:]
    return head + middle[len(head) :] + data[rows[2][2] :]


def test_weights_are_checked_when_asked():
    data = bytearray(encode(small(), "{}", bytes(32)))
    data[-1] ^= 1
    assert decode(bytes(data), check_weights=False).program == small()
    with pytest.raises(FormatError, match="checksum"):
        decode(bytes(data))


def test_what_is_no_program(tmp_path: Path):
    empty = tmp_path / "empty.ocm"
    empty.write_bytes(b"")
    other = tmp_path / "other.ocm"
    other.write_bytes(b"PK\3\4" + bytes(100))
    for path in (empty, other, tmp_path / "missing.ocm"):
        with pytest.raises(InputError, match=path.name):
            read(path)


def changed(**fields) -> bytes:
    return encode(replace(small(), **fields), "{}", bytes(32))


def with_function(**fields) -> bytes:
    return changed(functions=(replace(small().functions[0], **fields),))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (changed(parts=(p.Part(0, 34, p.Element.F16),)), "beyond"),
        (changed(parts=(p.Part(2, 30, p.Element.F16),)), "aligned"),
        (changed(sizes=p.Sizes(4, 8, 9)), "max_prefill"),
        (changed(symbols=small().symbols[:1]), "past"),
        (changed(guards=(p.Guard(9, p.Relation.ZERO, 0, ""),)), "guard"),
        (changed(expressions=(p.Expr(((p.ExprOp.REF, 0),)), *small().expressions)), "no earlier"),
        (changed(expressions=(p.Expr(((p.ExprOp.ADD, 0),)), *small().expressions)), "ADD"),
        (changed(expressions=(p.Expr(()), *small().expressions)), "leaves 0"),
        (changed(weights=(replace(small().weights[0], parts=(1,)),)), "part"),
        (changed(weights=(replace(small().weights[0], parts=()),)), "parts"),
        (changed(weights=(replace(small().weights[0], rows=0),)), "0x4"),
        (changed(caches=(replace(small().caches[0], bits=3),)), "16, 8, 4"),
        (changed(caches=(replace(small().caches[0], offset=32),)), "aligned"),
        (with_function(arena=99), "arena"),
        (with_function(high=9), "1 to 9"),
        (with_function(views=()), "operand"),
        (with_function(buffers=()), "buffer"),
        (with_function(steps=(replace(small().functions[0].steps[0], stage=1),)), "stage"),
    ],
)
def test_a_program_that_does_not_fit_is_refused(data, said):
    with pytest.raises(FormatError, match=said):
        decode(data)


def test_sections_of_other_tools_are_skipped():
    data = encode(small(), "{}", bytes(32))
    rows = [SECTION.unpack_from(data, 32 + 24 * at) for at in range(3)]
    for kind, fine in ((100, True), (4, False), (1, False)):
        body = data + bytes(-len(data) % 64) + b"private"
        table = [*rows, (kind, zlib.crc32(b"private"), len(body) - 7, 7)]
        head = HEADER.pack(p.MAGIC, 1, 0, len(body), 4, 0)
        head += b"".join(SECTION.pack(*row) for row in table)
        head = head[:12] + zlib.crc32(head).to_bytes(4, "little") + head[16:]
        made = head + body[len(head) :]
        if fine:
            assert decode(made).program == small()
        else:
            with pytest.raises(FormatError):
                decode(made)


def test_names_too_long_are_refused_by_the_writer():
    from optimum_compile.compiler.errors import InternalError

    with pytest.raises(InternalError, match="4097 bytes"):
        head_of(replace(small(), stages=(p.Stage("x" * 4097, "FP16"),)), "{}", 0, 0)


def test_expressions():
    program = small()
    assert evaluate(program, 5, {"seq": 3, "past": 2}) == 12
    assert evaluate(program, 6, {"seq": 3, "past": 2}) == 3
    const, op = p.ExprOp.CONST, p.ExprOp
    for items, wanted in (
        ([(const, -7), (const, 2), (op.FLOORDIV, 0)], -4),
        ([(const, -7), (const, 2), (op.MAX, 0)], 2),
        ([(const, -7), (const, 2), (op.MIN, 0)], -7),
    ):
        found = replace(program, expressions=(p.Expr(tuple(items)),))
        assert evaluate(found, 0, {"seq": 1, "past": 0}) == wanted
    large = ((const, 2**62), (const, 2), (op.MUL, 0))
    with pytest.raises(ProgramError):
        evaluate(replace(program, expressions=(p.Expr(large),)), 0, {"seq": 1, "past": 0})
    by_zero = ((const, 1), (const, 0), (op.FLOORDIV, 0))
    with pytest.raises(ProgramError, match="divides by 0"):
        evaluate(replace(program, expressions=(p.Expr(by_zero),)), 0, {"seq": 1, "past": 0})
