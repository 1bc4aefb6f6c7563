"""Bytes that a token reads, counted by hand on tiny models."""

import re

import pytest
from support.hf import save_folder, tiny_model

from optimum_compile.backends.catalog import load_backend
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.quant.scheme import Nested
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.precision.bytes_read import (
    bytes_per_token,
    cache_bytes,
    read_shares,
    weight_bytes_read,
    weight_limit,
)
from optimum_compile.passes.precision.nested_pins import nested_pins
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.units import units_of
from optimum_compile.passes.symbolic_shape.specialize import specialize

IOS, ANDROID = load_backend("coreml"), load_backend("executorch")
EMBEDDING = "model.embed_tokens.weight"


def noted(folder, scheme="int8:channel"):
    graph = open_model(folder, context=None, max_prefill=None).graph
    for unit in units_of(graph):
        graph.weights[unit.name].notes.put(Precision(parse_scheme(scheme)))
    return graph


@pytest.fixture(scope="module")
def graphs(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    tied = save_folder(tiny_model("llama", tie_word_embeddings=True), root / "tied")
    apart = save_folder(tiny_model("llama"), root / "apart")
    experts = save_folder(tiny_model("mixtral"), root / "experts")
    return {"tied": noted(tied), "apart": noted(apart), "experts": noted(experts)}


def stored(graph, backend):
    return sum(
        backend.stored_bytes(graph.weights[u.name].notes.get(Precision).scheme, u.use)
        for u in units_of(graph)
    )


def test_a_table_is_read_by_rows_unless_it_is_the_head(graphs):
    assert set(read_shares(graphs["tied"]).values()) == {1.0}
    shares = read_shares(graphs["apart"])
    assert shares.pop(EMBEDDING) == pytest.approx(1 / 96)
    assert set(shares.values()) == {1.0}


def test_weights_read_are_those_stored_less_the_table(graphs):
    tied, apart = graphs["tied"], graphs["apart"]
    # Of cosines and sines, 64 rows of 8 fp16 numbers, a step reads one row; the array begins with 64 bytes.
    angles = 2 * (64 + 64 * 8 * 2 - 8 * 2)
    assert IOS.unread_bytes(tied) == angles
    assert weight_bytes_read(tied, IOS) == stored(tied, IOS) + IOS.fixed_bytes(tied) - angles
    table = next(u for u in units_of(apart) if u.name == EMBEDDING)
    unread = ANDROID.stored_bytes(parse_scheme("int8:channel"), table.use) * 95 / 96
    whole = stored(apart, ANDROID) + ANDROID.fixed_bytes(apart)
    assert weight_bytes_read(apart, ANDROID) == pytest.approx(whole - unread)


def test_chosen_experts_are_a_share_of_all(graphs):
    """Most emitted programs compute every expert; a runtime that skips reads two of eight."""
    graph = graphs["experts"]
    shares = read_shares(graph, every_expert=False)
    assert {n: s for n, s in shares.items() if s == 0.25}.keys() == {
        n for n in shares if ".experts." in n
    }
    assert all(s == 1 for n, s in read_shares(graph).items() if n != EMBEDDING)
    native, gpu = load_backend("native"), load_backend("gpu")
    for backend, found in ((native, shares), (gpu, read_shares(graph))):
        assert backend.traits.skips_experts == (found is shares)
        sizes = {
            u.name: backend.stored_bytes(parse_scheme("int8:channel"), u.use)
            for u in units_of(graph)
        }
        wanted = sum(found[name] * size for name, size in sizes.items())
        constants = backend.fixed_bytes(graph) - backend.unread_bytes(graph)
        assert weight_bytes_read(graph, backend) - constants == pytest.approx(wanted)


def test_where_calls_choose_no_width_everything_stored_is_read(graphs):
    """NNAPI's int8 of a nested weight is read as int8, whatever bits the planes would take."""
    nnapi, nested = load_backend("nnapi"), parse_scheme("nest2-4:r8")
    graph = specialize(graphs["tied"], {})
    units = [u for u in units_of(graph) if not u.use.as_table]
    plain = weight_bytes_read(graph, nnapi)
    for unit in units:
        graph.weights[unit.name].notes.put(Precision(nested))
    assert weight_bytes_read(graph, nnapi) == plain


def test_caches_are_halves_on_phones_and_floats_where_a_runtime_has_no_others(graphs):
    """Two layers, keys and values, two heads of 16 numbers, 64 tokens."""
    graph = graphs["tied"]
    numbers = 2 * 2 * 2 * 16 * 64
    assert cache_bytes(graph, IOS) == 2 * numbers
    assert cache_bytes(graph, ANDROID) == 2 * numbers
    assert cache_bytes(graph, load_backend("onnxruntime")) == 4 * numbers
    assert cache_bytes(graph, IOS, tokens=16) == numbers // 2
    assert bytes_per_token(graph, IOS) == weight_bytes_read(graph, IOS) + 2 * numbers


@pytest.mark.parametrize("backend", [IOS, ANDROID], ids=["ios", "android"])
@pytest.mark.parametrize("name", ["tied", "apart", "experts"])
def test_the_limit_is_the_inverse_of_what_is_read(graphs, backend, name):
    """An assignment that reads exactly what is allowed stores exactly the limit."""
    graph = graphs[name]
    allowed = bytes_per_token(graph, backend)
    whole = stored(graph, backend) + backend.fixed_bytes(graph)
    assert weight_limit(graph, backend, allowed) == pytest.approx(whole, abs=1)
    assert weight_limit(graph, backend, allowed - 1000) == pytest.approx(whole - 1000, abs=1)


def test_without_notes_the_limit_is_on_the_safe_side(graphs, tmp_path):
    """The table may get any scheme: no assignment within the limit reads more than is allowed."""
    graph = graphs["apart"]
    bare = open_model(
        save_folder(tiny_model("llama"), tmp_path / "m"), context=None, max_prefill=None
    ).graph
    allowed = bytes_per_token(graph, ANDROID)
    assert weight_limit(bare, ANDROID, allowed) <= weight_limit(graph, ANDROID, allowed)


def nested_folder(root):
    return save_folder(tiny_model("llama", tie_word_embeddings=True), root / "nested")


def nested_schemes(graph):
    """What `--nested 2,3,4` decides, by name; the rest has 8 bits."""
    pins = {p.pattern: p.scheme for p in nested_pins(graph, "2,3,4", (), (ANDROID,))}
    named = {u.name: pins.get(f"^{re.escape(u.name)}$") for u in units_of(graph)}
    return {name: scheme or parse_scheme("int8:channel") for name, scheme in named.items()}


def test_a_limit_is_kept_with_all_bits_and_counts_no_table_of_narrower_widths(tmp_path):
    """A call of all bits reads every plane and the widest table: what it leaves is stored on top."""
    folder = nested_folder(tmp_path)
    noted, bare = (open_model(folder, context=None, max_prefill=None).graph for _ in range(2))
    known = nested_schemes(noted)
    for name, scheme in known.items():
        noted.weights[name].notes.put(Precision(scheme))
    whole = stored(noted, ANDROID) + ANDROID.fixed_bytes(noted)
    narrower, tables = 0, 0  # what is stored and not read, and the tables of 2 and 3 bits alone
    for u in units_of(noted):
        if isinstance(scheme := known[u.name], Nested):
            read = scheme.read_bytes(u.use.rows, u.use.columns, 4)
            narrower += ANDROID.stored_bytes(scheme, u.use) - read
            tables += (4 + 8) * 2 * scheme.tables(u.use.rows)
    assert tables <= narrower < tables + 64 * 14  # each of 14 matrices may end with padding
    allowed = bytes_per_token(noted, ANDROID)
    assert allowed == whole - narrower + cache_bytes(noted, ANDROID)
    assert weight_limit(noted, ANDROID, allowed) == whole
    # Pins are known before there are notes; without either the limit is on the safe side.
    assert weight_limit(bare, ANDROID, allowed, known=known) == whole
    assert weight_limit(bare, ANDROID, allowed) == whole - narrower
    for width in (2, 3):
        assert weight_bytes_read(noted, ANDROID, width=width) < weight_bytes_read(noted, ANDROID)
