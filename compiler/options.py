"""Every option of a compilation, as one frozen dataclass.

The command line, `--config` and the Python call all fill it, and the manifest echoes it.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.quant.kv import parse_kv_bits
from optimum_compile.compiler.quant.scheme import Granularity, PerChannel, PerGroup
from optimum_compile.compiler.quant.scheme_text import parse_widths
from optimum_compile.passes.symbolic_shape.lengths import parse_lengths

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(bpw|%|[KMGT]i?B|B)?", re.IGNORECASE)
_TEXT = (
    "output",
    "name",
    "policy",
    "head",
    "quantizer",
    "calibration",
    "allocation",
    "sensitivity",
    "scheduler",
    "work_dir",
    "executor",
    "rotate",
    "effort",
    "device",
)
_CHOICES = {
    "head": ("low", "high"),
    "allocation": ("common", "each"),
    "executor": ("xnnpack", "packed"),
    "activations": ("auto", "int8", "float"),
    "rotate": ("none", "values", "residual", "gated", "all"),
    "schedule": ("none", "static"),
    "schedule_measure": ("rouge", "agreement", "kl"),
}
_UNIT = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12} | {
    "KIB": 2**10,
    "MIB": 2**20,
    "GIB": 2**30,
    "TIB": 2**40,
}


@dataclass(frozen=True)
class CompileOptions:
    """Options of `compile`. Names are those of the command line, with underscores."""

    target: tuple[str, ...] = ("ios", "android")
    output: str = "build"
    name: str | None = None
    overwrite: bool = False
    companions: bool = True  # what ios and android bring along: see `compiler.companions`
    policy: str = "measured"
    bits: int = 8
    budget: str | None = None
    device: str | None = None  # a name of `compiler.devices`: its memory is a budget
    tokens_per_second: float | None = None  # of the device while decoding, a second budget
    max_kl: float | None = None  # nats per token against the 16-bit model, instead of a budget
    shares: tuple[float, float, float] = (0.25, 0.60, 0.15)
    head: str = "low"  # cascade only: "low" is the last stage's class, "high" INT8
    quantizer: str = "auto"
    effort: str = "none"  # learned rounding after the quantiser: none, light, standard or best
    group_size: str | None = None
    asymmetric: bool = False
    nested: str | None = None  # widths like 2,3,4 in one store, for the linears of the blocks
    narrow_bits: float | None = None  # mean bits a weight that a call of the least width reads
    narrow_kl: float | None = None  # instead: the fewest with at most so many nats a token
    schedule: str = "none"  # "static": when nested weights are read with how many bits
    schedule_measure: str = "rouge"  # what a schedule must keep: rouge, agreement or kl
    schedule_loss: float | None = None  # of it, that may be lost (None: by measure)
    scheduler: str | None = None  # file of a learned scheduler, for the bundle
    pin: tuple[str, ...] = ()  # REGEX=SCHEME; the first that matches a weight's name decides
    rotate: str = "none"  # Hadamard rotation: values, residual, gated, or all three
    fold_norms: bool = False  # gains of norms into the linears behind them, before quantising
    executor: str = "xnnpack"  # of ExecuTorch: "xnnpack", or "packed" operators for every matrix
    # "auto": int8 in front of XNNPACK's matrices ("float" needs the packed operators), floats in ONNX
    # Runtime ("int8" is many times faster there).
    activations: str = "auto"
    kv_bits: str = "16"  # of the KV cache: 16, 8, 4, 2, two of them (keys, values), or auto
    stages: int = 3
    stage_loss: float = 0.0  # share of the predicted damage that uniform stages may add
    context: int | None = None
    max_prefill: int | None = None
    batch: int | None = None  # of a module: the value of its symbol `batch`
    seq: str | None = None  # tokens of each function: 1,64 (fixed), 1,1..512 (any number up to 512)
    calibration: str | None = None  # a file, "none", or the built-in text
    samples: int = 64
    profile_samples: int = 16  # windows on which damage is measured, apart from those of `samples`
    allocation: str = "common"  # of several targets: one for all, or "each" its own
    sensitivity: str | None = None  # a method by name, or the file of a measurement
    seqlen: int = 256
    seed: int = 0
    verify: bool = True
    allow_fallback: bool = False
    work_dir: str | None = None
    resume: bool = False  # go on in `work_dir` where a killed run stopped

    def __post_init__(self) -> None:
        _bounded("stages", self.stages, 1, 64)
        _bounded("samples", self.samples, 1, 100_000)
        _bounded("profile_samples", self.profile_samples, 1, 100_000)
        _bounded("seqlen", self.seqlen, 2, 1_000_000)
        _bounded("seed", self.seed, 0, 2**63 - 1)
        for key in ("context", "max_prefill", "batch"):
            value = getattr(self, key)
            if value is not None:
                _bounded(key, value, 1, 1_048_576)
        for key, allowed in _CHOICES.items():
            if getattr(self, key) not in allowed:
                raise OptionError(f"{key}={getattr(self, key)!r}: expected {' or '.join(allowed)}")
        if self.name is not None and not re.fullmatch(
            r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", self.name
        ):
            raise OptionError(
                f"name={self.name!r}: expected letters, digits, dot, dash and underscore"
            )
        if self.resume and self.work_dir is None:
            raise OptionError("resume: needs --work-dir, the folder that holds the progress")
        if not self.target:
            raise OptionError("target: expected at least one of ios, android")
        parse_group(self.group_size)
        parse_budget(self.budget)
        _check_share("stage_loss", self.stage_loss)
        parse_kv_bits(self.kv_bits)
        if self.seq is not None:
            parse_lengths(self.seq)
            if self.max_prefill is not None:
                raise OptionError("max_prefill: the lengths of --seq say it; give only one of them")
        if self.nested is not None:
            parse_widths(self.nested)
        for key in ("narrow_bits", "narrow_kl"):
            if getattr(self, key) is not None and self.nested is None:
                raise OptionError(f"{key}: needs weights of several widths; add --nested 2,3,4")
        if self.schedule != "none" and self.nested is None and not self.pin:
            raise OptionError("schedule: needs weights of several widths; add --nested 2,3,4")
        _check_goals(self)

    def echo(self) -> dict[str, Any]:
        """The options as the manifest holds them: what shapes the bundle, no paths of this machine."""
        out = asdict(self)
        for key in ("output", "work_dir", "overwrite", "resume"):
            del out[key]
        if self.calibration not in (None, "none"):
            out["calibration"] = Path(str(self.calibration)).name
        for key in ("sensitivity", "scheduler"):
            if out[key] is not None:
                out[key] = Path(str(out[key])).name
        return out


@dataclass(frozen=True)
class BudgetText:
    """A parsed `--budget`; exactly one field is set."""

    bytes: int | None = None
    bits_per_weight: float | None = None
    fraction: float | None = None


def _bounded(key: str, value: object, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise OptionError(f"{key}={value!r}: expected a whole number from {low} to {high}")


def _check_share(key: str, value: object) -> None:
    """Refuse what is no share of one."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= 1:  # type: ignore[operator]
        raise OptionError(f"{key}={value!r}: expected 0% to 100%, like 2%, or a number from 0 to 1")


def _check_goals(options: CompileOptions) -> None:
    """Refuse goals that are no positive numbers, and those that exclude each other."""
    for key in ("tokens_per_second", "max_kl", "schedule_loss", "narrow_bits", "narrow_kl"):
        value = getattr(options, key)
        if value is None:
            continue
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not 0 < value < math.inf:
            raise OptionError(f"{key}={value!r}: expected a number above zero")
    if options.tokens_per_second is not None and options.device is None:
        raise OptionError("tokens_per_second: needs --device, whose memory bandwidth decides it")
    if options.narrow_bits is not None and options.narrow_kl is not None:
        raise OptionError("narrow_kl asks for the fewest bits: give it without --narrow-bits")
    if options.max_kl is None:
        return
    other = next((k for k in ("budget", "device") if getattr(options, k) is not None), None)
    if other is not None:
        raise OptionError(f"max_kl asks for the fewest bytes: give it without --{other}")


def parse_budget(text: str | None) -> BudgetText | None:
    """Read 3.5bpw, 1.2GB, 900MiB, 1250000 or 40%. Raises OptionError."""
    if text is None:
        return None
    match = _SIZE.fullmatch(str(text).strip())
    if match is None:
        raise OptionError(f"budget {text!r}: expected 3.5bpw, 1.2GB, 900MiB, 1250000 or 40%")
    number, unit = float(match.group(1)), (match.group(2) or "B").upper()
    if number <= 0:
        raise OptionError(f"budget {text!r}: expected more than zero")
    if unit == "BPW":
        return BudgetText(bits_per_weight=number)
    if unit == "%":
        return BudgetText(fraction=number / 100)
    return BudgetText(bytes=int(number * _UNIT[unit]))


def parse_group(text: str | None) -> Granularity | None:
    """Read a group size: 32, 64, 128, any whole number, or "channel". Raises OptionError."""
    if text is None:
        return None
    if str(text) == "channel":
        return PerChannel()
    if not re.fullmatch(r"\d{1,5}", str(text)) or not 8 <= int(text) <= 65536:
        raise OptionError(f"group_size={text!r}: expected channel, or a whole number from 8 up")
    return PerGroup(int(text))


def options_from(values: Mapping[str, Any]) -> CompileOptions:
    """Build options from keys and values. Unknown keys are refused naming the allowed ones."""
    known = {f.name: f for f in fields(CompileOptions)}
    clean: dict[str, Any] = {}
    for key, value in values.items():
        name = str(key).replace("-", "_")
        if name not in known:
            raise OptionError(f"option {key!r} is unknown; allowed: {', '.join(sorted(known))}")
        clean[name] = _coerce(name, value, known[name].default)
    return CompileOptions(**clean)


def _coerce(key: str, value: Any, default: Any) -> Any:
    if key == "target":
        names = (str(p).strip() for p in _parts(value))
        return tuple(dict.fromkeys(name for name in names if name))
    if key == "pin":
        return tuple(str(p) for p in (value if isinstance(value, list | tuple) else [value]))
    if key == "shares":
        try:
            numbers = tuple(float(p) for p in _parts(value))
        except (TypeError, ValueError):
            numbers = ()
        if len(numbers) != 3:
            raise OptionError(f"shares={value!r}: expected three numbers, like 0.25,0.6,0.15")
        return numbers
    if key == "kv_bits" or (key in ("seq", "nested") and value is not None):
        return ",".join(str(p) for p in _parts(value))
    if key in ("budget", "group_size") and value is not None:
        return str(value)
    if key == "stage_loss":
        return _share(value)
    if isinstance(default, bool) and not isinstance(value, bool):
        raise OptionError(f"{key}={value!r}: expected true or false")
    if key in _TEXT and value is not None:
        if not isinstance(value, str | Path):
            raise OptionError(f"{key}={value!r}: expected text")
        return str(value)
    return value


def _share(value: Any) -> Any:
    """2% is 0.02; a number without the sign is left to the check, for it could mean either."""
    match = re.fullmatch(r"\s*(\d{1,3}(?:\.\d{1,9})?)\s*%\s*", str(value))
    if match is not None:
        return float(match.group(1)) / 100
    return 0.0 if str(value).strip() == "0" else value


def _parts(value: Any) -> list[Any]:
    if isinstance(value, str):
        return value.split(",")
    return list(value) if isinstance(value, list | tuple) else [value]


def load_config(path: Path) -> dict[str, Any]:
    """Read a YAML file of options (safe loader, 1 MiB at most)."""
    try:
        if path.stat().st_size > 2**20:
            raise OptionError(f"{path}: a config file of more than 1 MiB is refused")
        data = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise OptionError(f"{path}: cannot read the config file: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise OptionError(f"{path}: not a YAML file: {error}") from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise OptionError(f"{path}: expected a mapping of option names to values")
    return {str(k): v for k, v in data.items()}


@dataclass(frozen=True)
class Target:
    """A platform and the artifact kind that serves it."""

    platform: str
    artifact: str
    spelled: str = field(compare=False, default="")


TARGETS = {
    "ios": Target("ios", "coreml"),
    "ios:coreml": Target("ios", "coreml"),
    "android": Target("android", "executorch"),
    "android:executorch": Target("android", "executorch"),
    "android:onnxruntime": Target("android", "onnxruntime"),
    "android:nnapi": Target("nnapi", "nnapi"),
    "android:vulkan": Target("android", "vulkan"),
    "android:tvm": Target("android", "tvm"),
    "gguf": Target("gguf", "gguf"),
    "mlx": Target("mlx", "mlx"),
    "gpu": Target("gpu", "gpu"),
    "native": Target("native", "native"),
    "reference": Target("reference", "reference"),
}


def target_name(platform: str, artifact: str) -> str:
    """The shortest name of a target: android, android:onnxruntime; platform:artifact if it has none."""
    wanted = Target(platform, artifact)
    return next((n for n, t in TARGETS.items() if t == wanted), f"{platform}:{artifact}")


def resolve_targets(names: tuple[str, ...]) -> tuple[Target, ...]:
    """Targets by name, duplicates dropped. Raises OptionError naming the known ones."""
    out: dict[Target, None] = {}
    for name in names:
        if name not in TARGETS:
            raise OptionError(f"target {name!r} is unknown; expected one of {', '.join(TARGETS)}")
        out[TARGETS[name]] = None
    return tuple(out)
