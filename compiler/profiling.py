"""Measure a model's sensitivity: open it, round every choice once, run one method on text."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from optimum_compile.compiler.errors import InputError, OptionError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.observers import Observer, SilentObserver
from optimum_compile.compiler.options import CompileOptions
from optimum_compile.compiler.package.describe import source_digest, versions
from optimum_compile.passes.calibrate.checkpoint import fingerprint
from optimum_compile.passes.precision.pins import parse_pin, pinned
from optimum_compile.passes.precision.problem import Problem, make_problem
from optimum_compile.passes.precision.units import parameter_count, units_of
from optimum_compile.passes.sensitivity.map import ModelId, SensitivityMap

if TYPE_CHECKING:
    from optimum_compile.compiler.planning import Plan
    from optimum_compile.passes.calibrate.propagate import Sample
    from optimum_compile.passes.precision.quantizers.affine.rtn import Clip
    from optimum_compile.passes.sensitivity.setting import Method

CLIPS: "dict[str, Clip]" = {"rtn": "minmax", "mse": "mse"}  # by the name of the quantiser
DEFAULT_TOKENS = 4096


@dataclass(frozen=True)
class ProfileOptions:
    """What to measure, and for which compilation.

    `compilation` has everything that the numbers depend on: targets and pins (which choices there are),
    rotation, calibration text and its windows, seed, and "rtn" or "mse" as the trials' quantiser.
    `tokens` are measured at most.
    """

    method: str
    compilation: CompileOptions = CompileOptions(quantizer="mse")
    tokens: int = DEFAULT_TOKENS

    def __post_init__(self) -> None:
        if self.compilation.quantizer not in CLIPS:
            raise OptionError(
                f"quantizer={self.compilation.quantizer!r}: trials are rounded without activations, "
                f"by {' or '.join(CLIPS)}"
            )
        if self.tokens < 2:
            raise OptionError(f"tokens={self.tokens}: expected 2 or more")


def model_id(graph: Graph) -> ModelId:
    """SHA-256 over the weight files and the edits that rewrites made on weights (rotation, scaling)."""
    digest = hashlib.sha256(source_digest(graph).encode())
    for name, value in sorted(graph.weights.items()):
        if value.weight is not None and value.weight.edits:
            digest.update(f"{name}: {value.weight.edits!r}\n".encode())
    return ModelId(digest.hexdigest(), parameter_count(graph))


def profile_model(
    model: str | Path, options: ProfileOptions, work: Path, *, observer: Observer | None = None
) -> SensitivityMap:
    """Open `model` and measure it. Rounded weights stay in `work`: another method finds them there.

    Raises UserErrors: a bad model, text or pin; a method that needs what the model does not have.
    """
    from optimum_compile.compiler.planning import plan

    # With 16 bits for every weight a plan opens, rotates and refuses, and decides nothing.
    opened = replace(
        options.compilation,
        policy="uniform",
        bits=16,
        output=str(work / "none"),
        overwrite=False,
        companions=False,
    )
    return profile_plan(plan(model, options=opened), options, work, observer=observer)


def profile_plan(
    wanted: "Plan", options: ProfileOptions, work: Path, *, observer: Observer | None = None
) -> SensitivityMap:
    """The same of a model that `plan` opened."""
    # These import torch, whose absence `plan` reports.
    from optimum_compile.passes.sensitivity.methods import method_named, require_suitable
    from optimum_compile.passes.sensitivity.profile import profile
    from optimum_compile.passes.sensitivity.rounding import round_all
    from optimum_compile.passes.sensitivity.setting import Setting
    from optimum_compile.passes.sensitivity.trials import Trials

    graph, seed = wanted.model.graph, options.compilation.seed
    method = method_named(options.method)
    require_suitable(method, graph)
    samples = samples_of(wanted, options, method)
    units = units_of(graph)
    if not units:
        raise InputError(f"{wanted.model.name}: no matrix to quantise, so nothing to measure")
    pins = [parse_pin(text) for text in options.compilation.pin]
    problem = make_problem(graph, units, wanted.backends, pinned(units, pins, wanted.backends))
    identity = model_id(graph)
    folder = work / f"trials-{_trial_key(identity, problem, options)[:16]}"
    watch = observer or SilentObserver()
    trials = Trials(graph, problem, folder)
    round_all(trials, CLIPS[options.compilation.quantizer], seed, watch.progress)
    setting = Setting(graph, trials, samples, seed, watch.progress)
    return profile(setting, method, identity, options.compilation.quantizer, versions())


def samples_of(wanted: "Plan", options: ProfileOptions, method: "Method") -> "tuple[Sample, ...]":
    """Prefill calls on text that the quantiser's calibration leaves out; none for some methods.

    Raises OptionError where a method that needs text has none, InputError where it is too short.
    """
    from optimum_compile.compiler.planning import text_of
    from optimum_compile.compiler.quantizing import calibration_of
    from optimum_compile.passes.calibrate.propagate import decoder_samples

    if not method.needs_text:
        return ()
    graph = wanted.model.graph
    text, tokenizer, bos = text_of(wanted)
    most = replace(options.compilation, profile_samples=100_000)
    seen = calibration_of(graph, most, text, tokenizer, bos, divided=True)
    if seen.lack:
        raise OptionError(
            f"sensitivity {method.name!r} is measured on text, but there is {seen.lack}: give "
            "--calibration FILE, or use --method weights"
        )
    if not seen.profiling:
        label = "" if text is None else text.label
        raise InputError(
            f"calibration text {label}: one window, and measuring needs others than the quantiser's; "
            "give more text, or a smaller --seqlen"
        )
    longest = graph.symbols["seq"].high if "seq" in graph.symbols else 1
    cut = [w[:longest] for w in seen.profiling]
    return decoder_samples(first_tokens(cut, options.tokens), longest)


def first_tokens(windows: "list[tuple[int, ...]]", most: int) -> "list[tuple[int, ...]]":
    """Windows from the first on with `most` tokens together; the last is cut, and has two or more."""
    out: list[tuple[int, ...]] = []
    left = most
    for window in windows:
        if left < 2:
            break
        out.append(window[:left])
        left -= len(out[-1])
    return out


def _trial_key(identity: ModelId, problem: Problem, options: ProfileOptions) -> str:
    """Everything that decides the rounded weights."""
    return fingerprint(
        {
            "weights": identity.sha256,
            "quantizer": options.compilation.quantizer,
            "seed": options.compilation.seed,
            "choices": {u.name: [str(c.scheme) for c in u.choices] for u in problem.units},
            "versions": versions(),
        }
    )
