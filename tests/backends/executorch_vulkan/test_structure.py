"""What is serialised: every matrix one fused operator with the compiler's own numbers, and nothing lost."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from support.emission import METADATA, with_schemes
from support.graphs import Builder, decoder

from optimum_compile.backends.base import BackendOptions, EmitOptions, EmitResult, Tolerance
from optimum_compile.backends.compare import judge
from optimum_compile.backends.container import metadata_bytes
from optimum_compile.backends.executorch_vulkan.backend import BACKEND, UNEXECUTED, VulkanBackend
from optimum_compile.backends.executorch_vulkan.check import (
    ARGUMENTS,
    EIGHT_BITS,
    INT8_INPUTS,
    WEIGHT_ONLY,
    check_structure,
    matrices_of,
)
from optimum_compile.backends.executorch_vulkan.constants import unpacked
from optimum_compile.backends.executorch_vulkan.interpret import Interpreter
from optimum_compile.backends.executorch_vulkan.lower import VulkanStore
from optimum_compile.backends.executorch_vulkan.runner import ordered
from optimum_compile.backends.executorch_vulkan.serialised import open_file, outside_operators
from optimum_compile.compiler.conformance import CaseOptions, make_cases, rounding_of
from optimum_compile.compiler.decoder import context_of
from optimum_compile.compiler.errors import InputError, ToolchainError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.package.describe import predicted_bytes
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.precision.notes import Quantized

pytestmark = pytest.mark.executorch
DOWN = "model.layers.0.mlp.down_proj.weight"
TABLE = "model.embed_tokens.weight"


def written(graph: Graph, work: Path, schemes: dict[str, str], backend: VulkanBackend = BACKEND):
    graph = with_schemes(graph, {k: parse_scheme(s) for k, s in schemes.items()}, work)
    seq = graph.symbols.get("seq")
    longest = seq.high if seq else 1
    options = EmitOptions("m", context_of(graph) or 0, longest, METADATA, work)
    return graph, backend.emit(graph, options, work / "m.vulkan.pte")


def distance_of(graph: Graph, result: EmitResult, backend: VulkanBackend = BACKEND):
    """How far what the file says is from the oracle."""
    kv = {s.name: Float(32) for s in graph.states}
    cases = make_cases(graph, None, None, None, CaseOptions(), rounding_of(graph, backend), kv)
    got = []
    for case in cases:
        program = Interpreter(result.artifact)
        got.append([program.call(ordered(call)) for call in case.calls])
    return judge("m", "torch", got, cases, Tolerance(max_rel_err=1e-4))


@pytest.fixture(scope="module")
def tied(tmp_path_factory) -> tuple[Graph, EmitResult]:
    """A tied table of 4 bits, biases, one matrix of 8 bits."""
    graph = decoder(layers=1, width=64, heads=4, hidden=96, vocab=64, tied=True, bias=True)
    work = tmp_path_factory.mktemp("tied")
    return written(graph, work, {"": "int4:g32", DOWN: "int8:channel"})


def test_one_delegate_holds_everything(tied):
    _, result = tied
    file = open_file(result.artifact)
    (delegate,) = file.delegates("forward")
    counts = {name: delegate.operators.count(name) for name in ARGUMENTS}
    assert counts == {WEIGHT_ONLY: 7, EIGHT_BITS: 1, INT8_INPUTS: 0}
    for name in ("sdpa_with_kv_cache", "et_vk.apply_rotary_emb_hf", "et_vk.embedding_q4gsw"):
        assert delegate.operators.count(f"{name}.default") == 1
    assert outside_operators(file, "forward") == []
    assert not any(name.startswith("aten.permute") for name in delegate.operators)
    assert "7 et_vk.linear_q4gsw, 1 aten._weight_int8pack_mm, " in result.remarks[0]
    assert "1 sdpa_with_kv_cache, " in result.remarks[0]
    assert result.remarks[0].endswith("on the CPU: none")


def test_the_numbers_in_the_file_are_those_of_the_oracle(tied):
    """Unpacked from the bytes of the file alone."""
    graph, result = tied
    (delegate,) = open_file(result.artifact).delegates("forward")
    found = []
    for matrix in matrices_of(delegate):
        codes = matrix.codes
        if matrix.operator == WEIGHT_ONLY:
            codes = unpacked(codes, codes.shape[1] * 2)
            scales = np.repeat(matrix.scales.T, matrix.group, axis=1)
        else:
            scales = matrix.scales[:, None]
        found.append(codes.astype(np.float32) * scales)
    linears = [n.input(1) for n in graph.nodes if n.op == "linear"]
    wanted = [v.notes.get(Quantized).load().dequantize() for v in linears]
    assert len(found) == len(wanted)
    for a in wanted:
        assert any(a.shape == b.shape and np.array_equal(a, b) for b in found)


def test_what_the_file_says_is_what_the_oracle_computes(tied):
    verdict = distance_of(*tied)
    assert verdict.ok, verdict.reason
    assert verdict.max_rel_err < 1e-5


def test_stored_bytes_are_those_of_the_file(tied):
    graph, result = tied
    assert result.weight_bytes == predicted_bytes(graph, BACKEND)


def test_the_program_around_the_weights_is_predicted(tied):
    graph, result = tied
    program = result.artifact.stat().st_size - result.weight_bytes
    counted = BACKEND.container_bytes(graph) - metadata_bytes(graph) + len(METADATA)
    assert -0.01 < (counted - program) / program < 0.05


@pytest.mark.slow
def test_the_metadata_are_read_without_the_delegate(tied):
    assert BACKEND.inspect(tied[1].artifact) == METADATA


@pytest.mark.slow
def test_verify_says_that_nothing_was_executed(tied):
    graph, result = tied
    kv = {s.name: Float(32) for s in graph.states}
    cases = make_cases(graph, None, None, None, CaseOptions(count=1), kv=kv)
    verdict = BACKEND.verify(result.artifact, cases, Tolerance(max_rel_err=1e-4))
    assert (verdict.executed, verdict.ok, verdict.executed_by) == (False, True, "")
    assert verdict.reason.startswith(UNEXECUTED)


def test_a_changed_code_is_found(tied, tmp_path):
    graph, result = tied
    changed = tmp_path / "changed.vulkan.pte"
    shutil.copy(result.artifact, changed)
    file = open_file(changed)
    (delegate,) = file.delegates("forward")
    call = next(c for c in delegate.graph.chain if c.name == WEIGHT_ONLY)
    constant = delegate.graph.constants[delegate.value(call.args[1]).constant_id]
    segment = file.program.segments[file.named[constant.named_key]]
    with changed.open("r+b") as opened:
        opened.seek(file.segments_at + segment.offset)
        byte = opened.read(1)[0]
        opened.seek(-1, 1)
        opened.write(bytes([byte ^ 1]))
    with pytest.raises(ToolchainError, match="7 of 8 matrices"):
        check_structure(changed, "forward", graph, VulkanStore(graph))


def test_a_damaged_file_is_refused(tied, tmp_path):
    file = open_file(tied[1].artifact)
    (delegate,) = file.delegates("forward")
    with pytest.raises(InputError, match="no segment"):
        file.segment(len(file.program.segments))
    with pytest.raises(InputError, match="no method"):
        file.plan("decode")
    with pytest.raises(InputError, match="is no constant"):
        delegate.constant(delegate.graph.output_ids[0])
    short = tmp_path / "short.pte"
    short.write_bytes(tied[1].artifact.read_bytes()[:5000])
    with pytest.raises(InputError):
        open_file(short).delegates("forward")


@pytest.mark.slow
def test_int8_inputs_and_a_table_of_8_bits(tmp_path):
    backend = BACKEND.configured(BackendOptions(activations="int8"))
    graph = decoder(layers=2, width=64, heads=4, hidden=96, vocab=64, tied=False)
    schemes = {"": "int4:g32", DOWN: "int8:channel", TABLE: "int8:channel"}
    graph, result = written(graph, tmp_path, schemes, backend)
    file = open_file(result.artifact)
    (delegate,) = file.delegates("forward")
    assert delegate.operators.count(INT8_INPUTS) == 14
    # Query, key and value share one rounding of their input, gate and up another.
    assert delegate.operators.count("torchao.choose_qparams_affine.default") == 8
    assert outside_operators(file, "forward") == ["aten::embedding.out", "aten::_to_copy.out"]
    assert result.weight_bytes == predicted_bytes(graph, backend)
    verdict = distance_of(graph, result, backend)
    assert verdict.cosine > 0.9999
    assert verdict.top1_agreement > 0.95


@pytest.mark.slow
def test_names_that_begin_with_digits(tmp_path):
    """As nn.Sequential makes them; the SDK's own recognition of patterns fails there."""
    rng = np.random.default_rng(0)
    b = Builder("sequential", n=(1, 16))
    x = b.input("x", "f32", "n", 64)
    for at in range(3):
        w = b.weight(f"{at}.weight", rng.standard_normal((64, 64)).astype(np.float32) / 8)
        x = b.op(
            "silu",
            b.op(
                "linear", x, w, b.weight(f"{at}.bias", rng.standard_normal(64).astype(np.float32))
            ),
        )
    graph = b.returns(x)
    schemes = {"": "int4:g32", "1.weight": "int4:channel", "2.weight": "int8:channel"}
    graph, result = written(graph, tmp_path, schemes)
    (delegate,) = open_file(result.artifact).delegates("forward")
    groups = [m.group for m in matrices_of(delegate)]
    assert groups == [32, 64, 64]
    assert distance_of(graph, result).ok


@pytest.mark.slow
def test_a_tied_table_of_8_bits_lies_twice_in_the_file(tmp_path):
    graph = decoder(layers=1, width=32, heads=2, kv_heads=2, hidden=64, vocab=48, tied=True)
    graph, result = written(graph, tmp_path, {"": "int8:channel"})
    assert result.weight_bytes == predicted_bytes(graph, BACKEND)
    assert distance_of(graph, result).ok
