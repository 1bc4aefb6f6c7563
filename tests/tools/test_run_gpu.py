"""`run --device`: the GPU program of a bundle on the CPU and on a Vulkan device."""

import pytest
from support.gpu import probe
from support.models import shared_bundle

PROMPT = ("--prompt", "tom has a red ball", "--max-tokens", "12", "--json")


def test_the_same_text_on_the_processor_and_on_vulkan(cli):
    bundle = shared_bundle("gpu")
    here = cli("run", bundle.path, *PROMPT)
    assert (here.code, here.json()["tokens"]) == (0, 12)
    probe()
    there = cli("run", bundle.path, *PROMPT, "--device", "vulkan")
    assert (there.code, there.json()["text"]) == (0, here.json()["text"])


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
