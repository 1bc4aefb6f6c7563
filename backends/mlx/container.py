"""Bytes of the safetensors that `mlx_lm.convert` writes, beyond the tensors: the JSON at its head."""

from optimum_compile.backends.mlx.forms import form_of, stored_bytes
from optimum_compile.backends.mlx.names import mlx_path
from optimum_compile.backends.stacks import Stack, stacks_of
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.passes.stages.blocks import is_quantizable

# {"NAME":{"dtype":"F16","shape":[ROWS,COLUMNS],"data_offsets":[FROM,TO]}, without name and numbers.
ENTRY = 52
HEAD = 64  # its length, the format, and padding
PARTS = (".weight", ".scales", ".biases")


def container_bytes(graph: Graph) -> int:
    """What the file will have beyond `stored_bytes` and `fixed_bytes`; a little rather too many."""
    stacks = stacks_of(graph, mlx_path, lambda s, u: stored_bytes(s, u.use), "mlx")
    size = sum(stored_bytes(s.scheme, u.use) for s in stacks.values() for u in s.units)
    offsets = 2 * len(str(size)) + 1
    total = HEAD + sum(_entries(path, stack, offsets) for path, stack in stacks.items())
    for name, value in graph.weights.items():
        path = mlx_path(name)
        if path and graph.is_used(value) and not is_quantizable(value):
            total += ENTRY + len(name) + len(str(value.type.elements())) + offsets
    return total


def _entries(path: str, stack: Stack, offsets: int) -> int:
    use = stack.first.use
    numbers = len(f"{use.rows},{use.columns}")
    if len(stack.units) > 1:
        numbers += len(f"{len(stack.units)},")
    form = form_of(stack.scheme, use)
    parts = PARTS[:1] if isinstance(form, str) or form.bits == 16 else PARTS
    return sum(ENTRY + len(path) + len(part) + numbers + offsets for part in parts)
