"""Run a method, and write down what it was measured with."""

import hashlib
import math
import time
from collections.abc import Mapping, Sequence

import numpy as np

from optimum_compile.compiler.errors import InputError, OptionError
from optimum_compile.passes.calibrate.propagate import Sample
from optimum_compile.passes.sensitivity.map import (
    FORMAT,
    MeasuredWith,
    ModelId,
    Scores,
    SensitivityMap,
)
from optimum_compile.passes.sensitivity.setting import Method, Setting
from optimum_compile.passes.sensitivity.sweep import token_count


def profile(
    setting: Setting,
    method: Method,
    model: ModelId,
    quantizer: str,
    versions: Mapping[str, str],
) -> SensitivityMap:
    """The map of one method; `quantizer` names what made the trials, `versions` what ran.

    Raises OptionError where the method needs text and there is none, InputError for a score that is
    no finite number.
    """
    if method.needs_text and not setting.samples:
        raise OptionError(
            f"sensitivity {method.name!r}: needs text; give --calibration a file, or take "
            "--sensitivity weights"
        )
    start = time.perf_counter()
    found = method.measure(setting)
    seconds = time.perf_counter() - start
    require_finite(method.name, found.scores)
    measured = MeasuredWith(
        quantizer=quantizer,
        tokens=token_count(setting.samples) if method.needs_text else 0,
        tokens_sha256=samples_digest(setting.samples) if method.needs_text else "",
        seed=setting.seed,
        forward_passes=found.forward_passes,
        seconds=round(seconds, 3),
    )
    return SensitivityMap(
        FORMAT, method.name, method.quantity, model, measured, found.scores, dict(versions)
    )


def require_finite(name: str, scores: Scores) -> None:
    """Raise InputError for the first score that is no finite number."""
    for unit, row in scores.items():
        for scheme, score in row.items():
            if not math.isfinite(score):
                raise InputError(
                    f"sensitivity {name!r}: {unit} in {scheme} scores {score}; the model overflows on "
                    "this text: repair it, or give another --calibration"
                )


def samples_digest(samples: Sequence[Sample]) -> str:
    """SHA-256 over every input of every sample, with names, types and shapes."""
    digest = hashlib.sha256()
    for sample in samples:
        for name in sorted(sample.inputs):
            data = np.ascontiguousarray(sample.inputs[name])
            digest.update(f"{name}:{data.dtype.str}:{data.shape};".encode())
            digest.update(data.tobytes())
    return digest.hexdigest()
