"""The recipes' own operators compute what the reference executor computes for their IR op."""

import numpy as np
import pytest
import torch
from support.graphs import Builder

from optimum_compile.compiler.interpret import run
from optimum_compile.models import ops


def random(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.fixture(autouse=True)
def loaded() -> None:
    ops.load()


def test_loading_twice_registers_once() -> None:
    ops.load()
    assert len(ops._LIBRARY) == 1
    assert [schema.split("(")[0] for schema in ops.SCHEMAS] == [
        "rope",
        "kv_write",
        "cache_attention",
        "route",
    ]


@pytest.mark.parametrize("renormalise", [True, False])
@pytest.mark.parametrize("top_k", [1, 2, 8])
def test_route(top_k: int, renormalise: bool) -> None:
    b = Builder()
    attrs = {"top_k": top_k, "renormalise": renormalise}
    graph = b.returns(b.op("route", b.input("x", "f32", 1, 5, 8), **attrs))
    found = torch.ops.optimum_compile.route(random(1, 5, 8), top_k, renormalise)
    torch.testing.assert_close(found, run(graph, {"x": random(1, 5, 8)}).outputs[0])


@pytest.mark.parametrize("scale", [1.0, 0.7])
@pytest.mark.parametrize(("past", "seq"), [(0, 1), (0, 5), (1000, 3)])
def test_rope(scale: float, past: int, seq: int) -> None:
    b = Builder()
    x, at = b.input("x", "f32", 1, 2, seq, 8), b.input("past", "i64", 1)
    table = b.input("table", "f32", 4)
    graph = b.returns(b.op("rope", x, at, table, scale=scale))
    given = {
        "x": random(1, 2, seq, 8),
        "past": torch.tensor([past]),
        "table": torch.tensor([1.0, 0.1, 0.01, 0.001]),
    }
    found = torch.ops.optimum_compile.rope(*given.values(), scale)
    torch.testing.assert_close(found, run(graph, given).outputs[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("past", "seq"), [(0, 8), (5, 3), (7, 1)])
def test_kv_write(past: int, seq: int) -> None:
    b = Builder()
    cache, new = b.input("cache", "f32", 1, 2, 8, 4), b.input("new", "f32", 1, 2, seq, 4)
    graph = b.returns(b.op("kv_write", cache, new, b.input("past", "i64", 1), axis=2))
    given = {
        "cache": random(1, 2, 8, 4),
        "new": random(1, 2, seq, 4),
        "past": torch.tensor([past]),
    }
    before = given["cache"].clone()
    found = torch.ops.optimum_compile.kv_write(*given.values(), 2)
    assert torch.equal(found, run(graph, given).outputs[0])
    assert torch.equal(given["cache"], before)


@pytest.mark.parametrize("window", [0, 1, 3, 100])
@pytest.mark.parametrize(("past", "seq"), [(0, 1), (0, 6), (4, 2), (9, 1)])
@pytest.mark.parametrize("kv_heads", [1, 2, 4])
def test_cache_attention(window: int, past: int, seq: int, kv_heads: int) -> None:
    b = Builder()
    q = b.input("q", "f32", 1, 4, seq, 8)
    k, v = (b.input(name, "f32", 1, kv_heads, 10, 8) for name in "kv")
    at = b.input("past", "i64", 1)
    graph = b.returns(b.op("cache_attention", q, k, v, at, scale=0.3, window=window))
    given = {
        "q": random(1, 4, seq, 8),
        "k": random(1, kv_heads, 10, 8),
        "v": random(1, kv_heads, 10, 8) + 1,
        "past": torch.tensor([past]),
    }
    found = torch.ops.optimum_compile.cache_attention(*given.values(), 0.3, window)
    torch.testing.assert_close(found, run(graph, given).outputs[0])


def test_on_meta_tensors_only_shapes_are_computed() -> None:
    meta = {"device": "meta"}
    x, past, table = torch.empty(1, 2, 3, 8, **meta), torch.empty(1, **meta), torch.empty(4, **meta)
    own = torch.ops.optimum_compile
    cache = torch.empty(1, 2, 16, 8, **meta)
    for out, shape in (
        (own.rope(x, past, table, 1.0), x.shape),
        (own.kv_write(cache, x, past, 2), cache.shape),
        (own.cache_attention(x, cache, cache, past, 1.0, 0), x.shape),
    ):
        assert out.is_meta
        assert out.shape == shape


def test_the_operators_keep_the_type_of_their_input() -> None:
    x = random(1, 2, 3, 8).half()
    out = torch.ops.optimum_compile.rope(x, torch.tensor([0]), torch.ones(4), 1.0)
    assert out.dtype == torch.float16
    np.testing.assert_allclose(out[0, :, 0].float(), x[0, :, 0].float(), rtol=1e-3)
