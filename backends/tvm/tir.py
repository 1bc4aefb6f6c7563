"""Kernels as TIR, with their loops: for processors, and for GPUs.

Processor: rows in parallel; in a row units in vectors of 16, of one group or of several short ones, with
the scales of their groups; the vector is summed at the end of the row. Inputs are laid out beforehand so
that a vector of units reads neighbours: x[unit * columns + c] goes to c * units + unit.

GPU: a workgroup a row. Its threads take every 64th unit, and their sums are added in shared memory.
"""

from collections.abc import Callable, Mapping
from typing import Any

from optimum_compile.backends.tvm.kernels import Kernel, MatVec, threads_for
from optimum_compile.backends.tvm.matrices import Matrix, arguments_of, units_of
from optimum_compile.backends.tvm.rows import Row
from optimum_compile.backends.tvm.toolchain import load_builder
from optimum_compile.compiler.quant.scheme import Lut

LANES = 16
Emit = Callable[[Any, Kernel, Mapping[str, Any]], None]


def cpu_function(kernel: Kernel) -> Any:
    """The TIR function of a kernel for processors."""
    return _function(kernel, _cpu_matvec if isinstance(kernel, MatVec) else _cpu_mlp)


def gpu_function(kernel: Kernel) -> Any:
    """The TIR function of a kernel for GPUs."""
    return _function(kernel, _gpu_matvec if isinstance(kernel, MatVec) else _gpu_mlp)


def _function(kernel: Kernel, emit: Emit) -> Any:
    make, ir = load_builder()
    with make() as builder:
        with ir.prim_func():
            ir.func_name(kernel.name)
            ir.func_attr({"global_symbol": kernel.name, "tirx.noalias": True})
            buffers = {
                a.name: ir.arg(a.name, ir.buffer((a.count,), a.dtype)) for a in kernel.arguments
            }
            emit(ir, kernel, buffers)
        return builder.get()


def _parts(matrix: Matrix, buffers: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The buffers of one matrix by their plain names."""
    return {a.name: buffers[f"{prefix}{a.name}"] for a in arguments_of(matrix)}


# ---- processors


def _cpu_matvec(ir: Any, kernel: Any, buffers: Mapping[str, Any]) -> None:
    matrix, parts = kernel.matrix, _parts(kernel.matrix, buffers)
    x = _laid_out(ir, matrix, buffers["x"])
    with ir.parallel(0, matrix.rows) as row:
        ir.buffer_store(buffers["out"], _cpu_dot(ir, matrix, parts, x, row), [row])


def _cpu_mlp(ir: Any, kernel: Any, buffers: Mapping[str, Any]) -> None:
    gate, up, down = kernel.matrices
    laid = {units_of(m).columns: m for m in (gate, up)}
    inputs = {columns: _laid_out(ir, m, buffers["x"]) for columns, m in laid.items()}
    with ir.parallel(0, gate.rows) as row:
        found = []
        for matrix, prefix in ((gate, "gate_"), (up, "up_")):
            x, parts = inputs[units_of(matrix).columns], _parts(matrix, buffers, prefix)
            found.append(_cpu_dot(ir, matrix, parts, x, row))
        product = _activated(ir, kernel.activation, found[0]) * found[1]
        ir.buffer_store(buffers["hidden"], product, [row])
    hidden = _laid_out(ir, down, buffers["hidden"])
    with ir.parallel(0, down.rows) as row:
        parts = _parts(down, buffers, "down_")
        ir.buffer_store(buffers["out"], _cpu_dot(ir, down, parts, hidden, row), [row])


def _laid_out(ir: Any, matrix: Matrix, x: Any) -> Any:
    """The inputs so that the same column of all units lies together."""
    units = units_of(matrix)
    if units.columns == 1:
        return x
    out = ir.alloc_buffer((matrix.columns,), "float32")
    with ir.serial(0, units.row) as unit:
        for column in range(units.columns):
            ir.buffer_store(out, x[unit * units.columns + column], [column * units.row + unit])
    return out


def _cpu_dot(ir: Any, matrix: Matrix, parts: Mapping[str, Any], x: Any, row: Any) -> Any:
    """Emit the product of a row; returns its value, bias included."""
    units = units_of(matrix)
    lanes = min(LANES, 1 << (units.row.bit_length() - 1))
    reader = Row(ir, matrix, parts, lanes, _entries(ir, matrix, parts, row))
    sums = ir.alloc_buffer((lanes,), "float32", scope="local")
    _fill(ir, sums, lanes)
    if lanes % units.group == 0 and units.group < lanes:
        _across_groups(ir, reader, x, row, sums, lanes)
    else:
        _by_group(ir, reader, x, row, sums, lanes)
    total = ir.alloc_buffer((1,), "float32", scope="local")
    ir.buffer_store(total, parts["bias"][row] if matrix.bias else ir.float32(0), [0])
    with ir.serial(0, lanes) as lane:
        ir.buffer_store(total, total[0] + sums[lane], [0])
    return total[0]


def _across_groups(ir: Any, reader: Row, x: Any, row: Any, sums: Any, lanes: int) -> None:
    """Vectors that span several short groups, each lane with the numbers of its own."""
    units = reader.units
    each = lanes // units.group

    def unit(at: Any, lane: Any) -> None:
        place = [x[c * units.row + at] for c in range(units.columns)]
        product = reader.scaled(reader.product(row, at, place, lane), lane)
        ir.buffer_store(sums, sums[lane] + product, [lane])

    with ir.serial(0, units.row // lanes) as step:
        for index in range(each):
            first = index * units.group
            reader.enter_group(row, step * each + index, first, units.group)
        with ir.vectorized(0, lanes) as lane:
            unit(step * lanes + lane, lane)
    rest = units.row % lanes
    if rest:
        begin = units.row - rest
        with ir.serial(0, rest) as at:
            reader.enter_group(row, (begin + at) // units.group)
            unit(begin + at, 0)


def _by_group(ir: Any, reader: Row, x: Any, row: Any, sums: Any, lanes: int) -> None:
    """Groups one after the other: their vectors are summed before the scale is multiplied."""
    units = reader.units
    lanes = min(lanes, 1 << (min(units.group, units.row).bit_length() - 1))
    partial = ir.alloc_buffer((lanes,), "float32", scope="local")

    def group(index: Any, count: int) -> None:
        first = index * units.group
        reader.enter_group(row, index)
        _fill(ir, partial, lanes)

        def unit(at: Any, lane: Any) -> None:
            place = [x[c * units.row + at] for c in range(units.columns)]
            ir.buffer_store(partial, partial[lane] + reader.product(row, at, place), [lane])

        if count >= lanes:
            with ir.serial(0, count // lanes) as step, ir.vectorized(0, lanes) as lane:
                unit(first + step * lanes + lane, lane)
        if count % lanes:
            with ir.serial(0, count % lanes) as rest:
                unit(first + count // lanes * lanes + rest, 0)
        with ir.vectorized(0, lanes) as lane:
            ir.buffer_store(sums, sums[lane] + reader.scaled(partial[lane]), [lane])

    whole, rest = divmod(units.row, units.group)
    with ir.serial(0, whole) as index:
        group(index, units.group)
    if rest:
        group(whole, rest)


def _entries(ir: Any, matrix: Matrix, parts: Mapping[str, Any], row: Any) -> Any | None:
    """The row's table in float32, read once, where a row is longer than the table."""
    scheme = matrix.scheme
    if not isinstance(scheme, Lut) or 1 << scheme.bits > matrix.columns // 4:
        return None
    count = 1 << scheme.bits
    table = ir.alloc_buffer((count,), "float32", scope="local")
    first = 0 if scheme.tables(matrix.rows) == 1 else row // scheme.rows_per_table * count
    with ir.serial(0, count) as at:
        ir.buffer_store(table, ir.Cast("float32", parts["table"][first + at]), [at])
    return table


def _fill(ir: Any, buffer: Any, lanes: int) -> None:
    with ir.vectorized(0, lanes) as lane:
        ir.buffer_store(buffer, ir.float32(0), [lane])


# ---- GPUs


def _gpu_matvec(ir: Any, kernel: Any, buffers: Mapping[str, Any]) -> None:
    matrix, threads = kernel.matrix, threads_for(kernel.matrix)
    row, thread = _launch(ir, matrix.rows, threads)
    with row as r, thread as t:
        found = _gpu_dot(ir, matrix, _parts(matrix, buffers), buffers["x"], r, t, threads)
        _first_stores(ir, t, buffers["out"], found, r)


def _gpu_mlp(ir: Any, kernel: Any, buffers: Mapping[str, Any]) -> None:
    gate, up, down = kernel.matrices
    threads = max(threads_for(gate), threads_for(up))
    row, thread = _launch(ir, gate.rows, threads)
    with row as r, thread as t:
        found = [
            _gpu_dot(ir, m, _parts(m, buffers, prefix), buffers["x"], r, t, threads)
            for m, prefix in ((gate, "gate_"), (up, "up_"))
        ]
        product = _activated(ir, kernel.activation, found[0]) * found[1]
        _first_stores(ir, t, buffers["hidden"], product, r)
    threads = threads_for(down)
    row, thread = _launch(ir, down.rows, threads)
    with row as r, thread as t:
        parts = _parts(down, buffers, "down_")
        total = _gpu_dot(ir, down, parts, buffers["hidden"], r, t, threads)
        _first_stores(ir, t, buffers["out"], total, r)


def _launch(ir: Any, rows: int, threads: int) -> tuple[Any, Any]:
    return ir.launch_thread("blockIdx.x", rows), ir.launch_thread("threadIdx.x", threads)


def _gpu_dot(
    ir: Any, matrix: Matrix, parts: Mapping[str, Any], x: Any, row: Any, thread: Any, threads: int
) -> Any:
    """Emit the product of a row by all threads; its value is in shared memory."""
    reader, units = Row(ir, matrix, parts), units_of(matrix)
    own = ir.alloc_buffer((1,), "float32", scope="local")
    shared = ir.alloc_buffer((threads,), "float32", scope="shared")
    ir.buffer_store(own, ir.float32(0), [0])

    def unit(at: Any) -> None:
        reader.enter_group(row, at // units.group)
        place = [x[at * units.columns + c] for c in range(units.columns)]
        ir.buffer_store(own, own[0] + reader.scaled(reader.product(row, at, place)), [0])

    if units.row >= threads:
        with ir.serial(0, units.row // threads) as step:
            unit(step * threads + thread)
    rest = units.row % threads
    if rest:
        with ir.If(thread < rest), ir.Then():
            unit(units.row // threads * threads + thread)
    ir.buffer_store(shared, own[0], [thread])
    ir.evaluate(ir.tvm_storage_sync("shared"))
    half = threads // 2
    while half:
        with ir.If(thread < half), ir.Then():
            ir.buffer_store(shared, shared[thread] + shared[thread + half], [thread])
        ir.evaluate(ir.tvm_storage_sync("shared"))
        half //= 2
    return shared[0] + parts["bias"][row] if matrix.bias else shared[0]


def _first_stores(ir: Any, thread: Any, out: Any, value: Any, row: Any) -> None:
    with ir.If(thread == 0), ir.Then():
        ir.buffer_store(out, value, [row])


# ---- both


def _activated(ir: Any, activation: str, x: Any) -> Any:
    if activation == "relu":
        return ir.max(x, ir.float32(0))
    if activation == "gelu_tanh":
        inner = (x + x * x * x * 0.044715) * 0.7978845608028654
        return x * 0.5 * (ir.tanh(inner) + 1.0)
    return x / (ir.exp(-x) + 1.0)
