from dataclasses import replace

import pytest

from optimum_compile.compiler.schedule import Schedule
from optimum_compile.compiler.throughput import (
    Architecture,
    Machine,
    Matrix,
    Widths,
    answer_seconds,
    decoder,
    step_seconds,
)

MACHINE = Machine("16K multiply-adds at 1 GHz, 32 GB/s", 16384e9, 32e9)
VICUNA = decoder("Vicuna-7B", 32, 4096, 4096, 11008, 32000)


def test_a_step_waits_for_memory_or_for_products():
    model = Architecture("one", (Matrix(1000, 2000),), cache_width=0)
    slow = Machine("slow", macs_per_s=1e6, bandwidth_bytes_s=1e6)
    assert step_seconds(slow, model, 1, 0, Widths(16)) == pytest.approx(4.0)  # reads 4e6 bytes
    assert step_seconds(slow, model, 1, 0, Widths(2)) == pytest.approx(2.0)  # 2e6 products
    assert step_seconds(slow, model, 10, 0, Widths(16)) == pytest.approx(20.0)


def test_the_cache_is_read_once_a_step():
    model = Architecture("cache", (), cache_width=100)
    assert step_seconds(Machine("m", 1e12, 1e3), model, 1, 49, Widths(4)) == pytest.approx(10.0)


def test_what_decoding_gains_follows_the_bits():
    plain = answer_seconds(MACHINE, VICUNA, 1, 32, None)
    for bits in (2, 3, 4):
        found = answer_seconds(MACHINE, VICUNA, 1, 32, Schedule.fixed(bits), other_bits=bits)
        gain = found.decode_tokens_per_second / plain.decode_tokens_per_second
        assert 0.97 * 16 / bits < gain < 16 / bits


def test_progressive_lies_between_its_widths():
    def speed(schedule):
        return answer_seconds(MACHINE, VICUNA, 64, 256, schedule, 4).tokens_per_second

    low, high = speed(Schedule.fixed(4, 2)), speed(Schedule.fixed(4, 4))
    assert high < speed(Schedule.two(4, 4, 2, 128)) < low


def test_shapes():
    weights = sum(m.rows * m.columns * m.count for m in VICUNA.matrices)
    assert weights == pytest.approx(6.6e9, rel=0.01)
    assert VICUNA.cache_width == 2 * 32 * 4096


def test_the_head_is_not_nested_unless_it_is_told_to_follow():
    """`--nested` leaves the head as it is: its bytes do not fall with the width."""
    still = [m for m in VICUNA.matrices if not m.nested]
    assert [(m.rows, m.columns, m.count) for m in still] == [(32000, 4096, 1)]
    slow = Machine("memory alone", 1e18, 1e9)
    bare = replace(VICUNA, cache_width=0)
    blocks = sum(m.rows * m.columns * m.count for m in VICUNA.matrices if m.nested)
    head = 32000 * 4096

    def bits_of_a_step(other):
        return 8e9 * answer_seconds(slow, bare, 1, 1, Schedule.fixed(2), other).decode_s

    assert bits_of_a_step(16.0) == pytest.approx(2 * blocks + 16 * head)
    assert bits_of_a_step(4.0) == pytest.approx(2 * blocks + 4 * head)
    assert bits_of_a_step(None) == pytest.approx(2 * (blocks + head))
