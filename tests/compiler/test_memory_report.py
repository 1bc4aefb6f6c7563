"""Memory at any length, and whether devices have it, from footprints whose numbers are known."""

from dataclasses import replace

import pytest
from support.models import shared_bundle

from optimum_compile.compiler import memory_fit
from optimum_compile.compiler.device_budget import RUNTIME_BYTES
from optimum_compile.compiler.devices import Device
from optimum_compile.compiler.errors import InputError, OptionError
from optimum_compile.compiler.memory_fit import fits_of
from optimum_compile.compiler.memory_report import Question, memory_of
from optimum_compile.compiler.package.manifest import (
    AT_LEAST,
    IN_FILE,
    FunctionMemory,
    KvCache,
    StageArena,
)

HEADS, WIDTH, CONTEXT = 2, 64, 256


def function(name, tokens, arena, outputs="0", source=IN_FILE):
    stages = (StageArena(0, ("100*seq",)), StageArena(1, (arena,)))
    return FunctionMemory(name, tokens, source, (arena, "7"), (), (), outputs, stages)


PREFILL = function("prefill", (1, 128), "1000*seq", "40*seq")
DECODE = function("decode", (1, 1), "1000", "40")
CACHES = tuple(
    KvCache(f"{role[0]}_cache.{layer}", role, min(layer, 1), HEADS, WIDTH, "f16")
    for role in ("keys", "values")
    for layer in range(3)
)
TOKEN_BYTES = len(CACHES) * HEADS * WIDTH * 2


def manifest(kind="native", parameters=None, **changes):
    """A bundle of one artifact of 5,000,000 bytes, 4,900,000 of them weights."""
    made = shared_bundle().manifest
    platform = "android" if kind == "executorch" else kind
    target = {"executorch": "android", "coreml": "ios"}.get(kind, kind)
    (artifact,), (footprint,) = made.artifacts, made.memory
    footprint = replace(
        footprint,
        target=target,
        path="a",
        context=CONTEXT,
        weight_bytes=4_900_000,
        kv_bytes=TOKEN_BYTES * CONTEXT,
        caches=CACHES,
        kv_alignment=64,
        functions=(PREFILL, DECODE),
        remarks=(),
    )
    return replace(
        made,
        artifacts=(
            replace(artifact, kind=kind, platform=platform, path="a", file_bytes=5_000_000),
        ),
        memory=(replace(footprint, **changes),),
        stages=tuple(replace(s, targets=(target,)) for s in made.stages[:2]),
        parameters=made.parameters if parameters is None else parameters,
    )


def device(monkeypatch, usable, platform="android"):
    made = Device("it", platform, 2 * usable, usable, 1.0, "a test", "derived")
    monkeypatch.setattr(memory_fit, "device_named", lambda name: made)
    monkeypatch.setattr(memory_fit, "devices", lambda: (made, replace(made, name="other")))


@pytest.mark.parametrize(
    ("prompt", "tokens"), [(1, 0), (2, 2), (127, 127), (128, 128), (129, 128), (256, 128)]
)
def test_a_prompt_is_taken_in_by_calls_of_the_longest_function(prompt, tokens):
    (use,) = memory_of(manifest(), Question(prompt=prompt))
    assert {f.name: f.tokens for f in use.functions}.get("prefill", 0) == tokens
    assert use.activations == 1040 * max(tokens, 1)
    assert (use.weights, use.program, use.copies) == (4_900_000, 100_000, 0)
    assert use.peak == 5_000_000 + TOKEN_BYTES * CONTEXT + use.activations
    assert any("calls of at most 128" in note for note in use.notes) == (prompt > 128)


def test_functions_that_hold_memory_of_their_own_are_summed():
    (use,) = memory_of(manifest(together=True, function_weight_bytes=300), Question(prompt=100))
    assert use.activations == 1040 * 101
    assert use.copies == 600
    assert (use.sources["copies"], use.sources["peak"]) == (AT_LEAST, AT_LEAST)
    (use,) = memory_of(manifest(together=True, function_weight_bytes=300), Question(prompt=1))
    assert (use.activations, use.copies) == (1040, 300)


def test_fixed_lengths_are_padded_on_ios_and_taken_one_by_one_elsewhere():
    fixed = function("prefill_64", (64, 64), "64000")
    for kind, called in (("coreml", {"decode", "prefill_64"}), ("native", {"decode"})):
        (use,) = memory_of(manifest(kind, functions=(fixed, DECODE)), Question(prompt=10))
        assert {f.name for f in use.functions} == called


def test_any_context_follows_from_the_caches_and_tables():
    found = manifest(token_weight_bytes=256)
    for context in (1, 100, 255, 256, 257, 4096):
        (use,) = memory_of(found, Question(context, 1))
        assert use.kv == sum(-(-HEADS * WIDTH * 2 * context // 64) * 64 for _ in CACHES)
        assert use.weights == 4_900_000 + 256 * (context - CONTEXT)
        assert use.sources["kv"] == ("in the file" if context == CONTEXT else "planned")
    (longer,) = memory_of(found, Question(1000, 1))
    assert longer.notes == (
        "compiled for a context of 256 tokens; for 1000, compile with --context 1000: the figures are "
        "what that would take",
    )
    (shorter,) = memory_of(found, Question(100, 1))
    assert shorter.notes == (
        "this file reserves 393,216 bytes for its context of 256 tokens; compile with --context 100 for "
        "the figures shown",
    )


def test_stages_have_their_layers_and_their_part_of_the_arena():
    (use,) = memory_of(
        manifest(stage_weight_bytes=((0, 10), (1, 20))), Question(context=100, prompt=50)
    )
    assert [s.weights for s in use.stages] == [10, 20]
    assert [s.kv for s in use.stages] == [TOKEN_BYTES * 100 // 3, TOKEN_BYTES * 200 // 3]
    assert [dict(s.activations) for s in use.stages] == [
        {"prefill": 5000, "decode": 100},
        {"prefill": 50_000, "decode": 1000},
    ]


def test_a_device_that_has_it(monkeypatch):
    (use,) = memory_of(manifest(), Question())
    device(monkeypatch, use.peak + RUNTIME_BYTES)
    (fit,) = fits_of(manifest(), Question(), "it")
    assert (fit.fits, fit.margin_bytes, fit.context, fit.advice) == (True, 0, CONTEXT, "")
    assert [f.device.name for f in fits_of(manifest(), Question(), "ALL")] == ["it", "other"]


def test_the_greatest_context_that_fits_is_named(monkeypatch):
    usable = RUNTIME_BYTES + 5_000_000 + 1040 * 50 + TOKEN_BYTES * 777 + 100
    device(monkeypatch, usable)
    (fit,) = fits_of(manifest(parameters=1 << 30), Question(2048, 50), "it")
    assert (fit.fits, fit.context) == (False, 777)
    assert fit.margin_bytes == 100 - TOKEN_BYTES * (2048 - 777)
    # a shorter cache, or one of codes
    assert fit.advice.startswith("compile with --context 777, or keep the context with --kv-bits 4")
    for context, fits in ((777, True), (778, False)):
        (asked,) = fits_of(manifest(), Question(context, 50), "it")
        assert asked.fits is fits


def test_the_widest_codes_that_fit_are_named(monkeypatch):
    found = manifest(parameters=1 << 30)
    for bits in (8, 4, 2):
        caches = tuple(replace(c, scheme=f"kv{bits}:g32") for c in CACHES)
        (use,) = memory_of(manifest(caches=caches), Question(4096, 50))
        device(monkeypatch, use.peak + RUNTIME_BYTES)
        (fit,) = fits_of(found, Question(4096, 50), "it")
        assert f"--kv-bits {bits}" in fit.advice
    device(monkeypatch, use.peak + RUNTIME_BYTES - 1)
    (fit,) = fits_of(found, Question(4096, 50), "it")
    assert "--kv-bits" not in fit.advice


def test_where_no_context_fits_a_budget_is_named(monkeypatch):
    device(monkeypatch, RUNTIME_BYTES + 4_000_000)
    (fit,) = fits_of(manifest(parameters=8_000_000), Question(prompt=50), "it")
    assert (fit.fits, fit.context) == (False, 0)
    budget = 4_000_000 - TOKEN_BYTES * CONTEXT - 1040 * 50
    assert fit.advice == f"compile with --budget {budget}B"
    (fit,) = fits_of(manifest(parameters=800_000_000), Question(prompt=50), "it")
    assert "choose a smaller model" in fit.advice
    # tables take what a smaller budget would free
    (fit,) = fits_of(
        manifest(parameters=8_000_000, token_weight_bytes=4096), Question(600, prompt=50), "it"
    )
    assert "--budget" not in fit.advice


def test_core_ml_is_not_told_to_round_its_cache(monkeypatch):
    device(monkeypatch, RUNTIME_BYTES + 5_000_000 + 1040 * 50 + TOKEN_BYTES * 77, "ios")
    (fit,) = fits_of(manifest("coreml", parameters=1 << 30), Question(prompt=50), "it")
    assert fit.advice == "compile with --context 77"


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ((-1, None), "context=-1: expected 1 to 1048576 tokens"),
        ((0, None), "context=0: expected 1 to 1048576 tokens"),
        ((None, 1 << 21), "prompt=2097152: expected 1 to 1048576 tokens"),
        (
            (100, 101),
            "prompt=101: longer than the context of 100 tokens; give a shorter --prompt, or ",
        ),
        ((None, 257), "prompt=257: longer than the context of 256 tokens"),
    ],
)
def test_lengths_that_cannot_be_are_refused(question, message):
    with pytest.raises(OptionError) as refused:
        memory_of(manifest(), Question(*question))
    assert str(refused.value).startswith(message)


def test_a_model_without_a_cache_has_no_context():
    single = function("forward", (1, 1), "10*n")
    found = replace(
        manifest(context=0, caches=(), kv_bytes=0, functions=(single,)), symbols={"n": (1, 9000)}
    )
    (use,) = memory_of(found, Question())
    assert (use.context, use.kv, use.activations) == (0, 0, 10 * 512)
    for question, word in ((Question(context=5), "KV cache"), (Question(prompt=5), "symbol seq")):
        with pytest.raises(OptionError, match=word):
            memory_of(found, question)
    moving = replace(found, symbols={"n": (1, 9), "seq": (2, 30)})
    assert memory_of(moving, Question())[0].prompt == 30
    with pytest.raises(OptionError, match="prompt=31: tiny takes 2 to 30 tokens"):
        memory_of(moving, Question(prompt=31))


@pytest.mark.parametrize(
    "changes",
    [
        {"functions": (function("prefill", (1, 128), "1000*other"),)},
        {"functions": (function("prefill", (1, 128), "1000*("),)},
        {"functions": (function("prefill", (1, 128), "7", "0-9*seq"),)},
        {"caches": (replace(CACHES[0], scheme="int4"),)},
        {"caches": (replace(CACHES[0], role="queries"),)},
        {"path": "elsewhere"},
    ],
)
def test_damaged_figures_are_refused(changes):
    with pytest.raises(InputError, match="damaged"):
        memory_of(manifest(**changes), Question(100))


def test_targets_and_devices_that_do_not_match_are_refused(monkeypatch):
    device(monkeypatch, 1 << 30, "ios")
    with pytest.raises(
        OptionError, match="is an ios device, and the bundle has android; compile with"
    ):
        fits_of(manifest("executorch"), Question(), "it")
    with pytest.raises(OptionError, match="target 'ios': the bundle has android"):
        memory_of(manifest("executorch"), Question(), "ios")
    for kind in ("native", "gpu"):  # they run on both
        assert len(fits_of(manifest(kind), Question(), "it")) == 1
    with pytest.raises(InputError, match="nothing is known of the memory of its artifacts"):
        memory_of(replace(manifest(), memory=()), Question())
