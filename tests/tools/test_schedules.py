"""`--schedule` and `--scheduler` of a compilation, and `run --schedule` on what it wrote."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.models import shared_bundle, shared_model

import optimum_compile as oc
from optimum_compile.backends.catalog import BACKENDS, load_backend
from optimum_compile.backends.native.schedule import Scheduler
from optimum_compile.backends.native.session import Session
from optimum_compile.compiler.errors import InputError, OptionError
from optimum_compile.compiler.options import CompileOptions
from optimum_compile.compiler.package.manifest import WidthRead
from optimum_compile.compiler.package.reader import open_bundle
from optimum_compile.compiler.phasing import model_digest, refuse_schedules
from optimum_compile.compiler.schedule import Schedule, Switch
from optimum_compile.passes.phase.learned import Learned, Plan, shapes_of
from optimum_compile.passes.phase.learned_file import load, save
from optimum_compile.passes.phase.notes import Phases
from optimum_compile.tools.schedules import LEARNED_ON, Asked, Paced, asked, paced
from optimum_compile.tools.train_scheduler.__main__ import last_caches

MODELS = Path(__file__).parents[2] / "models"
SHIPPED = MODELS / "schedules/reference_4-2.safetensors"
NESTED = {"nested": "2,3,4", "quantizer": "rtn", "companions": False, "verify": False}
PROMPT = ("--prompt", "tom has a red ball", "--max-tokens", "12")


class Fake:
    """A session that notes what it is asked."""

    context = 64

    def __init__(self):
        self.seen = []

    def set_width(self, bits):
        self.seen.append(("width", bits))

    def prefill(self, tokens):
        self.seen.append(("prompt", len(tokens)))

    def decode(self, token):
        self.seen.append(("token", token))


def test_widths_change_where_the_schedule_says_and_nowhere_else():
    schedule = Schedule(4, (Switch(0, 3), Switch(2, 2)))
    told = []
    fake = Fake()
    read = {w: WidthRead("native", "a.ocm", w, 100 * w, w + 0.5) for w in (2, 3)}
    session = Paced(fake, Asked(4, lambda s: schedule), read, told.append)
    session.prefill([1, 2, 3])
    for token in (7, 8, 9):
        session.decode(token)
    assert fake.seen == [
        *(("width", 4), ("prompt", 3), ("width", 3), ("token", 7), ("token", 8)),
        *(("width", 2), ("token", 9)),
    ]
    assert session.figures() == {
        "schedule": "prefill 4, decode 3@0 2@2",
        "mean_bits": pytest.approx(8 / 3, abs=1e-4),
        "effective_bits": pytest.approx(8 / 3 + 0.5, abs=1e-4),
        "bytes_per_token": round(800 / 3),
    }
    assert told == [
        "3 tokens of the prompt with 4 bits",
        "from token 0 on 3 bits",
        "from token 2 on 2 bits",
    ]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """Native, with a schedule that may lose everything: the narrowest width."""
    out = str(tmp_path_factory.mktemp("scheduled"))
    values = {"schedule": "static", "schedule_measure": "kl", "schedule_loss": 50.0, "samples": 4}
    return oc.compile(shared_model(), ["native"], output=out, **NESTED, **values)


def test_the_schedule_is_in_the_manifest_and_in_the_artifact(bundle, cli):
    phases = Phases.from_json(bundle.manifest.phases)
    assert phases.widths == (2, 3, 4)
    assert str(phases.static) == "prefill 4, decode 2@0"
    assert (phases.prefill, phases.decode) == (2, 2)
    told = cli("inspect", bundle.resolve(bundle.manifest.artifacts[0].path), "--json").json()
    assert told["phases"] == json.loads(json.dumps(bundle.manifest.phases))
    (remark,) = [r for r in bundle.manifest.remarks if r.startswith("schedule: ")]
    assert "2.00 bits in the mean" in remark


def test_run_follows_it_and_says_what_it_read(bundle, cli):
    read = {w.width: w.bytes_per_token for w in bundle.manifest.widths}
    done = cli("run", bundle.path, *PROMPT, "--schedule", "static", "--json").json()
    assert set(done) >= {"text", "mean_bits", "tokens_per_second", "bytes_per_token"}
    assert (done["mean_bits"], done["bytes_per_token"]) == (2.0, read[2])
    wide = cli("run", bundle.path, *PROMPT, "--schedule", "fixed:4", "--json").json()
    plain = cli("run", bundle.path, *PROMPT, "--json").json()
    assert wide["text"] == plain["text"]
    assert wide["bytes_per_token"] == read[4] > read[2]
    said = cli("run", bundle.path, *PROMPT, "--schedule", "prefill 4, decode 4@0 2@5", "-v")
    assert "[from token 5 on 2 bits]" in said.err
    assert "mean bits: " in said.err


def test_inspect_shows_what_may_be_followed(bundle, learned, cli):
    shown = cli("inspect", bundle.path).out
    assert "static schedule: prefill 4, decode 2@0: 2.00 of 4 bits in the mean" in shown
    assert "learned schedule: prefill 4, decode 4 bits until step 0 or the end, then 2" in (
        cli("inspect", learned.path).out
    )
    assert "schedule: " not in cli("inspect", shared_bundle("native").path).out
    told = cli("inspect", bundle.path, "--json").json()
    assert told["phases"]["static"]["prefill"] == 4
    assert [w["width"] for w in told["widths"]] == [2, 3, 4]


def test_the_runtime_reads_what_the_manifest_says(bundle):
    session = Session(bundle.resolve(bundle.manifest.artifacts[0].path))
    session.prefill([5, 6, 7])
    for entry in bundle.manifest.widths:
        session.set_width(entry.width)
        session.decode(8)
        counted = session.stats().last_weight_bytes
        assert counted == pytest.approx(entry.bytes_per_token, rel=0.02)


@pytest.mark.parametrize(
    ("asked", "code", "message"),
    [
        ("fixed:7", 2, "width 7 is not stored; the weights have 2, 3, 4"),
        ("fixed:two", 2, "schedule 'fixed:two': expected static, learned, fixed:BITS"),
        ("fixed:9", 2, "a width of 9 bits: expected 1 to 8"),
        ("fixed:-2", 2, "schedule 'fixed:-2': expected static, learned, fixed:BITS"),
        (f"fixed:{'2' * 5000}", 2, "expected static, learned, fixed:BITS"),
        ("often", 2, "schedule 'often': expected static, learned, fixed:BITS"),
        ("", 2, "schedule '': expected static, learned, fixed:BITS"),
        ("prefill 5, decode 4", 2, "width 5 is not stored; the weights have 2, 3, 4"),
        ("prefill 4, decode 3@0 4@5", 2, "widths [3, 4] grow"),
        ("prefill 4, decode 4@0 3@-5", 2, "expected the form 'prefill 4, decode 4@0 3@85'"),
        ("prefill 4, decode 4@3", 2, "switches at tokens [3]: expected 0 and then later ones"),
        ("learned", 3, "no schedule.safetensors; compile with --scheduler FILE"),
    ],
)
def test_other_schedules_are_refused(bundle, cli, asked, code, message):
    done = cli("run", bundle.path, *PROMPT, "--schedule", asked)
    assert (done.code, message in done.err) == (code, True), done.err


def scheduler(file, graph, widths=(4, 4, 2), model=None):
    """A scheduler that is as sure of one step as of the other, and so takes the first."""
    caches = ("k_cache.2", "v_cache.2")
    plan = Plan(*widths, (0, 8), *caches, model_digest(graph) if model is None else model)
    sizes = shapes_of(2, 16, 16, 4, 2)
    save(Learned.rounded(plan, {n: np.zeros(s, np.float32) for n, s in sizes.items()}), file)
    return str(file)


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """Native, with a learned scheduler."""
    out = tmp_path_factory.mktemp("learned")
    graph = oc.plan(shared_model(), ["native"], output=str(out), **NESTED).model.graph
    values = {"scheduler": scheduler(out / "any name", graph), "samples": 4}
    return oc.compile(shared_model(), ["native"], output=str(out), **NESTED, **values)


def test_a_learned_schedule_is_followed(learned, cli):
    read = {w.width: w.bytes_per_token for w in learned.manifest.widths}
    done = cli("run", learned.path, *PROMPT, "--schedule", "learned", "--json").json()
    assert done["schedule"] == "prefill 4, decode 2@0"
    assert (done["mean_bits"], done["bytes_per_token"]) == (2.0, read[2])
    same = cli("run", learned.path, *PROMPT, "--schedule", "prefill 4, decode 2", "--json").json()
    assert same["text"] == done["text"]
    said = cli("run", learned.path, *PROMPT, "--schedule", "learned", "-v").err
    assert "[from token 0 on 2 bits]" in said
    assert f"bytes per token: {read[2]:,}" in said


def test_learned_schedules_need_a_runtime_that_reads_the_cache(learned):
    other = Fake()
    other.widths = (2, 3, 4)
    with pytest.raises(OptionError, match=r"only native and gpu artifacts .* --artifact, or comp"):
        asked("learned", learned, other)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[:100], "schedule.safetensors"),
        (lambda data: data[:-4], "schedule.safetensors"),
        (lambda data: b"", "schedule.safetensors"),
        (lambda data: data[:8] + b"[" + data[9:], "schedule.safetensors"),
        (lambda data: data.replace(b'"high":"4"', b'"high":"5"'), "schedule.safetensors"),
    ],
)
def test_a_damaged_scheduler_is_bad_input(learned, cli, tmp_path, damage, message):
    broken = shutil.copytree(learned.path, tmp_path / "broken")
    file = broken / "schedule.safetensors"
    before = file.read_bytes()
    file.write_bytes(damage(before))
    assert file.read_bytes() != before
    done = cli("run", broken, *PROMPT, "--schedule", "learned")
    assert (done.code, message in done.err, done.err.count("\n")) == (3, True, 1), done.err
    assert cli("verify", broken).code == 6


def test_what_is_read_is_that_of_the_artifact_that_runs(bundle):
    """Another target of the bundle may read other bytes, or only one width."""
    (artifact,) = bundle.manifest.artifacts
    own = {w.width: w for w in bundle.manifest.widths}
    first = WidthRead("ios", "ios/tiny.mlpackage", 4, 1, 4.0)
    manifest = replace(bundle.manifest, widths=(first, *bundle.manifest.widths))
    session = Fake()
    session.widths = (2, 3, 4)
    paces = paced(replace(bundle, manifest=manifest), session, "fixed:4", artifact)
    paces.prefill([1])
    paces.decode(2)
    assert paces.figures()["bytes_per_token"] == own[4].bytes_per_token


def test_a_bundle_of_one_width_has_no_schedule(cli):
    done = cli("run", shared_bundle("native").path, *PROMPT, "--schedule", "static")
    assert (done.code, "no nested weights; compile with --nested 2,3,4" in done.err) == (3, True)


def test_an_artifact_that_chooses_no_width_is_told_from_those_that_do(bundle):
    with pytest.raises(InputError, match=r"choose no width; .* --artifact native$"):
        asked("static", bundle, Fake())


def test_a_damaged_schedule_is_bad_input(bundle, cli, tmp_path):
    broken = shutil.copytree(bundle.path, tmp_path / "broken")
    manifest = json.loads((broken / "manifest.json").read_text())
    manifest["phases"]["static"] = {"prefill": 4, "switches": [[3, 2]]}
    (broken / "manifest.json").write_text(json.dumps(manifest))
    done = cli("run", broken, *PROMPT, "--schedule", "static")
    assert (done.code, "its schedule is damaged" in done.err) == (3, True), done.err


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (
            {"schedule": "static"},
            OptionError,
            "needs weights of several widths; add --nested 2,3,4",
        ),
        ({"schedule": "often"}, OptionError, "schedule='often': expected none or static"),
        ({"schedule_loss": -1.0}, OptionError, "schedule_loss=-1.0: expected a number above zero"),
    ],
)
def test_what_cannot_be_asked_of_a_compilation(values, error, message):
    with pytest.raises(error, match=message):
        oc.plan(shared_model(), ["native"], **values)


def test_schedules_need_text(tmp_path):
    values = NESTED | {"schedule": "static", "calibration": "none"}
    with pytest.raises(OptionError, match="answers cannot be compared: no calibration text"):
        oc.plan(shared_model(), ["native"], output=str(tmp_path), **values)


def test_schedules_need_room_for_a_prompt_and_an_answer(tmp_path):
    """Before any work: a cache of 20 tokens is no place for prompts of eight."""
    values = NESTED | {"schedule": "static", "context": 20, "output": str(tmp_path)}
    with pytest.raises(InputError, match="prompts of 6 and answers of 14 tokens; at least 8 of bo"):
        oc.plan(shared_model(), ["native"], **values)


def test_a_scheduler_needs_nested_weights_and_is_remarked_on_where_nothing_runs_it(tmp_path):
    graph = oc.plan(shared_model(), ["native"], output=str(tmp_path), **NESTED).model.graph
    values = {"scheduler": scheduler(tmp_path / "s", graph), "output": str(tmp_path)}
    with pytest.raises(OptionError, match="scheduler: no nested weights; add --nested 2,3,4"):
        oc.plan(shared_model(), ["native"], **values)
    told = "scheduler: no target of this bundle has a runtime that runs it; add --target native"
    assert told in oc.plan(shared_model(), ["ios:coreml"], **NESTED, **values).remarks
    assert told not in oc.plan(shared_model(), ["native"], **NESTED, **values).remarks
    able = {name for name in BACKENDS if load_backend(name).traits.runs_schedulers}
    assert able == set(LEARNED_ON)


def test_a_scheduler_that_is_none_is_refused(tmp_path):
    file = tmp_path / "other.safetensors"
    file.write_bytes(b"12345678")
    values = NESTED | {"scheduler": str(file), "calibration": "none"}
    with pytest.raises(InputError, match="other.safetensors"):
        oc.plan(shared_model(), ["native"], output=str(tmp_path / "out"), **values)
    assert not (tmp_path / "out").exists()


def test_a_scheduler_of_another_checkpoint_or_of_other_widths_is_refused(tmp_path):
    graph = oc.plan(shared_model(), ["native"], **NESTED).model.graph
    for model, widths, message in (
        ("0" * 64, (4, 4, 2), r"was trained for another checkpoint \(000000000000\)"),
        (model_digest(graph), (8, 8, 2), "chooses 8 bits; the nested weights of the bundle have"),
    ):
        file = scheduler(tmp_path / "schedule.safetensors", graph, widths, model)
        with pytest.raises(InputError, match=message):
            refuse_schedules(CompileOptions(scheduler=file), graph, "")


def test_the_shipped_scheduler_is_of_the_reference_model_and_its_nested_weights(tmp_path):
    """What docs/phases.md says of it; the runtime reads it too."""
    values = NESTED | {"output": str(tmp_path), "scheduler": str(SHIPPED)}
    wanted = oc.plan(MODELS / "reference", ["android:executorch", "native"], **values)
    made, runtime = load(SHIPPED).plan, Scheduler(SHIPPED)
    assert made.model == model_digest(wanted.model.graph) == runtime.model
    assert (made.prefill, made.high, made.low, made.steps) == (4, 4, 2, (0, 24, 48, 72, 96))
    assert (made.keys, made.values) == last_caches(wanted.model.graph)
    assert runtime.steps == made.steps
    assert SHIPPED.stat().st_size == 5722


def test_bundles_of_before_have_no_schedule(tmp_path):
    older = shutil.copytree(shared_bundle("native").path, tmp_path / "older")
    manifest = json.loads((older / "manifest.json").read_text())
    del manifest["phases"]
    (older / "manifest.json").write_text(json.dumps(manifest))
    assert open_bundle(older).manifest.phases == {}
