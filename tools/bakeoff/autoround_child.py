"""Tune the roundings of a Hugging Face model with AutoRound; runs where auto-round is installed.

    python autoround_child.py JOB.json

The job names `model` (a folder), `tokens` (.npy, windows of equal length), `bits`, `group`, `iters`,
`seed`, `threads`, `weights` (.safetensors of the matrices that AutoRound leaves alone) and `out`
(.safetensors, to be written): the dequantised matrices. AutoRound quantises the linear layers of the
blocks; the rest is rounded to int8 with one float16 scale for each row.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor


def tuned(job: dict[str, Any]) -> Any:
    """The model after AutoRound, with its weights on their grids."""
    from auto_round import AutoRound
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

    model = AutoModelForCausalLM.from_pretrained(
        job["model"], dtype=torch.float32, local_files_only=True, use_safetensors=True
    )
    windows = torch.from_numpy(np.load(job["tokens"], allow_pickle=False))
    samples = [{"input_ids": w, "attention_mask": torch.ones_like(w)} for w in windows]
    tool = AutoRound(
        model,
        tokenizer=PreTrainedTokenizerFast(
            tokenizer_file=str(Path(job["model"]) / "tokenizer.json")
        ),
        bits=job["bits"],
        group_size=job["group"],
        sym=False,
        dataset=torch.utils.data.DataLoader(samples, batch_size=8),
        iters=job["iters"],
        nsamples=len(samples),
        seqlen=windows.shape[1],
        batch_size=8,
        seed=job["seed"],
        device_map="cpu",
        enable_torch_compile=False,
    )
    done, _ = tool.quantize()
    return done


def int8_rows(weight: Tensor) -> tuple[Tensor, int]:
    """Round to int8 with a float16 scale for each row; returns the matrix and its bytes."""
    largest = weight.abs().amax(1, keepdim=True)
    scale = (largest / 127).half().float().clamp_min(2.0**-24)
    codes = (weight / scale).round().clamp(-127, 127)
    return codes * scale, weight.numel() + 2 * weight.shape[0]


def main() -> None:
    """Run the job and print a JSON document with the bytes of all matrices."""
    job = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    torch.set_num_threads(job["threads"])
    model = tuned(job)
    rest, out, total = load_file(job["weights"]), {}, 0
    for name, module in model.named_modules():
        scale = getattr(module, "scale", None)
        if f"{name}.weight" not in rest or not torch.is_tensor(scale):
            continue
        weight = module.weight.detach().float()
        groups = -(-weight.shape[1] // job["group"]) * weight.shape[0]
        out[f"{name}.weight"] = weight.contiguous()
        # Codes and zero points of `bits` each, float16 scales: what its GPTQ format packs.
        total += ((weight.numel() + groups) * job["bits"] + 7) // 8 + 2 * groups
    tuned_count = len(out)
    for name in sorted(set(rest) - set(out)):
        out[name], size = int8_rows(rest[name])
        total += size
    save_file({k: v.contiguous() for k, v in out.items()}, job["out"])
    print()
    print(json.dumps({"bytes": total, "tuned": tuned_count}))


if __name__ == "__main__":
    main()
