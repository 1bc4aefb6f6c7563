"""The target gpu: what it refuses, who executes it, and what it says where nothing can."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.emission import emitted as emission
from support.gpu_programs import emitted, mixed, opened, with_caches
from support.hf import save_folder, tiny_model

from optimum_compile.backends.base import Tolerance, WeightUse
from optimum_compile.backends.catalog import BACKENDS, load_backend
from optimum_compile.backends.gpu import found, verify
from optimum_compile.backends.gpu.backend import BACKEND
from optimum_compile.backends.gpu.interfaces import interface
from optimum_compile.backends.gpu.section import KIND
from optimum_compile.backends.native.decode import read
from optimum_compile.backends.native.encode import encode
from optimum_compile.compiler.conformance import tolerance_for
from optimum_compile.compiler.errors import InternalError, UnsupportedError
from optimum_compile.compiler.options import TARGETS
from optimum_compile.compiler.quant.kv import KvScheme
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.compiler.quant.scheme_text import parse_scheme

USE = WeightUse("w", 4096, 1024, as_linear=True, as_table=False)
LIMIT = Tolerance(max_rel_err=1e-2)


def test_files_are_told_apart_by_their_ending():
    assert TARGETS["gpu"].platform == BACKEND.platform == "gpu"
    names = list(BACKENDS)
    assert names.index("gpu") < names.index("native")
    first = next(n for n in names if "m.gpu.ocm".endswith(load_backend(n).suffix))
    assert first == "gpu"


def test_what_no_kernel_computes_is_refused_with_the_reason():
    for text in ("int4:g32", "uint3:g16@u6,zu6", "lut6:r8", "e0m4:g32", "nest2-4:r8", "f16"):
        assert BACKEND.supports_scheme(parse_scheme(text), USE).ok
    sparse = parse_scheme("int4:g32+s0.01")
    assert BACKEND.supports_scheme(sparse, USE).ok
    refused = BACKEND.supports_scheme(sparse, replace(USE, as_table=True))
    assert not refused.ok
    assert "outliers" in refused.reason
    large = replace(USE, rows=1 << 18, columns=4096)
    assert "bind" in BACKEND.supports_scheme(parse_scheme("nest2-4:r8"), large).reason
    assert BACKEND.supports_scheme(parse_scheme("int4:g32"), large).ok
    assert BACKEND.supports_kv(KvScheme(4)).ok
    assert not BACKEND.supports_kv(Float(32)).ok
    small = replace(USE, rows=3, columns=3)
    assert BACKEND.stored_bytes(parse_scheme("int8:channel"), small) == 512
    dense = BACKEND.stored_bytes(sparse.base, USE)
    assert BACKEND.stored_bytes(sparse, USE) > dense + 4 * 4097


def test_heads_that_kernels_cannot_take(tmp_path):
    odd = opened(save_folder(tiny_model("llama", head_dim=320), tmp_path / "m"))
    reasons = {BACKEND.supports_node(node).reason for node in odd.nodes}
    assert "GPU kernels take heads of even numbers of channels up to 256, not 320" in reasons
    fine = opened(save_folder(tiny_model("qwen3"), tmp_path / "n"))
    assert all(BACKEND.supports_node(node).ok for node in fine.nodes)


def test_what_is_asked_of_caches_in_few_bits(tmp_path):
    graph = opened(save_folder(tiny_model("llama"), tmp_path / "m"))
    graph = mixed(graph, tmp_path, ("int8:channel",))
    asked = []
    for bits in (16, 8, 4, 2):
        if bits < 16:
            with_caches(graph, f"kv{bits}", f"kv{bits}")
        asked.append(tolerance_for(BACKEND, graph))
    assert [each.max_rel_err for each in asked] == [1e-2, 1e-2, 2e-2, None]
    assert (asked[-1].min_cosine, asked[-1].min_top1) == (0.99, 0.9)


def test_a_kernel_that_is_not_there():
    with pytest.raises(InternalError, match="no kernel matvec_what; run tools/dev/build_kernels"):
        interface("matvec_what")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    work = tmp_path_factory.mktemp("backend")
    graph = mixed(opened(save_folder(tiny_model("llama"), work / "m")), work, ("int8:channel",))
    return emission(graph, work, BACKEND)


def test_it_is_executed_by_what_there_is(made):
    done = BACKEND.verify(made.result.artifact, made.cases, LIMIT)
    device = found.vulkan_device()
    assert done.ok
    assert done.executed == bool(device.device)
    if done.executed:
        assert done.executed_by == f"Vulkan: {device.device}"
        assert 0 < done.max_rel_err < 2e-3
    assert BACKEND.inspect(made.result.artifact).startswith('{"stages"')


def test_cases_switch_widths_and_are_compared_at_each(tmp_path):
    """Calls choose widths, so that what is executed is compared with the oracle's palettes of each."""
    assert BACKEND.traits.chooses_widths
    graph = opened(save_folder(tiny_model("llama", num_hidden_layers=1), tmp_path / "m"))
    made = emission(mixed(graph, tmp_path, ("nest2-4:r8", "nest3-4:r4")), tmp_path, BACKEND)
    named = [
        [int(c.inputs["width"][0]) for c in case.calls if "width" in c.inputs]
        for case in made.cases
    ]
    assert {width for case in named for width in case} == {2, 3, 4}
    done = BACKEND.verify(made.result.artifact, made.cases, LIMIT)
    assert done.ok, done.reason
    assert done.executed == bool(found.vulkan_device().device)
    assert done.max_rel_err < 2e-3
    # Cases that name other widths are not answered by it.
    wrong = tuple(
        replace(
            case,
            calls=tuple(replace(call, inputs=without_width(call.inputs)) for call in case.calls),
        )
        for case in made.cases
    )
    assert not BACKEND.verify(made.result.artifact, wrong, LIMIT).ok


def without_width(inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: value for name, value in inputs.items() if name != "width"}


def test_without_a_device_the_cpu_runs_it_and_it_counts_as_not_executed(made, monkeypatch):
    monkeypatch.setattr(verify, "vulkan_device", lambda: found.Found(reason="no driver"))
    done = BACKEND.verify(made.result.artifact, made.cases, LIMIT)
    assert (done.ok, done.executed) == (True, False)
    assert "no Vulkan device (no driver); on the CPU the same program has a relative" in done.reason
    strict = BACKEND.verify(made.result.artifact, made.cases, Tolerance(max_rel_err=1e-9))
    assert (strict.ok, strict.executed) == (False, True)
    assert "the CPU runs the same program: relative error" in strict.reason
    assert verify.executor() == "native runtime (no Vulkan device)"


def test_a_damaged_section_fails(made, tmp_path):
    contents = read(made.result.artifact)
    bad = tmp_path / "m.gpu.ocm"
    body = bytes(contents.more[KIND])[:-1]
    bad.write_bytes(encode(contents.program, "{}", bytes(contents.weights), {KIND: body}))
    done = BACKEND.verify(bad, made.cases, LIMIT)
    assert (done.ok, done.executed) == (False, False)
    assert "not a GPU program" in done.reason


def test_the_driver_is_asked_in_a_child(monkeypatch):
    monkeypatch.setattr(found, "MODULE", "optimum_compile.nothing_here")
    assert "failed (exit 1): " in found.vulkan_device.__wrapped__().reason


def test_a_graph_without_a_cache_is_refused(tmp_path):
    graph = opened(save_folder(tiny_model("llama"), tmp_path / "m"))
    for state in list(graph.states):
        graph.states.remove(state)
    with pytest.raises(UnsupportedError):
        emitted(graph, Path(tmp_path))
