"""Questions about decoder graphs."""

from support.graphs import decoder, mlp

from optimum_compile.compiler.decoder import caches_of, context_of, is_decoder
from optimum_compile.compiler.quant.kv import KvRole


def test_caches_are_found_by_what_attention_does_with_them() -> None:
    graph = decoder(layers=2, kv_heads=2, context=24)
    found = caches_of(graph)
    assert [c.name for c in found] == ["k_cache.0", "v_cache.0", "k_cache.1", "v_cache.1"]
    assert [c.role for c in found] == [KvRole.KEYS, KvRole.VALUES] * 2
    assert {c.sizes for c in found} == {(2, 24, 8)}
    for cache in found:
        (reader,) = cache.readers
        assert reader.op == "cache_attention"
        assert f"layers.{cache.name[-1]}." in reader.origin
    assert (is_decoder(graph), context_of(graph)) == (True, 24)


def test_a_name_says_nothing() -> None:
    graph = decoder(layers=1)
    for state, name in zip(graph.states, ("a", "b"), strict=True):
        state.name = name
    graph.add_state("k_cache.1", graph.states[0].read.type)
    assert [(c.name, c.role) for c in caches_of(graph)] == [
        ("a", KvRole.KEYS),
        ("b", KvRole.VALUES),
    ]
    assert caches_of(mlp()) == ()
