"""What is said of the memory of a target that nothing is known about."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from support.graphs import decoder, mlp

from optimum_compile.backends.arenas import MemoryModel
from optimum_compile.backends.base import EmitResult
from optimum_compile.backends.catalog import BACKENDS, load_backend
from optimum_compile.backends.executed import Executed
from optimum_compile.backends.onnxruntime.backend import OnnxRuntimeBackend
from optimum_compile.compiler.package.footprint import footprint_of

OUT = Path("out")


@dataclass(frozen=True)
class Unheard(OnnxRuntimeBackend):
    """A backend that no other part of the compiler has heard of."""

    name: str = "unheard"
    platform: str = "unheard"
    memory = Executed.memory  # nothing of its own to say


def of(backend, graph):
    return footprint_of(graph, backend, EmitResult(OUT / "model.bin", 1000, ()), OUT)


@pytest.mark.parametrize("make", [decoder, mlp])
def test_a_new_target_needs_at_least_weights_caches_and_what_is_alive(make):
    graph = make()
    found = of(Unheard(), graph)
    known = of(load_backend("onnxruntime"), graph)
    told = "unheard plans activations when it loads the model: not known before the device"
    assert found == replace(known, target="unheard:unheard", remarks=(told,))
    assert found.weight_bytes == 1000
    assert all(f.source == "at least" for f in found.functions)
    assert (found.kv_bytes > 0) == bool(graph.states)


def test_every_backend_says_what_it_does_with_memory():
    for name in BACKENDS:
        assert isinstance(load_backend(name).memory, MemoryModel)


def test_a_chunk_longer_than_the_prompt_is_the_prompt():
    functions = MemoryModel("x", chunk=64).functions(decoder(max_prefill=16))
    assert list(functions) == ["prefill", "decode"]
    assert functions["prefill"].inputs[0].type.shape == (1, 16)


def test_fixed_shapes_are_told_of_modules_only():
    model = MemoryModel("Somewhere", fixed_shapes=True)
    assert model.remarks(decoder()) == ()
    assert list(model.remarks(mlp())) == [
        f"shapes are fixed in Somewhere: {n}={r.high}" for n, r in mlp().symbols.items()
    ]
