"""GPU programs of tiny models, their sessions on both devices, and what the oracle says."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from support.emission import with_schemes

from optimum_compile.backends.base import EmitOptions
from optimum_compile.backends.gpu.backend import BACKEND
from optimum_compile.backends.gpu.found import vulkan_device
from optimum_compile.backends.native.device import Device
from optimum_compile.backends.native.session import Model, Session
from optimum_compile.compiler.decoder import caches_of
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.kv import KvRole, parse_kv_scheme
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.precision.kv import kv_of
from optimum_compile.passes.precision.notes import KvPrecision
from optimum_compile.passes.precision.units import units_of

CONTEXT, CHUNK = 24, 8
# Every format that a kernel reads.
SCHEMES = (
    "int4:g32",
    "int8:channel",
    "uint3:g16@u6,zu6",
    "lut4:r8",
    "e0m4:g32",
    "uint4:g32@zf16",
    "vec8x4:channel@shared",
    "nest2-4:r8",
    "vec8x2:g32@u6",
    "lut3:r4",
    "f16",
    "int4:g32+s0.01",
    "int4:channel+o0.02",
)


@cache
def vulkan() -> Device:
    """This machine's device; skips the test, with the reason, where there is none."""
    found = vulkan_device()
    assert "(exit 1)" not in found.reason  # our own error, not the driver's
    if not found.device:
        pytest.skip(f"no Vulkan device: {found.reason}")
    return Device()


def opened(folder: Path, context: int = CONTEXT, chunk: int = CHUNK) -> Graph:
    return open_model(folder, context=context, max_prefill=chunk).graph


def mixed(graph: Graph, work: Path, schemes: Sequence[str] = SCHEMES) -> Graph:
    """Every scheme in turn."""
    names = {
        u.name: parse_scheme(schemes[at % len(schemes)]) for at, u in enumerate(units_of(graph))
    }
    return with_schemes(graph, names, work)


def with_caches(graph: Graph, keys: str, values: str) -> Graph:
    """Caches in these schemes."""
    for cache_ in caches_of(graph):
        scheme = keys if cache_.role is KvRole.KEYS else values
        cache_.value.notes.put(KvPrecision(parse_kv_scheme(scheme)))
    return graph


def emitted(graph: Graph, work: Path, name: str = "m") -> Path:
    """The graph as a file."""
    options = EmitOptions(name, CONTEXT, CHUNK, '{"a":1}', work)
    return BACKEND.emit(graph, options, work / f"{name}.gpu.ocm").artifact


@dataclass(frozen=True)
class Answers:
    """Random tokens, and the oracle's logits (tokens, vocabulary) for all of them."""

    tokens: np.ndarray
    logits: np.ndarray


def answers(graph: Graph, context: int = CONTEXT, chunk: int = CHUNK) -> Answers:
    """What the reference executor says, with fp16 caches or what the notes say."""
    tokens = np.random.default_rng(3).integers(3, 96, (1, context))
    kv = {s.name: Float(16) for s in graph.states} | kv_of(graph)
    parts, states = [], None
    with torch.no_grad():
        for at in range(0, context, chunk):
            inputs = {"tokens": tokens[:, at : at + chunk], "past": np.array([at])}
            made = run(graph, inputs, states, weights="quantized", kv=kv)
            states = made.states
            parts.append(made.outputs[0].numpy()[0])
    return Answers(tokens[0], np.concatenate(parts))


def said(session: Session, tokens: np.ndarray, prompt: int) -> np.ndarray:
    """Logits of a prompt in one go, then of single tokens."""
    parts = [session.run(tokens[:prompt])]
    parts += [session.run(tokens[at : at + 1]) for at in range(prompt, len(tokens))]
    return np.concatenate(parts)


def session_on(path: Path, device: Device | None) -> Session:
    return Model(path, verify_weights=True).session(device)


def distance(found: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))
