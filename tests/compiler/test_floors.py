"""`--narrow-bits` and `--narrow-kl` from the option to the bundle; and budgets that not all planes fit."""

import re
import shutil
from pathlib import Path

import pytest
from support.models import shared_model

import optimum_compile as oc
from optimum_compile.backends.native.session import Logits, Model
from optimum_compile.compiler import floors
from optimum_compile.compiler.api import plans_of, settle
from optimum_compile.compiler.errors import BudgetError, InputError, OptionError
from optimum_compile.compiler.floors import floors_told
from optimum_compile.compiler.observers import SilentObserver
from optimum_compile.compiler.options import CompileOptions
from optimum_compile.compiler.package.allocation import read_allocation
from optimum_compile.compiler.package.describe import predicted_bytes
from optimum_compile.passes.precision.floors import bits_read
from optimum_compile.passes.precision.notes import Precision, Quantized
from optimum_compile.passes.sensitivity.map import read_map
from optimum_compile.tools import explained
from optimum_compile.tools.cli import main
from optimum_compile.tools.tables import plan_document

QUICK = {"quantizer": "rtn", "samples": 8, "profile_samples": 2, "seqlen": 24}
QUICK |= {"nested": "2,3,4", "companions": False}
PARAMETERS = 117_184
PIN = "layers.0.mlp.down_proj=int8:channel"


def planned(**values):
    return oc.plan(shared_model(), ["native"], **(QUICK | values))


def schemes(wanted):
    notes = {n: v.notes.get(Precision) for n, v in wanted.model.graph.weights.items()}
    return {n: str(note.scheme) for n, note in notes.items() if note is not None}


@pytest.fixture(scope="module")
def narrowed(tmp_path_factory):
    """A plan whose floors were measured, what was decided, and its folder."""
    wanted = planned(narrow_bits=2.5)
    work = tmp_path_factory.mktemp("narrowed")
    return wanted, settle(wanted, work), work


def test_matrices_get_different_floors_within_the_mean(narrowed):
    wanted, decided, _ = narrowed
    found = {n: s for n, s in schemes(wanted).items() if ".layers." in n}
    kinds = {s.partition(":")[0] for s in found.values()}
    assert kinds <= {"nest2-4", "nest3-4", "lut4"}
    assert len(kinds) > 1
    assert decided.schemes == found  # and of nothing else
    graph = wanted.model.graph
    assert 2.4 < bits_read(graph, 2) <= 2.5
    assert bits_read(graph, 2) < bits_read(graph, 3) < bits_read(graph, 4) == 4
    assert schemes(wanted)["model.embed_tokens.weight"] == "int8:channel"
    assert not any(v.notes.get(Quantized) for v in graph.weights.values())
    assert {v.notes.get(Precision).reason for n, v in graph.weights.items() if n in found} == {
        "pinned"
    }


def test_what_was_found_is_not_worse_than_one_floor_for_all(narrowed):
    _, decided, _ = narrowed
    told, others = decided.remarks
    assert re.match(
        r"narrowest width: 2\.\d+ bits a weight in the mean \(\d+ matrices at 2, ", told
    )
    own = float(re.search(r"(\d\.\d{4}) nats a token", told)[1])
    everywhere = float(re.search(r"2 bits everywhere (\d\.\d{4})", others)[1])
    assert own < everywhere


def test_what_was_decided_is_not_measured_again(narrowed, monkeypatch):
    wanted, decided, work = narrowed
    monkeypatch.setattr(floors, "_measured", None)
    again = planned(narrow_bits=2.5)
    assert settle(again, work) == decided
    assert schemes(again) == schemes(wanted)
    left = sorted(path.name for path in (work / "floors").iterdir())
    assert left == ["decided.json", "floors.json"]
    with pytest.raises(InputError, match="belongs to another run"):
        settle(planned(narrow_bits=3), work)


class Stopped(BaseException):
    """As a signal."""


class StopAt(SilentObserver):
    """Stops where a label comes up for the n-th time."""

    def __init__(self, label, count):
        self.label, self.count = label, count

    def progress(self, label, done, total):
        if label.startswith(self.label):
            self.count -= 1
            if self.count == 0:
                raise Stopped


def test_a_stopped_measurement_goes_on_to_the_same_bytes(narrowed, tmp_path):
    for label, count in (("quantize-weights", 3), ("measure", 9)):
        with pytest.raises(Stopped):
            settle(planned(narrow_bits=2.5), tmp_path, observer=StopAt(label, count))
    found = settle(planned(narrow_bits=2.5), tmp_path)
    assert (found.schemes, found.remarks) == (narrowed[1].schemes, narrowed[1].remarks)
    first, other = (folder / "floors" for folder in (tmp_path, narrowed[2]))
    assert (first / "decided.json").read_bytes() == (other / "decided.json").read_bytes()
    # The map says what measuring cost, which is more where a part was done twice.
    assert read_map(first / "floors.json").units == read_map(other / "floors.json").units


def test_the_fewest_bits_within_a_loss(tmp_path):
    wanted = planned(narrow_kl=0.3, pin=(PIN,))
    decided = settle(wanted, tmp_path)
    assert float(re.search(r"(\d\.\d{4}) nats a token", decided.remarks[0])[1]) <= 0.3
    assert schemes(wanted)["model.layers.0.mlp.down_proj.weight"] == "int8:channel"
    assert any(s.startswith("nest2-4") for s in decided.schemes.values())


def test_the_bundle_says_what_calls_really_read(tmp_path, capsys):
    bundle = oc.compile(
        shared_model(),
        ["native"],
        narrow_bits=2.5,
        schedule="static",
        output=str(tmp_path),
        **QUICK,
    )
    assert all(check.executed and check.ok for check in bundle.manifest.checks)
    found = {w.width: w for w in bundle.manifest.widths}
    assert sorted(found) == [2, 3, 4]
    assert 2.4 < found[2].bits <= 2.5
    assert found[2].bits < found[3].bits < found[4].bits == 4
    session = Model(bundle.path / bundle.manifest.artifacts[0].path).session()
    read = {}
    for width in found:
        session.set_width(width)
        session.run([5], Logits.LAST)
        read[width] = session.stats().last_weight_bytes
    for width in (2, 3):  # differences: rotary tables are counted whole, of which a row is read
        gap = found[4].bytes_per_token - found[width].bytes_per_token
        assert read[4] - read[width] == pytest.approx(gap, rel=1e-3)
    phases = bundle.manifest.phases
    assert phases["bits_read"] == [[w, found[w].bits] for w in (2, 3, 4)]
    pair = phases["figures"]["uniform 2"]
    assert (pair["mean_bits"], pair["effective_bits"]) == (2, found[2].bits)
    allocation = read_allocation(bundle.path / "allocation.json")
    assert allocation.budget == {"narrow_bits": 2.5}
    assert len({t.scheme for t in allocation.tensors if ".layers." in t.name}) > 2
    assert len(bundle.manifest.stages) == 1  # all of them are stored with 4 bits
    known = explained.read_narrowest(bundle.path)
    for subject in known.subjects:
        floors_of = [o.scheme.partition(":")[0] for o in subject.options]
        assert set(floors_of) <= {"nest2-4", "nest3-4", "lut4"}
        assert subject.now.damage == pytest.approx(0, abs=1e-12)
    assert len(known.subjects) == 7 * 3
    assert main(["explain", str(bundle.path), "--narrowest"]) == 0
    shown = capsys.readouterr().out
    assert "narrow_bits 2.5" in shown
    assert "nats a token at the narrowest width" in shown
    assert "nest3-4:r" in shown
    with pytest.raises(InputError, match="--narrowest explains the floors"):
        explained.read(bundle.path)
    alone = shutil.copy(bundle.path / "allocation.json", tmp_path)
    with pytest.raises(InputError, match=r"floors\.json: not here: no floors were chosen"):
        explained.read_narrowest(Path(alone))


def test_impossible_wishes_are_refused_before_any_work():
    for bits in (2, 4.5):
        with pytest.raises(
            BudgetError, match=rf"narrow-bits of {bits}: .* reads 2 bits .* 4 at most"
        ):
            planned(narrow_bits=bits)
    # What the user pins does not count.
    planned(narrow_bits=2.1, pin=(PIN,))
    with pytest.raises(
        OptionError, match="narrow-bits: what few bits cost is measured, but there is"
    ):
        planned(narrow_bits=3, calibration="none")
    with pytest.raises(OptionError, match="narrow-kl: no target's calls choose a width"):
        oc.plan(shared_model(), ["ios:coreml"], narrow_kl=0.1, **QUICK)
    both = CompileOptions(("ios:coreml", "native"), allocation="each", narrow_kl=0.1, **QUICK)
    ios, native = plans_of(shared_model(), options=both)
    assert not floors_told(both, ios.backends)
    assert set(floors_told(both, native.backends)) <= set(native.remarks)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"narrow_bits": 3}, "narrow_bits: needs weights of several widths; add --nested"),
        ({"narrow_kl": 0.1}, "narrow_kl: needs weights of several widths; add --nested"),
        ({"nested": "2,3", "narrow_bits": -1}, "narrow_bits=-1: expected a number above zero"),
        ({"nested": "2,3", "narrow_kl": "x"}, "narrow_kl='x': expected a number above zero"),
        ({"nested": "2,3", "narrow_bits": 2.5, "narrow_kl": 1}, "give it without --narrow-bits"),
    ],
)
def test_options_that_contradict_each_other(values, told):
    with pytest.raises(OptionError, match=told):
        CompileOptions(**values)


def test_a_plan_says_that_floors_come_later():
    wanted = planned(narrow_bits=2.5)
    assert any("with how few bits each matrix may be read" in r for r in wanted.remarks)
    document = plan_document(wanted)
    assert {t["scheme"].partition(":")[0] for t in document["tensors"]} == {"nest2-4", "int8"}


def test_a_budget_that_holds_not_all_planes_is_divided_among_them(tmp_path):
    wanted = planned(budget="3.8bpw", narrow_bits=2.2)
    assert any("does not hold every width" in remark for remark in wanted.remarks)
    decided = settle(wanted, tmp_path)
    limit = int(3.8 * PARAMETERS / 8)
    assert 0.97 * limit <= predicted_bytes(wanted.model.graph, wanted.backends[0]) <= limit
    kinds = {s.partition(":")[0] for n, s in schemes(wanted).items() if ".layers." in n}
    assert len(kinds) > 2
    assert kinds <= {"lut2", "nest2-3", "nest2-4", "lut3", "nest3-4", "lut4"}
    assert bits_read(wanted.model.graph, 2) <= 2.2 < bits_read(wanted.model.graph, 4) < 4
    assert decided.schemes == schemes(wanted)
    assert decided.predicted_kl is not None


def test_a_budget_that_holds_all_planes_leaves_them():
    wanted = planned(budget="5.5bpw")
    assert not any("does not hold every width" in remark for remark in wanted.remarks)
    inside = {s.partition(":")[0] for n, s in schemes(wanted).items() if ".layers." in n}
    assert inside == {"nest2-4"}
    with pytest.raises(BudgetError, match="the achievable range is"):
        planned(budget="1bpw")
