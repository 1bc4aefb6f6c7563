"""Expert weights that a file holds together: one tensor for all experts, sliced without reading it.

`transformers` keeps experts so in memory, and writes them one by one; a state dict saved by other means
has the fused form.
"""

from collections.abc import Mapping
from dataclasses import replace

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.frontend.config import ModelConfig
from optimum_compile.compiler.ir.types import TensorType
from optimum_compile.compiler.ir.weights import FileBytes, WeightRef

GATE_UP, DOWN = "mlp.experts.gate_up_proj", "mlp.experts.down_proj"
ROUTER = "mlp.gate.weight"
# What the checkpoints call gate, up and down of one expert.
MIXTRAL = ("w1", "w3", "w2")
QWEN = ("gate_proj", "up_proj", "down_proj")


def split_experts(config: ModelConfig, found: Mapping[str, WeightRef]) -> dict[str, WeightRef]:
    """Weights by the names of the checkpoints: fused tensors become slices, all others stay.

    before: layers.0.mlp.experts.gate_up_proj [experts, 2 * inner, width]
    after:  layers.0.mlp.experts.0.gate_proj.weight [inner, width], ...up_proj.weight, ...

    Raises InputError for a fused tensor of another shape than config.json says.
    """
    experts = config.experts
    if experts is None or not any(name.endswith((GATE_UP, DOWN)) for name in found):
        return dict(found)
    mixtral = config.architecture == "mixtral"
    gate, up, down = MIXTRAL if mixtral else QWEN
    home = "block_sparse_moe" if mixtral else "mlp"
    width, inner, count = config.hidden_size, experts.width, experts.count
    out: dict[str, WeightRef] = {}
    for name, ref in found.items():
        stem = name.removesuffix(GATE_UP).removesuffix(DOWN) + f"{home}.experts"
        if name.endswith(GATE_UP):
            _expect(ref, (count, 2 * inner, width))
            for at in range(count):
                first = 2 * inner * at
                for kind, row in ((gate, first), (up, first + inner)):
                    own = f"{stem}.{at}.{kind}.weight"
                    out[own] = _rows(ref, own, row, (inner, width))
        elif name.endswith(DOWN):
            _expect(ref, (count, width, inner))
            for at in range(count):
                own = f"{stem}.{at}.{down}.weight"
                out[own] = _rows(ref, own, width * at, (width, inner))
        elif name.endswith(ROUTER):
            own = name.removesuffix(ROUTER) + f"{home}.gate.weight"
            out[own] = replace(ref, name=own)
        else:
            out[name] = ref
    return out


def _expect(ref: WeightRef, shape: tuple[int, ...]) -> None:
    if ref.type.static_shape() != shape:
        raise InputError(
            f"{ref.name} has the shape {ref.type.static_shape()}, config.json says {shape} "
            "(experts, rows, columns)"
        )


def _rows(ref: WeightRef, name: str, first: int, shape: tuple[int, int]) -> WeightRef:
    """A run of rows of a fused tensor, taken as (experts * rows, columns)."""
    if ref.source is None:
        raise InputError(f"{ref.name} has no bytes in a file")
    row_bytes = shape[1] * ref.type.dtype.itemsize
    source = FileBytes(ref.source.path, ref.source.offset + first * row_bytes, shape[0] * row_bytes)
    return WeightRef(name, TensorType(ref.type.dtype, shape), source)
