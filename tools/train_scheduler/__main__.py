"""Train the scheduler that says, after a prompt, at which token the weights go on with fewer bits.

    python -m optimum_compile.tools.train_scheduler MODEL --text TRAIN [MORE] --held-out TEXT ...
        --work DIR -o schedule.safetensors [options]

The model's linears are rounded to nested weights, as a compilation with the same `--nested` rounds them;
it answers prompts from the text in 16 bits and with a switch at each of some steps; the label of a prompt
is the smallest step that loses nothing against the high width; a small network learns it from the last
layer's cache. Rounded weights, answers and a checkpoint of each epoch stay in `--work`, from where a run
goes on to the same bytes. With `--held-out` the result is compared with a fixed step, with the confidence
rule and with chance.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from optimum_compile.compiler.api import plan as make_plan
from optimum_compile.compiler.api import prepare
from optimum_compile.compiler.calibration import encode, load_tokenizer, read_text, special_token_id
from optimum_compile.compiler.decoder import caches_of, vocabulary
from optimum_compile.compiler.errors import InputError, OptimumCompileError, OptionError
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.observers import ProgressObserver
from optimum_compile.compiler.options import CompileOptions
from optimum_compile.compiler.phasing import model_digest
from optimum_compile.compiler.quant.kv import KvRole
from optimum_compile.passes.phase.batched import BatchedEngine
from optimum_compile.passes.phase.judge import Measure
from optimum_compile.passes.phase.learned import Plan
from optimum_compile.passes.phase.learned_file import save
from optimum_compile.passes.phase.solve import grid
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.tools.train_scheduler.data import Examples, Recipe, Source, collect, prompts_of
from optimum_compile.tools.train_scheduler.fit import Fit, fit
from optimum_compile.tools.train_scheduler.report import report, table


def last_caches(graph: Graph) -> tuple[str, str]:
    """States of the last layer's keys and values: those of the last attention. Raises InputError."""
    order = {node: at for at, node in enumerate(graph.nodes)}
    found = {}
    for role in (KvRole.KEYS, KvRole.VALUES):
        caches = [c for c in caches_of(graph) if c.role is role]
        if not caches:
            raise InputError(f"{graph.name}: no decoder with a cache; a scheduler reads the cache")
        found[role] = max(caches, key=lambda c: max(order[n] for n in c.readers)).name
    return found[KvRole.KEYS], found[KvRole.VALUES]


def rounding(args: argparse.Namespace) -> CompileOptions:
    """What the weights are rounded with: `--nested` as in a compilation, or one scheme for every linear."""
    folder = args.work / "rounded"
    options = CompileOptions(
        target=("native",),
        output=str(folder),
        nested=args.nested,
        quantizer=args.quantizer,
        calibration=args.calibration or args.text[0],
        samples=args.samples,
        companions=False,
    )
    if args.scheme is None:
        return options
    pins = (f"embed_tokens={args.embedding}", f".={args.scheme}")
    return replace(options, nested=None, policy="uniform", pin=pins)


def nested_graph(options: CompileOptions, model: Path) -> Graph:
    """The model with nested linears. Weights that the folder holds already are not rounded again."""
    work = Path(options.output)
    work.mkdir(parents=True, exist_ok=True)
    wanted = make_plan(model, options=options)
    with ProgressObserver(sys.stderr) as watch:
        prepare(wanted, work, observer=watch)
    return wanted.model.graph


def rounded_by(options: CompileOptions, graph: Graph) -> str:
    """A digest of all that decides the rounded weights, beside the model: schemes, quantiser and text."""
    notes = {name: value.notes.get(Precision) for name, value in graph.weights.items()}
    source = read_text(options.calibration)
    text = [] if source is None else list(source.documents)
    said = {
        "schemes": {name: str(note.scheme) for name, note in sorted(notes.items()) if note},
        "quantizer": options.quantizer,
        "samples": options.samples,
        "seqlen": options.seqlen,
        "calibration": hashlib.sha256(json.dumps(text).encode()).hexdigest(),
    }
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def documents_of(texts: Sequence[str], most: int | None) -> list[str]:
    """The documents of all texts, the first `most` of each. Raises InputError for what is no text."""
    found: list[str] = []
    for text in texts:
        source = read_text(text)
        if source is None:
            raise InputError(f"{text}: expected a text")
        found += source.documents[:most]
    return found


def train(args: argparse.Namespace) -> dict[str, Any]:
    """The whole way; writes `args.output` and returns what the report holds."""
    options = rounding(args)
    graph = nested_graph(options, args.model)
    original, rounded = BatchedEngine(graph, original=True), Source(graph)
    high, low = args.widths or (max(rounded.widths), max(rounded.widths) - 1)
    for width in (high, low):
        if width not in rounded.widths:
            raise OptionError(f"--widths: {width} is not among {list(rounded.widths)}")
    recipe = Recipe(length=args.length, cuts=args.cuts, seed=args.seed)
    if args.prompts:
        recipe = replace(recipe, prompts=tuple(sorted(set(args.prompts))))
    steps = grid(recipe.length, args.points)
    keys, values = last_caches(graph)
    plan = Plan(max(rounded.widths), high, low, steps, keys, values, model_digest(graph))

    opened = open_model(args.model)
    tokenizer = load_tokenizer(opened.tokenizer_files)
    if tokenizer is None:
        raise InputError(f"{args.model}: needs a tokenizer.json")
    named = [
        special_token_id(opened.tokenizer_files, key, tokenizer)
        for key in ("bos_token", "eos_token")
    ]
    stops, words = tuple(i for i in named if i is not None), vocabulary(graph)
    by = rounded_by(options, graph)

    def examples(texts: Sequence[str], work: Path, recipe: Recipe) -> Examples:
        documents = documents_of(texts, args.texts)
        found = prompts_of([encode(tokenizer, d, named[0]) for d in documents], recipe)
        made = collect(original, rounded, found, plan, recipe, stops, work, words, by)
        return replace(made, measure=Measure(args.measure), tolerance=args.tolerance)

    widths = f"{high}-{low}"
    known = examples(args.text, args.work / f"answers-{widths}", recipe)
    how = Fit(
        hidden=args.hidden,
        learning_rate=args.learning_rate,
        epochs=args.epochs,
        seed=args.seed,
        objective=args.objective,
        balance=args.balance,
        price=args.price,
    )
    done = fit(known, plan, how, args.work)
    save(done.learned, args.output)
    out: dict[str, Any] = {
        "model": args.model.resolve().name,
        "scheme": args.scheme or f"--nested {args.nested}",
        "measure": args.measure,
        "tolerance": args.tolerance,
        "recipe": asdict(recipe),
        "fit": asdict(how),
        "epochs": done.epochs,
        "best_epoch": done.best_epoch,
        "validation_loss": done.validation_loss,
        "bytes": args.output.stat().st_size,
        "plan": asdict(plan),
    }
    if args.held_out:
        # One prompt a document: intervals take texts to be independent.
        fresh = examples([args.held_out], args.work / f"held-out-{widths}", replace(recipe, cuts=1))
        out["report"] = report(done.learned, known, fresh, args.epsilon)
    return out


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="train_scheduler",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("model", type=Path, help="folder of a Hugging Face model with a tokenizer")
    made.add_argument(
        "--text", nargs="+", required=True, help="JSON lists of documents to cut prompts from"
    )
    made.add_argument("--held-out", help="documents that nothing else saw, for the report")
    made.add_argument(
        "--calibration", help="text that rounding adapts to (default: the first --text)"
    )
    made.add_argument("--work", type=Path, required=True, help="folder to keep and resume from")
    made.add_argument("-o", "--output", type=Path, default=Path("schedule.safetensors"))
    made.add_argument(
        "--nested", default="2,3,4", metavar="WIDTHS", help="as the bundle is compiled with"
    )
    made.add_argument("--scheme", help="instead of --nested: of every linear, as nest2-4:r8")
    made.add_argument(
        "--embedding", default="int8:channel", help="with --scheme: that of the embedding"
    )
    made.add_argument("--quantizer", default="auto")
    made.add_argument(
        "--samples",
        type=int,
        default=CompileOptions.samples,
        help="windows that rounding adapts to, as the bundle is compiled with",
    )
    made.add_argument("--widths", type=int, nargs=2, metavar=("HIGH", "LOW"))
    made.add_argument(
        "--points", type=int, default=5, help="switching steps, 0 and the end among them"
    )
    made.add_argument("--length", type=int, default=Recipe.length, help="tokens of an answer")
    made.add_argument("--prompts", type=int, nargs="+", metavar="TOKENS", help="their lengths")
    made.add_argument("--cuts", type=int, default=Recipe.cuts, help="prompts of each document")
    made.add_argument("--texts", type=int, help="only the first documents of each text")
    made.add_argument("--hidden", type=int, default=Fit.hidden, help="size of the network")
    made.add_argument("--learning-rate", type=float, default=Fit.learning_rate)
    made.add_argument("--epochs", type=int, default=Fit.epochs, help="at most")
    made.add_argument(
        "--epsilon", type=float, default=0.01, help="of it that the fixed step may lose"
    )
    made.add_argument(
        "--measure", choices=("rouge", "kl"), default="rouge", help="of quality, for the labels"
    )
    made.add_argument("--objective", choices=("labels", "tradeoff"), default=Fit.objective)
    made.add_argument("--balance", type=float, default=Fit.balance, help="of labels, 0 to 1")
    made.add_argument("--price", type=float, default=Fit.price, help="of a bit, in the tradeoff")
    made.add_argument("--tolerance", type=float, default=0.0, help="of it that a label may lose")
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--json", type=Path, help="write the report here")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; see the module's docstring."""
    args = parser().parse_args(argv)
    try:
        found = train(args)
    except OptimumCompileError as error:
        print(f"train_scheduler: {error}", file=sys.stderr)
        return 1
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    print(
        f"{args.output}: {found['bytes']} bytes, epoch {found['best_epoch']} of {found['epochs']}"
    )
    if "report" in found:
        print(table(found["report"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
