"""Decoders of every recipe as GPU programs, on the CPU and on Vulkan, against the oracle."""

import numpy as np
import pytest
from support.gpu_programs import (
    CONTEXT,
    SCHEMES,
    answers,
    distance,
    emitted,
    mixed,
    opened,
    said,
    session_on,
    vulkan,
    with_caches,
)
from support.hf import Folders

from optimum_compile.backends.gpu import linear, weights
from optimum_compile.backends.gpu.decode import read_program
from optimum_compile.backends.gpu.outliers import starts_of
from optimum_compile.backends.gpu.traffic import traffic
from optimum_compile.backends.native.session import Logits
from optimum_compile.compiler.errors import UnsupportedError

LIMIT = 2e-3  # of fp16 activations; the numbers themselves differ by 6e-4 to 9e-4
BETWEEN = 1e-3  # between two devices: sums in another order, rounded to fp16
RECIPES = [
    ("llama", {}),
    ("llama", {"tie_word_embeddings": True, "attention_bias": True, "mlp_bias": True}),
    ("llama", {"hidden_act": "gelu_pytorch_tanh", "intermediate_size": 45}),
    ("mistral", {"sliding_window": 5}),
    ("qwen2", {}),
    ("qwen3", {}),
    ("mixtral", {"num_local_experts": 4}),
    ("qwen2_moe", {"num_experts": 4}),
    ("qwen3_moe", {"num_experts": 4}),
]
CACHES = [
    ("kv8:g8@w4,s2", "kv8:g8@w4,s2"),
    ("kv4:g8@w4,s2", "kv2:g8@w0,s0"),
    ("kv2:g8@w4,s2", "f16"),
    ("f16", "kv4:g16@w4,s2"),
]


def kernels(section):
    """Names of the kernels of a decode step, in order."""
    found = (section.pipelines[d.pipeline].kernel for d in section.functions[-1].dispatches)
    return [section.kernels[kernel].name for kernel in found]


def recipes(*quick: int):
    """All of them, most of them slow."""
    marks = [[] if at in quick else [pytest.mark.slow] for at in range(len(RECIPES))]
    return [pytest.param(*each, marks=mark) for each, mark in zip(RECIPES, marks, strict=True)]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return Folders(tmp_path_factory)


@pytest.mark.parametrize(("kind", "changes"), recipes(2), ids=lambda v: str(v)[:30])
def test_the_cpu_runs_gpu_programs(folders, tmp_path, kind, changes):
    """The same file; activations of fp16 cost little."""
    graph = mixed(opened(folders(kind, changes)), tmp_path)
    path, wanted = emitted(graph, tmp_path), answers(graph)
    for prompt in (1, 5, 13, CONTEXT):
        session = session_on(path, None)
        assert distance(said(session, wanted.tokens, prompt), wanted.logits) < LIMIT
        assert session.stats().copied_bytes == 0


def assert_vulkan_agrees(graph, work, schemes=SCHEMES, prompts=(1, 13)):
    device = vulkan()
    mixed(graph, work, schemes)
    path, wanted = emitted(graph, work), answers(graph)
    cpu = said(session_on(path, None), wanted.tokens, 13)
    for prompt in prompts:
        found = said(session_on(path, device), wanted.tokens, prompt)
        assert distance(found, wanted.logits) < LIMIT
        assert distance(found, cpu) < BETWEEN


def test_vulkan_answers_as_the_cpu_and_the_oracle(folders, tmp_path):
    """Few formats, because a software device takes a second and more to build a pipeline."""
    graph = opened(folders("qwen3", {"num_hidden_layers": 1}))
    assert_vulkan_agrees(graph, tmp_path, ("int4:g32", "vec8x4:channel@shared"), (13,))


def test_outliers_are_added_to_what_was_multiplied(folders, tmp_path):
    graph = opened(folders("qwen3", {"num_hidden_layers": 1}))
    schemes = ("int8:channel", "int4:g32+s0.01", "int4:channel+o0.02")
    assert_vulkan_agrees(graph, tmp_path, schemes, (13,))
    program, section, _ = read_program(tmp_path / "m.gpu.ocm")
    names = kernels(section)
    assert names.count("sparse_add") == names.count("sparse_add_scaled") == 3
    starts = starts_of(program, section)
    assert len(starts) > 4
    for at, part in starts.items():
        assert program.parts[part].size_bytes == 4 * (program.weights[at].rows + 1)
    found = traffic(program, len(program.functions) - 1, 1, 0, starts)
    assert found.dispatches == len(names)
    with pytest.raises(UnsupportedError, match="has outliers, and nothing says where rows begin"):
        traffic(program, 0, 1, 0)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "changes"), RECIPES, ids=lambda v: str(v)[:30])
def test_every_recipe_and_every_format_on_vulkan(folders, tmp_path, kind, changes):
    assert_vulkan_agrees(opened(folders(kind, changes)), tmp_path)


@pytest.mark.parametrize(
    ("keys", "values"),
    [CACHES[0], *(pytest.param(*each, marks=pytest.mark.slow) for each in CACHES[1:])],
)
def test_caches_of_few_bits(folders, tmp_path, keys, values):
    device = vulkan()
    changes = {"sliding_window": 7, "num_hidden_layers": 1}
    graph = with_caches(opened(folders("mistral", changes), 48, 40), keys, values)
    mixed(graph, tmp_path, ("int8:channel",))
    path, wanted = emitted(graph, tmp_path), answers(graph, 48, 40)
    for prompt in (3, 45):
        found = said(session_on(path, device), wanted.tokens, prompt)
        cpu = said(session_on(path, None), wanted.tokens, prompt)
        assert distance(cpu, wanted.logits) < 2 * LIMIT
        assert distance(found, wanted.logits) < 2 * LIMIT


def test_logits_of_the_last_token_alone(folders, tmp_path):
    device = vulkan()
    graph = opened(folders("llama", {"num_hidden_layers": 1}))
    path = emitted(mixed(graph, tmp_path, ("int8:channel",)), tmp_path)
    tokens = np.random.default_rng(1).integers(3, 96, 7)
    every = session_on(path, device).run(tokens)
    (last,) = session_on(path, device).run(tokens, Logits.LAST)
    assert distance(last, every[-1]) < 1e-6
    session = session_on(path, device)
    session.run(tokens[:6], Logits.NONE)
    assert distance(session.decode(int(tokens[6])), every[-1]) < BETWEEN


@pytest.mark.slow
def test_long_contexts_are_taken_in_parts(folders, tmp_path):
    device = vulkan()
    graph = mixed(opened(folders("qwen3", {"max_position_embeddings": 1024}), 600, 64), tmp_path)
    path, wanted = emitted(graph, tmp_path), answers(graph, 600, 60)
    section = read_program(path)[1]
    names = kernels(section)
    assert names.count("attention_split") == names.count("attention_join") == 2
    session = session_on(path, device)
    session.run(wanted.tokens[:520])
    for at in range(520, 526):
        assert distance(session.decode(int(wanted.tokens[at])), wanted.logits[at]) < LIMIT


def test_weights_are_cut_where_a_device_cannot_bind_them(folders, tmp_path, monkeypatch):
    """As at 128 MiB: every part of the cut weights begins where a device can bind it."""
    device = vulkan()
    changes = {"vocab_size": 4096, "num_hidden_layers": 1}
    graph = mixed(opened(folders("llama", changes)), tmp_path, ("uint4:g32@u6,zu6", "int4:g32"))
    tokens = np.random.default_rng(1).integers(3, 4000, 7)
    whole = said(session_on(emitted(graph, tmp_path), None), tokens, 5)
    monkeypatch.setattr(weights, "MOST_BOUND_BYTES", 1 << 16)
    cut = emitted(graph, tmp_path, "cut")
    section = read_program(cut)[1]
    names = kernels(section)
    assert names.count("embed_affine") > 1
    heads = [d for d in section.functions[-1].dispatches if d.flags & 2]
    assert len(heads) > 1
    assert not any(d.flags & 1 for d in heads[1:])  # rows of one output: none waits for another
    assert distance(said(session_on(cut, device), tokens, 5), whole) < BETWEEN


@pytest.mark.slow
def test_more_outputs_than_a_kernel_has_are_several_products(folders, tmp_path, monkeypatch):
    device = vulkan()
    graph = mixed(opened(folders("llama", {})), tmp_path, ("int4:g32",))
    tokens = np.random.default_rng(1).integers(3, 96, 9)
    whole = said(session_on(emitted(graph, tmp_path), device), tokens, 5)
    monkeypatch.setattr(linear, "MOST_OUTPUTS", 1)
    apart = emitted(graph, tmp_path, "apart")
    assert np.array_equal(said(session_on(apart, device), tokens, 5), whole)
