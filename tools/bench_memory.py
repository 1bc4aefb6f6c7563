"""The memory plan of activations, against what is alive and against other planners.

    python -m optimum_compile.tools.bench_memory [MODEL ..] [--seq 1,16,64,512] [--form values,views]

MODEL: a Hugging Face folder, or a name of SHAPES, of which the table has the sizes and no weights (default:
all of them, and the models in models/). Each is planned once, for every length of the prompt. One row a
length: the bound (what is alive at the fullest step, before rounding), the plan and its ratio to the bound, and
what others need for the same buffers at that length, each told the numbers: ExecuTorch's greedy planner, the
pools of torch's inductor, and no reuse at all. KiB. `none` where a planner is not installed.

Forms: `values` has a buffer for every value of the imported graph; in `in-place` element-wise nodes write over
what dies there; `views` are the buffers of the fused graph with views, which the native target executes.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from optimum_compile.compiler.frontend.config import read_config
from optimum_compile.compiler.frontend.open_model import decoder_graph, open_model
from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.shape import evaluate, format_dim
from optimum_compile.compiler.ir.types import TensorType
from optimum_compile.compiler.ir.weights import WeightRef
from optimum_compile.compiler.pass_manager import PassManager
from optimum_compile.models import RECIPES
from optimum_compile.passes.canonicalize.canonicalize import Canonicalize
from optimum_compile.passes.fuse.pipeline import fuse
from optimum_compile.passes.fuse.split_phases import phases
from optimum_compile.passes.memory.liveness import live_buffers, noted_layout, plain_buffers
from optimum_compile.passes.memory.planner import plan_buffers
from optimum_compile.passes.memory.requests import Request
from optimum_compile.passes.subtensor.place import PlaceViews
from optimum_compile.passes.symbolic_shape.infer import InferShapes

CONTEXT = 2048
LENGTHS = (1, 16, 64, 512)
FORMS = ("values", "in-place", "views")
_COMMON = {"rms_norm_eps": 1e-5, "max_position_embeddings": CONTEXT, "hidden_act": "silu"}
# Four layers of each: the others repeat them.
SHAPES: dict[str, dict[str, Any]] = {
    "llama-3.2-1b": {
        "model_type": "llama",
        "architectures": ["LlamaForCausalLM"],
        "hidden_size": 2048,
        "intermediate_size": 8192,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 128256,
    },
    "qwen3-0.6b": {
        "model_type": "qwen3",
        "architectures": ["Qwen3ForCausalLM"],
        "hidden_size": 1024,
        "intermediate_size": 3072,
        "num_attention_heads": 16,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "vocab_size": 151936,
    },
    "mixtral-8x7b": {
        "model_type": "mixtral",
        "architectures": ["MixtralForCausalLM"],
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "num_local_experts": 8,
        "num_experts_per_tok": 2,
        "vocab_size": 32000,
    },
}


@dataclass(frozen=True)
class Row:
    """One model at one length, bytes; None for a planner that is not installed."""

    model: str
    form: str
    seq: int
    bound: int
    planned: int
    executorch: int | None
    inductor: int | None
    naive: int


def executorch_peak(
    requests: Sequence[Request], bindings: Mapping[str, int], alignment: int = 64
) -> int | None:
    """Bytes that ExecuTorch's greedy planner needs for these buffers at these numbers."""
    try:
        import torch
        from executorch.exir.memory_planning import greedy
        from executorch.exir.tensor import TensorSpec
    except ImportError:
        return None
    specs = []
    for each in requests:
        spec = TensorSpec(torch.uint8, torch.Size([evaluate(each.size_bytes, bindings)]))
        spec.lifetime = [each.first, each.last]
        specs.append(spec)
    # The module and its signature are asked for submodules only, of which there are none.
    return int(sum(greedy(alignment, specs, SimpleNamespace(), None).bufsizes))


def inductor_peak(requests: Sequence[Request], bindings: Mapping[str, int]) -> int | None:
    """Bytes of the pools into which torch's inductor puts these buffers at these numbers."""
    try:
        import torch
        from torch._inductor.codegen.memory_planning import Allocation, AllocationPools, LiveRange
    except ImportError:
        return None
    node = SimpleNamespace(
        get_device=lambda: torch.device("cpu"), get_layout=lambda: SimpleNamespace(size=())
    )
    blocks = []
    for each in requests:
        size = evaluate(each.size_bytes, bindings)
        blocks.append(Allocation(node, LiveRange(each.first, each.last + 1), size, size))
    blocks.sort(key=lambda b: (-b.size_hint, -len(b.live_range)))  # its own order
    pools = AllocationPools()
    for block in blocks:
        pools.allocate(block)
    return sum(int(p.root.get_size_hint()) for own in pools.device_to_pools.values() for p in own)


def shape_graph(name: str, layers: int = 4) -> Graph:
    """The canonical graph of one of SHAPES, with weights that are names and types only."""
    settings = SHAPES[name] | _COMMON | {"num_hidden_layers": layers}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.json"
        path.write_text(json.dumps(settings))
        config = read_config(path)
    module = import_module(RECIPES[config.architecture]).build(config)
    weights = {
        n: WeightRef(n, TensorType(DType.F32, tuple(p.shape))) for n, p in module.named_parameters()
    }
    graph = decoder_graph(config, weights, name, CONTEXT, max(LENGTHS))
    PassManager([Canonicalize(), InferShapes()]).run(graph)
    return graph


def buffers_of(graph: Graph, form: str) -> tuple[Request, ...]:
    """What is to be placed of `graph`, which stays as it is; see the module's docstring for `form`."""
    if form != "views":
        return live_buffers(graph, plain_buffers(graph, in_place=form == "in-place"))
    prefill = phases(fuse(graph).graph).prefill
    PassManager([PlaceViews()]).run(prefill)
    return live_buffers(prefill, noted_layout(prefill))


def rows(name: str, graph: Graph, lengths: Sequence[int], form: str) -> Iterator[Row]:
    """Plan `graph` once, and measure at each length."""
    requests = buffers_of(graph, form)
    begin = time.perf_counter()
    plan = plan_buffers(requests, graph.symbols)
    seconds = time.perf_counter() - begin
    print(
        f"{name}, {form}: {len(requests)} buffers in {seconds:.2f} s, peak "
        f"{format_dim(plan.peak_bytes)} bytes"
    )
    for seq in lengths:
        at = {"seq": seq}
        naive = sum(evaluate(r.size_bytes, at) for r in requests)
        yield Row(
            name,
            form,
            seq,
            plan.bound_at(at),
            plan.peak_at(at),
            executorch_peak(requests, at),
            inductor_peak(requests, at),
            naive,
        )


def table(found: Sequence[Row]) -> str:
    """Rows as Markdown, KiB."""

    def kib(size: int | None) -> str:
        return "none" if size is None else f"{size / 1024:,.1f}"

    out = [
        "| model | form | seq | bound | plan | ratio | ExecuTorch | inductor | no reuse |",
        "|---|---|" + "--:|" * 7,
    ]
    for r in found:
        sizes = " | ".join(kib(s) for s in (r.executorch, r.inductor, r.naive))
        ratio = r.planned / max(r.bound, 1)
        out.append(
            f"| {r.model} | {r.form} | {r.seq} | {kib(r.bound)} | {kib(r.planned)} | {ratio:.3f} | {sizes} |"
        )
    return "\n".join(out)


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="bench_memory", description=__doc__)
    parser.add_argument("models", nargs="*", metavar="MODEL")
    parser.add_argument("--seq", default=",".join(map(str, LENGTHS)), help="lengths of the prompt")
    parser.add_argument("--form", default="values,views", help=f"of {', '.join(FORMS)}")
    args = parser.parse_args(argv)
    home = Path(__file__).resolve().parents[1] / "models"
    models = args.models or [*SHAPES, str(home / "reference"), str(home / "mixture")]
    lengths = [int(n) for n in args.seq.split(",")]
    forms = args.form.split(",")
    if not set(forms) <= set(FORMS):
        parser.error(f"--form {args.form}: expected some of {', '.join(FORMS)}")
    found: list[Row] = []
    for model in models:
        path = Path(model)
        graph = shape_graph(model) if model in SHAPES else open_model(path).graph
        name = model if model in SHAPES else path.resolve().name
        span = graph.symbols["seq"]
        inside = [n for n in lengths if span.low <= n <= span.high]
        for form in forms:
            found += rows(name, graph, inside, form)
    print(table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
