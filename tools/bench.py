"""Time and peak memory of compiling a 1.1B-parameter Llama shape with random weights.

    python -m optimum_compile.tools.bench [--layers 22] [--target ios:coreml] [--together] [--verify]

The weights are written to a temporary Hugging Face folder first (that time is not counted). Each
target is compiled in a process of its own without comparison, unless options say otherwise; a thread
samples the memory of that process and its children, so that the phases can be told apart.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

SHAPE: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 2048,
    "intermediate_size": 5632,
    "num_attention_heads": 32,
    "num_key_value_heads": 4,
    "vocab_size": 32000,
    "max_position_embeddings": 2048,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "hidden_act": "silu",
    "tie_word_embeddings": False,
    "torch_dtype": "float16",
}


@dataclass(frozen=True)
class Result:
    """One compilation."""

    target: str
    seconds: float
    peak_bytes: int
    phases: dict[str, float]
    exit_code: int
    file_bytes: int


def tensors_of(config: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a Llama checkpoint."""
    width, ffn, vocab = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
    kv = width // config["num_attention_heads"] * config["num_key_value_heads"]
    out: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (vocab, width)}
    for i in range(config["num_hidden_layers"]):
        at = f"model.layers.{i}"
        out |= {
            f"{at}.input_layernorm.weight": (width,),
            f"{at}.self_attn.q_proj.weight": (width, width),
            f"{at}.self_attn.k_proj.weight": (kv, width),
            f"{at}.self_attn.v_proj.weight": (kv, width),
            f"{at}.self_attn.o_proj.weight": (width, width),
            f"{at}.post_attention_layernorm.weight": (width,),
            f"{at}.mlp.gate_proj.weight": (ffn, width),
            f"{at}.mlp.up_proj.weight": (ffn, width),
            f"{at}.mlp.down_proj.weight": (width, ffn),
        }
    return out | {"model.norm.weight": (width,), "lm_head.weight": (vocab, width)}


def write_random_model(folder: Path, layers: int, seed: int = 0) -> int:
    """Write a folder with random fp16 weights, one tensor at a time; returns the parameter count."""
    config = SHAPE | {"num_hidden_layers": layers}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    shapes = tensors_of(config)
    header: dict[str, Any] = {}
    at = 0
    for name, shape in shapes.items():
        size = int(np.prod(shape)) * 2
        header[name] = {"dtype": "F16", "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    rng = np.random.default_rng(seed)
    with (folder / "model.safetensors").open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for shape in shapes.values():
            if len(shape) == 1:
                data = np.ones(shape, np.float16)
            else:
                data = rng.standard_normal(shape, np.float32).astype(np.float16) * np.float16(0.02)
            file.write(data.tobytes())
    return at // 2


def memory_of(root: int) -> int:
    """Resident bytes of a process and its descendants, from /proc."""
    parents: dict[int, list[int]] = {}
    resident: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(entry.name))
        resident[int(entry.name)] = int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    total, todo = 0, [root]
    while todo:
        process = todo.pop()
        total += resident.get(process, 0)
        todo += parents.get(process, [])
    return total


def compile_once(model: Path, target: str, out: Path, extra: Sequence[str]) -> Result:
    """Compile in a child process and watch its memory."""
    command = [sys.executable, "-P", "-m", "optimum_compile.tools.cli", str(model)]
    command += ["--target", target, "-o", str(out), "--name", "bench", "--json", *extra]
    begin = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    peak = 0
    stop = threading.Event()
    phases: dict[str, float] = {}

    def sample() -> None:
        nonlocal peak
        while not stop.wait(0.2):
            peak = max(peak, memory_of(child.pid))

    def follow() -> None:
        for line in child.stderr or ():
            label = line.split(":")[0].strip()
            phases[label] = round(time.monotonic() - begin, 1)
            print(
                f"  [{phases[label]:7.1f} s, {peak / 2**30:.2f} GiB] {line.rstrip()}",
                file=sys.stderr,
            )

    threads = [threading.Thread(target=sample), threading.Thread(target=follow)]
    for thread in threads:
        thread.start()
    if child.stdout is not None:
        child.stdout.read()
    code = child.wait()
    stop.set()
    for thread in threads:
        thread.join()
    size = sum(p.stat().st_size for p in out.rglob("*") if p.is_file())
    return Result(target, time.monotonic() - begin, peak, phases, code, size)


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--layers", type=int, default=22)
    parser.add_argument("--target", default="ios:coreml,android:executorch")
    parser.add_argument("--together", action="store_true", help="both targets in one process")
    parser.add_argument("--verify", action="store_true", help="execute the artifacts too")
    args = parser.parse_args(argv)
    extra = [] if args.verify else ["--no-verify"]
    failed = 0
    with tempfile.TemporaryDirectory(prefix="optimum-bench-") as work:
        parameters = write_random_model(Path(work) / "model", args.layers)
        print(f"{parameters:,} parameters, {args.layers} layers, random weights")
        print("| target | seconds | peak memory (GiB) | files (MB) |\n|---|---|---|---|")
        for target in [args.target] if args.together else args.target.split(","):
            r = compile_once(Path(work) / "model", target, Path(work) / f"out-{target}", extra)
            failed |= r.exit_code
            print(
                f"| {r.target} | {r.seconds:.0f} | {r.peak_bytes / 2**30:.2f} | {r.file_bytes / 1e6:,.0f} |"
            )
    return failed


if __name__ == "__main__":
    sys.exit(main())
