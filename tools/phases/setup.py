"""Models with nested weights, and texts to try schedules on."""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from optimum_compile.compiler.api import plan, prepare
from optimum_compile.compiler.calibration import encode, load_tokenizer, read_text, special_token_id
from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.options import CompileOptions
from optimum_compile.passes.phase.batched import BatchedEngine
from optimum_compile.passes.phase.judge import Reference, make_reference
from optimum_compile.passes.precision.units import units_of

CHUNK = 32  # texts whose answers are tried at a time when prompts are looked for


@dataclass(frozen=True)
class Request:
    """What to measure: model, text, how it is rounded, how long prompts and answers are (tokens)."""

    model: Path
    text: tuple[str, ...]
    calibration: str
    scheme: str = "nest2-4:r8"
    quantizer: str = "auto"
    embedding: str = "int8:channel"
    prompt: int = 64
    length: int = 128
    validation: int = 56
    held_out: int = 56
    samples: int = 32
    points: int = 5  # switching points of a width


def quantised(request: Request, scheme: str, work: Path) -> Graph:
    """The graph with every linear in `scheme`, routers in 16 bits.

    A folder that was used before serves again.
    """
    routers = [u.name for u in units_of(open_model(request.model).graph) if u.routes]
    options = CompileOptions(
        target=("android:executorch",),
        output=str(work),
        policy="uniform",
        quantizer=request.quantizer,
        pin=(
            f"embed_tokens={request.embedding}",
            *(f"^{re.escape(name)}$=f16" for name in routers),
            f".={scheme}",
        ),
        calibration=request.calibration,
        samples=request.samples,
        seqlen=256,
        companions=False,
    )
    work.mkdir(parents=True, exist_ok=True)
    wanted = plan(request.model, options=options)
    prepare(wanted, work)
    return wanted.model.graph


def texts(request: Request) -> tuple[Reference, int]:
    """Prompts of stories that are long enough, with the unrounded model's answers, and how many were tried.

    A prompt whose answer ends early is left out, so that all answers have the same number of steps and
    two orders of the same widths the same mean of bits. Held-out texts come first, from the files named
    first. Raises InputError for too few of them.
    """
    opened = open_model(request.model, context=request.prompt + request.length)
    tokenizer = load_tokenizer(opened.tokenizer_files)
    sources = [read_text(name) for name in request.text]
    documents = [d for source in sources if source is not None for d in source.documents]
    if tokenizer is None or not documents:
        raise InputError(f"{request.model}: needs a tokenizer.json and a text")
    named = [
        special_token_id(opened.tokenizer_files, key, tokenizer)
        for key in ("bos_token", "eos_token")
    ]
    stops = tuple(i for i in named if i is not None)
    rows = _long_rows(documents, tokenizer, named[0], request.prompt + request.length)
    engine = BatchedEngine(opened.graph, original=True)
    wanted, found, tried = request.validation + request.held_out, [], 0
    for at in range(0, len(rows), CHUNK):
        part = rows[at : at + CHUNK]
        prompts, written = part[:, : request.prompt], part[:, request.prompt :]
        reference = make_reference(engine, prompts, request.length, stops, written)
        found.append(reference.part(reference.going_on()))
        tried += len(part)
        have = sum(len(r.prompts) for r in found)
        print(f"{have} of {wanted} prompts", file=sys.stderr, flush=True)
        if have >= wanted:
            break
    joined = _joined(found)
    if len(joined.prompts) < wanted:
        raise InputError(
            f"{', '.join(request.text)}: {len(joined.prompts)} prompts whose answers go on for "
            f"{request.length} tokens; {wanted} are wished for: ask for fewer, or for shorter answers"
        )
    return joined.part(np.arange(wanted)), tried


def _long_rows(
    documents: Sequence[str], tokenizer: Any, bos: int | None, length: int
) -> np.ndarray:
    rows = [encode(tokenizer, text, bos) for text in documents]
    rows = [ids[:length] for ids in rows if len(ids) >= length]
    if not rows:
        raise InputError(f"no text has {length} tokens; ask for shorter prompts or answers")
    return np.array(rows, np.int64)


def _joined(parts: Sequence[Reference]) -> Reference:
    first = parts[0]
    written = [p.written for p in parts if p.written is not None]
    return Reference(
        np.concatenate([p.prompts for p in parts]),
        np.concatenate([p.answers for p in parts]),
        np.concatenate([p.log_probabilities for p in parts]),
        first.stops,
        np.concatenate(written),
    )
