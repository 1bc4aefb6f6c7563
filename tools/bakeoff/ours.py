"""Our own rows: each is a set of compile options, and its weights are what the bundles store."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from optimum_compile.compiler.api import plan, prepare
from optimum_compile.compiler.errors import OptimumCompileError
from optimum_compile.compiler.options import CompileOptions
from optimum_compile.compiler.package.describe import weight_bytes
from optimum_compile.tools.bakeoff.bench import Bench
from optimum_compile.tools.bakeoff.table import OURS, Row, Skip
from optimum_compile.tools.score import GraphLogits, score

OURS_ROWS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("uniform 8 bits", {"policy": "uniform", "bits": 8}),
    ("uniform 4 bits", {"policy": "uniform", "bits": 4}),
    ("uniform 4 bits, group 64", {"policy": "uniform", "bits": 4, "group_size": "64"}),
    ("uniform 4 bits, min/max", {"policy": "uniform", "bits": 4, "quantizer": "rtn"}),
    ("uniform 4 bits, squared error", {"policy": "uniform", "bits": 4, "quantizer": "mse"}),
    ("uniform 2 bits", {"policy": "uniform", "bits": 2}),
    ("uniform 2 bits, group 64", {"policy": "uniform", "bits": 2, "group_size": "64"}),
    ("uniform 2 bits, min/max", {"policy": "uniform", "bits": 2, "quantizer": "rtn"}),
    ("cascade 25/60/15", {"policy": "cascade"}),
    ("cascade, head high", {"policy": "cascade", "head": "high"}),
)


def our_rows(
    bench: Bench,
    samples: int,
    say: Callable[[str], None],
    rows: tuple[tuple[str, Mapping[str, Any]], ...] = OURS_ROWS,
) -> Iterator[Row | Skip]:
    """Compile each row in this process and score the quantised oracle, activations in float32."""
    for label, values in rows:
        say(f"{OURS} {label}")
        try:
            yield _row(bench, label, values, samples)
        except OptimumCompileError as error:
            yield Skip(OURS, label, str(error))


def _row(bench: Bench, label: str, values: Mapping[str, Any], samples: int) -> Row:
    with tempfile.TemporaryDirectory(prefix="ours-", dir=bench.folder) as work:
        options = CompileOptions(
            output=work,
            calibration=bench.calibration_file,
            samples=samples,
            seqlen=bench.seqlen,
            **values,
        )
        wanted = plan(bench.model.source, options=options)
        prepare(wanted, Path(work))
        graph = wanted.model.graph
        found = score(bench.windows, GraphLogits(graph, "quantized"), bench.reference)
        stored = weight_bytes(graph)
    return Row(OURS, label, bench.parameters, stored, None, found, found.kl_mean or 0.0)
