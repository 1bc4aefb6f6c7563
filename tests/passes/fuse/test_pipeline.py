"""Every recipe computes the same fused: floats and packed weights, a prompt and then single tokens."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from support.graphs import decoder
from support.hf import Folders, relative_error
from torch import Tensor

from optimum_compile.compiler.errors import OptionError, UserError
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.interpret import RunResult, WeightCache, WeightMode, run
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.verify import check
from optimum_compile.compiler.pass_manager import PassContext, PassManager
from optimum_compile.compiler.quant.activations import ActivationKind
from optimum_compile.passes.fuse.notes import Form, FormKind
from optimum_compile.passes.fuse.pipeline import fuse, fusing_passes
from optimum_compile.passes.fuse.split_phases import LINEARS, SplitPhases, phases
from optimum_compile.passes.precision.assign import AssignPrecision
from optimum_compile.passes.precision.notes import Quantized
from optimum_compile.passes.precision.quantize import QuantizeWeights
from optimum_compile.passes.precision.units import units_of
from optimum_compile.passes.specs import STAGED
from optimum_compile.passes.stages.cut import CutStages
from optimum_compile.passes.stages.notes import InStage
from optimum_compile.passes.symbolic_shape.specialize import specialize

RECIPES = [
    ("llama", {}),
    ("llama", {"tie_word_embeddings": True, "attention_bias": True, "mlp_bias": True}),
    ("mistral", {"sliding_window": 5}),
    ("qwen2", {}),
    ("qwen3", {}),
    ("mixtral", {"num_local_experts": 4}),
    ("qwen2_moe", {"num_experts": 4}),
    ("qwen3_moe", {"num_experts": 4}),
]
TOKENS = torch.randint(3, 96, (1, 12), generator=torch.Generator().manual_seed(2))
LAYOUT = {"slice", "reshape", "permute"}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return Folders(tmp_path_factory)


def packed(graph: Graph, work: Path, seed: int = 0, **assign: object) -> Graph:
    passes = [AssignPrecision(**assign), QuantizeWeights(work / "weights", "rtn"), CutStages()]
    PassManager(passes).run(graph, PassContext(seed=seed))
    return graph


def two_steps(prefill: Graph, decode: Graph, mode: WeightMode) -> list[RunResult]:
    """A prompt, then two single tokens on its states."""
    out: list[RunResult] = []
    cache = WeightCache()
    states: dict[str, Tensor] | None = None
    for begin, end in ((0, 10), (10, 11), (11, 12)):
        graph = prefill if begin == 0 else decode
        inputs = {"tokens": TOKENS[:, begin:end], "past": np.array([begin])}
        out.append(run(graph, inputs, states, weights=mode, cache=cache))
        states = out[-1].states
    return out


def assert_same(plain: Graph, fused: Graph, mode: WeightMode, limit: float = 1e-5) -> None:
    """The plain graph against the two functions of the fused one."""
    made = phases(fused)
    for wanted, found in zip(
        two_steps(plain, plain, mode), two_steps(made.prefill, made.decode, mode), strict=True
    ):
        assert relative_error(found.outputs[0], wanted.outputs[0]) <= limit
        assert found.states.keys() == wanted.states.keys()
        for name, state in wanted.states.items():
            assert relative_error(found.states[name], state) <= limit


@pytest.mark.parametrize(("kind", "changes"), RECIPES, ids=str)
def test_floats_compute_the_same(folders, kind, changes) -> None:
    graph = open_model(folders(kind, changes)).graph
    text = graph.fingerprint()
    fused = fuse(graph)
    assert graph.fingerprint() == text
    assert fused.remarks == expected_remarks(kind)
    assert_same(graph, fused.graph, "float")
    counts = Counter(node.op for node in fused.graph.nodes)
    layers, experts = 2, 4 if "moe" in kind or kind == "mixtral" else 0
    gates = layers * (experts + (kind == "qwen2_moe")) if experts else layers
    # q, k and v; gate and up: one linear each. What comes back to the stream is a linear_add.
    assert counts["gated"] == gates
    assert counts["linear_add"] == layers * (1 if experts else 2)
    assert counts["add_rms_norm"] == (layers if experts else 0)
    assert counts["rope_table"] == 2 * layers
    assert not counts.keys() & {"rope", "silu", "linears"}
    names = {n for n in graph.weights if n.endswith("q_proj.weight")}
    assert len({n.replace("q_proj", "qkv_proj") for n in names} & set(fused.graph.weights)) == 2
    if kind == "mixtral":
        assert "model.layers.0.block_sparse_moe.experts.3.w1_w3.weight" in fused.graph.weights


def expected_remarks(kind: str) -> tuple[str, ...]:
    """Only the gate of a shared expert, one number a token, multiplies without being `gated`."""
    if kind != "qwen2_moe":
        return ()
    reason = "its product stays apart: the product repeats one of its operands"
    return tuple(f"model.layers.{layer}.mlp: {reason}" for layer in range(2))


@pytest.mark.parametrize(
    "assign",
    [{"policy": "uniform", "bits": 8}, {"policy": "uniform", "bits": 4}, {"policy": "random"}],
    ids=str,
)
@pytest.mark.parametrize(("kind", "changes"), RECIPES, ids=str)
def test_packed_weights_compute_the_same(folders, kind, changes, assign, tmp_path) -> None:
    graph = packed(open_model(folders(kind, changes)).graph, tmp_path, **assign)
    fused = fuse(graph)
    check(fused.graph, STAGED)
    assert_same(graph, fused.graph, "quantized")
    before = [v.notes.get(Quantized) for v in graph.weights.values()]
    after = [v.notes.get(Quantized) for v in fused.graph.weights.values()]
    # Joined, no byte is added: schemes are kept, and so is the size of what is stored.
    stored = [
        sum(n.load().stored_bytes for n in notes if n is not None) for notes in (before, after)
    ]
    assert stored[0] - 64 <= stored[1] <= stored[0]
    if assign["policy"] == "uniform":
        assert "linears" not in {node.op for node in fused.graph.nodes}
    stages = [node.notes.get(InStage) for node in fused.graph.nodes]
    assert None not in stages
    assert set(stages) == {node.notes.get(InStage) for node in graph.nodes}


def test_where_schemes_differ_linears_are_computed_together(folders, tmp_path) -> None:
    graph = packed(open_model(folders("llama", {})).graph, tmp_path, policy="random", seed=3)
    fused = fuse(graph)
    found = [node for node in fused.graph.nodes if node.op == "linears"]
    assert found
    assert len(fused.remarks) >= len(found)
    assert all("weights apart: their schemes differ" in remark for remark in fused.remarks)


def test_integer_kernels_give_the_same_bits_fused(tmp_path) -> None:
    graph = packed(decoder(bias=True), tmp_path, policy="uniform", bits=8)
    fused = specialize(graph, {})
    # Not with `RopeTables`, whose angles are better ones.
    PassManager(fusing_passes()[:-1]).run(fused)
    inputs = {"tokens": TOKENS % 50, "past": np.array([0])}

    def logits(made: Graph) -> Tensor:
        names = {v.name for n in made.nodes if n.op in LINEARS for v in n.inputs[1:2] if v}
        how = dict.fromkeys(names, ActivationKind.ASYMMETRIC_INT8)
        return run(made, inputs, weights="quantized", activations=how).outputs[0]

    assert torch.equal(logits(graph), logits(fused))


def test_two_runs_fuse_to_the_same_text_and_a_second_changes_nothing() -> None:
    graph = decoder()
    first = fuse(graph)
    assert first.graph.fingerprint() == fuse(graph).graph.fingerprint()
    again = fuse(first.graph)
    assert again.graph.fingerprint() == first.graph.fingerprint()
    assert (again.nodes_before, again.remarks) == (again.nodes_after, ())


def test_steps_that_compute_are_fewer() -> None:
    fused = fuse(decoder(layers=2))
    work = [node.op for node in fused.graph.nodes if node.op not in LAYOUT]
    # A block: norm, qkv, two ropes, two writes, attention, o; norm, gate and up, gated, down.
    assert len(work) == 2 * 12 + 3
    assert fused.nodes_before == len(decoder(layers=2).nodes)


def test_weights_are_counted_fused_as_before(folders, tmp_path) -> None:
    graph = packed(open_model(folders(*RECIPES[5])).graph, tmp_path, policy="random")
    fused = fuse(graph).graph
    before, after = units_of(graph), units_of(fused)
    assert sum(u.elements for u in before) == sum(u.elements for u in after)
    assert all(u.use.as_linear != u.use.as_table for u in after)
    assert sum(u.routes for u in after) == sum(u.routes for u in before) == 2


def test_forms_are_vectors_for_one_token_and_matrices_for_prompts() -> None:
    made = phases(fuse(decoder()).graph)
    for graph, kind in ((made.prefill, FormKind.MATRIX), (made.decode, FormKind.VECTOR)):
        for node in graph.nodes:
            assert node.notes.get(Form) == (Form(kind) if node.op in LINEARS else None)
    assert (made.prefill.name, made.decode.name) == ("prefill", "decode")
    assert list(made.prefill.symbols) == ["seq"]
    chunk = phases(fuse(decoder()).graph, 8).prefill
    assert chunk.inputs[0].type.shape == (1, 8)
    assert not SplitPhases().run(chunk, PassContext()).changed
    shared = [v.weight for v in made.prefill.weights.values()]
    assert shared == [v.weight for v in made.decode.weights.values()]


def test_phases_refuse_a_chunk_out_of_range_and_a_graph_without_seq() -> None:
    with pytest.raises(OptionError, match="seq=99"):
        phases(decoder(), 99)
    fixed = phases(decoder()).decode
    with pytest.raises(OptionError, match="seq"):
        phases(fixed)


def test_past_the_context_is_an_error_of_the_user() -> None:
    graph = fuse(decoder(context=24)).graph
    with pytest.raises(UserError, match="do not fit the context of 24"):
        run(graph, {"tokens": np.array([[1, 2]]), "past": np.array([23])})
