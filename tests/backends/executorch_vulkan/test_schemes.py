"""What the delegate has operators for, refused by name where it has none, and which nodes it makes its own."""

import numpy as np
import pytest
from support.graphs import decoder
from support.packed import random_packed

from optimum_compile.backends.base import BackendOptions, WeightUse
from optimum_compile.backends.executorch_vulkan.attention import attentions_of, live_nodes
from optimum_compile.backends.executorch_vulkan.backend import BACKEND
from optimum_compile.backends.executorch_vulkan.constants import fused_matrix, sums_of, unpacked
from optimum_compile.compiler.errors import UnsupportedError
from optimum_compile.compiler.options import resolve_targets
from optimum_compile.compiler.quant.activations import ActivationKind
from optimum_compile.compiler.quant.kv import KvScheme
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.compiler.quant.scheme_text import parse_scheme

LINEAR = WeightUse("w", 64, 64, True, False)


def verdict(text: str, rows: int = 64, columns: int = 64, linear: bool = True, table: bool = False):
    return BACKEND.supports_scheme(parse_scheme(text), WeightUse("w", rows, columns, linear, table))


@pytest.mark.parametrize(
    "text", ["int4:g32", "int4:g16", "int4:channel", "int4:g32@bf16", "int4:g16@u6", "int8:channel"]
)
def test_accepted(text):
    assert verdict(text).ok
    assert verdict(text, table=True).ok


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("int2:g32", "not of 2"),
        ("int3:g32", "not of 3"),
        ("int6:g32", "not of 6"),
        ("uint4:g32", "no zero points"),
        ("int8:g32", "int8:channel"),
        ("lut4:r4", "no tables"),
        ("nest2-8:r1", "no tables"),
        ("vec8x2:channel@shared", "no vectors"),
        ("e0m4:g32", "no E0M4"),
        ("int4:g32+o0.01", "no outliers"),
        ("f16", "floats would take 32 bits"),
    ],
)
def test_refused_by_name(text, why):
    found = verdict(text)
    assert not found.ok
    assert why in found.reason


@pytest.mark.parametrize(
    ("text", "sizes", "why"),
    [
        ("int4:g32", {"rows": 66}, "66 rows"),
        ("int4:channel", {"columns": 60}, "multiple of 8"),
        ("int8:channel", {"columns": 62}, "multiple of 4"),
        ("int4:g48", {}, "do not divide"),
        ("int4:g10", {"columns": 80}, "four columns at once"),
        ("int4:g8", {"columns": 40, "table": True}, "multiple of 32"),
    ],
)
def test_sizes_that_its_kernels_cannot_read(text, sizes, why):
    found = verdict(text, **sizes)
    assert not found.ok
    assert why in found.reason


def test_a_table_alone_may_have_any_number_of_rows():
    assert verdict("int8:channel", rows=51, linear=False, table=True).ok


def test_codes_are_packed_as_they_are():
    packed = random_packed(parse_scheme("int4:g16"), 12, 64)
    matrix = fused_matrix(packed)
    assert np.array_equal(unpacked(matrix.codes, 64), packed.codes)
    assert matrix.linear_scales.shape == (4, 12)
    assert np.array_equal(matrix.linear_scales.T, packed.scales.astype(np.float32))
    sums = sums_of(packed, 16)
    assert sums.shape == (4, 16)
    assert np.array_equal(sums[:, :12], packed.codes.reshape(12, 4, 16).sum(-1).T)
    assert not sums[:, 12:].any()


def test_inputs_are_rounded_where_activations_are_int8():
    four, eight = parse_scheme("int4:g32"), parse_scheme("int8:channel")
    assert BACKEND.activation_kind(four, LINEAR) is None
    rounding = BACKEND.configured(BackendOptions(activations="int8"))
    assert rounding.activation_kind(four, LINEAR) is ActivationKind.ASYMMETRIC_INT8
    assert rounding.activation_kind(eight, LINEAR) is None
    more = rounding.stored_bytes(four, LINEAR) - BACKEND.stored_bytes(four, LINEAR)
    assert more == 2 * 64 * 4  # sums of the codes of two groups


def test_caches_stay_floats():
    assert BACKEND.supports_kv(Float(32)).ok
    found = BACKEND.supports_kv(KvScheme(8))
    assert not found.ok
    assert found.falls_back


def test_rotation_and_permutations_go_into_the_attention():
    graph = decoder(layers=2)
    attentions = attentions_of(graph)
    assert len(attentions) == 2
    assert all(a.rope is not None for a in attentions.values())
    assert all(s.tokens_first for a in attentions.values() for s in (a.q, a.k, a.v))
    live = live_nodes(graph, attentions)
    kinds = [n.op for n in graph.nodes if n in live]
    assert "rope" not in kinds
    assert kinds.count("permute") == 2  # of outputs, which the operator makes tokens first


def test_narrow_heads_rotate_outside_of_the_operator():
    graph = decoder(layers=1, width=16, heads=4)
    (attention,) = attentions_of(graph).values()
    assert attention.rope is None


def test_a_sliding_window_is_refused():
    short, long = (decoder(layers=1, window=w, context=24) for w in (8, 24))
    for graph, ok in ((short, False), (long, True)):
        node = next(n for n in graph.nodes if n.op == "cache_attention")
        assert BACKEND.supports_node(node).ok is ok


def test_a_cache_that_something_else_reads_is_refused():
    graph = decoder(layers=1)
    graph.outputs = [*graph.outputs, graph.states[0].written]
    with pytest.raises(UnsupportedError, match="one attention reads"):
        attentions_of(graph)
    assert "one attention reads" in BACKEND.supports_graph(graph).reason
    assert BACKEND.supports_graph(decoder(layers=1)).ok


def test_the_target_has_a_name():
    (target,) = resolve_targets(("android:vulkan",))
    assert (target.platform, target.artifact) == ("android", "vulkan")
