"""Gains of norms in the columns of the linears behind them."""

import hashlib

import numpy as np
import pytest
from support.graphs import Builder, decoder
from support.hf import relative_error, save_folder, tiny_model
from support.models import shared_model
from support.packed import with_packed
from support.passes import assert_equivalent

from optimum_compile.compiler.errors import InternalError, UnsupportedError
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.printer import print_graph
from optimum_compile.compiler.pass_manager import PassContext, PassManager
from optimum_compile.compiler.planning import plan
from optimum_compile.passes.fuse.fold_norm import FoldNormScale
from optimum_compile.passes.fuse.pipeline import fuse
from optimum_compile.passes.rewrite.rotate import RotateResidual

INPUTS = {"tokens": np.array([[3, 1, 4, 1, 5]]), "past": np.array([0])}


def folded(graph: Graph) -> tuple[str, ...]:
    return PassManager([FoldNormScale()]).run(graph)


def apart(left: Graph, right: Graph) -> float:
    """Relative distance of the logits."""
    wanted, found = (run(graph, INPUTS).outputs[0] for graph in (left, right))
    return relative_error(found, wanted)


def gains(graph: Graph) -> list[str]:
    return [n.origin for n in graph.nodes if n.op == "rms_norm" and n.inputs[1] is not None]


def test_the_gain_becomes_columns() -> None:
    b = Builder(n=(1, 9))
    gain = b.weight("norm.weight", np.array([2, 3, 0.5, 1], "f4"))
    weight = b.weight("q.weight", np.arange(8, dtype="f4").reshape(2, 4))
    normed = b.op("rms_norm", b.input("x", "f32", "n", 4), gain, eps=0.1, origin="norm")
    graph = b.returns(b.op("linear", normed, weight, origin="q"))
    assert folded(graph) == ()
    digest = hashlib.sha256(np.array([2, 3, 0.5, 1], "<f4").tobytes()).hexdigest()
    text = print_graph(graph)
    assert "rms_norm(%x, _)" in text
    assert f'edited ScaleColumns{{by = Vector{{sha256 = "{digest}", size = 4}}' in text
    assert list(graph.weights) == ["q.weight"]
    wanted = np.arange(8).reshape(2, 4) * [2, 3, 0.5, 1]
    np.testing.assert_array_equal(graph.weights["q.weight"].weight.load(), wanted)
    assert not FoldNormScale().run(graph, PassContext()).changed


@pytest.mark.parametrize("tied", [False, True])
def test_a_decoder_computes_the_same(tied: bool) -> None:
    graph = decoder(tied=tied, bias=True)
    remarks = folded(graph)
    assert_equivalent(decoder(tied=tied, bias=True), graph, INPUTS)
    assert gains(graph) == (["model.norm"] if tied else [])
    reason = "model.embed_tokens.weight is read by embedding at model.embed_tokens too"
    assert remarks == ((f"model.norm: its gain stays: {reason}",) if tied else ())
    assert apart(graph, fuse(graph).graph) <= 1e-5


@pytest.mark.parametrize("kind", ["qwen3", "mixtral"])
def test_recipes_compute_the_same(kind: str, tmp_path) -> None:
    folder = save_folder(tiny_model(kind, num_local_experts=4), tmp_path)
    plain, graph = open_model(folder).graph, open_model(folder).graph
    remarks = folded(graph)
    assert apart(plain, graph) <= 1e-5
    # Queries and keys are normed after their linears: those gains stay.
    kept = 4 if kind == "qwen3" else 0
    assert len(gains(graph)) == len(remarks) == kept
    assert all("more than linears read the norm" in remark for remark in remarks)


def test_a_rotation_follows_a_fold() -> None:
    graph = decoder(tied=False)
    PassManager([FoldNormScale(), RotateResidual()]).run(graph)
    assert apart(decoder(tied=False), graph) <= 1e-5


def test_a_gain_that_is_computed_and_a_weight_that_is_shared_stay() -> None:
    b = Builder()
    x, gain = b.input("x", "f32", 1, 4), b.weight("g", np.full(4, 2, "f4"))
    w, v = b.weight("w", np.eye(4, dtype="f4")), b.weight("v", np.eye(4, dtype="f4"))
    computed = b.op("rms_norm", x, b.op("neg", gain), eps=0.1, origin="a")
    shared = b.op("rms_norm", x, gain, eps=0.1, origin="b")
    outputs = [b.op("linear", computed, v), b.op("linear", shared, w)]
    graph = b.returns(*outputs, b.op("linear", x, w, origin="other"))
    assert folded(graph) == (
        "a: its gain stays: %neg is computed, no weight",
        "b: its gain stays: w is read by linear at other too",
    )


def test_packed_weights_are_refused(tmp_path) -> None:
    graph = with_packed(decoder(), {}, tmp_path)
    with pytest.raises(InternalError, match="quantised already"):
        folded(graph)


def test_the_option_folds_before_precision_is_assigned(tmp_path) -> None:
    options = {"output": str(tmp_path), "policy": "uniform", "calibration": "none"}
    found = plan(shared_model(), ["android:executorch"], fold_norms=True, **options)
    assert gains(found.model.graph) == ["model.norm"]
    assert any("model.norm: its gain stays" in remark for remark in found.remarks)
    plain = plan(shared_model(), ["android:executorch"], **options)
    assert apart(plain.model.graph, found.model.graph) <= 1e-5
    with pytest.raises(UnsupportedError, match="without --fold-norms"):
        plan(shared_model(), ["gguf"], fold_norms=True, **options)
