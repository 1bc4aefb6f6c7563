"""Compare our schemes with other tools on the same weights and text, by file bytes.

    python -m optimum_compile.tools.bakeoff MODEL --text EVAL --calibration CALIB [-o RESULTS.md]

Every tool may have an interpreter of its own: --python llama.cpp=venv/bin/python. A tool that cannot
be imported there is left out with the reason. Needs the extra "bench".
"""

import argparse
import datetime
import json
import os
import platform
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from optimum_compile.compiler.errors import (
    OptimumCompileError,
    OptionError,
    ResourceError,
    UserError,
)
from optimum_compile.compiler.package.describe import versions as our_versions
from optimum_compile.tools.bakeoff import simulated
from optimum_compile.tools.bakeoff.bench import Bench, open_bench, scratch
from optimum_compile.tools.bakeoff.child import Interpreter
from optimum_compile.tools.bakeoff.ledger import Known, Ledger, fingerprint
from optimum_compile.tools.bakeoff.ours import our_rows
from optimum_compile.tools.bakeoff.table import Facts, Row, Skip, document, markdown

# Distributions and modules that a tool must have in its interpreter.
PEERS: dict[str, tuple[tuple[str, str], ...]] = {
    "llama.cpp": (("llama-cpp-python", "llama_cpp"),),
    "hqq": (("hqq", "hqq.core.quantize"), ("safetensors", "safetensors")),
    "torchao": (("torchao", "torchao.quantization"), ("safetensors", "safetensors")),
    "coremltools": (
        ("coremltools", "coremltools.optimize.torch.palettization"),
        ("safetensors", "safetensors"),
    ),
    "autoround": (("auto-round", "auto_round"), ("transformers", "transformers")),
}

TITLES = {"hqq": "HQQ", "autoround": "AutoRound"}
SCHEMES = {"hqq": simulated.HQQ, "torchao": simulated.TORCHAO, "coremltools": simulated.COREML}


def say(text: str) -> None:
    """Progress, on standard error."""
    print(text, file=sys.stderr, flush=True)


def chosen_peers(spec: str) -> list[str]:
    """Names of `--peers`; "none" is nobody. Raises OptionError naming the known ones."""
    names = [] if spec in ("", "none") else [p.strip() for p in spec.split(",")]
    for name in names:
        if name not in PEERS:
            raise OptionError(f"peer {name!r}: expected some of {','.join(PEERS)}, or none")
    return list(dict.fromkeys(names))


def interpreters(specs: Sequence[str]) -> dict[str, Interpreter]:
    """The interpreter of each peer from `PATH` (all peers) and `PEER=PATH` options."""
    found = dict.fromkeys(PEERS, Interpreter(sys.executable))
    for spec in specs:
        peer, equals, path = spec.partition("=")
        if not equals:
            found.update(dict.fromkeys(PEERS, Interpreter(spec)))
        elif peer not in PEERS:
            raise OptionError(f"--python {spec}: expected one of {', '.join(PEERS)} before '='")
        else:
            found[peer] = Interpreter(path)
    return found


def peer_rows(
    name: str, bench: Bench, python: Interpreter, known: Known, args: argparse.Namespace
) -> Iterator[Row | Skip]:
    """Rows of one peer, up to the first error that is not about one row."""
    if name == "llama.cpp":
        try:
            from optimum_compile.tools.bakeoff.llama import LlamaCpp
        except ImportError as error:
            raise ResourceError(f'{error}; run: pip install "optimum-compile[bench]"') from error
        yield from LlamaCpp(bench, python, known, args.threads).rows(say)
    elif name == "autoround":
        iters = args.autoround_iters
        yield from simulated.autoround_rows(bench, python, known, args.threads, iters, say)
    else:
        yield from simulated.weight_rows(SCHEMES[name], bench, python, known, args.threads, say)


def collect(
    bench: Bench, ledger: Ledger, args: argparse.Namespace
) -> tuple[list[Row], list[Skip], dict[str, str]]:
    """Everything that runs, everything that does not, and the versions of what ran."""
    results: list[Row | Skip] = (
        [] if args.no_ours else list(our_rows(bench, args.samples, say, ledger))
    )
    pythons, versions = interpreters(args.python), our_versions()
    for name in chosen_peers(args.peers):
        title = TITLES.get(name, name)
        try:
            found = pythons[name].versions(PEERS[name])
            versions |= found
            known = Known(ledger, title, found[PEERS[name][0][0]])
            for result in peer_rows(name, bench, pythons[name], known, args):
                results.append(result)
        except OptimumCompileError as error:
            results.append(Skip(title, "", str(error)))
    rows = [r for r in results if isinstance(r, Row)]
    return rows, [r for r in results if isinstance(r, Skip)], versions


def parser() -> argparse.ArgumentParser:
    """The command line."""
    out = argparse.ArgumentParser(prog="bakeoff", description=__doc__)
    out.add_argument("model", type=Path, help="Hugging Face folder of a decoder")
    out.add_argument("--text", required=True, help="evaluation: text file, or JSON list")
    out.add_argument("--calibration", required=True, help="calibration: text file, or JSON list")
    out.add_argument("--peers", default=",".join(PEERS), help=f"of {','.join(PEERS)}, or none")
    out.add_argument("--python", action="append", default=[], metavar="[PEER=]PATH")
    out.add_argument("--documents", type=int, default=60, help="windows to score (default 60)")
    out.add_argument("--samples", type=int, default=64, help="calibration windows (default 64)")
    out.add_argument("--seqlen", type=int, default=256)
    out.add_argument("--threads", type=int, default=min(4, os.cpu_count() or 1))
    out.add_argument("--autoround-iters", type=int, default=200)
    out.add_argument("--no-ours", action="store_true", help="only the other tools")
    out.add_argument("--keep", type=Path, help="JSON file: rows, measured once for each version")
    out.add_argument("--remark", default="", help="a sentence for the page, of the text say")
    out.add_argument("--json", action="store_true", help="print JSON instead of Markdown")
    out.add_argument("-o", "--output", type=Path, help="write the page to this file too")
    return out


def shown_command(argv: Sequence[str]) -> str:
    """The command without folders of this machine, and without the remark, which the page has."""
    words: list[str] = []
    for before, word in zip(["", *argv], argv, strict=False):
        if "--remark" in (before, word):
            continue
        peer, equals, _ = word.partition("=")
        if equals and peer in PEERS:
            words.append(f"{peer}=python")
        else:
            words.append(Path(word).name if Path(word).is_absolute() or ".." in word else word)
    return shlex.join(["python", "-m", "optimum_compile.tools.bakeoff", *words])


def run(argv: Sequence[str]) -> int:
    """Measure and print; raises UserError."""
    args = parser().parse_args(argv)
    chosen_peers(args.peers)
    interpreters(args.python)
    with scratch() as folder:
        bench = open_bench(
            args.model,
            args.text,
            args.calibration,
            args.documents,
            args.samples,
            args.seqlen,
            Path(folder),
        )
        ledger = Ledger(
            args.keep,
            fingerprint(
                args.model, [w.tokens for w in bench.windows], bench.calibration, args.seqlen
            ),
        )
        rows, skips, versions = collect(bench, ledger, args)
        facts = Facts(
            command=shown_command(argv),
            date=datetime.datetime.now(datetime.UTC).date().isoformat(),
            model=bench.model.name,
            text=Path(args.text).name,
            calibration=f"{Path(args.calibration).name}, {len(bench.calibration)} windows",
            versions={**versions, "machine": platform.machine()},
            reference=bench.reference_score,
            parameters=bench.parameters,
            windows=len(bench.windows),
            seqlen=args.seqlen,
            remark=args.remark,
        )
    page = markdown(facts, rows, skips)
    if args.output is not None:
        args.output.write_text(page, "utf-8")
    print(json.dumps(document(facts, rows, skips), indent=1) if args.json else page)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; see the module's docstring."""
    try:
        return run(sys.argv[1:] if argv is None else argv)
    except UserError as error:
        say(f"error: {error}")
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
