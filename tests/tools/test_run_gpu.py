"""`run --device`: the GPU program of a bundle on the CPU and on a Vulkan device."""

import numpy as np
import pytest
from support.gpu import probe
from support.models import HEAD_DIM, KV_HEADS, shared_bundle, shared_model

import optimum_compile as oc
from optimum_compile.compiler.phasing import LEARNED
from optimum_compile.passes.phase.learned import Learned, Plan, shapes_of
from optimum_compile.passes.phase.learned_file import save

PROMPT = ("--prompt", "tom has a red ball", "--max-tokens", "12", "--json")


def test_the_same_text_on_the_processor_and_on_vulkan(cli):
    bundle = shared_bundle("gpu")
    here = cli("run", bundle.path, *PROMPT)
    assert (here.code, here.json()["tokens"]) == (0, 12)
    probe()
    there = cli("run", bundle.path, *PROMPT, "--device", "vulkan")
    assert (there.code, there.json()["text"]) == (0, here.json()["text"])


def test_schedules_on_vulkan(cli, tmp_path):
    """The same text as on the processor, at widths that are chosen and that change."""
    values = {"nested": "2,3,4", "quantizer": "rtn", "companions": False}
    bundle = oc.compile(shared_model(), ["gpu"], output=str(tmp_path), **values)
    (check,) = bundle.manifest.checks
    assert check.ok
    read = {w.width: w.bytes_per_token for w in bundle.manifest.widths}
    assert sorted(read) == [2, 3, 4]
    probe()
    assert check.executed
    plan = Plan(4, 4, 2, (0, 3, 6, 12), "k_cache.2", "v_cache.2")
    rng = np.random.default_rng(0)
    sizes = shapes_of(KV_HEADS, HEAD_DIM, HEAD_DIM, 4, 4)
    made = Learned.rounded(plan, {name: rng.standard_normal(size) for name, size in sizes.items()})
    save(made, bundle.path / LEARNED)
    for schedule in ("fixed:3", "prefill 4, decode 4@0 2@5", "learned"):
        arguments = ("run", bundle.path, *PROMPT, "--schedule", schedule)
        here, there = cli(*arguments), cli(*arguments, "--device", "vulkan")
        assert (there.code, there.json()["text"]) == (0, here.json()["text"])
        assert there.json()["schedule"] == here.json()["schedule"]
        assert there.json()["mean_bits"] == here.json()["mean_bits"]
        assert there.json()["bytes_per_token"] == here.json()["bytes_per_token"]
    assert (
        cli("run", bundle.path, *PROMPT, "--schedule", "fixed:3").json()["bytes_per_token"]
        == read[3]
    )
    shown = cli("inspect", bundle.resolve(bundle.manifest.artifacts[0].path), "-v").out
    assert all(f"decode, 1 tokens at {width} bits: " in shown for width in (2, 3, 4))


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--artifact", "native"), 2, "artifact 'native': --device vulkan runs 'gpu' only"),
        ((), 3, "no gpu decoder that runs here; the bundle has native; compile with --target gpu"),
    ],
)
def test_vulkan_runs_gpu_programs_only(cli, arguments, code, message):
    bundle = shared_bundle("native")
    done = cli("run", bundle.path, *PROMPT, "--device", "vulkan", *arguments)
    assert (done.code, message in done.err) == (code, True), done.err
