import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.models import shared_bundle, shared_model, tiny_llama
from support.widths import assigned

from optimum_compile.backends.catalog import load_backend
from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.options import CompileOptions
from optimum_compile.compiler.package.allocation import (
    ALLOCATION,
    Allocation,
    asked,
    make_allocation,
    parse_allocation,
    read_allocation,
)
from optimum_compile.compiler.quant.kv import KvScheme
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.precision.notes import KvPrecision, Precision
from optimum_compile.passes.precision.units import units_of

TURNS = ("int4:g32", "int8:g32", "f16")


def graph_of(folder=None):
    return assigned(folder or shared_model(), lambda name, at: TURNS[at % 3])


def some(graph=None, names=("gguf", "mlx"), **changes) -> Allocation:
    backends = tuple(load_backend(name) for name in names)
    given_values = {"policy": "measured", "budget": {"budget": "5bpw"}, "predicted_kl": 0.01}
    return make_allocation(graph or graph_of(), backends, **(given_values | changes))


@cache
def text() -> str:
    return some().to_json()


def test_every_matrix_is_there_with_its_bytes_on_every_target():
    graph = graph_of()
    made = some(graph)
    units = units_of(graph)
    assert [t.name for t in made.tensors] == [u.name for u in units]
    assert made.targets == ("gguf", "mlx")
    for at, (tensor, unit) in enumerate(zip(made.tensors, units, strict=True)):
        scheme = parse_scheme(tensor.scheme)
        assert tensor.scheme == TURNS[at % 3]
        assert tensor.kind == ("INT4", "INT8", "FP16")[at % 3]
        assert tensor.shape == (unit.use.rows, unit.use.columns)
        sizes = {n: load_backend(n).stored_bytes(scheme, unit.use) for n in made.targets}
        assert tensor.bytes == sizes
        assert tensor.bits_per_weight == 8 * max(sizes.values()) / unit.elements
    for name, total in made.weight_bytes.items():
        fixed = load_backend(name).fixed_bytes(graph)
        assert total == fixed + sum(t.bytes[name] for t in made.tensors)
    assert made.bits_per_weight == 8 * max(made.weight_bytes.values()) / made.model.parameters


def test_without_targets_bytes_are_those_of_the_schemes():
    made = some(names=())
    assert (made.targets, made.weight_bytes) == ((), {})
    for tensor in made.tensors:
        rows, columns = tensor.shape
        size = parse_scheme(tensor.scheme).stored_bytes(rows, columns)
        assert tensor.bits_per_weight == 8 * size / (rows * columns)
        assert tensor.bytes == {}
    assert made.bits_per_weight > 4


def test_reasons_and_caches_are_those_of_the_notes(tmp_path):
    graph = graph_of(tiny_llama(tmp_path / "model"))
    name = units_of(graph)[2].name
    graph.weights[name].notes.put(Precision(parse_scheme("int8:g32"), reason="pinned"))
    graph.states[0].read.notes.put(KvPrecision(KvScheme(4)))
    made = some(graph)
    assert {t.name: t.reason for t in made.tensors if t.reason} == {name: "pinned"}
    states = [(cache.state, cache.scheme) for cache in made.kv]
    assert states[0] == (graph.states[0].name, "kv4:g32")
    assert states[1:] == [(s.name, "f16") for s in graph.states[1:]]


def test_the_model_is_told_by_its_weights(tmp_path):
    digests = set()
    for tied in (True, False):
        graph = graph_of(tiny_llama(tmp_path / str(tied), tied=tied))
        made = some(graph)
        digests.add(made.model.sha256)
        assert all(len(part) == 64 for part in made.model.sha256.split(","))
    assert len(digests) == 2


def test_text_and_allocation_are_inverse(tmp_path):
    made = some()
    path = tmp_path / ALLOCATION
    path.write_text(made.to_json(), "utf-8")
    assert read_allocation(path) == made
    assert read_allocation(path).to_json() == made.to_json()
    assert made.schemes() == {t.name: t.scheme for t in made.tensors}
    keys = set(json.loads(made.to_json())["tensors"][0])
    assert keys == {"name", "shape", "scheme", "bits_per_weight", "bytes", "class", "reason"} | {
        "use",
        "choices",
        "refused",
    }


def test_choices_are_what_every_target_takes_and_the_rest_has_a_reason(tmp_path):
    graph = graph_of(tiny_llama(tmp_path / "model"))
    for tensor in some(graph, names=("coreml", "gguf")).tensors:
        use = "both" if "embed" in tensor.name else "linear"
        assert tensor.use == use
        unit = next(u for u in units_of(graph) if u.name == tensor.name)
        assert "f16" in tensor.choices
        for scheme, sizes in tensor.choices.items():
            stored = {
                n: load_backend(n).stored_bytes(parse_scheme(scheme), unit.use)
                for n in ("coreml", "gguf")
            }
            assert sizes == {"ios": stored["coreml"], "gguf": stored["gguf"]}
        assert tensor.refused["vec8x4:channel@shared"].startswith("gguf: GGUF has no palettes")
        assert not set(tensor.refused) & set(tensor.choices)
    bare = some(graph, names=()).tensors[0]
    assert (bare.choices, bare.refused) == ({}, {})


def test_the_documented_example_is_one():
    written = (Path(__file__).resolve().parents[3] / "docs" / "allocation.md").read_text("utf-8")
    example = written.split("```json\n")[1].split("```")[0]
    made = parse_allocation(json.loads(example), "docs/allocation.md")
    assert set(json.loads(example)) == set(json.loads(text()))
    assert made.kv


def test_only_what_was_asked_for_stands_in_the_budget():
    assert asked(CompileOptions()) == {}
    assert asked(CompileOptions(budget="3.5bpw")) == {"budget": "3.5bpw"}
    assert asked(replace(CompileOptions(), max_kl=0.1)) == {"max_kl": 0.1}


def test_a_bundle_has_the_allocation_of_its_manifest():
    bundle = shared_bundle()
    made = read_allocation(bundle.path / ALLOCATION)
    assert ALLOCATION in [file.path for file in bundle.manifest.files]
    assert made.targets == ("ios",)
    assert made.policy == bundle.manifest.options["policy"]
    told = {t.name: (t.scheme, t.shape) for t in bundle.manifest.tensors}
    assert all(told[t.name] == (t.scheme, t.shape) for t in made.tensors)
    artifact = bundle.artifact("ios")
    assert made.weight_bytes == {"ios": artifact.predicted_bytes}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "allocation format 2: expected 1"),
        ({"extra": 1}, "extra"),
        ({"tensors": {}}, "allocation.tensors: expected list"),
        ({"tensors": [1]}, r"allocation.tensors\[0\]: expected dict"),
        ({"weight_bytes": {"gguf": 1.5}}, "expected int"),
        ({"predicted_kl": "low"}, "allocation.predicted_kl"),
        ({"budget": {"budget": []}}, "allocation.budget.budget"),
    ],
)
def test_other_documents_are_refused_with_the_place(change, message):
    document = json.loads(text()) | change
    with pytest.raises(InputError, match=message) as refused:
        parse_allocation(document, "it")
    assert str(refused.value).startswith("it: ")


@pytest.mark.parametrize("twist", ["kind", "twice", "shape"])
def test_tensors_are_checked_one_by_one(twist):
    document = json.loads(text())
    first = document["tensors"][0]
    if twist == "kind":
        first["kind"] = first.pop("class")
    elif twist == "twice":
        document["tensors"].append(first)
    else:
        first["shape"] = [1, 2, 3]
    with pytest.raises(InputError, match=r"tensors\[0\]|named twice"):
        parse_allocation(document, "it")


@given(data=st.data(), junk=st.sampled_from([None, -1, 1.5, "x", [], {}, True]))
@settings(max_examples=60, deadline=None)
def test_any_other_value_anywhere_is_refused_at_its_place_or_read_as_it_is(data, junk):
    document = json.loads(text())
    key = data.draw(st.sampled_from(sorted(document)))
    place = f"allocation.{key}"
    if key == "tensors" and data.draw(st.booleans()):
        inner = data.draw(st.sampled_from(sorted(document["tensors"][0])))
        document["tensors"][0][inner] = junk
        place = f"allocation.tensors[0].{'kind' if inner == 'class' else inner}"
    else:
        document[key] = junk
    try:
        read = parse_allocation(document, "it").to_json()
    except InputError as error:
        told = str(error)
    else:
        assert read == json.dumps(document, indent=1, sort_keys=True) + "\n"
        return
    assert told.startswith(("it: allocation format", f"it: no allocation: {place}"))
    assert key == "format" or "allocation format" not in told
