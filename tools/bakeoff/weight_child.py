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


def coreml_palette(weight: Tensor, bits: int, rows: int | None) -> Quantized:
    """Coremltools' k-means, float16 tables: one for the tensor (`rows` None) or for groups of rows."""
    from coremltools.optimize.torch.palettization import (
        ModulePostTrainingPalettizerConfig,
        PostTrainingPalettizer,
        PostTrainingPalettizerConfig,
    )

    grouped = {"granularity": "per_grouped_channel", "group_size": rows}
    config = ModulePostTrainingPalettizerConfig(
        n_bits=bits, enable_fast_kmeans_mode=False, **(grouped if rows else {})
    )
    model = torch.nn.Sequential(as_linear(weight))
    done = PostTrainingPalettizer(
        model, PostTrainingPalettizerConfig(global_config=config)
    ).compress(num_kmeans_workers=1)
    back = done[0].weight.detach().float().half().float()  # the tables are stored in float16
    tables = -(-weight.shape[0] // rows) if rows else 1
    return back, (weight.numel() * bits + 7) // 8 + tables * 2**bits * 2


METHODS: dict[str, Callable[..., Quantized]] = {
    "hqq": hqq,
    "torchao_int8": torchao_int8,
    "torchao_intx": torchao_intx,
    "coreml_palette": coreml_palette,
}


def main() -> None:
    """Run the job; one scheme that fails does not stop the others."""
    job = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    torch.set_num_threads(job["threads"])
    torch.manual_seed(0)
    weights = load_file(job["weights"])
    found: dict[str, dict[str, Any]] = {}
    for scheme in job["schemes"]:
        try:
            back, total = {}, 0
            for name, (method, values) in scheme["matrices"].items():
                data, size = METHODS[method](weights[name], **values)
                back[name], total = data.contiguous(), total + size
            save_file(back, str(Path(job["out"]) / scheme["file"]))
            found[scheme["file"]] = {"bytes": total}
        except Exception as error:
            text = str(error).strip().splitlines() or [""]
            found[scheme["file"]] = {"error": f"{type(error).__name__}: {text[0]}"[:300]}
    print()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
