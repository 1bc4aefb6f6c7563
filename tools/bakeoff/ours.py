"""Our own rows: each is a set of compile options, and its weights are what the bundles store."""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from optimum_compile import compiler, models, passes
from optimum_compile.compiler.api import plan, prepare
from optimum_compile.compiler.errors import OptimumCompileError
from optimum_compile.compiler.options import CompileOptions
from optimum_compile.compiler.package.describe import weight_bytes
from optimum_compile.tools import score as score_module
from optimum_compile.tools.bakeoff.bench import Bench
from optimum_compile.tools.bakeoff.ledger import Ledger
from optimum_compile.tools.bakeoff.table import OURS, Row, Skip
from optimum_compile.tools.score import GraphLogits, score


def _coded(linears: str, embedding: str) -> Mapping[str, Any]:
    """Scales and zero points as 4-bit codes: what Android's packed operators store and run."""
    pins = (f"embed_tokens={embedding}@u4,zu4", f".={linears}@u4,zu4")
    return {"target": ("android:executorch",), "policy": "uniform", "pin": pins}


def _vectors(embedding: str, linears: str = "vec8x4", *others: str) -> Mapping[str, Any]:
    """Vector tables with one scale a row and codebooks of the model: what both bundles store."""
    forms = (f"embed_tokens={embedding}", *others, f".={linears}")
    pins = tuple(f"{form}:channel@shared" for form in forms)
    return {"policy": "uniform", "pin": pins}


def _eight_bit_embedding(values: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**values, "pin": ("embed_tokens=int8:channel", *values["pin"][1:])}


def _learned(values: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**values, "effort": "best"}


OURS_ROWS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("uniform 8 bits", {"policy": "uniform", "bits": 8}),
    ("uniform 4 bits", {"policy": "uniform", "bits": 4}),
    ("uniform 4 bits, group 64", {"policy": "uniform", "bits": 4, "group_size": "64"}),
    ("uniform 4 bits, min/max", {"policy": "uniform", "bits": 4, "quantizer": "rtn"}),
    ("uniform 4 bits, squared error", {"policy": "uniform", "bits": 4, "quantizer": "mse"}),
    ("uniform 3 bits", {"policy": "uniform", "bits": 3}),
    ("uniform 2 bits", {"policy": "uniform", "bits": 2}),
    ("uniform 2 bits, squared error", {"policy": "uniform", "bits": 2, "quantizer": "mse"}),
    ("cascade 25/60/15", {"policy": "cascade"}),
    ("uint4:g16, coded scales", _coded("uint4:g16", "uint4:g16")),
    ("uint4:g32, coded scales", _coded("uint4:g32", "uint4:g32")),
    ("uint3:g16, embedding uint4:g16, coded scales", _coded("uint3:g16", "uint4:g16")),
    ("uint3:g32, embedding uint4:g32, coded scales", _coded("uint3:g32", "uint4:g32")),
    ("uint2:g16, embedding uint4:g32, coded scales", _coded("uint2:g16", "uint4:g32")),
    ("uint2:g32, embedding uint3:g32, coded scales", _coded("uint2:g32", "uint3:g32")),
    ("vec8x4, embedding vec8x2", _vectors("vec8x2")),
    (
        "vec8x4, v and down vec6x2, embedding vec8x2",
        _vectors("vec8x2", "vec8x4", "(v|down)_proj=vec6x2"),
    ),
    ("vec6x2, embedding vec8x2", _vectors("vec8x2", "vec6x2")),
    ("vec8x2", _vectors("vec8x2", "vec8x2")),
    ("vec8x2, embedding int8", _eight_bit_embedding(_vectors("vec8x2", "vec8x2"))),
    ("vec8x4, embedding vec8x2, learned", _learned(_vectors("vec8x2"))),
    (
        "vec8x4, v and down vec6x2, embedding vec8x2, learned",
        _learned(_vectors("vec8x2", "vec8x4", "(v|down)_proj=vec6x2")),
    ),
    ("vec6x2, embedding vec8x2, learned", _learned(_vectors("vec8x2", "vec6x2"))),
    (
        "vec8x2, embedding int8, learned",
        _learned(_eight_bit_embedding(_vectors("vec8x2", "vec8x2"))),
    ),
)


def our_rows(
    bench: Bench,
    samples: int,
    say: Callable[[str], None],
    ledger: Ledger,
    rows: tuple[tuple[str, Mapping[str, Any]], ...] = OURS_ROWS,
) -> Iterator[Row | Skip]:
    """Compile each row in this process and score the quantised oracle, activations in float32.

    A row that the ledger has from the same code and options is not measured again.
    """
    code = code_digest()
    for label, values in rows:
        say(f"{OURS} {label}")
        version = _version(code, values, samples)
        known = ledger.get(OURS, label, version)
        if known is not None:
            yield known
            continue
        try:
            row = _row(bench, label, values, samples)
        except OptimumCompileError as error:
            yield Skip(OURS, label, str(error))
            continue
        ledger.add(row, version)
        yield row


def code_digest() -> str:
    """SHA-256 over the package's Python files that decide weights and scores."""
    folders = (compiler, models, passes)
    files = [f for folder in folders for f in sorted(Path(folder.__path__[0]).rglob("*.py"))]
    total = hashlib.sha256()
    for file in (*files, Path(score_module.__file__)):
        total.update(file.name.encode() + b"\0" + file.read_bytes())
    return total.hexdigest()


def _version(code: str, values: Mapping[str, Any], samples: int) -> str:
    told = json.dumps([code, values, samples], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


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
