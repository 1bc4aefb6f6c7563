"""How fast progressive decoding would run: the accelerator of the paper, and phones, by a roofline.

    python -m optimum_compile.tools.phases.devices [--prompt 1024] [--length 256] [--json]

Shapes are those of the models of Chen et al. (ICLR 2025, arXiv 2410.13461); nothing is executed, so no
weights are needed. What the model counts is in `compiler/throughput.py`.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from optimum_compile.compiler.devices import EFFICIENCY, devices
from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.schedule import Schedule
from optimum_compile.compiler.throughput import (
    FLOAT_BITS,
    Answer,
    Architecture,
    Machine,
    answer_seconds,
    decoder,
)
from optimum_compile.tools.cli import print_json

# FlightLLM's accelerator as the paper sets it: multiply-adds at 1 GHz, and 32 GB/s.
NPUS = (
    Machine("NPU, 4K MAC", 4096e9, 32e9),
    Machine("NPU, 16K MAC", 16384e9, 32e9),
)
MODELS = (
    decoder("Vicuna-7B", 32, 4096, 4096, 11008, 32000),
    decoder("MobileLLaMA-1.4B", 24, 2048, 2048, 5632, 32000),
    decoder("Phi-1.5", 24, 2048, 2048, 8192, 51200, gated=False),
    decoder("Zephyr-3B", 32, 2560, 2560, 6912, 50304),
)
# The widths that the paper uses for a model, and the mean bits of its schedules.
PAPER = {
    "Vicuna-7B": (3, 2, 2.39),
    "MobileLLaMA-1.4B": (4, 3, 3.37),
    "Phi-1.5": (4, 3, 3.71),
    "Zephyr-3B": (4, 3, 3.0),
}
# The range of speedups over fp16 that the paper gives for its accelerator.
RANGE = (3.8, 8.0)
# Multiply-adds a second of a phone's processor, an order of magnitude: decoding waits for memory anyway.
PHONE_MACS = 0.5e12
HEAD_BITS = 4.0  # on phones, where a head in 16 bits would be most of what is read


@dataclass(frozen=True)
class Speed:
    """One schedule on one machine: tokens a second and how many times faster than fp16.

    `decode` counts the tokens alone, `whole` the prompt too. head: whether the head's width follows the
    schedule, as that of the blocks does; otherwise it has 16 bits.
    """

    machine: str
    model: str
    schedule: str
    mean_bits: float
    head: bool
    decode_tokens_s: float
    decode: float
    whole: float


def speeds(machine: Machine, model: Architecture, prompt: int, length: int) -> list[Speed]:
    """fp16, uniform low and high, and the paper's mean bits, with the head in 16 bits and narrowed."""
    high, low, mean = PAPER[model.name]
    at = round((mean - low) / (high - low) * length)
    asked = (
        ("uniform", Schedule.fixed(high)),
        ("progressive", Schedule.two(high, high, low, at)),
        ("uniform", Schedule.fixed(low)),
    )
    floats = answer_seconds(machine, model, prompt, length, None)
    out = [
        Speed(machine.name, model.name, "fp16", 16, False, floats.decode_tokens_per_second, 1, 1)
    ]
    for name, schedule in asked:
        bits = schedule.mean_bits(length)
        for head in (False, True):
            others = None if head else FLOAT_BITS
            found = answer_seconds(machine, model, prompt, length, schedule, others)
            out.append(_speed(machine, model, f"{name} {bits:.2f}", bits, head, found, floats))
    return out


def _speed(
    machine: Machine,
    model: Architecture,
    name: str,
    bits: float,
    head: bool,
    found: Answer,
    floats: Answer,
) -> Speed:
    return Speed(
        machine.name,
        model.name,
        name,
        bits,
        head,
        found.decode_tokens_per_second,
        found.decode_tokens_per_second / floats.decode_tokens_per_second,
        found.tokens_per_second / floats.tokens_per_second,
    )


def phones() -> list[Machine]:
    """The known devices, at the share of their peak that kernels reach."""
    return [Machine(d.name, PHONE_MACS, d.bandwidth_bytes_s * EFFICIENCY) for d in devices()]


def table(machines: Sequence[Machine], prompt: int, length: int) -> str:
    """Speedups over fp16 as Markdown: one row a schedule, machines side by side."""
    lines = [
        "| model | weights of blocks, mean bits | head | "
        + " | ".join(f"{m.name}: tokens/s | alone | with the prompt" for m in machines)
        + " |",
        "|---" * (3 + 3 * len(machines)) + "|",
    ]
    for model in MODELS:
        for row in zip(*(speeds(m, model, prompt, length) for m in machines), strict=True):
            cells = [f"{s.decode_tokens_s:.1f} | {s.decode:.2f} | {s.whole:.2f}" for s in row]
            head = "as the blocks" if row[0].head else "16 bits"
            lines.append(f"| {model.name} | {row[0].schedule} | {head} | {' | '.join(cells)} |")
    return "\n".join(lines)


def phone_table(prompt: int, length: int) -> str:
    """Tokens a second while decoding on phones: fp16, the high width, progressive; the head in 4 bits."""
    names = [f"{m.name}: 16 / {PAPER[m.name][0]} / {PAPER[m.name][2]}" for m in MODELS]
    lines = [
        f"| device | {' | '.join(names)} |",
        "|---" * (1 + len(names)) + "|",
    ]
    for machine in phones():
        cells = []
        for model in MODELS:
            high, low, mean = PAPER[model.name]
            at = round((mean - low) / (high - low) * length)
            chosen = (None, Schedule.fixed(high), Schedule.two(high, high, low, at))
            found = [answer_seconds(machine, model, prompt, length, s, HEAD_BITS) for s in chosen]
            cells.append(" / ".join(f"{a.decode_tokens_per_second:.1f}" for a in found))
        lines.append(f"| {machine.name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def reach(prompt: int, length: int) -> str:
    """The least and greatest speedup of progressive decoding by what is counted, against the paper's."""
    lines = [
        "| what is counted | least | greatest |",
        "|---|---|---|",
        f"| the paper, NPU | {RANGE[0]} | {RANGE[1]} |",
    ]
    every = _speeds(prompt, length, MODELS)
    narrow = [s for s in every if s.schedule.startswith("progressive") and s.head]
    wide = [s for s in every if s.schedule.startswith("progressive") and not s.head]
    bare = _speeds(prompt, length, [replace(m, cache_width=0) for m in MODELS])
    rows = (
        ("progressive, decoding alone, head as the blocks", [s.decode for s in narrow]),
        ("progressive, decoding alone, head in 16 bits", [s.decode for s in wide]),
        ("progressive, with the prompt, head as the blocks", [s.whole for s in narrow]),
        ("progressive, with the prompt, head in 16 bits", [s.whole for s in wide]),
        ("uniform high, decoding alone, head as the blocks", _uniform(every, 0)),
        ("uniform low, decoding alone, head as the blocks", _uniform(every, 1)),
        ("the same without a cache: the limit 16 / bits", _uniform(bare, 1)),
    )
    lines += [f"| {name} | {min(values):.2f} | {max(values):.2f} |" for name, values in rows]
    return "\n".join(lines)


def _speeds(prompt: int, length: int, models: Sequence[Architecture]) -> list[Speed]:
    return [s for m in NPUS for a in models for s in speeds(m, a, prompt, length)]


def _uniform(found: Sequence[Speed], which: int) -> list[float]:
    """Decoding alone at the high (0) or low (1) width of each model, its head too."""
    named = {name: f"uniform {bits[which]:.2f}" for name, bits in PAPER.items()}
    return [s.decode for s in found if s.head and s.schedule == named[s.model]]


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(
        prog="devices", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--prompt", type=int, default=1024, help="tokens")
    parser.add_argument("--length", type=int, default=256, help="tokens of an answer")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(argv)
    if min(args.prompt, args.length) < 1:
        raise OptionError(f"prompt={args.prompt}, length={args.length}: expected 1 or more")
    if args.json:
        every = _speeds(args.prompt, args.length, MODELS)
        print_json({"speeds": [asdict(s) for s in every]})
        return 0
    print(reach(args.prompt, args.length))
    print("\n" + table(NPUS, args.prompt, args.length))
    print("\n" + phone_table(args.prompt, args.length))
    return 0


if __name__ == "__main__":
    sys.exit(main())
