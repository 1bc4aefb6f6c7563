"""Files that the native runtime refuses, and sizes of a call that it refuses before any step runs."""

import re
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.native_programs import Maker
from support.native_seeds import decoder

from optimum_compile.backends.native import program as p
from optimum_compile.backends.native.encode import HEADER, SECTION, encode
from optimum_compile.backends.native.session import Model
from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.quant.kv import KvRole
from optimum_compile.compiler.quant.scheme import Float

Op, E = p.Op, p.ExprOp


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return decoder(tmp_path_factory.mktemp("decoder"))


def damaged(path: Path, change: Callable[[bytearray], None]) -> Path:
    data = bytearray(path.read_bytes())
    change(data)
    out = path.with_name("damaged.ocm")
    out.write_bytes(data)
    return out


def repaired(data: bytearray) -> None:
    """New checksums for whatever the sections hold."""
    for at in range(3):
        kind, _, offset, size = SECTION.unpack_from(data, HEADER.size + at * SECTION.size)
        crc = zlib.crc32(data[offset : offset + size])
        SECTION.pack_into(data, HEADER.size + at * SECTION.size, kind, crc, offset, size)
    data[12:16] = bytes(4)
    data[12:16] = zlib.crc32(data[: HEADER.size + 3 * SECTION.size]).to_bytes(4, "little")


def set_byte(at: int, value: int) -> Callable[[bytearray], None]:
    def change(data: bytearray) -> None:
        data[at] = value

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.clear(), "is empty"),
        (lambda d: d.__delitem__(slice(20, None)), "no native program"),
        (lambda d: d.__delitem__(slice(-1, None)), "its header says"),
        (lambda d: d.extend(b"\0"), "its header says"),
        (set_byte(0, 0), "no native program"),
        (set_byte(8, 2), "version 2 of the format"),
        (set_byte(13, 0xEE), "the header is damaged"),
        (set_byte(40, 0xEE), "the header is damaged"),
        (set_byte(105, 0xEE), "is not zero"),
        (set_byte(129, 0xEE), "META is damaged"),
    ],
)
def test_damage_of_the_container_is_named(model, change, said):
    with pytest.raises(InputError, match=said):
        Model(damaged(model, change))


def test_damaged_weights_are_found_when_asked_for(model):
    path = damaged(model, set_byte(model.stat().st_size - 70, 0x5A))
    Model(path)
    with pytest.raises(InputError, match="WEIGHTS is damaged"):
        Model(path, verify_weights=True)


def test_sections_that_overlap_are_refused(model):
    def change(data: bytearray) -> None:
        at = HEADER.size + SECTION.size
        kind, crc, _, size = SECTION.unpack_from(data, at)
        SECTION.pack_into(data, at, kind, crc, 64, size)
        repaired(data)

    with pytest.raises(InputError, match="overlaps what is before it"):
        Model(damaged(model, change))


@pytest.mark.parametrize("path", ["nothing.ocm", "."])
def test_what_is_no_file_is_refused(tmp_path, path):
    with pytest.raises(InputError, match=re.escape(str(tmp_path))):
        Model(tmp_path / path)


def change_program(tmp_path: Path, change: Callable[[Maker], object]) -> Path:
    """A program with one step, after a change of it."""
    m = Maker(tmp_path, vocabulary=8)
    x = m.array(np.ones((2, 4), np.float32))
    m.step(Op.UNARY, [x], [m.output((2, 4))], 0)
    change(m)
    return m.save()


def with_view(m: Maker, buffer: p.Buffer, **numbers: int) -> None:
    """One more step, which reads 4 numbers of a buffer into the logits."""
    m.buffers.append(buffer)
    values = {"offset": 0, "size": 4, "stride": 1} | numbers
    offset, size, stride = (m.const(values[key]) for key in ("offset", "size", "stride"))
    view = m.view(len(m.buffers) - 1, offset, (size,), (stride,))
    m.step(Op.COPY, [view], [m.room((min(values["size"], 64),))])


ARENA, KEYS, CONSTANT = p.Space.ARENA, p.Space.KEYS, p.Space.CONSTANT
F32, F16 = p.Element.F32, p.Element.F16


def arena(m: Maker, elements: int, at: int, **numbers: int) -> None:
    m.arena_bytes += 64
    with_view(m, p.Buffer("b", ARENA, F32, m.const(elements), m.const(at)), **numbers)


def keys(m: Maker, scheme: int = 16, element: p.Element = F16) -> None:
    m.cache(Float(16), KvRole.KEYS, 1, 4)
    m.caches[0] = replace(m.caches[0], bits=scheme, group=8)
    with_view(m, p.Buffer("b", KEYS, element, m.const(4), 0))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: arena(m, 33, 0), "does not fit its memory"),
        (lambda m: arena(m, 4, 2), "does not fit its memory"),
        (lambda m: arena(m, 4, -64), "does not fit its memory"),
        (lambda m: arena(m, -1, 0), "does not fit its memory"),
        (lambda m: arena(m, 4, 2**62), "does not fit its memory"),
        (lambda m: arena(m, 8, 0, offset=5), "leaves its 8 elements"),
        (lambda m: arena(m, 8, 0, offset=-1), "leaves its 8 elements"),
        (lambda m: arena(m, 8, 0, stride=3), "leaves its 8 elements"),
        (lambda m: arena(m, 8, 0, stride=-1), "leaves its 8 elements"),
        (lambda m: arena(m, 8, 0, stride=2**62), "leaves its 8 elements"),
        (lambda m: arena(m, 8, 0, size=0), "leaves its 8 elements"),
        (lambda m: arena(m, 8, 0, size=2**62, stride=0), "leaves its 8 elements"),
        (
            lambda m: m.step(Op.UNARY, [m.array(np.ones(4, np.float32))], [m.room((5,))], 0),
            "unary: operands differ from y in shape",
        ),
        (
            lambda m: m.step(
                Op.UNARY, [m.repeated(np.ones(1, np.float32), (4,))], [m.room((4,))], 0
            ),
            "an input names an element twice",
        ),
        (lambda m: m.guards.append(p.Guard(m.past, p.Relation.ZERO, 0, "past = 0")), None),
        (
            lambda m: m.guards.append(p.Guard(m.seq, p.Relation.DIVISIBLE, 8, "seq % 8 = 0")),
            "a guard does not hold for 1 tokens behind 0: seq % 8 = 0",
        ),
        (
            lambda m: m.guards.append(
                p.Guard(
                    m.expr((E.CONST, 2**62), (E.CONST, 2), (E.MUL, 0)), p.Relation.ZERO, 0, "huge"
                )
            ),
            "leaves 64 bits",
        ),
        (
            lambda m: m.guards.append(
                p.Guard(
                    m.expr((E.SYMBOL, 0), (E.SYMBOL, 1), (E.FLOORDIV, 0)), p.Relation.ZERO, 0, "x"
                )
            ),
            "divides by less than 1",
        ),
    ],
)
def test_sizes_of_a_call_are_checked_before_any_step(tmp_path, change, said):
    session = Model(change_program(tmp_path, change)).session()
    if said is None:
        session.run([0])
        return
    with pytest.raises(InputError, match=re.escape(said)):
        session.run([0])
    late = "operands differ" in said or "twice" in said  # shapes of a step are seen by the step
    assert session.stats().steps == (1 if late else 0)
    assert session.past == 0


def skip(m: Maker, count: int, first: Op = Op.UNARY, out: p.Operand | None = None) -> None:
    """A skip, and two steps behind it."""
    x, y = m.array(np.ones(4, np.float32)), m.room((4,))
    m.step(Op.SKIP, [x], [], count)
    m.step(first, [x], [] if first is Op.SKIP else [y], 1)
    m.step(Op.BINARY, [x, y], [out or m.room((4,))], 0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: m.expr((E.ADD, 0)), "takes more values than it has"),
        (lambda m: m.expr((E.SYMBOL, 2)), "a symbol that is not there"),
        (lambda m: m.expr((E.REF, 999)), "one that is not before it"),
        (lambda m: m.expr((E.CONST, 1), (E.CONST, 1)), "leaves 2 values"),
        (lambda m: m.expr(*[(E.CONST, 1)] * 65), "more than 64 values"),
        (lambda m: m.step(Op.COPY, [m.room((4,))], [m.array(np.ones(4, np.int64))]), "read only"),
        (
            lambda m: m.step(Op.COPY, [m.room((4,))], [m.array(np.ones(4, np.float32))]),
            "which is read only",
        ),
        (lambda m: m.step(Op.UNARY, [m.room((4,))], [m.room((4,))], 17), "expected 0 to 16"),
        (lambda m: m.step(Op.UNARY, [m.room((4,))], [m.room((4,))], 0.5), "the wrong kind"),
        (lambda m: m.step(Op.UNARY, [m.room((4,))], [m.room((4,))]), "unary with 0 attributes"),
        (lambda m: m.step(Op.UNARY, [], [m.room((4,))], 0), "input 0 has the wrong kind"),
        (lambda m: m.step(Op.UNARY, [m.room((4,))], [], 0), "unary with 0 outputs"),
        (lambda m: m.step(Op.RMS_NORM, [m.room((4,))], [m.room((4,))], float("nan")), "not finite"),
        (
            lambda m: m.step(Op.UNARY, [m.floats(np.ones(4, np.float32))], [m.room((4,))], 0),
            "input 0 has the wrong kind",
        ),
        (lambda m: m.step(Op.UNARY, [m.room((4,))], [m.room((4,))], 0, stage=1), "a step of stage"),
        (lambda m: keys(m, element=F32), "only caches of 16 bits"),
        (lambda m: keys(m, scheme=4), "only caches of 16 bits"),
        (lambda m: m.stages.append(p.Stage("s", "INT5")), "has the class INT5"),
        (
            lambda m: m.weight(p.Weight("w", p.WeightKind.F32, 0, 4, (), (0,))),
            "rows and columns are 1 or more",
        ),
        (
            lambda m: m.weight(p.Weight("w", p.WeightKind.F32, 99, 99, (), (0,))),
            "its part is shorter than its shape",
        ),
        (
            lambda m: m.weight(p.Weight("w", p.WeightKind.F16, 1, 1, (), (0,))),
            "the part has another dtype",
        ),
        (
            lambda m: m.weight(p.Weight("w", p.WeightKind.LUT, 1, 1, (4, 1), (0,))),
            "another number of parameters",
        ),
        (
            lambda m: (
                m.cache(Float(16), KvRole.KEYS, 1, 4),
                m.cache_bytes.update({KvRole.KEYS: 0}),
                m.cache(Float(16), KvRole.KEYS, 1, 4),
            ),
            "overlaps another one",
        ),
        (lambda m: skip(m, 0), "attribute 0 is 0, expected 1"),
        (lambda m: skip(m, 3), "a skip of 3 steps, 2 follow"),
        (lambda m: skip(m, 2**30), "a skip of 1073741824 steps, 2 follow"),
        (lambda m: skip(m, 1), "step 2: a unary cannot be skipped there"),
        (lambda m: skip(m, 2, out=m.output((4,))), "step 3: a binary cannot be skipped there"),
        (lambda m: skip(m, 2, first=Op.SKIP), "step 2: a skip cannot be skipped there"),
    ],
)
def test_programs_that_contradict_themselves_are_refused(tmp_path, change, said):
    with pytest.raises(InputError, match=said):
        Model(change_program(tmp_path, change))


def test_a_symbol_that_nobody_can_give_is_refused(tmp_path):
    m = Maker(tmp_path, vocabulary=8)
    made = m.program()
    made = replace(made, symbols=(*made.symbols, p.Symbol("batch", 1, 2)))
    path = tmp_path / "batch.ocm"
    path.write_bytes(encode(made, "{}"))
    with pytest.raises(InputError, match="symbol batch varies"):
        Model(path)
