"""What a KV cache in few bits takes and what it costs: bytes, KL and perplexity, as a markdown table.

    python -m optimum_compile.tools.bench_kv MODEL --text FILE [--contexts 256,512] [--windows 4]

Weights stay as they are, so that all damage is the cache's. The documents of the text are one stream,
cut into windows as long as the context. Bytes are those of the buffers that a runtime keeps for the
context: codes, scales, least values, and all rows that stay in fp16. KL is against the cache that is not
rounded; the second half of the window, where most of what is read is codes, has a column of its own.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from optimum_compile.compiler.calibration import (
    TextSource,
    load_tokenizer,
    read_text,
    special_token_id,
)
from optimum_compile.compiler.decoder import caches_of
from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.pass_manager import PassContext, PassManager
from optimum_compile.compiler.quant.kv import KvBits, KvRole, KvScheme, KvStored, parse_kv_bits
from optimum_compile.compiler.quant.kv_layout import kv_buffer_bytes
from optimum_compile.passes.rewrite.rotate import RotateResidual
from optimum_compile.tools.score import GraphLogits, Window, score, text_windows

WIDTHS = ("16", "8", "4", "4,2", "2")


@dataclass(frozen=True)
class Setting:
    """One row: bits, how many tokens stay in fp16, and whether values were rotated before."""

    bits: KvBits
    window: int = 32
    sinks: int = 4
    rotated: bool = False

    def scheme(self, role: KvRole) -> KvStored:
        """Of keys or of values."""
        found = self.bits.scheme(role)
        if not isinstance(found, KvScheme):
            return found
        return replace(found, window=self.window, sinks=self.sinks)


def settings() -> Iterator[Setting]:
    """Every width, then the widths below 8 bits without window, without sinks, and rotated."""
    for text in WIDTHS:
        yield Setting(parse_kv_bits(text))
    for text in WIDTHS[2:]:
        bits = parse_kv_bits(text)
        yield Setting(bits, window=0)
        yield Setting(bits, sinks=0)
        yield Setting(bits, window=0, sinks=0)
        yield Setting(bits, rotated=True)


def buffer_bytes(graph: Graph, setting: Setting) -> int:
    """Bytes of all caches."""
    return sum(kv_buffer_bytes(setting.scheme(c.role), c.role, *c.sizes) for c in caches_of(graph))


class Bench:
    """One model at one context."""

    def __init__(self, model: Path, text: TextSource, context: int, windows: int) -> None:
        self._model, self._context = model, context
        opened = open_model(model, context=context, max_prefill=context)
        tokenizer = load_tokenizer(opened.tokenizer_files)
        bos = special_token_id(opened.tokenizer_files, "bos_token", tokenizer)
        found = text_windows(text, tokenizer, bos, context)
        long = [w for w in found if len(w.tokens) == context]
        if len(long) < windows:
            raise OptionError(
                f"the text has {len(long)} windows of {context} tokens; {windows} asked"
            )
        self._windows = long[:windows]
        self._plain = opened.graph
        self._rotated = self._open_rotated()
        self._reference = GraphLogits(self._plain)

    def row(self, setting: Setting) -> str:
        """A line of the table."""
        graph = self._rotated if setting.rotated else self._plain
        kv = {c.name: setting.scheme(c.role) for c in caches_of(graph)}
        predict = GraphLogits(graph, kv=kv)
        whole = score(self._windows, predict, self._reference)
        late = [Window(w.tokens, self._context // 2) for w in self._windows]
        half = score(late, predict, self._reference)
        size, plain = (buffer_bytes(graph, s) for s in (setting, Setting(KvBits())))
        options = f"{setting.window} | {setting.sinks} | {'yes' if setting.rotated else 'no'}"
        if not setting.bits.rounds:
            options = "- | - | no"
        return (
            f"| {self._context} | {setting.bits} | {options} | {size:,} | {plain / size:.2f} | "
            f"{whole.kl_mean:.2e} | {half.kl_mean:.2e} | {whole.perplexity:.3f} |"
        )

    def _open_rotated(self) -> Graph:
        graph = open_model(self._model, context=self._context, max_prefill=self._context).graph
        PassManager([RotateResidual(0, residual=False, values=True)]).run(graph, PassContext())
        return graph


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="bench_kv", description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--text", required=True, help="text file, or JSON list of documents")
    parser.add_argument("--contexts", default="256,512", help="lengths of the cache, in tokens")
    parser.add_argument("--windows", type=int, default=4, help="windows to measure on")
    args = parser.parse_args(argv)
    source = read_text(args.text)
    if source is None:
        raise OptionError(f"text {args.text!r}: expected a text file or a JSON list of strings")
    stream = replace(source, documents=("\n".join(source.documents),), is_stream=True)
    print(
        "| context | bits | window | sinks | rotated | bytes | smaller | KL | KL, 2nd half | PPL |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for context in (int(word) for word in args.contexts.split(",")):
        bench = Bench(args.model, stream, context, args.windows)
        for setting in settings():
            print(bench.row(setting), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
