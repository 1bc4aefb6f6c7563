import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.schedule import Schedule, Switch


@st.composite
def schedules(draw):
    count = draw(st.integers(1, 4))
    tokens = [
        0,
        *sorted(draw(st.sets(st.integers(1, 300), min_size=count - 1, max_size=count - 1))),
    ]
    bits = sorted(draw(st.lists(st.integers(1, 8), min_size=count, max_size=count)), reverse=True)
    switches = tuple(Switch(t, b) for t, b in zip(tokens, bits, strict=True))
    return Schedule(draw(st.integers(1, 8)), switches)


@given(schedules(), st.integers(1, 400))
def test_widths_follow_the_switches_and_the_text_holds_all(schedule, length):
    widths = [schedule.width_at(t) for t in range(length)]
    expected, current = [], None
    starts = {s.token: s.bits for s in schedule.switches}
    for t in range(length):
        current = starts.get(t, current)
        expected.append(current)
    assert widths == expected == sorted(widths, reverse=True)
    assert schedule.mean_bits(length) == pytest.approx(sum(expected) / length)
    assert Schedule.parse(str(schedule)) == schedule


def test_the_short_forms():
    assert str(Schedule.fixed(4)) == "prefill 4, decode 4@0"
    assert Schedule.parse("prefill 4, decode 3") == Schedule.fixed(4, 3)
    assert Schedule.two(4, 3, 2, 0) == Schedule.fixed(4, 2)
    assert str(Schedule.two(4, 4, 2, 85)) == "prefill 4, decode 4@0 2@85"
    assert Schedule.two(4, 4, 2, 1).mean_bits(4) == 2.5
    assert Schedule.two(4, 3, 2, 9).to_json() == {"prefill": 4, "switches": [[0, 3], [9, 2]]}


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Schedule(4, ()), r"switches at tokens \[\]: expected 0 and then later ones"),
        (lambda: Schedule(4, (Switch(1, 2),)), r"switches at tokens \[1\]"),
        (lambda: Schedule(4, (Switch(0, 2), Switch(5, 3))), r"widths \[2, 3\] grow"),
        (lambda: Schedule.fixed(9), "a width of 9 bits: expected 1 to 8"),
        (lambda: Schedule.parse("4,3"), r"'4,3': expected the form 'prefill 4, decode 4@0 3@85'"),
        (lambda: Schedule.parse("prefill 4, decode 4@0 3@-5"), "expected the form"),
        (lambda: Schedule.parse("prefill \u0664, decode 4"), "expected the form"),
        (lambda: Schedule.parse(f"prefill 4, decode 4@0 3@{'9' * 5000}"), "expected the form"),
        (lambda: Schedule.fixed(4).mean_bits(0), "an answer of 0 tokens"),
        (lambda: Schedule.fixed(4).check((2, 3)), "width 4 is not stored; the weights have 2, 3"),
    ],
)
def test_refused(make, text):
    with pytest.raises(OptionError, match=text):
        make()


def test_a_control_may_grow():
    assert Schedule(4, (Switch(0, 2), Switch(5, 3)), free=True).width_at(7) == 3
