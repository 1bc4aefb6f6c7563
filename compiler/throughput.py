"""How fast a decoder can run where each matrix either waits for memory or for its products: a roofline.

Every matrix of a step takes the longer of two times: reading it once, or multiplying it with the vectors
of all tokens of the step; so does attention with the cache. Nothing overlaps from matrix to matrix, and
activations cost nothing. The accelerator of Chen et al. (ICLR 2025, arXiv 2410.13461) is such a machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from optimum_compile.compiler.schedule import Schedule

FLOAT_BITS = 16.0


@dataclass(frozen=True)
class Machine:
    """Multiply-adds a second at any width of weights, and bytes a second that memory gives."""

    name: str
    macs_per_s: float
    bandwidth_bytes_s: float

    def seconds(self, macs: float, read_bytes: float) -> float:
        """Time of one operation: the greater of computing and reading."""
        return max(macs / self.macs_per_s, read_bytes / self.bandwidth_bytes_s)


@dataclass(frozen=True)
class Matrix:
    """`count` matrices (rows, columns). nested: whether their width follows the schedule."""

    rows: int
    columns: int
    count: int = 1
    nested: bool = True


@dataclass(frozen=True)
class Architecture:
    """What decoding one token multiplies and reads.

    cache_width: numbers that one token leaves in the cache, keys and values of all layers. cache_bits: of each.
    """

    name: str
    matrices: tuple[Matrix, ...]
    cache_width: int
    cache_bits: float = FLOAT_BITS


@dataclass(frozen=True)
class Widths:
    """Bits of a stored number: of matrices that the schedule switches, and of the others."""

    nested: float
    other: float = FLOAT_BITS


def step_seconds(
    machine: Machine, model: Architecture, tokens: int, past: int, widths: Widths
) -> float:
    """Seconds of one pass of `tokens` new tokens behind `past` ones."""
    total = 0.0
    for matrix in model.matrices:
        bits = widths.nested if matrix.nested else widths.other
        elements = matrix.rows * matrix.columns
        total += matrix.count * machine.seconds(tokens * elements, elements * bits / 8)
    # A query meets, on average, the tokens before the call and half of those of the call.
    seen = past + (tokens + 1) / 2
    read = (past + tokens) * model.cache_width * model.cache_bits / 8
    return total + machine.seconds(tokens * seen * model.cache_width, read)


@dataclass(frozen=True)
class Answer:
    """Seconds of a prompt and of the tokens of its answer."""

    prefill_s: float
    decode_s: float
    tokens: int

    @property
    def tokens_per_second(self) -> float:
        """Tokens of the answer a second, the prompt's time included."""
        return self.tokens / (self.prefill_s + self.decode_s)

    @property
    def decode_tokens_per_second(self) -> float:
        """The same without the prompt."""
        return self.tokens / self.decode_s


def answer_seconds(
    machine: Machine,
    model: Architecture,
    prompt: int,
    length: int,
    schedule: Schedule | None,
    other_bits: float | None = FLOAT_BITS,
) -> Answer:
    """Time of `length` tokens behind a prompt of `prompt`.

    schedule: None for nested weights in 16 bits. other_bits: of matrices that are not nested; None where they
    follow the schedule too.
    """

    def widths(bits: float) -> Widths:
        return Widths(bits, bits if other_bits is None else other_bits)

    first = FLOAT_BITS if schedule is None else float(schedule.prefill)
    prefill = step_seconds(machine, model, prompt, 0, widths(first))
    decode = 0.0
    for token in range(length):
        bits = FLOAT_BITS if schedule is None else float(schedule.width_at(token))
        decode += step_seconds(machine, model, 1, prompt + token, widths(bits))
    return Answer(prefill, decode, length)


def decoder(
    name: str,
    layers: int,
    hidden: int,
    key_width: int,
    inner: int,
    vocabulary: int,
    gated: bool = True,
) -> Architecture:
    """Llama-like shapes: q, k, v, o; two or three matrices of `inner`; the head, which is not nested.

    key_width: of all kv heads.
    """
    matrices: Sequence[Matrix] = (
        Matrix(hidden, hidden, 2 * layers),
        Matrix(key_width, hidden, 2 * layers),
        Matrix(inner, hidden, (3 if gated else 2) * layers),
        Matrix(vocabulary, hidden, nested=False),  # `--nested` is about the blocks
    )
    return Architecture(name, tuple(matrices), 2 * key_width * layers)
