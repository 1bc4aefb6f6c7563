"""`explain`: from an allocation and a map to text and JSON, and what it refuses."""

import json
import shutil
from dataclasses import replace
from textwrap import dedent

import pytest
from support.models import copy_bundle

from optimum_compile.compiler.package.allocation import Allocation, TensorScheme, read_allocation
from optimum_compile.passes.sensitivity.map import MeasuredWith, ModelId, SensitivityMap

MODEL = ModelId("ab" * 32, 300_000)
SIZES = {"uint2:g32": 2, "int4:g32": 4, "int8:channel": 8, "f16": 16}


def tensor(name, scheme, rows=100, use="linear", reason="", choices=tuple(SIZES), **refused):
    def sizes(text):
        count = rows * 1000 * SIZES[text] // 8
        return {"ios": count, "android": count + 64}

    return TensorScheme(
        name,
        (rows, 1000),
        scheme,
        8 * (sizes(scheme)["android"]) / (rows * 1000),
        sizes(scheme),
        {2: "INT2", 4: "INT4", 8: "INT8", 16: "FP16"}[SIZES[scheme]],
        reason,
        use,
        {text: sizes(text) for text in choices},
        {scheme.replace("_", ":"): reason for scheme, reason in refused.items()},
    )


TENSORS = (
    tensor("model.embed.weight", "int8:channel", use="table", reason="pinned"),
    tensor("layers.0.q_proj.weight", "int4:g32", lut6_r4="executorch: no palettes"),
    tensor("layers.1.q_proj.weight", "uint2:g32"),
)
MADE = Allocation(
    1,
    MODEL,
    ("ios", "android"),
    "measured",
    {"budget": "5bpw"},
    {"ios": 180_000, "android": 180_192},
    4.8,
    0.05,
    TENSORS,
    (),
)
SCORES = {
    "layers.0.q_proj.weight": {
        "uint2:g32": 0.03,
        "int4:g32": 0.0,
        "int8:channel": -0.004,
        "f16": -0.0041,
    },
    "layers.1.q_proj.weight": {"uint2:g32": 0.0, "int4:g32": -0.01, "int8:channel": -0.011},
}
MEASURED = SensitivityMap(
    1, "measured", "nats a token, from the final assignment", MODEL, MeasuredWith("auto"), SCORES
)


@pytest.fixture
def files(tmp_path):
    """`files()` writes an allocation and a map, and gives the allocation's path."""

    def write(allocation=MADE, scores=MEASURED):
        path = tmp_path / "allocation.json"
        path.write_text(allocation.to_json())
        if scores is not None:
            (tmp_path / "sensitivity.json").write_text(scores.to_json())
        return path

    return write


def test_all_tensors_are_a_table(cli, files):
    shown = cli("explain", files())
    assert (shown.code, shown.err) == (0, "")
    lines = [line.rstrip() for line in shown.out.splitlines()]
    assert (
        lines
        == dedent("""\
        policy measured, budget 5bpw: 180.0 kB on ios, 180.2 kB on android, 7308 B left
        damage by 'measured': nats a token, from the final assignment; less is better
        best step not bought: layers.1.q_proj.weight uint2:g32 to int4:g32, 0.0004 a kB
        worst one bought: layers.0.q_proj.weight uint2:g32 to int4:g32, 0.0012 a kB
        tensor                  scheme        bits  bytes     share  a kB less  a kB more  with
        model.embed.weight      int8:channel  8.01  100.1 kB  55.5%                        f16           pinned
        layers.0.q_proj.weight  int4:g32      4.01  50.1 kB   27.8%  0.0012     8e-05      int8:channel
        layers.1.q_proj.weight  uint2:g32     2.01  25.1 kB   13.9%             0.0004     int4:g32
        damage that a kilobyte less costs and one more saves; name a tensor for the reasons
        """).splitlines()
    )


WHY = (
    "the cheapest to narrow of all: uint2:g32 would lose 0.0012 nats a token for each kB; int8:channel "
    "would save 8e-05 nats a token for each kB, but takes 50,000 bytes where 7,308 are left; every "
    "step that was bought elsewhere saves more"
)


def test_one_tensor_is_told_with_every_choice_and_the_reasons(cli, files):
    shown = cli("explain", files(), "layers.0.q_proj.weight")
    lines = [line.rstrip().replace(WHY, "WHY") for line in shown.out.splitlines()][5:]
    assert (
        lines
        == dedent("""\
        layers.0.q_proj.weight 100 x 1000: int4:g32, 4.01 bits per weight, 27.8% of the weights
          damage now, beyond that of f16: 0.0041
          why: WHY
            scheme        bits   ios      android  damage   change   a kB
            uint2:g32     2.01   25,000   25,064   0.03     +0.03    0.0012
         *  int4:g32      4.01   50,000   50,064   0
            int8:channel  8.01   100,000  100,064  -0.004   -0.004   8e-05
            f16           16.01  200,000  200,064  -0.0041  -0.0041  2.73e-05
          not lut6:r4: executorch: no palettes
        """).splitlines()
    )


def test_json_has_the_same(cli, files):
    document = cli("explain", files(), r"layers\.\d", "--json").json()
    assert document["targets"] == ["ios", "android"]
    assert document["left_bytes"] == 7308
    assert document["quantity"] == "nats a token, from the final assignment"
    assert document["best_not_bought"]["tensor"] == "layers.1.q_proj.weight"
    assert document["worst_bought"]["per_kilobyte"] == pytest.approx(0.0012)
    one, two = document["tensors"]
    assert [t["name"] for t in (one, two)] == ["layers.0.q_proj.weight", "layers.1.q_proj.weight"]
    assert one["bytes"] == {"ios": 50_000, "android": 50_064}
    assert one["share"] == pytest.approx(50_064 / 180_192)
    assert one["damage"] == 0
    assert one["beyond_widest"] == pytest.approx(0.0041)
    assert one["wider"]["to"] == "int8:channel"
    assert one["narrower"] == {
        "tensor": "layers.0.q_proj.weight",
        "from": "int4:g32",
        "to": "uint2:g32",
        "bytes": -25_000,
        "damage": pytest.approx(0.03),
        "per_kilobyte": pytest.approx(0.0012),
    }
    assert [c["scheme"] for c in one["choices"]] == list(SIZES)
    assert one["refused"] == {"lut6:r4": "executorch: no palettes"}
    assert (two["narrower"], two["beyond_widest"], two["stage"]) == (None, None, None)
    assert document["seconds"] >= 0


@pytest.mark.parametrize(
    ("wanted", "count"),
    [("layers.1.q_proj.weight", 1), ("q_proj", 2), (r"^model\.", 1), (".", 3), (None, 3)],
)
def test_tensors_are_named_or_matched(cli, files, wanted, count):
    arguments = () if wanted is None else (wanted,)
    assert len(cli("explain", files(), *arguments, "--json").json()["tensors"]) == count


def test_a_name_wins_over_what_it_matches_as_a_pattern(cli, files):
    both = replace(MADE, tensors=(*TENSORS, tensor("layers.0.q_proj.weight.b", "f16")))
    document = cli("explain", files(both), "layers.0.q_proj.weight", "--json").json()
    assert len(document["tensors"]) == 1


def test_a_map_of_another_method_tells_damage_in_the_float_model(cli, files, tmp_path):
    other = replace(MEASURED, method="kl", quantity="nats a token")
    (tmp_path / "other.json").write_text(other.to_json())
    cascade = replace(MADE, policy="cascade", budget={})
    shown = cli(
        "explain", files(cascade, None), "0.q_proj", "--sensitivity", tmp_path / "other.json"
    )
    assert "policy cascade: 180.0 kB on ios, 180.2 kB on android\n" in shown.out
    assert "damage by 'kl': nats a token; less is better" in shown.out
    assert "why: given by policy 'cascade'; the cheapest to narrow" in shown.out


def test_a_scheme_that_nobody_proposed_stands_among_the_choices(cli, files):
    odd = tensor("layers.0.q_proj.weight", "int4:g32", choices=("uint2:g32", "f16"))
    document = cli("explain", files(replace(MADE, tensors=(odd,))), "--json").json()
    schemes = [c["scheme"] for c in document["tensors"][0]["choices"]]
    assert schemes == ["uint2:g32", "int4:g32", "f16"]


def test_without_targets_and_scores_little_is_told_and_nothing_breaks(cli, files):
    bare = replace(
        MADE,
        targets=(),
        weight_bytes={},
        tensors=tuple(replace(t, bytes={}, choices={}, refused={}) for t in TENSORS),
    )
    shown = cli("explain", files(bare, replace(MEASURED, units={})), "--verbose")
    assert shown.code == 0
    assert "policy measured, budget 5bpw: no target\n" in shown.out
    assert "the only scheme that it may have on these targets" in shown.out


def test_unknown_tensors_get_the_nearest_names(cli, files):
    done = cli("explain", files(), "layers.0.k_proj.weight")
    assert (done.code, done.out) == (2, "")
    assert "tensor 'layers.0.k_proj.weight': no such name; the nearest are layers" in done.err
    assert done.err.index("layers.0.q_proj.weight") < done.err.index("layers.1.q_proj.weight")
    done = cli("explain", files(), "(")
    assert (done.code, "tensor '(': no regular expression" in done.err) == (2, True)
    assert cli("explain", files(), "x" * 501).code == 2


def test_without_a_map_it_says_how_to_get_one(cli, files):
    done = cli("explain", files(scores=None))
    assert done.code == 3
    assert "sensitivity.json: not here: policy 'measured' measured nothing" in done.err
    assert "optimum-compile profile MODEL --method kl" in done.err
    done = cli("explain", files(scores=None), "--sensitivity", "nowhere.json")
    assert (done.code, "nowhere.json: no such file" in done.err) == (3, True)


def test_a_map_of_another_model_is_refused(cli, files):
    done = cli("explain", files(scores=replace(MEASURED, model=ModelId("cd" * 32, 5))))
    assert done.code == 3
    assert "measured on another model (5 parameters" in done.err


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 1}'])
def test_what_is_no_allocation_is_refused(cli, files, text):
    path = files()
    path.write_text(text)
    assert cli("explain", path).code == 3


def test_what_is_not_there_is_refused(cli, tmp_path):
    done = cli("explain", tmp_path / "allocation.json")
    assert (done.code, "no such file" in done.err) == (3, True)
    done = cli("explain", tmp_path)
    assert (done.code, "no bundle here" in done.err) == (3, True)


def test_a_bundle_tells_stages_and_exceptions(cli, tmp_path):
    bundle = copy_bundle(tmp_path)
    made = read_allocation(bundle / "allocation.json")
    scores = {t.name: {t.scheme: 0.0, "f16": -0.001} for t in made.tensors}
    known = replace(MEASURED, units=scores, model=made.model)
    (bundle / "sensitivity.json").write_text(known.to_json())
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["stages"][1]["precision_class"] = "INT3"  # so that its matrices are exceptions
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    document = cli("explain", bundle, "--json").json()
    assert [t["name"] for t in document["tensors"]] == [t.name for t in made.tensors]
    for found in document["tensors"]:
        stage = found["stage"]
        assert stage["exception"] == (stage["index"] == 1)
        assert stage["class"] == manifest["stages"][stage["index"]]["precision_class"]
    name = next(t["name"] for t in document["tensors"] if t["stage"]["index"] == 1)
    shown = cli("explain", bundle / "allocation.json", name)
    assert "  stage 1 (INT3): it is not of its class" in shown.out
    assert "no INT3" in cli("explain", bundle).out
    shutil.rmtree(bundle / "ios")
    (bundle / "allocation.json").unlink()
    done = cli("explain", bundle)
    assert (done.code, "the bundle has no allocation.json" in done.err) == (3, True)
