"""Attention over a rounded cache: one long call, chunks and single steps give the same."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.graphs import decoder
from torch import Tensor

from optimum_compile.compiler.errors import UserError
from optimum_compile.compiler.interpret import run, run_nodes
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.kv import KvScheme, KvStored, round_keys, round_values
from optimum_compile.compiler.quant.scheme import Float

CONTEXT = 64
GRAPH = decoder(layers=2, context=CONTEXT, max_prefill=CONTEXT, kv_heads=2)
TOKENS = np.random.default_rng(3).integers(0, 50, (1, 57))
SMALL = KvScheme(2, group=8, window=5, sinks=3)


def uniform(keys: KvStored, values: KvStored) -> dict[str, KvStored]:
    return {f"{kind}_cache.{n}": s for n in (0, 1) for kind, s in (("k", keys), ("v", values))}


def logits(graph: Graph, cuts: tuple[int, ...], kv: dict[str, KvStored] | None) -> Tensor:
    states, out, ends = None, [], (*cuts, TOKENS.shape[1])
    for start, stop in zip((0, *cuts), ends, strict=True):
        call = {"tokens": TOKENS[:, start:stop], "past": np.array([start])}
        done = run(graph, call, states, kv=kv, dtype=torch.float64)
        states = done.states
        out.append(done.outputs[0])
    return torch.cat(out, 1)


def test_one_call_equals_single_steps() -> None:
    kv = uniform(SMALL, KvScheme(4, 8, 9, 0))
    whole = logits(GRAPH, (), kv)
    steps = logits(GRAPH, tuple(range(1, TOKENS.shape[1])), kv)
    torch.testing.assert_close(whole, steps, rtol=1e-9, atol=1e-10)
    plain = logits(GRAPH, (), None)
    # In fp16 until the first run of 8 after 3 sinks has left the window of 5: the 16th token.
    apart = (whole - plain).abs().amax((0, 2))
    assert (apart[:15] > 0).all()
    assert (apart[:15] < 2e-3).all()
    assert (apart[15:] > 5e-3).all()


@settings(max_examples=12, deadline=None)
@given(
    st.sets(st.integers(1, TOKENS.shape[1] - 1), max_size=4),
    st.tuples(st.sampled_from((8, 16, 24)), st.integers(0, 20), st.integers(0, 6)),
    st.tuples(st.sampled_from((8, 16, 24)), st.integers(0, 20), st.integers(0, 6)),
)
def test_it_does_not_matter_where_a_prompt_is_cut(
    cuts: set[int], keys: tuple[int, int, int], values: tuple[int, int, int]
) -> None:
    kv = uniform(KvScheme(2, *keys), KvScheme(4, *values))
    found = logits(GRAPH, tuple(sorted(cuts)), kv)
    torch.testing.assert_close(found, logits(GRAPH, (), kv), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("window", [0, 20])
def test_each_query_reads_the_cache_that_it_would_have(window: int) -> None:
    """The definition, token by token: fp16, and codes where a whole run is older than the window."""
    graph = decoder(
        layers=1, context=CONTEXT, max_prefill=CONTEXT, window=window, heads=4, kv_heads=2
    )
    seen: dict[str, Tensor] = {}
    inputs = {"tokens": TOKENS, "past": np.array([0])}

    def observe(node, outputs):
        if node.op == "cache_attention":
            seen["out"] = outputs[0]
        elif node.op == "rope" and node.output.type.shape[1] == 4:
            seen["q"] = outputs[0]

    kv = {"k_cache.0": SMALL, "v_cache.0": KvScheme(4, 8, 0, 0)}
    states = run(graph, inputs, observe=observe, kv=kv, dtype=torch.float64).states
    plain = run(graph, inputs, dtype=torch.float64).states
    k, v = states["k_cache.0"].numpy(), states["v_cache.0"].numpy()
    assert np.array_equal(k, plain["k_cache.0"].numpy())  # states keep every number
    for at in range(TOKENS.shape[1]):
        keys, values = (x[0, :, : at + 1].astype(np.float16).astype(np.float64) for x in (k, v))
        for first in range(3, at + 1, 8):
            if first + 7 <= at - 5:
                keys[:, first : first + 8] = round_keys(keys[:, first : first + 8], SMALL)
        for first in range(0, at + 1, 8):
            if first + 7 <= at:
                part = slice(first, first + 8)
                values[:, part] = round_values(values[:, part], kv["v_cache.0"])
        from_ = max(0, at + 1 - window) if window else 0
        for head in range(4):
            scores = keys[head // 2, from_:] @ seen["q"][0, head, at].numpy() * 8**-0.5
            weights = np.exp(scores - scores.max())
            wanted = weights / weights.sum() @ values[head // 2, from_:]
            np.testing.assert_allclose(
                seen["out"][0, head, at].numpy(), wanted, rtol=1e-9, atol=1e-12
            )


def test_sixteen_bits_and_short_texts_are_fp16() -> None:
    plain = logits(GRAPH, (), None)
    assert torch.equal(logits(GRAPH, (), uniform(Float(32), Float(32))), plain)
    assert torch.equal(logits(GRAPH, (), {}), plain)
    long = uniform(KvScheme(2, 8, window=50, sinks=0), KvScheme(2, 8, window=50, sinks=0))
    found = logits(GRAPH, (57 - 8,), long)
    torch.testing.assert_close(found, plain, rtol=2e-3, atol=2e-3)
    more = uniform(KvScheme(8, 8, window=50, sinks=0), KvScheme(8, 8, window=50, sinks=0))
    assert torch.equal(
        found, logits(GRAPH, (57 - 8,), more)
    )  # no run is rounded: bits mean nothing


def test_more_bits_are_closer() -> None:
    plain = logits(GRAPH, (), None)
    away = [
        float((logits(GRAPH, (), uniform(s, s)) - plain).norm())
        for s in (KvScheme(b, 8, 5, 3) for b in (2, 4, 8))
    ]
    assert away[0] > 3 * away[1] > 9 * away[2] > 0


def test_keys_and_values_and_layers_are_chosen_apart() -> None:
    plain = run(GRAPH, {"tokens": TOKENS, "past": np.array([0])})
    outputs = []
    for name in ("k_cache.0", "v_cache.0", "k_cache.1", "v_cache.1"):
        outputs.append(
            run(GRAPH, {"tokens": TOKENS, "past": np.array([0])}, kv={name: SMALL}).outputs[0]
        )
    for at, found in enumerate(outputs):
        others = [plain.outputs[0], *outputs[:at]]
        assert all((found - other).abs().max() > 1e-4 for other in others)


@pytest.mark.parametrize(
    ("kv", "message"),
    [
        ({"k_cache.9": SMALL}, "state 'k_cache.9': expected one of k_cache.0"),
        ({"tokens": SMALL}, "state 'tokens'"),
    ],
)
def test_unknown_states_are_refused(kv: dict[str, KvScheme], message: str) -> None:
    with pytest.raises(UserError, match=message):
        run(GRAPH, {"tokens": TOKENS, "past": np.array([0])}, kv=kv)


def test_a_state_that_no_attention_reads_is_refused() -> None:
    graph = decoder(layers=1, context=CONTEXT)
    graph.add_state("memory", graph.states[0].read.type)
    with pytest.raises(UserError, match="state 'memory': no attention reads it"):
        run(graph, {"tokens": TOKENS[:, :4], "past": np.array([0])}, kv={"memory": SMALL})


def test_a_rounded_cache_has_no_gradient() -> None:
    call = {"tokens": TOKENS[:, :4], "past": np.array([0])}
    with pytest.raises(UserError, match="kv: a rounded cache has no gradient"):
        run(GRAPH, call, kv={"k_cache.0": SMALL}, grad_weights=["model.norm.weight"])
    with pytest.raises(UserError, match="kv: a rounded cache has no gradient"):
        run_nodes(GRAPH, (), {}, {}, (), kv={"k_cache.0": SMALL}, gradients=True)


def test_a_piece_of_the_graph_reads_its_caches_alike() -> None:
    tokens, past = torch.from_numpy(TOKENS), torch.tensor([0])
    kv = uniform(SMALL, SMALL)
    given = dict(zip(GRAPH.inputs, (tokens, past), strict=True))
    (out,) = GRAPH.outputs
    symbols = {"seq": TOKENS.shape[1]}
    found = run_nodes(GRAPH, GRAPH.nodes, given, symbols, [out], kv=kv)[out]
    assert torch.equal(found, run(GRAPH, {"tokens": tokens, "past": past}, kv=kv).outputs[0])
