"""Tiny Hugging Face folders, written by hand from a seed: config, weights and a tokenizer."""

import atexit
import json
import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, processors

from optimum_compile.compiler.api import compile
from optimum_compile.compiler.package.reader import Bundle

LAYERS, HIDDEN, HEADS, KV_HEADS, HEAD_DIM, FFN, VOCAB = 3, 64, 4, 2, 16, 128, 96
CONTEXT = 64
SPECIAL = ("<unk>", "<s>", "</s>")
BOS, EOS = 1, 2


def tiny_weights(seed: int = 0, tied: bool = True) -> dict[str, np.ndarray]:
    """Every tensor of the model, fp16, by its Hugging Face name."""
    rng = np.random.default_rng(seed)

    def random(*shape: int) -> np.ndarray:
        return (rng.standard_normal(shape) / np.sqrt(shape[-1])).astype(np.float16)

    def norm() -> np.ndarray:
        return (1 + 0.1 * rng.standard_normal(HIDDEN)).astype(np.float16)

    out = {"model.embed_tokens.weight": random(VOCAB, HIDDEN), "model.norm.weight": norm()}
    for index in range(LAYERS):
        at = f"model.layers.{index}"
        out |= {
            f"{at}.input_layernorm.weight": norm(),
            f"{at}.post_attention_layernorm.weight": norm(),
            f"{at}.self_attn.q_proj.weight": random(HEADS * HEAD_DIM, HIDDEN),
            f"{at}.self_attn.k_proj.weight": random(KV_HEADS * HEAD_DIM, HIDDEN),
            f"{at}.self_attn.v_proj.weight": random(KV_HEADS * HEAD_DIM, HIDDEN),
            f"{at}.self_attn.o_proj.weight": random(HIDDEN, HEADS * HEAD_DIM),
            f"{at}.mlp.gate_proj.weight": random(FFN, HIDDEN),
            f"{at}.mlp.up_proj.weight": random(FFN, HIDDEN),
            f"{at}.mlp.down_proj.weight": random(HIDDEN, FFN),
        }
    return out if tied else out | {"lm_head.weight": random(VOCAB, HIDDEN)}


def tiny_tokenizer() -> Tokenizer:
    """One token a character: the special ones, then printable ASCII as far as the vocabulary goes."""
    characters = [chr(code) for code in range(32, 32 + VOCAB - len(SPECIAL))]
    vocab = {token: at for at, token in enumerate((*SPECIAL, *characters))}
    tokenizer = Tokenizer(models.BPE(vocab, [], unk_token="<unk>"))
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
    tokenizer.decoder = decoders.Fuse()
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A", None, [("<s>", BOS)])
    return tokenizer


def tiny_llama(
    folder: Path,
    *,
    weights: dict[str, np.ndarray] | None = None,
    tied: bool = True,
    tokenizer: bool = True,
    context: int = CONTEXT,
) -> Path:
    """Write the folder of a llama with 3 layers and 117,184 parameters (tied), and return it."""
    folder.mkdir(parents=True)
    config = {
        "model_type": "llama",
        "hidden_size": HIDDEN,
        "intermediate_size": FFN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS,
        "head_dim": HEAD_DIM,
        "vocab_size": VOCAB,
        "max_position_embeddings": context,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "tie_word_embeddings": tied,
    }
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    save_file(weights or tiny_weights(tied=tied), folder / "model.safetensors")
    if tokenizer:
        tiny_tokenizer().save(str(folder / "tokenizer.json"))
        names = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
        (folder / "tokenizer_config.json").write_text(json.dumps(names))
    return folder


@cache
def _run_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="optimum-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def shared_model() -> Path:
    """The tiny llama of this test run; tests only read it."""
    return tiny_llama(_run_folder() / "tiny")


def shared_bundle(platform: str = "ios") -> Bundle:
    """The tiny llama compiled as a cascade, once in a test run; tests only read it."""
    return _compiled(platform)


EXACT = {"ios": "ios:coreml", "android": "android:executorch"}  # without companions


@cache
def _compiled(platform: str) -> Bundle:
    target = EXACT.get(platform, platform)
    return compile(shared_model(), [target], policy="cascade", output=str(_run_folder() / platform))


def copy_bundle(folder: Path, platform: str = "ios") -> Path:
    """A copy of the shared bundle in `folder`, to be damaged."""
    bundle = shared_bundle(platform)
    return Path(shutil.copytree(bundle.path, folder / bundle.path.name))
