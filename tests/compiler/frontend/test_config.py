"""config.json: what is read, and that each refusal names the file, the key, the value and the way out."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.frontend.config import (
    MAX_JSON_BYTES,
    ModelConfig,
    Rope,
    read_config,
    read_json,
)
from optimum_compile.compiler.frontend.rotary import attention_scale, inverse_frequencies

LLAMA = {
    "model_type": "llama",
    "vocab_size": 96,
    "hidden_size": 64,
    "intermediate_size": 80,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}


def read(folder: Path, data: object) -> ModelConfig:
    path = folder / "config.json"
    path.write_text(json.dumps(data))
    return read_config(path)


def refused(folder: Path, changes: Mapping[str, Any]) -> str:
    data = {k: v for k, v in (LLAMA | dict(changes)).items() if v != "absent"}
    with pytest.raises(InputError) as caught:
        read(folder, data)
    assert caught.value.exit_code == 3
    return str(caught.value).removeprefix(f"{folder / 'config.json'}: ")


def test_what_is_absent_has_the_value_that_transformers_gives_it(tmp_path: Path) -> None:
    assert read(tmp_path, LLAMA) == ModelConfig(
        architecture="llama",
        vocab_size=96,
        hidden_size=64,
        intermediate_size=80,
        layers=2,
        heads=4,
        kv_heads=4,
        head_dim=16,
        max_context=2048,
        norm_eps=1e-6,
        activation="silu",
        tied=False,
        qkv_bias=False,
        output_bias=False,
        mlp_bias=False,
        qk_norm=False,
        sliding_window=(0, 0),
        rope=Rope(10000.0),
    )


def test_null_means_absent(tmp_path: Path) -> None:
    nulls = dict.fromkeys(
        ("head_dim", "num_key_value_heads", "rope_scaling", "rope_theta", "sliding_window")
    )
    assert read(tmp_path, LLAMA | nulls) == read(tmp_path, LLAMA)


def test_what_belongs_to_another_architecture_is_ignored(tmp_path: Path) -> None:
    plain = read(tmp_path, LLAMA)
    assert read(tmp_path, LLAMA | {"sliding_window": 4}) == plain
    qwen2 = read(tmp_path, LLAMA | {"model_type": "qwen2", "mlp_bias": True})
    assert qwen2 == replace(plain, architecture="qwen2", qkv_bias=True)
    qwen3 = read(tmp_path, LLAMA | {"model_type": "qwen3"})
    assert qwen3 == replace(plain, architecture="qwen3", qk_norm=True, head_dim=128)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"model_type": "gpt2"}, "model_type 'gpt2' has no recipe; known: llama, mistral, qwen2, "
         "qwen3, mixtral, qwen2_moe, qwen3_moe. "
         "Export the model with torch.export.save(ep, 'model.pt2') and compile that instead"),
        ({"model_type": "absent"}, "model_type None has no recipe"),
        ({"model_type": ["llama"]}, "model_type ['llama'] has no recipe"),
        ({"vocab_size": "absent"}, "vocab_size=None: expected a whole number from 2 to 1048576"),
        ({"vocab_size": 1 << 40}, f"vocab_size={1 << 40}: expected a whole number from 2 to 1048576"),
        ({"vocab_size": "96"}, "vocab_size='96': expected a whole number"),
        ({"vocab_size": True}, "vocab_size=True: expected a whole number"),
        ({"vocab_size": 96.0}, "vocab_size=96.0: expected a whole number"),
        ({"vocab_size": [96]}, "vocab_size=[96]: expected a whole number"),
        ({"hidden_size": 0}, "hidden_size=0: expected a whole number from 1 to 65536"),
        ({"hidden_size": -64}, "hidden_size=-64: expected a whole number from 1 to 65536"),
        ({"num_hidden_layers": 10**9}, f"num_hidden_layers={10**9}: expected a whole number from 1 to 512"),
        ({"intermediate_size": 10**400}, "intermediate_size=1000"),
        ({"max_position_embeddings": 1 << 60}, f"max_position_embeddings={1 << 60}: expected"),
        ({"num_key_value_heads": 3}, "num_attention_heads=4 is not a multiple of num_key_value_heads=3"),
        ({"hidden_size": 62}, "hidden_size=62 is not a multiple of num_attention_heads=4"),
        ({"head_dim": 15}, "head_dim=15: rotary embedding needs an even number"),
        ({"hidden_act": "swish"}, "hidden_act='swish': expected one of silu, gelu, gelu_new, "),
        ({"hidden_act": ["silu"]}, "hidden_act=['silu']: expected one of"),
        ({"hidden_act": None}, "hidden_act=None: expected one of"),
        ({"rms_norm_eps": float("nan")}, "rms_norm_eps=nan: expected a number from 0.0 to 1.0"),
        ({"rms_norm_eps": float("inf")}, "rms_norm_eps=inf: expected a number from 0.0 to 1.0"),
        ({"rms_norm_eps": -1e-6}, "rms_norm_eps=-1e-06: expected a number from 0.0 to 1.0"),
        ({"rms_norm_eps": 10**400}, "rms_norm_eps=1000"),
        ({"rms_norm_eps": "tiny"}, "rms_norm_eps='tiny': expected a number from 0.0 to 1.0"),
        ({"tie_word_embeddings": 1}, "tie_word_embeddings=1: expected true or false"),
        ({"attention_bias": "no"}, "attention_bias='no': expected true or false"),
        ({"rope_theta": 0}, "rope_theta=0: expected a number from 1.0 to 1000000000000.0"),
        ({"rope_scaling": "linear"}, "rope_parameters and rope_scaling must be objects"),
        ({"rope_scaling": {"type": "linear"}}, "factor=None: expected a number from 1.0 to 1000000.0"),
        ({"rope_scaling": {"type": "linear", "factor": 0.5}}, "factor=0.5: expected a number from 1.0"),
        ({"rope_scaling": {"type": ["yarn"]}}, "rope type \"['yarn']\" is not supported; known: default"),
        ({"rope_scaling": {"type": "yarn", "factor": 2, "truncate": 0}}, "truncate=0: expected true or false"),
        ({"rope_scaling": {"type": "yarn", "factor": 2, "mscale": -1}}, "mscale=-1: expected a number"),
        ({"rope_scaling": {"type": "yarn", "factor": 2}, "rope_theta": 1},
         "rope_theta=1.0: expected a number from 1.001"),
        ({"rope_scaling": {"type": "llama3", "factor": 2, "low_freq_factor": 4.0, "high_freq_factor": 4.0}},
         "low_freq_factor=4.0: expected less than high_freq_factor=4.0"),
    ],
    ids=lambda v: str(v)[:50] if isinstance(v, dict) else "",
)  # fmt: skip
def test_a_refusal_names_the_key_the_value_and_what_is_allowed(
    changes: dict[str, Any], text: str, tmp_path: Path
) -> None:
    assert text in refused(tmp_path, changes)


@pytest.mark.parametrize(
    ("changes", "windows"),
    [
        ({"max_window_layers": 1}, (0, 4, 4)),
        ({"max_window_layers": 0}, (4, 4, 4)),
        ({}, (0, 0, 0)),
        ({"use_sliding_window": False, "max_window_layers": 0}, (0, 0, 0)),
        ({"sliding_window": None, "max_window_layers": 0}, (0, 0, 0)),
        ({"layer_types": ["full_attention", "sliding_attention", "full_attention"]}, (0, 4, 0)),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["qwen2", "qwen3"])
def test_windows_of_layers(
    kind: str, changes: dict[str, Any], windows: tuple[int, ...], tmp_path: Path
) -> None:
    base = {"model_type": kind, "num_hidden_layers": 3, "sliding_window": 4}
    config = read(tmp_path, LLAMA | base | {"use_sliding_window": True} | changes)
    assert config.sliding_window == windows


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"sliding_window": 0}, "sliding_window=0: expected a whole number from 1"),
        ({"use_sliding_window": "yes"}, "use_sliding_window='yes': expected true or false"),
        ({"layer_types": ["full_attention"]}, "layer_types: expected a list of 2 names"),
        ({"layer_types": "full_attention"}, "layer_types: expected a list of 2 names"),
        ({"layer_types": ["full_attention", "chunked_attention"]},
         "layer_types[1]='chunked_attention': expected full_attention or sliding_attention"),
        ({"layer_types": ["full_attention", {}]}, "layer_types[1]={}: expected full_attention"),
    ],
)  # fmt: skip
def test_a_window_that_cannot_be_read_is_refused(
    changes: dict[str, Any], text: str, tmp_path: Path
) -> None:
    qwen2 = {"model_type": "qwen2", "sliding_window": 4, "use_sliding_window": True}
    assert text in refused(tmp_path, qwen2 | changes)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "not valid JSON: Expecting value"),
        (b"{", "not valid JSON: Expecting property name"),
        (b"\xff\xfe{}", "not valid JSON: 'utf-8' codec can't decode"),
        (b'{"a": 1, "a": 2}', "not valid JSON: a key occurs twice"),
        (b"[" * 100_000, "not valid JSON: maximum recursion depth exceeded"),
        (b"1" * 5000, "not valid JSON: Exceeds the limit"),
        (b" " * (MAX_JSON_BYTES + 1), f"{MAX_JSON_BYTES + 1} bytes is too large for a JSON file"),
    ],
    ids=["empty", "cut off", "not text", "twice", "deep", "long number", "large"],
)
def test_text_that_is_no_json_is_refused(content: bytes, text: str, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_json(path)
    assert str(caught.value).startswith(f"{path}: {text}")


def test_a_file_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="config.json: cannot be read: No such file or directory"):
        read_config(tmp_path / "config.json")
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        read_config(tmp_path)


@pytest.mark.parametrize("data", [[], "llama", None, 3, [LLAMA]])
def test_json_that_is_no_object_is_refused(data: object, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="config.json: expected a JSON object"):
        read(tmp_path, data)


KEYS = (
    *LLAMA,
    *"num_key_value_heads head_dim rms_norm_eps hidden_act max_position_embeddings".split(),
    *"tie_word_embeddings attention_bias mlp_bias sliding_window use_sliding_window".split(),
    *"max_window_layers layer_types rope_theta rope_scaling rope_parameters".split(),
)
ROPE_KEYS = (
    *"rope_type type rope_theta factor low_freq_factor high_freq_factor beta_fast beta_slow".split(),
    *"original_max_position_embeddings attention_factor mscale mscale_all_dim truncate".split(),
)
numbers = st.sampled_from([-1, 0, 1, 2, 3, 8, 64, 10**30, 0.5, 1e308, 1e-300]) | st.floats()
words = st.sampled_from(
    ["", "llama", "mistral", "qwen2", "qwen3", "linear", "llama3", "yarn", "default", "gelu"]
)
leaves = st.none() | st.booleans() | numbers | words
ropes = st.dictionaries(st.sampled_from(ROPE_KEYS), leaves, max_size=6)
values = leaves | ropes | st.lists(leaves | st.just("full_attention"), max_size=3)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.dictionaries(st.sampled_from(KEYS), values, max_size=5))
def test_any_config_is_refused_with_a_reason_or_gives_finite_frequencies(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    try:
        config = read(tmp_path, LLAMA | changes)
        frequencies = inverse_frequencies(config.rope, config.head_dim)
        numbers = np.array([*frequencies, attention_scale(config.rope)])
        problem = "" if np.isfinite(numbers).all() else f"{config.rope} gives {numbers}"
    except InputError as error:
        problem = str(error).removeprefix(f"{tmp_path / 'config.json'}: ")
        problem = "" if problem != str(error) else f"no path in {error}"
    assert not problem
