import hashlib
import json
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
from support.graphs import decoder
from support.trials import small_setting

from optimum_compile.compiler.errors import InputError, OptionError
from optimum_compile.passes.calibrate.propagate import decoder_samples
from optimum_compile.passes.sensitivity.activation import Activation
from optimum_compile.passes.sensitivity.map import MeasuredWith, ModelId, parse_map
from optimum_compile.passes.sensitivity.profile import profile, samples_digest
from optimum_compile.passes.sensitivity.setting import Found, Setting
from optimum_compile.passes.sensitivity.weights import Weights

MODEL = ModelId("ab" * 32, 1234)
VERSIONS = {"python": "3.11"}


@pytest.fixture(scope="module")
def setting(tmp_path_factory):
    return small_setting(decoder(layers=1), tmp_path_factory.mktemp("trials"))


def test_the_map_says_what_it_was_measured_with(setting):
    made = profile(setting, Activation(), MODEL, "mse", VERSIONS)
    assert made.units == Activation().measure(setting).scores
    assert (made.method, made.quantity) == ("activation", "squared output error a token")
    assert (made.model, made.versions) == (MODEL, VERSIONS)
    assert made.measured_with == MeasuredWith(
        "mse", 25, samples_digest(setting.samples), 0, 1.0, made.measured_with.seconds
    )
    assert made.measured_with.seconds > 0
    assert parse_map(json.loads(made.to_json()), "here") == made


def test_a_method_without_text_claims_none(setting):
    made = profile(replace(setting, samples=()), Weights(), MODEL, "mse", VERSIONS)
    assert (made.measured_with.tokens, made.measured_with.tokens_sha256) == (0, "")


def test_a_method_that_needs_text_is_refused_without(setting):
    with pytest.raises(OptionError, match="sensitivity 'activation': needs text; give --calib"):
        profile(replace(setting, samples=()), Activation(), MODEL, "mse", VERSIONS)


@dataclass(frozen=True)
class Broken:
    name: ClassVar[str] = "broken"
    quantity: ClassVar[str] = "nothing"
    needs_text: ClassVar[bool] = False

    def measure(self, setting: Setting) -> Found:
        return Found({"w": {"int8:channel": 1.0, "f16": float("nan")}})


def test_a_score_that_is_no_number_is_refused(setting):
    with pytest.raises(InputError, match="sensitivity 'broken': w in f16 scores nan"):
        profile(setting, Broken(), MODEL, "mse", VERSIONS)


def test_the_digest_is_that_of_the_tokens_and_where_they_are_cut():
    one, two = decoder_samples([[1, 2, 3]], 8), decoder_samples([[1, 2], [3]], 8)
    assert samples_digest(one) != samples_digest(two)
    assert samples_digest(one) == samples_digest(decoder_samples([[1, 2, 3]], 9))
    digest = hashlib.sha256()
    digest.update(b"past:<i8:(1,);" + np.zeros(1, np.int64).tobytes())
    digest.update(b"tokens:<i8:(1, 3);" + np.array([1, 2, 3], np.int64).tobytes())
    assert samples_digest(one) == digest.hexdigest()
