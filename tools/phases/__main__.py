"""Progressive decoding of one model: schedules against each other, with confidence intervals.

    python -m optimum_compile.tools.phases MODEL --text EVAL [MORE] --calibration CALIB [-o FILE] [options]
    python -m optimum_compile.tools.phases --report FILE...

Writes all figures as JSON; `--report` makes tables of them. Engines compute what the artifacts do, in
float32 on many texts at once.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from optimum_compile.compiler.errors import OptionError
from optimum_compile.tools.phases.experiment import run, smaller
from optimum_compile.tools.phases.setup import Request
from optimum_compile.tools.phases.table import report


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(
        prog="phases", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path, nargs="?")
    parser.add_argument(
        "--text", nargs="+", help="stories, JSON lists; those that nothing else saw first"
    )
    parser.add_argument("--calibration", help="text that rounding adapts to")
    parser.add_argument("--scheme", default=Request.scheme, help="of the linears")
    parser.add_argument("--quantizer", default=Request.quantizer)
    parser.add_argument("--prompt", type=int, default=Request.prompt, help="tokens")
    parser.add_argument("--length", type=int, default=Request.length, help="tokens of an answer")
    parser.add_argument("--validation", type=int, default=Request.validation, help="texts")
    parser.add_argument("--held-out", type=int, default=Request.held_out, help="texts")
    parser.add_argument("--points", type=int, default=Request.points, help="where a width may end")
    parser.add_argument("--quick", type=int, metavar="TEXTS", help="that many texts of each kind")
    parser.add_argument("--no-sparse", action="store_true", help="no dense-and-sparse rows")
    parser.add_argument("--brief", action="store_true", help="fewer static schedules")
    parser.add_argument("--work", type=Path, help="keep rounded weights here, for another run")
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--report", type=Path, nargs="+", metavar="FILE")
    args = parser.parse_args(argv)
    if args.report:
        print(report([json.loads(path.read_text("utf-8")) for path in args.report]))
        return 0
    if args.model is None or args.text is None or args.calibration is None:
        raise OptionError("phases: expected MODEL, --text and --calibration, or --report FILE")
    request = Request(
        args.model,
        tuple(args.text),
        args.calibration,
        args.scheme,
        args.quantizer,
        prompt=args.prompt,
        length=args.length,
        validation=args.validation,
        held_out=args.held_out,
        points=args.points,
    )
    if args.quick:
        request = smaller(request, args.quick)
    with tempfile.TemporaryDirectory(prefix="optimum-phases-") as scratch:
        work = args.work or Path(scratch)
        found = run(request, work, sparse=not args.no_sparse, brief=args.brief)
    text = json.dumps(found, indent=1)
    if args.output is None:
        print(text)
    else:
        args.output.write_text(text + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
