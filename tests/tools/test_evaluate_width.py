"""`evaluate --width`: an artifact at each of its widths against the oracle at that width, and refusals."""

import json
import shutil

import pytest
from support.models import CONTEXT, shared_bundle, shared_model

import optimum_compile as oc
from optimum_compile.backends.catalog import load_backend
from optimum_compile.compiler.api import prepare
from optimum_compile.compiler.calibration import load_tokenizer, read_text
from optimum_compile.compiler.errors import UnsupportedError
from optimum_compile.passes.precision.narrow import narrowed
from optimum_compile.tools.score import GraphLogits, score, text_windows

STORY = "Ana had a boat. The boat was red. She took it to the river and sang a song to it."
NESTED = {"nested": "2,3,4", "quantizer": "rtn", "companions": False, "samples": 4}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    out = str(tmp_path_factory.mktemp("nested"))
    return oc.compile(shared_model(), ["native"], output=out, **NESTED, verify=False)


@pytest.fixture(scope="module")
def oracle(tmp_path_factory):
    """What the oracle scores on STORY, by width."""
    work = tmp_path_factory.mktemp("oracle")
    wanted = oc.plan(shared_model(), ["native"], output=str(work), **NESTED)
    prepare(wanted, work)
    (work / "story.json").write_text(json.dumps([STORY]))
    tokenizer = load_tokenizer(wanted.model.tokenizer_files)
    windows = text_windows(read_text(str(work / "story.json")), tokenizer, 1, CONTEXT)
    graph = wanted.model.graph
    reference = GraphLogits(graph, "float")
    return {
        width: score(windows, GraphLogits(narrowed(graph, width), "quantized"), reference)
        for width in (2, 3, 4)
    }


def test_every_width_scores_as_the_oracle_does_at_it(bundle, oracle, cli, text):
    arguments = ("evaluate", bundle.path, "--text", text([STORY]), "--reference", shared_model())
    read = {w.width: w.bytes_per_token for w in bundle.manifest.widths}
    found = {}
    for width, wanted in oracle.items():
        found[width] = cli(*arguments, "--width", width, "--json").json()
        assert found[width]["nll"] == pytest.approx(wanted.nll, abs=1e-3)
        assert found[width]["kl_mean"] == pytest.approx(wanted.kl_mean, rel=0.01, abs=1e-4)
        assert (found[width]["width"], found[width]["bytes_per_token"]) == (width, read[width])
    assert found[2]["kl_mean"] > found[3]["kl_mean"] > found[4]["kl_mean"]
    plain = cli(*arguments, "--json").json()
    assert (plain["width"], plain["bytes_per_token"]) == (None, None)
    assert plain["nll"] == found[4]["nll"]
    shown = cli(*arguments, "--width", 3).out
    assert f"nested weights read with 3 bits: {read[3]:,} bytes of weights a token" in shown


@pytest.mark.parametrize("width", ["5", "1", "0", "-2"])
def test_a_width_that_is_not_stored_is_refused(bundle, cli, text, width):
    done = cli("evaluate", bundle.path, "--text", text(STORY), "--width", width)
    assert (done.code, done.out) == (2, "")
    assert f"width={width}: native/tiny.ocm has nested weights of 2, 3, 4 bits" in done.err


def test_a_model_and_a_bundle_of_one_width_have_none_to_choose(cli, text):
    asked = ("--text", text(STORY), "--width", "3")
    model = cli("evaluate", shared_model(), *asked)
    assert model.code == 2
    assert "is a model; only artifacts have nested weights" in model.err
    plain = cli("evaluate", shared_bundle("native").path, *asked)
    assert (plain.code, "no nested weights; compile with --nested 2,3,4" in plain.err) == (3, True)


def test_an_artifact_whose_calls_choose_no_width_is_refused_by_name(bundle, cli, text, tmp_path):
    """A bundle whose manifest says that its program is of a kind without widths."""
    other = shutil.copytree(bundle.path, tmp_path / "other")
    manifest = json.loads((other / "manifest.json").read_text())
    first = manifest["artifacts"][0]
    manifest["artifacts"].append(first | {"platform": "ios", "kind": "coreml", "path": "ios/a"})
    manifest["widths"].append(manifest["widths"][-1] | {"target": "ios", "path": "ios/a"})
    (other / "manifest.json").write_text(json.dumps(manifest))
    asked = ("evaluate", other, "--text", text(STORY), "--width", "3")
    done = cli(*asked, "--artifact", "ios")
    assert done.code == 3
    assert (
        "calls of this artifact choose no width; name one that does: --artifact native" in done.err
    )
    # Where none is named, the first that can is taken, although ios comes first otherwise.
    assert cli(*asked, "--json").json()["artifact"] == "native/tiny.ocm"
    with pytest.raises(UnsupportedError, match="its calls choose no width"):
        load_backend("coreml").logits(tmp_path / "a.mlpackage", 3)
