"""Dispatches and bytes of decode steps, counted from GPU programs, as a markdown table.

    python -m optimum_compile.tools.gpu_traffic FILE.gpu.ocm .. [--past 0,256]
    python -m optimum_compile.tools.gpu_traffic --shape 1b --scheme int4:g32 [--context 4096]

Every operand of every dispatch counts once: parts of weights, views that are read and written, what attention
reads of the caches at a given past. Beside it stands what no program can avoid: the weights, each once (of
tables of tokens and angles the rows of the call, of nested weights planes and tables of one width, which has
a line of its own), the cache, and the new rows in it. Shapes are those of Llama
3.2 with 1 and 3 billion parameters; their weights are zeros, so that nothing but sizes is true of them.
"""

import argparse
import json
import struct
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from math import prod
from pathlib import Path

import numpy as np

from optimum_compile.backends.gpu.decode import read_program
from optimum_compile.backends.gpu.emit import lowered, plan
from optimum_compile.backends.gpu.outliers import starts_of
from optimum_compile.backends.gpu.traffic import Traffic, traffic
from optimum_compile.backends.native.program import Program
from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Affine
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.compiler.quant.store import write_packed
from optimum_compile.passes.precision.notes import Precision, Quantized
from optimum_compile.passes.precision.units import units_of

# hidden, layers, heads, heads of keys, channels of a head, channels between, tokens
SHAPES = {
    "1b": (2048, 16, 32, 8, 64, 8192, 128256),
    "3b": (3072, 28, 24, 8, 128, 8192, 128256),
}
CHUNK = 128


def config_of(shape: str, context: int) -> dict[str, object]:
    """The `config.json` of a shape."""
    hidden, layers, heads, kv_heads, head, between, tokens = SHAPES[shape]
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "dtype": "float16",
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "head_dim": head,
        "intermediate_size": between,
        "vocab_size": tokens,
        "max_position_embeddings": context,
        "tie_word_embeddings": True,
        "rms_norm_eps": 1e-05,
    }


def tensors_of(shape: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and sizes of the checkpoint."""
    hidden, layers, heads, kv_heads, head, between, tokens = SHAPES[shape]
    yield "model.embed_tokens.weight", (tokens, hidden)
    yield "model.norm.weight", (hidden,)
    for at in range(layers):
        layer = f"model.layers.{at}"
        for name, rows in (("q", heads), ("k", kv_heads), ("v", kv_heads)):
            yield f"{layer}.self_attn.{name}_proj.weight", (rows * head, hidden)
        yield f"{layer}.self_attn.o_proj.weight", (hidden, heads * head)
        for name in ("gate", "up"):
            yield f"{layer}.mlp.{name}_proj.weight", (between, hidden)
        yield f"{layer}.mlp.down_proj.weight", (hidden, between)
        yield f"{layer}.input_layernorm.weight", (hidden,)
        yield f"{layer}.post_attention_layernorm.weight", (hidden,)


def write_zeros(folder: Path, shape: str, context: int) -> Path:
    """A checkpoint of zeros, which takes no room on most file systems."""
    header: dict[str, Mapping[str, object]] = {}
    at = 0
    for name, sizes in tensors_of(shape):
        end = at + 2 * prod(sizes)
        header[name] = {"dtype": "F16", "shape": sizes, "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with (folder / "model.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + at)
    (folder / "config.json").write_text(json.dumps(config_of(shape, context)), "utf-8")
    return folder


def program_of(shape: str, scheme: str, context: int, work: Path) -> Program:
    """The GPU program of a shape with all its matrices in one scheme.

    Raises OptionError for another scheme than a symmetric grid.
    """
    grid = parse_scheme(scheme)
    if not isinstance(grid, Affine) or not grid.symmetric or grid.scale_bits:
        raise OptionError(
            f"--scheme {scheme}: expected a symmetric grid, as int8:channel or int4:g32"
        )
    graph = open_model(write_zeros(work, shape, context), context=context, max_prefill=CHUNK).graph

    @cache
    def stored(rows: int, columns: int) -> str:
        scales = np.zeros((rows, grid.groups(columns)), np.float16)
        return write_packed(work, PackedWeight(grid, np.zeros((rows, columns), np.int8), scales))

    for unit in units_of(graph):
        value = graph.weights[unit.name]
        value.notes.put(Precision(grid))
        value.notes.put(Quantized(grid, stored(unit.use.rows, unit.use.columns), work))
    return lowered(plan(graph), work).program


def rows_of(
    name: str, program: Program, pasts: Sequence[int], starts: Mapping[int, int] | None = None
) -> Iterator[str]:
    """Lines of the table for the decode step of a program."""
    for width, past in product(reversed(program.widths or (0,)), pasts):
        if past >= program.sizes.context:
            raise OptionError(f"--past {past}: the cache of {name} holds {program.sizes.context}")
        found = traffic(program, len(program.functions) - 1, 1, past, starts, width)
        shown = f"{name}, {width} bits" if width else name
        yield f"| {shown} | {past} | {found.dispatches} | {found.barriers} | {_bytes(found)} |"


def _bytes(found: Traffic) -> str:
    numbers = (found.weight_bytes, found.kv_bytes, found.moved_bytes)
    return " | ".join(f"{number:,}" for number in numbers) + f" | {found.ratio:.4f}"


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; returns the exit code."""
    parser = argparse.ArgumentParser(prog="gpu_traffic", description=__doc__)
    parser.add_argument("files", type=Path, nargs="*")
    parser.add_argument("--shape", choices=sorted(SHAPES), action="append", default=[])
    parser.add_argument("--scheme", default="int4:g32")
    parser.add_argument("--context", type=int, default=4096)
    parser.add_argument("--past", default="0,256")
    args = parser.parse_args(argv)
    pasts = [int(number) for number in args.past.split(",")]
    print("| program | past | dispatches | barriers | weights | KV | moved | ratio |")
    print("|---|---|---|---|---|---|---|---|")
    for path in args.files:
        held, section, _ = read_program(path)
        for line in rows_of(path.name, held, pasts, starts_of(held, section)):
            print(line)
    for shape in args.shape:
        with tempfile.TemporaryDirectory(prefix="optimum-traffic-") as work:
            program = program_of(shape, args.scheme, args.context, Path(work))
            for line in rows_of(f"{shape}, {args.scheme}", program, pasts):
                print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
