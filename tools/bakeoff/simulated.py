"""HQQ, torchao, coremltools and AutoRound: their matrices, scored in our float32 executor."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from optimum_compile.compiler.errors import InputError, OptimumCompileError, ResourceError
from optimum_compile.tools.bakeoff.bench import Bench
from optimum_compile.tools.bakeoff.child import Interpreter
from optimum_compile.tools.bakeoff.ledger import Known
from optimum_compile.tools.bakeoff.table import Row, Skip

Method = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Scheme:
    """A method of `weight_child.py` for all matrices, another for those that are looked up."""

    label: str
    method: str
    values: Mapping[str, Any]
    tables: Method | None = None


def _both(label: str, method: str, values: Mapping[str, Any], tables: Method) -> tuple[Scheme, ...]:
    """The scheme for every matrix, and with an embedding (and tied head) of its own."""
    return Scheme(label, method, values), Scheme(
        f"{label}, 8-bit embedding", method, values, tables
    )


_HQQ8: Method = ("hqq", {"bits": 8, "group": 64})
_AO8: Method = ("torchao_int8", {})
_CT8: Method = ("coreml_palette", {"bits": 8, "rows": None})

HQQ: tuple[Scheme, ...] = (
    Scheme("8 bits, group 64", "hqq", {"bits": 8, "group": 64}),
    *_both("4 bits, group 64", "hqq", {"bits": 4, "group": 64}, _HQQ8),
    *_both("3 bits, group 64", "hqq", {"bits": 3, "group": 64}, _HQQ8),
    *_both("2 bits, group 64", "hqq", {"bits": 2, "group": 64}, _HQQ8),
    *_both("2 bits, group 16", "hqq", {"bits": 2, "group": 16}, _HQQ8),
)
TORCHAO: tuple[Scheme, ...] = (
    Scheme("int8, per row", "torchao_int8", {}),
    *_both("int4, group 32", "torchao_intx", {"bits": 4, "group": 32}, _AO8),
    *_both("int4, group 64", "torchao_intx", {"bits": 4, "group": 64}, _AO8),
    Scheme(
        "int4, group 64, HQQ scales", "torchao_intx", {"bits": 4, "group": 64, "hqq_scales": True}
    ),
    *_both("int3, group 64", "torchao_intx", {"bits": 3, "group": 64}, _AO8),
    *_both("int2, group 64", "torchao_intx", {"bits": 2, "group": 64}, _AO8),
)
COREML: tuple[Scheme, ...] = tuple(
    scheme
    for bits in (6, 4, 3, 2)
    for scheme in (
        *_both(f"{bits}-bit table a tensor", "coreml_palette", {"bits": bits, "rows": None}, _CT8),
        Scheme(f"{bits}-bit table for 16 rows", "coreml_palette", {"bits": bits, "rows": 16}),
    )
)


def job_of(bench: Bench, schemes: tuple[Scheme, ...]) -> list[dict[str, Any]]:
    """The schemes as `weight_child.py` reads them."""
    out = []
    for at, scheme in enumerate(schemes):
        plain: Method = (scheme.method, scheme.values)
        matrices = {
            name: scheme.tables if scheme.tables and name in bench.tables else plain
            for name in bench.matrices
        }
        out.append({"file": f"{at}.safetensors", "matrices": matrices})
    return out


def weight_rows(
    schemes: tuple[Scheme, ...],
    bench: Bench,
    python: Interpreter,
    known: Known,
    threads: int,
    say: Callable[[str], None],
) -> Iterator[Row | Skip]:
    """Rows of HQQ, torchao or coremltools."""
    tool = known.tool
    yield from (row for scheme in schemes if (row := known.get(scheme.label)) is not None)
    fresh = tuple(s for s in schemes if known.get(s.label) is None)
    if not fresh:
        return
    folder = bench.folder / tool
    folder.mkdir()
    weights = folder / "weights.safetensors"
    save_file(bench.weights(), weights)
    say(f"{tool}: quantising {len(fresh)} schemes")
    job = {
        "weights": str(weights),
        "out": str(folder),
        "schemes": job_of(bench, fresh),
        "threads": threads,
    }
    done = python.run("weight_child.py", job, folder)
    for at, scheme in enumerate(fresh):
        found = done[f"{at}.safetensors"]
        if "error" in found:
            yield Skip(tool, scheme.label, found["error"])
            continue
        say(f"{tool} {scheme.label}")
        file = folder / f"{at}.safetensors"
        yield known.add(_row(bench, tool, scheme.label, file, found["bytes"]))


def _row(bench: Bench, tool: str, label: str, file: Path, size: int) -> Row:
    weights = load_file(file)
    file.unlink()
    missing = sorted(set(bench.matrices) - set(weights))
    if missing:
        raise InputError(f"{tool} {label}: no matrix {missing[0]} came back")
    score = bench.score_weights(weights)
    total = size + bench.other_bytes
    return Row(tool, label, bench.parameters, total, None, score, score.kl_mean or 0.0)


AUTOROUND_SCHEMES = ((4, 64), (3, 64), (2, 64), (2, 32))


def autoround_rows(
    bench: Bench,
    python: Interpreter,
    known: Known,
    threads: int,
    iters: int,
    say: Callable[[str], None],
) -> Iterator[Row | Skip]:
    """Rows of AutoRound; its calibration is ours, joined and cut to windows of equal length."""
    tool = known.tool
    folder = bench.folder / tool
    folder.mkdir()
    stream = np.concatenate([np.array(w, np.int64) for w in bench.calibration])
    count = len(stream) // bench.seqlen
    if count == 0:
        raise ResourceError(f"AutoRound needs {bench.seqlen} calibration tokens, not {len(stream)}")
    np.save(folder / "tokens.npy", stream[: count * bench.seqlen].reshape(count, bench.seqlen))
    save_file(bench.weights(), folder / "weights.safetensors")
    for bits, group in AUTOROUND_SCHEMES:
        label = f"{bits} bits, group {group}, 8-bit embedding, {iters} iterations"
        row = known.get(label)
        if row is not None:
            yield row
            continue
        say(f"{tool} {label}")
        out = folder / "out.safetensors"
        job = {
            "model": str(bench.model.source),
            "tokens": str(folder / "tokens.npy"),
            "weights": str(folder / "weights.safetensors"),
            "out": str(out),
            "bits": bits,
            "group": group,
            "iters": iters,
            "seed": 0,
            "threads": threads,
        }
        try:
            done = python.run("autoround_child.py", job, folder)
            yield known.add(_row(bench, tool, label, out, done["bytes"]))
        except OptimumCompileError as error:
            yield Skip(tool, label, str(error))
