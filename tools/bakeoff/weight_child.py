"""Quantise matrices with HQQ, torchao or coremltools; runs where that package is installed.

    python weight_child.py JOB.json

The job names `weights` (a .safetensors file of float32 matrices), `out` (a folder) and `schemes`: for
each a file name and the method and its numbers for each matrix. What comes out is one .safetensors
file of dequantised matrices for each scheme, and a JSON document with the bytes of each scheme or
what went wrong with it. Bytes are those of the tensors that the package keeps: packed codes, scales,
zero points, tables.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

# A dequantised matrix and its bytes as stored.
Quantized = tuple[Tensor, int]


def nbytes(*tensors: Tensor) -> int:
    """Bytes of tensors as they are held."""
    return sum(t.numel() * t.element_size() for t in tensors)


def hqq(weight: Tensor, bits: int, group: int) -> Quantized:
    """HQQ's optimiser, groups along a row, float16 scales and zero points."""
    from hqq.core.quantize import Quantizer

    codes, meta = Quantizer.quantize(
        weight,
        nbits=bits,
        group_size=group,
        optimize=True,
        round_zero=bits == 4,
        axis=1,
        compute_dtype=torch.float16,
        device="cpu",
    )
    back = Quantizer.dequantize(codes, meta)
    scale, zero = meta["scale"].half(), meta["zero"].half()
    return back.float().reshape(weight.shape), nbytes(codes, scale, zero)


def torchao_int8(weight: Tensor) -> Quantized:
    """Torchao's Int8WeightOnlyConfig: one scale for each row."""
    from torchao.quantization import Int8WeightOnlyConfig, quantize_

    linear = as_linear(weight)
    quantize_(linear, Int8WeightOnlyConfig())
    packed = linear.weight
    return packed.dequantize().float(), nbytes(packed.qdata, packed.scale)


def torchao_intx(weight: Tensor, bits: int, group: int, hqq_scales: bool = False) -> Quantized:
    """Torchao's IntxWeightOnlyConfig: groups along a row, float16 scales.

    torchao holds codes of fewer than 8 bits in int8 until a kernel packs them: counted are `bits`
    for each, and where zero points are not all zero `bits` for each of those.
    """
    from torchao.quantization import IntxWeightOnlyConfig, quantize_
    from torchao.quantization.granularity import PerGroup
    from torchao.quantization.quant_primitives import MappingType
    from torchao.quantization.quantize_.workflows import IntxChooseQParamsAlgorithm

    kinds = IntxChooseQParamsAlgorithm
    linear = as_linear(weight)
    config = IntxWeightOnlyConfig(
        weight_dtype=getattr(torch, f"int{bits}"),
        granularity=PerGroup(group),
        mapping_type=MappingType.SYMMETRIC if hqq_scales else MappingType.ASYMMETRIC,
        scale_dtype=torch.float16,
        intx_choose_qparams_algorithm=kinds.HQQ_SCALE_ONLY if hqq_scales else kinds.AFFINE,
    )
    quantize_(linear, config)
    packed = linear.weight
    zeros = packed.zero_point.numel() if bool((packed.zero_point != 0).any()) else 0
    codes = (packed.qdata.numel() + zeros) * bits
    return packed.dequantize().float(), (codes + 7) // 8 + nbytes(packed.scale)


def as_linear(weight: Tensor) -> torch.nn.Linear:
    """A linear layer with this weight."""
    linear = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    linear.weight = torch.nn.Parameter(weight.clone(), requires_grad=False)
    return linear


def coreml_palette(weights: dict[str, Tensor], bits: int, rows: int | None) -> dict[str, Quantized]:
    """Coremltools' k-means, float16 tables: one for the tensor (`rows` None) or for groups of rows.

    All matrices go in at once: coremltools starts a process for its k-means at each call.
    """
    from coremltools.optimize.torch.palettization import (
        ModulePostTrainingPalettizerConfig,
        PostTrainingPalettizer,
        PostTrainingPalettizerConfig,
    )

    grouped = {"granularity": "per_grouped_channel", "group_size": rows}
    config = ModulePostTrainingPalettizerConfig(n_bits=bits, **(grouped if rows else {}))
    model = torch.nn.Sequential(*(as_linear(w) for w in weights.values()))
    done = PostTrainingPalettizer(
        model, PostTrainingPalettizerConfig(global_config=config)
    ).compress(num_kmeans_workers=1)
    out = {}
    for (name, weight), linear in zip(weights.items(), done, strict=True):
        back = linear.weight.detach().half().float()  # the tables are stored in float16
        tables = -(-weight.shape[0] // rows) if rows else 1
        out[name] = back, (weight.numel() * bits + 7) // 8 + tables * 2**bits * 2
    return out


def one_by_one(method: Callable[..., Quantized]) -> Callable[..., dict[str, Quantized]]:
    """A method for one matrix as a method for many."""

    def run(weights: dict[str, Tensor], **values: Any) -> dict[str, Quantized]:
        return {name: method(weight, **values) for name, weight in weights.items()}

    return run


METHODS: dict[str, Callable[..., dict[str, Quantized]]] = {
    "hqq": one_by_one(hqq),
    "torchao_int8": one_by_one(torchao_int8),
    "torchao_intx": one_by_one(torchao_intx),
    "coreml_palette": coreml_palette,
}


def quantized(weights: dict[str, Tensor], matrices: dict[str, Any]) -> dict[str, Quantized]:
    """Every matrix by its method; those with the same method and numbers together."""
    groups: dict[str, dict[str, Tensor]] = {}
    for name, method in matrices.items():
        groups.setdefault(json.dumps(method), {})[name] = weights[name]
    out: dict[str, Quantized] = {}
    for key, members in groups.items():
        method, values = json.loads(key)
        out |= METHODS[method](members, **values)
    return out


def main() -> None:
    """Run the job; one scheme that fails does not stop the others."""
    job = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    torch.set_num_threads(job["threads"])
    torch.manual_seed(0)
    weights = load_file(job["weights"])
    found: dict[str, dict[str, Any]] = {}
    for scheme in job["schemes"]:
        try:
            done = quantized(weights, scheme["matrices"])
            back = {name: data.contiguous() for name, (data, _) in done.items()}
            save_file(back, str(Path(job["out"]) / scheme["file"]))
            found[scheme["file"]] = {"bytes": sum(size for _, size in done.values())}
        except Exception as error:
            text = str(error).strip().splitlines() or [""]
            found[scheme["file"]] = {"error": f"{type(error).__name__}: {text[0]}"[:300]}
    print()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
