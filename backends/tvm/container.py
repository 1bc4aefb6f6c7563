"""Bytes of a `NAME.tvm` beyond its weights, counted before anything is quantised or compiled.

Texts are made as they will be. Objects and GPU sources are compiled code: their sizes follow from the number
of arguments, each of which is checked, and from the weights of a unit, which are written out one by one;
the numbers were measured (TVM 0.27).
"""

from optimum_compile.backends.container import metadata_bytes
from optimum_compile.backends.tvm.artifact import document_of
from optimum_compile.backends.tvm.emit import GPUS, NOT_EXECUTED
from optimum_compile.backends.tvm.kernels import Kernel, threads_for
from optimum_compile.backends.tvm.matrices import Matrix, arguments_of, units_of
from optimum_compile.backends.tvm.parts import DIGEST, Stored
from optimum_compile.backends.tvm.plan import is_stored, plan_kernels
from optimum_compile.backends.tvm.program import plain_weights, program_text
from optimum_compile.backends.tvm.tir import LANES
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.scheme import Float, Scheme, Vector
from optimum_compile.passes.precision.notes import Precision

VERSION, TARGET = "0.00.0.post0", {"mtriple": "x86_64-linux-gnu", "mcpu": "x86-64-v3"}
TENSOR = 75  # a tensor's entry in the header, without its name
# Of an object for x86: a function, an argument beyond three, a weight of a unit, units that fill no vector,
# and a codebook; on ARM a little more.
FUNCTION, ARGUMENT, WEIGHT, REST, BOOK, ARM = 17_800, 3_700, 200, 2_400, 1_500, 6_500
# Of OpenCL text: a function, a weight of a unit and again where threads do not divide rows; Metal has less.
TEXT, TERM, METAL = 2_200, 310, 0.8


def container_bytes(graph: Graph) -> int:
    """Program, descriptions, metadata, header, objects and sources; a little rather too many."""
    matrices = {n: v for n, v in graph.weights.items() if graph.is_used(v) and is_stored(v)}
    schemes: dict[str, Scheme] = {}
    for name, value in matrices.items():
        note = value.notes.get(Precision)
        schemes[name] = Float(16) if note is None else note.scheme
    plan = plan_kernels(graph, schemes)
    stored = {n: _stored(n, v.type.static_shape(), schemes[n]) for n, v in matrices.items()}
    texts = program_text(graph) + document_of(graph, plan, stored, TARGET, VERSION)
    tensors = {key for entry in stored.values() for _, key in entry.keys}
    tensors |= {f"plain:{name}" for name in plain_weights(graph)}
    header = sum(TENSOR + len(name) for name in tensors)
    return len(texts) + metadata_bytes(graph) + header + sum(map(_compiled, plan.kernels))


def _stored(name: str, shape: tuple[int, ...], scheme: Scheme) -> Stored:
    rows, columns = shape
    parts = [argument.name for argument in arguments_of(Matrix(rows, columns, scheme))]
    keys = {part: f"{part}:{name}" for part in parts}
    if isinstance(scheme, Vector) and scheme.codebook == "shared":
        keys["table"] = f"codebook:{scheme.bits}x{scheme.width}".ljust(len("codebook:") + DIGEST)
    return Stored(rows, columns, scheme, tuple(sorted(keys.items())))


def _compiled(kernel: Kernel) -> int:
    weights = sum(units_of(matrix).columns for matrix in kernel.matrices)
    code = FUNCTION + ARGUMENT * (len(kernel.arguments) - 3) + WEIGHT * weights
    code += sum(REST for matrix in kernel.matrices if _has_rest(matrix))
    code += sum(BOOK for matrix in kernel.matrices if isinstance(matrix.scheme, Vector))
    text = sum(TEXT + TERM * _terms(matrix) for matrix in kernel.matrices)
    sources = int(text * (1 + METAL)) + 2 * len(GPUS) * len(NOT_EXECUTED)
    return 2 * code + ARM + sources


def _terms(matrix: Matrix) -> int:
    units, threads = units_of(matrix), threads_for(matrix)
    repeated = 2 if units.row % threads and units.row > threads else 1
    return units.columns * repeated


def _has_rest(matrix: Matrix) -> bool:
    units = units_of(matrix).row
    return units > LANES and units % LANES > 0
