"""`optimum-compile evaluate`: perplexity of a model or a bundle on text, and its distance to a reference.

A model runs in the reference executor, with the weights of its checkpoint. A bundle holds its
quantised weights only inside its artifacts, so there it is an artifact that runs: the one that
`--artifact` names, otherwise the iOS one, whose arithmetic is closest to the quantised oracle (dense
fp16 weights, no int8 activations), otherwise the Android one, otherwise the native one. With `--width` it
is the first whose calls choose one; prompts and answers alike are then read with so many bits.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optimum_compile.backends.catalog import load_backend
from optimum_compile.compiler.calibration import (
    TextSource,
    load_tokenizer,
    need_torch,
    read_text,
    special_token_id,
)
from optimum_compile.compiler.errors import InputError, OptionError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.observers import ProgressObserver
from optimum_compile.compiler.options import TARGETS
from optimum_compile.compiler.quant.activations import ActivationKind
from optimum_compile.compiler.quant.kv import KvBits, KvRole, KvScheme, parse_kv_bits
from optimum_compile.passes.precision.kv import kv_bytes, uniform_kv
from optimum_compile.passes.precision.units import units_of
from optimum_compile.tools.cli import print_json
from optimum_compile.tools.subject import (
    DEFAULT_SEQLEN,
    PLATFORMS,
    Subject,
    open_decoder,
    open_subject,
    vocabulary_of,
)
from optimum_compile.tools.tables import evaluation_text

ACTIVATIONS = ("float", "int8")


@dataclass(frozen=True)
class Options:
    """What to read and how: see the options of the command line."""

    text: str
    seqlen: int | None = None
    stride: int | None = None
    max_tokens: int | None = None
    artifact: str | None = None
    activations: str = "float"  # of a model: "int8" rounds the inputs of its linears
    kv_bits: str = "16"  # of a model: of its keys and values, see `parse_kv_bits`
    width: int | None = (
        None  # of an artifact: bits that its nested weights are read with (None: all)
    )

    def __post_init__(self) -> None:
        if self.seqlen is not None and self.seqlen < 2:
            raise OptionError(f"seqlen={self.seqlen}: expected 2 tokens or more")
        for key, value in (("stride", self.stride), ("max-tokens", self.max_tokens)):
            if value is not None and value < 1:
                raise OptionError(f"{key}={value}: expected a positive number")
        if self.seqlen is not None and self.stride is not None and self.stride > self.seqlen:
            raise OptionError(
                f"stride={self.stride}: expected at most seqlen ({self.seqlen}); "
                "a longer stride would leave tokens out"
            )
        if self.artifact is not None and self.artifact not in TARGETS:
            raise OptionError(f"artifact {self.artifact!r}: expected one of {', '.join(TARGETS)}")
        if self.activations not in ACTIVATIONS:
            raise OptionError(f"activations={self.activations!r}: expected float or int8")
        if parse_kv_bits(self.kv_bits).auto:
            raise OptionError("kv_bits=auto: only assignment can choose; give 16, 8, 4, 2 or K,V")


def evaluate(
    path: Path, options: Options, reference: Path | None = None, *, watch: Any = None
) -> dict[str, Any]:
    """Evaluate a model or a bundle; the result is the document of `--json`.

    Args:
        path: a Hugging Face folder, an archive that is a decoder, or a bundle.
        options: text, windows, and which artifact.
        reference: the model that KL and agreement are measured against.
        watch: an `Observer` that is told about progress.

    Raises:
        OptionError: an option out of range, or one that does not fit the model.
        InputError: text, model, bundle or reference that cannot be evaluated.
    """
    need_torch()
    from optimum_compile.tools.score import GraphLogits, Score, score, text_windows

    text = read_text(options.text)
    if text is None:
        raise OptionError(f"text {options.text!r}: expected a text file or a JSON list of strings")
    subject = open_subject(path, options.seqlen, options.artifact, options.width)
    bits = parse_kv_bits(options.kv_bits)
    asked = (("activations", options.activations, "float"), ("kv_bits", str(bits), "16"))
    for key, value, plain in asked:
        if subject.bundle is not None and value != plain:
            raise OptionError(
                f"{key}={value}: {path} is a bundle, whose artifacts round by themselves"
            )
    tokenizer = subject.tokenizer
    seqlen = options.seqlen or min(subject.limit, DEFAULT_SEQLEN)
    bos = special_token_id(subject.tokenizer_files, "bos_token", tokenizer)
    windows = text_windows(text, tokenizer, bos, seqlen, options.stride, options.max_tokens)
    _refuse_tokens(subject, max(max(w.tokens) for w in windows))
    _remark(subject, text, options)
    _remark_cache(bits, max(len(w.tokens) for w in windows))
    kv = None if subject.graph is None else uniform_kv(subject.graph, bits)
    with ExitStack() as stack:
        other = None
        if reference is not None:
            other = GraphLogits(_reference(reference, subject, tokenizer, seqlen))
        if subject.graph is not None:
            rounding = _rounding(subject.graph) if options.activations == "int8" else None
            predict: Any = GraphLogits(
                subject.graph, activations=rounding, kv=kv if bits.rounds else None
            )
            by = "reference executor"
        else:
            predict = stack.enter_context(_runtime(subject))
            by = predict.executed_by
        tell = (
            (lambda d, t: None) if watch is None else (lambda d, t: watch.progress("score", d, t))
        )
        result: Score = score(windows, predict, other, progress=tell)
    return {
        "perplexity": result.perplexity if math.isfinite(result.perplexity) else None,
        "nll": result.nll,
        "kl_mean": result.kl_mean,
        "kl_p99": result.kl_p99,
        "top1_agreement": result.top1_agreement,
        "tokens": result.tokens,
        "bits_per_weight": subject.bits_per_weight,
        "weight_bytes": subject.weight_bytes,
        "evaluated_by": by,
        "activations": None if subject.graph is None else options.activations,
        "kv_bits": None if kv is None else str(bits),
        "kv_bytes": None if subject.graph is None else kv_bytes(subject.graph, kv, seqlen),
        "artifact": None if subject.artifact is None else subject.artifact.path,
        "file_bytes": None if subject.artifact is None else subject.artifact.file_bytes,
        "width": None if subject.read is None else subject.read.width,
        "bytes_per_token": None if subject.read is None else subject.read.bytes_per_token,
        "text": text.label,
        "seqlen": seqlen,
        "stride": (options.stride or seqlen) if text.is_stream else None,
    }


def _rounding(graph: Graph) -> dict[str, ActivationKind]:
    """The inputs of every linear, as XNNPACK rounds them."""
    names = (unit.name for unit in units_of(graph) if unit.use.as_linear)
    return dict.fromkeys(names, ActivationKind.ASYMMETRIC_INT8)


def _runtime(subject: Subject) -> Any:
    bundle, artifact = subject.bundle, subject.artifact
    if bundle is None or artifact is None:
        raise InputError(f"{subject.path}: nothing to run")
    backend = load_backend(artifact.kind)
    backend.require()
    width = 0 if subject.read is None else subject.read.width
    return backend.logits(bundle.resolve(artifact.path), width)


def _refuse_tokens(subject: Subject, greatest: int) -> None:
    if greatest >= subject.vocabulary:
        raise InputError(
            f"{subject.path}: its tokenizer gives token {greatest}, but it predicts "
            f"{subject.vocabulary} only; the tokenizer belongs to another model"
        )


def _reference(path: Path, subject: Subject, tokenizer: Any, seqlen: int) -> Graph:
    """The reference's graph. Raises InputError when it reads text as other tokens."""
    opened, _ = open_decoder(path, seqlen)
    width = vocabulary_of(path, opened.graph.outputs[0].type.shape)
    advice = "give the model that the bundle was compiled from"
    if width != subject.vocabulary:
        raise InputError(
            f"reference {path}: it predicts {width} tokens, {subject.path} {subject.vocabulary}; "
            f"{advice}"
        )
    own = load_tokenizer(opened.tokenizer_files)
    if own is not None and own.get_vocab() != tokenizer.get_vocab():
        raise InputError(
            f"reference {path}: its tokenizer differs from that of {subject.path}; {advice}"
        )
    return opened.graph


def _remark(subject: Subject, text: TextSource, options: Options) -> None:
    """Say on stderr what the figures cannot tell."""
    if options.stride is not None and not text.is_stream:
        print("note: --stride is for plain text; documents are taken alone", file=sys.stderr)
    if subject.bundle is None:
        return
    if subject.bundle.manifest.source.get("calibration") == text.label:
        print(
            f"warning: {subject.path} was calibrated on text of the same name, {text.label}; on text "
            "that calibration saw, quality looks better than it is",
            file=sys.stderr,
        )


def _remark_cache(bits: KvBits, longest: int) -> None:
    """Say on stderr where windows are too short for any key or value to be rounded."""
    used = [s for role in KvRole if isinstance(s := bits.scheme(role), KvScheme)]
    if used and not any(s.rounded_tokens(longest) for s in used):
        s = used[0]
        print(
            f"note: a cache keeps the first {s.sinks} and the last {s.window} tokens in fp16 and rounds "
            f"{s.group} at a time; windows of {longest} tokens are not rounded at all",
            file=sys.stderr,
        )


def main(command: str, argv: Sequence[str]) -> int:
    """Evaluate; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="optimum-compile evaluate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("path", type=Path, metavar="BUNDLE|MODEL")
    add("--text", required=True, metavar="FILE", help="text file, or JSON list of documents")
    add("--reference", type=Path, metavar="MODEL", help="measure KL and agreement against it")
    add("--seqlen", type=int, metavar="N", help=f"longest window (default {DEFAULT_SEQLEN})")
    add("--stride", type=int, metavar="N", help="step of windows in a text file (default seqlen)")
    add("--max-tokens", type=int, metavar="N", help="stop after this many predicted tokens")
    add(
        "--artifact",
        metavar="|".join(PLATFORMS),
        help="which artifact of a bundle to run; or a target's full name",
    )
    add(
        "--activations",
        choices=ACTIVATIONS,
        default="float",
        help="of a model: int8 rounds the input of every linear, a scale a token, as XNNPACK does",
    )
    add(
        "--kv-bits", metavar="K[,V]", default="16", help="of a model: bits of its KV cache, 16 to 2"
    )
    add(
        "--width", type=int, metavar="W", help="of a bundle: bits that nested weights are read with"
    )
    add("--json", action="store_true", help="one JSON document on stdout")
    args = parser.parse_args(list(argv))
    options = Options(
        args.text,
        args.seqlen,
        args.stride,
        args.max_tokens,
        args.artifact,
        args.activations,
        args.kv_bits,
        args.width,
    )
    with ProgressObserver(sys.stderr) as watch:
        document = evaluate(args.path, options, args.reference, watch=watch)
    if args.json:
        print_json(document)
    else:
        print(evaluation_text(args.path, args.reference, document))
    return 0
