"""`evaluate --kv-bits`: against a plain decoding loop of `transformers`, and what is refused."""

import copy
import json
from pathlib import Path

import pytest
import torch
from support.models import CONTEXT, shared_bundle, shared_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from optimum_compile.compiler.quant.kv import KvBits, KvRole, round_keys, round_values

REFERENCE = Path(__file__).parents[2] / "models/reference"
STORY = "Ana had a boat. The boat was red. She took it to the river and sang a song to it."
LENGTH = 108  # tokens: two runs of 32 are rounded for the last queries


def document() -> str:
    return json.loads((REFERENCE / "evaluation.json").read_text())[0]


def decoded(bits: KvBits) -> float:
    """Nats a token by single steps of `transformers`, whose cache is rounded before each of them."""
    model = AutoModelForCausalLM.from_pretrained(REFERENCE, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(REFERENCE)
    words = tokenizer(document(), add_special_tokens=False).input_ids
    ids = torch.tensor([[tokenizer.bos_token_id, *words][:LENGTH]])
    roles = ((KvRole.KEYS, "keys", round_keys), (KvRole.VALUES, "values", round_values))
    exact, total = None, 0.0
    for at in range(LENGTH - 1):
        cache = copy.deepcopy(exact)
        for layer in () if cache is None else cache.layers:
            for role, name, rounding in roles:
                scheme, held = bits.scheme(role), getattr(layer, name)
                count = 0 if str(scheme) == "f16" else max(0, at + 1 - 32 - 4) // 32 * 32
                if count:
                    old = held[..., 4 : 4 + count, :]
                    old.copy_(torch.from_numpy(rounding(old.numpy(), scheme)))
        with torch.no_grad():
            out = model(ids[:, at : at + 1], past_key_values=cache, use_cache=True)
        total -= float(out.logits[0, -1].log_softmax(-1)[ids[0, at + 1]])
        new = out.past_key_values
        for layer, old in zip(
            new.layers, exact.layers if exact is not None else new.layers, strict=True
        ):
            for _, name, _ in roles:  # the numbers of old tokens as they were
                held, before = getattr(layer, name), getattr(old, name)
                held[..., : before.shape[-2], :] = before
        exact = new
    return total / (LENGTH - 1)


@pytest.mark.parametrize("bits", ["2", pytest.param("16,2", marks=pytest.mark.slow)])
def test_a_rounded_cache_is_that_of_a_decoding_loop_of_transformers(cli, text, bits) -> None:
    arguments = ("evaluate", REFERENCE, "--text", text([document()]), "--seqlen", LENGTH, "--json")
    done = cli(*arguments, "--kv-bits", bits).json()
    plain = cli(*arguments).json()
    keys, values = (int(b) for b in (bits.split(",") * 2)[:2])
    assert done["tokens"] == LENGTH - 1
    assert done["nll"] == pytest.approx(decoded(KvBits(keys, values)), abs=1e-4)
    assert abs(done["nll"] - plain["nll"]) > 5e-4
    assert (done["kv_bits"], plain["kv_bits"]) == (bits, "16")
    assert 0 < done["kv_bytes"] < plain["kv_bytes"]


def test_what_the_cache_takes_is_shown(cli, text) -> None:
    arguments = ("--text", text([document()]), "--seqlen", 80, "--reference", REFERENCE)
    shown = cli("evaluate", REFERENCE, *arguments, "--kv-bits", "8,4").out
    assert "KV cache at 8,4 bits: " in shown
    assert "bytes for a window of 80 tokens" in shown
    assert "KV cache" not in cli("evaluate", REFERENCE, *arguments).out


def test_windows_that_are_too_short_are_remarked(cli, text) -> None:
    arguments = ("evaluate", shared_model(), "--text", text([STORY]), "--json")
    done = cli(*arguments, "--kv-bits", "2")
    assert f"windows of {CONTEXT} tokens are not rounded at all" in done.err
    assert done.json()["nll"] == pytest.approx(cli(*arguments).json()["nll"], rel=1e-4)  # fp16


@pytest.mark.parametrize(
    ("bits", "message"),
    [
        ("3", "kv_bits='3': expected 16, 8, 4 or 2"),
        ("4,4,4", "kv_bits='4,4,4': expected 16, 8, 4 or 2, two of them (keys, values) as 4,2"),
        ("auto", "kv_bits=auto: only assignment can choose"),
    ],
)
def test_other_bits_are_refused(cli, text, bits, message) -> None:
    done = cli("evaluate", shared_model(), "--text", text([STORY]), "--kv-bits", bits)
    assert (done.code, message in done.err) == (2, True)


def test_a_bundle_keeps_its_own_cache(cli, text) -> None:
    arguments = (shared_bundle().path, "--text", text(STORY), "--kv-bits", "4")
    done = cli("evaluate", *arguments)
    assert (done.code, "kv_bits=4: " in done.err) == (2, True)
    assert "is a bundle, whose artifacts round by themselves" in done.err


def test_a_compilation_that_no_target_can_hold_ends_with_its_code(cli, tmp_path) -> None:
    target = ("--target", "android:onnxruntime")
    done = cli(shared_model(), "--kv-bits", "2", *target, "-o", tmp_path, "--dry-run")
    assert (done.code, "android:onnxruntime (onnxruntime): " in done.err) == (5, True)
    done = cli(shared_model(), "--kv-bits", "4", "-o", tmp_path, "--dry-run")
    assert "ios (coreml): states are fp16 tensors" in done.out + done.err
    assert done.code == 0
