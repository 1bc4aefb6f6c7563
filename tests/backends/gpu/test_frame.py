"""How operands of single numbers become the axes of a dispatch."""

from optimum_compile.backends.gpu.frame import MOST_JOINED, Run, joint_runs
from optimum_compile.compiler.ir.shape import symbol
from optimum_compile.passes.subtensor.notes import View


def dense(*shape):
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step = step * size
    return View("x", 0, shape, tuple(reversed(strides)))


def test_neighbours_are_one_axis_where_they_are_in_every_operand():
    gaps = View("y", 0, (1, 3, 4), (99, 8, 1))
    assert joint_runs([dense(1, 3, 4)]) == [Run(12, (1,))]
    assert joint_runs([dense(1, 3, 4), gaps]) == [Run(3, (4, 8)), Run(4, (1, 1))]


def test_a_length_that_is_not_known_stays_an_axis():
    seq = symbol("seq")
    assert joint_runs([dense(1, seq, 4)]) == [Run(seq, (4,)), Run(4, (1,))]


def test_an_axis_takes_no_more_workgroups_than_every_device_does():
    wide = 14336
    assert joint_runs([dense(1, 1024, wide)]) == [Run(1024, (wide,)), Run(wide, (1,))]
    assert joint_runs([dense(64, 1024)]) == [Run(1 << 16, (1,))]
    assert MOST_JOINED // 128 < 65535
