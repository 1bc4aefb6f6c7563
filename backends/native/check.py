"""Whether a native program holds together: every index, and every stack of an expression."""

from collections.abc import Mapping, Sequence

from optimum_compile.backends.native.program import (
    MAX_STACK,
    NONE,
    PARAMETERS,
    PART_ALIGNMENT,
    PARTS,
    PAST,
    SEQ,
    AttributeKind,
    Buffer,
    Cache,
    Expr,
    ExprOp,
    Function,
    Op,
    OperandKind,
    Part,
    Program,
    Relation,
    Space,
    Step,
    Weight,
    WeightKind,
)

KV_BITS = (16, 8, 4, 2)
MOST_NESTED_BITS = 8
LIMIT = 1 << 46  # of a size; products of two stay inside 128 bits, sums inside 64


class ProgramError(ValueError):
    """A program whose parts do not fit each other."""


def check(program: Program, weight_bytes: int) -> None:
    """Raise ProgramError for an index outside its table, or a size that cannot be."""
    sizes = program.sizes
    if not (0 < sizes.vocabulary < LIMIT and 0 < sizes.max_prefill <= sizes.context < LIMIT):
        raise ProgramError(f"{sizes}: expected 1 <= max_prefill <= context, and a vocabulary")
    names = [s.name for s in program.symbols]
    if SEQ not in names or PAST not in names or len(set(names)) != len(names):
        raise ProgramError(f"symbols {', '.join(names)}: expected {SEQ} and {PAST}, each once")
    for symbol in program.symbols:
        if not 0 <= symbol.low <= symbol.high:
            raise ProgramError(f"symbol {symbol.name} from {symbol.low} to {symbol.high}")
    for at, expr in enumerate(program.expressions):
        check_expr(expr, at, len(names))
    for guard in program.guards:
        _index(guard.expr, program.expressions, "a guard's expression")
        if guard.relation is Relation.DIVISIBLE and guard.argument < 1:
            raise ProgramError(f"a guard asks for divisibility by {guard.argument}")
    for part in program.parts:
        _check_part(part, weight_bytes)
    for weight in program.weights:
        _check_weight(weight, program.parts)
    for cache in program.caches:
        _check_cache(cache, sizes.context)
    for function in program.functions:
        _check_function(function, program)


def evaluate(program: Program, index: int, symbols: Mapping[str, int]) -> int:
    """The number that expression `index` has. Raises ProgramError where it leaves 64 bits."""
    wanted = [symbols[s.name] for s in program.symbols]
    return values_of(program.expressions[: index + 1], wanted)[index]


def values_of(expressions: Sequence[Expr], symbols: Sequence[int]) -> list[int]:
    """What a table gives for these values of its symbols. Raises as `evaluate`."""
    values: list[int] = []
    for expr in expressions:
        stack: list[int] = []
        for op, argument in expr.items:
            stack.append(_apply(op, argument, stack, symbols, values))
            if not -(1 << 63) <= stack[-1] < 1 << 63:
                raise ProgramError(f"an expression gives {stack[-1]}")
        values.append(stack[0])
    return values


def _apply(
    op: ExprOp, argument: int, stack: list[int], symbols: Sequence[int], earlier: Sequence[int]
) -> int:
    if op is ExprOp.CONST:
        return argument
    if op is ExprOp.SYMBOL:
        return symbols[argument]
    if op is ExprOp.REF:
        return earlier[argument]
    right, left = stack.pop(), stack.pop()
    if op is ExprOp.ADD:
        return left + right
    if op is ExprOp.SUB:
        return left - right
    if op is ExprOp.MUL:
        return left * right
    if op is ExprOp.FLOORDIV:
        if right < 1:
            raise ProgramError(f"an expression divides by {right}")
        return left // right
    return max(left, right) if op is ExprOp.MAX else min(left, right)


def _index(index: int, table: Sequence[object], what: str) -> None:
    if not 0 <= index < len(table):
        raise ProgramError(f"{what} is {index}, the table has {len(table)}")


def check_expr(expr: Expr, at: int, symbols: int) -> None:
    """Raise ProgramError for what cannot be evaluated as entry `at` of its table."""
    depth = 0
    for op, argument in expr.items:
        if op is ExprOp.SYMBOL and not 0 <= argument < symbols:
            raise ProgramError(f"expression {at} reads symbol {argument} of {symbols}")
        if op is ExprOp.REF and not 0 <= argument < at:
            raise ProgramError(f"expression {at} reads expression {argument}, no earlier one")
        leaf = op in (ExprOp.CONST, ExprOp.SYMBOL, ExprOp.REF)
        if not leaf and depth < 2:
            raise ProgramError(f"expression {at}: {op.name} of {depth} values")
        depth += 1 if leaf else -1
        if depth > MAX_STACK:
            raise ProgramError(f"expression {at}: more than {MAX_STACK} values")
    if depth != 1:
        raise ProgramError(f"expression {at} leaves {depth} values")


def _check_part(part: Part, weight_bytes: int) -> None:
    if part.offset % PART_ALIGNMENT or part.size_bytes % part.dtype.itemsize:
        raise ProgramError(f"{part}: badly aligned, or no whole numbers")
    if part.offset > weight_bytes or part.size_bytes > weight_bytes - part.offset:
        raise ProgramError(f"{part}: beyond the {weight_bytes} bytes of weights")


def _check_weight(weight: Weight, parts: Sequence[Part]) -> None:
    counts = (len(weight.parameters), len(weight.parts))
    wanted = (len(PARAMETERS[weight.kind]), len(PARTS[weight.kind]))
    if counts != wanted:
        raise ProgramError(f"weight {weight.name}: {counts} parameters and parts, not {wanted}")
    if not (0 < weight.rows < LIMIT and 0 < weight.columns < LIMIT):
        raise ProgramError(f"weight {weight.name} is {weight.rows}x{weight.columns}")
    if weight.kind is WeightKind.NESTED:
        seed, bits, rows, width = weight.parameters
        if not (1 <= seed <= width <= bits <= MOST_NESTED_BITS and 0 < rows < LIMIT):
            raise ProgramError(f"weight {weight.name}: {seed} to {bits} bits, read at {width}")
    for index in weight.parts:
        if index != NONE:
            _index(index, parts, f"a part of weight {weight.name}")


def _check_cache(cache: Cache, context: int) -> None:
    if cache.bits not in KV_BITS or cache.offset % PART_ALIGNMENT or cache.context != context:
        raise ProgramError(f"{cache}: expected {context} tokens of 16, 8, 4 or 2 bits, aligned")
    sizes = (cache.heads, cache.width, cache.offset + 1)
    others = (cache.group, cache.window, cache.sinks)
    if not all(0 < n < LIMIT for n in sizes) or not all(0 <= n < LIMIT for n in others):
        raise ProgramError(f"{cache}: a size cannot be")


def _check_function(function: Function, program: Program) -> None:
    if not 0 < function.low <= function.high <= program.sizes.max_prefill:
        raise ProgramError(f"{function.name} takes {function.low} to {function.high} tokens")
    _index(function.arena, program.expressions, f"the arena of {function.name}")
    for buffer in function.buffers:
        _check_buffer(buffer, program)
    for view in function.views:
        _index(view.buffer, function.buffers, "the buffer of a view")
        for expr in (view.offset, *view.shape, *view.strides):
            _index(expr, program.expressions, "an expression of a view")
        if len(view.shape) != len(view.strides):
            raise ProgramError(f"{view}: {len(view.shape)} axes, {len(view.strides)} strides")
    for at, step in enumerate(function.steps):
        _check_step(step, function, program)
        if step.op is Op.SKIP:
            _check_skip(step, function.steps[at + 1 :], function)


def _check_skip(skip: Step, behind: Sequence[Step], function: Function) -> None:
    """What is left out writes into the arena only, and ends with a product that may be zeros."""
    count = int(skip.attributes[0].value) if len(skip.attributes) == 1 else 0
    if not 1 <= count <= len(behind):
        raise ProgramError(f"a skip of {count} steps, {len(behind)} follow")
    left_out = behind[:count]
    if any(step.op is Op.SKIP for step in left_out) or left_out[-1].op is not Op.BINARY:
        raise ProgramError(f"a skip of {count} steps: they hold another, or end with no product")
    for operand in (o for step in left_out for o in step.outputs):
        buffer = function.buffers[function.views[operand.index].buffer]
        if buffer.space is not Space.ARENA:
            raise ProgramError(f"a skip of {count} steps: one of them makes {buffer.name}")
    if any(step.op in (Op.KV_WRITE, Op.KV_ATTENTION) for step in left_out):
        raise ProgramError(f"a skip of {count} steps: one of them writes a cache")


def _check_buffer(buffer: Buffer, program: Program) -> None:
    _index(buffer.elements, program.expressions, f"the elements of buffer {buffer.name}")
    tables: dict[Space, Sequence[object]] = {
        Space.ARENA: program.expressions,
        Space.KEYS: program.caches,
        Space.VALUES: program.caches,
        Space.CONSTANT: program.parts,
    }
    if buffer.space in tables:
        _index(buffer.at, tables[buffer.space], f"the place of buffer {buffer.name}")


def _check_step(step: Step, function: Function, program: Program) -> None:
    _index(step.stage, program.stages, f"the stage of {step.op.name}")
    tables: dict[OperandKind, Sequence[object]] = {
        OperandKind.VIEW: function.views,
        OperandKind.WEIGHT: program.weights,
        OperandKind.CACHE: program.caches,
    }
    for operand in (*step.inputs, *step.outputs):
        if operand.kind is OperandKind.NONE and operand.index != NONE:
            raise ProgramError(f"{step.op.name}: an absent operand has the index {operand.index}")
        if operand.kind is not OperandKind.NONE:
            _index(operand.index, tables[operand.kind], f"an operand of {step.op.name}")
    for attribute in step.attributes:
        if attribute.kind is AttributeKind.EXPR:
            _index(int(attribute.value), program.expressions, f"an attribute of {step.op.name}")
