"""fp16 bundles against the Hugging Face model itself: the whole path, and no code of ours in between."""

from pathlib import Path

import numpy as np
import pytest
from support.emission import run_cases

import optimum_compile as oc
from optimum_compile.backends.base import Call, Case
from optimum_compile.compiler.package.reader import Bundle

pytestmark = [pytest.mark.coreml, pytest.mark.executorch, pytest.mark.onnxruntime]
TARGETS = ("ios:coreml", "android:executorch", "android:onnxruntime")
REFERENCE = Path(__file__).parents[1] / "models" / "reference"
PROMPTS = (
    "Once upon a time, there was a little girl named Lily.",
    "The dog ran to the park and",
    "Tom was sad because his toy",
    "One day a big bird",
    "She said,",
    "It was a sunny day. Ben and Mia went to the",
    "The cat",
    "Mom gave him a red ball and he was very happy to play with",
)
MAX_REL_ERR = 2e-3  # over the logits of a prompt


def expected_logits(folder: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """Tokens (1, n) and logits (1, n, vocab) of every prompt."""
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    out = []
    for prompt in PROMPTS:
        ids = torch.tensor([tokenizer.encode(prompt).ids])
        with torch.no_grad():
            out.append((ids.numpy(), model(ids).logits.numpy()))
    return out


def cases_of(folder: Path) -> tuple[Case, ...]:
    """Half of each prompt as prefill, the rest token by token."""
    cases = []
    for tokens, logits in expected_logits(folder):
        half, count = max(1, tokens.shape[1] // 2), tokens.shape[1]
        spans = [("prefill", 0, half)] + [("decode", at, at + 1) for at in range(half, count)]
        calls = [
            Call(
                function,
                {"tokens": tokens[:, a:b].astype(np.int64), "past": np.array([a])},
                (logits[:, a:b],),
            )
            for function, a, b in spans
        ]
        cases.append(Case(tuple(calls)))
    return tuple(cases)


def check(bundle: Bundle, folder: Path) -> None:
    cases = cases_of(folder)
    assert len(cases) == len(PROMPTS)
    assert len(bundle.manifest.artifacts) == len(TARGETS)
    for artifact in bundle.manifest.artifacts:
        outputs = run_cases(bundle.path / artifact.path, cases)
        for prompt, case, calls in zip(PROMPTS, cases, outputs, strict=True):
            got = np.concatenate([out[0] for out in calls], axis=1)
            expected = np.concatenate([call.expected[0] for call in case.calls], axis=1)
            error = np.linalg.norm(got - expected) / np.linalg.norm(expected)
            assert error <= MAX_REL_ERR, f"{artifact.path}: {prompt!r}: {error}"
            np.testing.assert_array_equal(got.argmax(-1), expected.argmax(-1))


def test_the_reference_model_in_fp16_is_that_of_hugging_face(tmp_path):
    bundle = oc.compile(
        REFERENCE,
        TARGETS,
        policy="uniform",
        bits=16,
        output=str(tmp_path),
        calibration="none",
        verify=False,
    )
    check(bundle, REFERENCE)


@pytest.mark.slow
def test_stories260k_in_fp16_is_that_of_hugging_face(tmp_path, shared_data):
    folder = shared_data / "stories260k"
    bundle = oc.compile(
        folder,
        TARGETS,
        policy="uniform",
        bits=16,
        output=str(tmp_path),
        calibration="none",
        verify=False,
    )
    check(bundle, folder)
