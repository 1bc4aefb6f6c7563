"""`optimum-compile run`: generate text with an artifact of a bundle, on this machine.

The Android artifact, or the native or GPU program where a bundle has no other, unless `--artifact` names
one. `--device vulkan` runs the GPU program on a Vulkan device.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from optimum_compile.compiler.calibration import encode, load_tokenizer, special_token_id
from optimum_compile.compiler.errors import InputError, OptionError
from optimum_compile.compiler.options import TARGETS, target_name
from optimum_compile.compiler.package.manifest import Artifact
from optimum_compile.compiler.package.reader import Bundle, open_bundle
from optimum_compile.tools.cli import print_json
from optimum_compile.tools.schedules import (
    LEARNED_FORM,
    LEARNED_ON,
    SCHEDULE_HELP,
    Paced,
    paced,
)

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")
RUNNABLE = ("android", "native", "gpu")  # in the order of preference
# Where the class `Session` of a backend is.
SESSIONS = {name: name for name in ("executorch", "onnxruntime", "nnapi", "native")} | {
    "gpu": "native"
}
ON_VULKAN = "gpu"  # the target whose artifact has dispatches


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen. Temperature 0 is greedy."""

    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.temperature <= 100:
            raise OptionError(f"temperature={self.temperature}: expected a number from 0 to 100")
        if not 0 < self.top_p <= 1:
            raise OptionError(f"top_p={self.top_p}: expected more than 0 and at most 1")
        if self.seed < 0:
            raise OptionError(f"seed={self.seed}: expected a whole number from 0")


def choose(logits: np.ndarray, sampling: Sampling, rng: np.random.Generator) -> int:
    """Next token from logits (vocab,): greedy, or nucleus sampling (Holtzman et al., 2020)."""
    if sampling.temperature == 0:
        return int(logits.argmax())
    with np.errstate(over="ignore"):  # -inf is right at a temperature next to 0
        scaled = (logits.astype(np.float64) - float(logits.max())) / sampling.temperature
    p = np.exp(scaled)
    p /= p.sum()
    order = np.argsort(-p, kind="stable")
    # The smallest set whose probability reaches top_p; the most likely token is always in it.
    keep = order[: int(np.searchsorted(np.cumsum(p[order]), sampling.top_p)) + 1]
    return int(rng.choice(keep, p=p[keep] / p[keep].sum()))


def generate(
    session: Any, prompt: Sequence[int], count: int, stop: int | None, sampling: Sampling
) -> Iterator[int]:
    """Yield up to `count` new tokens; ends before `stop`, or when the cache is full."""
    rng = np.random.default_rng(sampling.seed)
    logits = session.prefill(list(prompt))
    for at in range(count):
        token = choose(logits, sampling, rng)
        if token == stop:
            return
        yield token
        if at + 1 == count or len(prompt) + at + 1 > session.context:
            return
        logits = session.decode(token)


class Streamer:
    """Turns tokens into text piece by piece: a piece is given out once its characters are whole."""

    def __init__(self, tokenizer: Any, prompt: Sequence[int]) -> None:
        self.tokenizer = tokenizer
        self.ids = list(prompt)
        self.done = len(self._text())

    def _text(self) -> str:
        return str(self.tokenizer.decode(self.ids, skip_special_tokens=True))

    def push(self, token: int) -> str:
        """The new text after `token`."""
        self.ids.append(token)
        text = self._text()
        if text.endswith("\ufffd"):  # half of a multi-byte character
            return ""
        piece = text[self.done :]
        self.done = len(text)
        return piece


def main(command: str, argv: Sequence[str]) -> int:
    """Generate; text streams to stdout, figures go to stderr. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="optimum-compile run", description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--prompt", required=True)
    parser.add_argument("--max-tokens", type=int, default=128)
    parser.add_argument("--temperature", type=float, default=0.0, help="0 is greedy (default)")
    parser.add_argument("--top-p", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--artifact",
        metavar="|".join(RUNNABLE),
        help="which artifact to run (default: the first it has)",
    )
    parser.add_argument("--device", choices=("cpu", "vulkan"), default="cpu")
    parser.add_argument(
        "--threads",
        type=int,
        metavar="N",
        help="of a native program; 0: all fast cores (default: 1)",
    )
    parser.add_argument("--schedule", metavar="static|learned|fixed:BITS", help=SCHEDULE_HELP)
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="each change of width, on stderr"
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="one document: text, tokens_per_second, of a schedule mean_bits and bytes_per_token too",
    )
    args = parser.parse_args(list(argv))
    if args.max_tokens < 1:
        raise OptionError(f"max-tokens={args.max_tokens}: expected a positive number")
    sampling = Sampling(args.temperature, args.top_p, args.seed)
    bundle = open_bundle(args.bundle)
    files = [bundle.path / n for n in TOKENIZER_FILES if (bundle.path / n).is_file()]
    tokenizer = load_tokenizer(files)
    if tokenizer is None:
        raise InputError(f"{bundle.path}: no tokenizer.json in the bundle, so no text can be made")
    prompt = encode(tokenizer, args.prompt, special_token_id(files, "bos_token", tokenizer))
    if not prompt:
        raise OptionError("prompt '': expected at least one token; this tokenizer adds none itself")
    vulkan = args.device == "vulkan"
    target = args.artifact
    if args.schedule == LEARNED_FORM and target is None and not vulkan:
        target = next((name for name in LEARNED_ON if bundle.artifact(name) is not None), None)
    session = open_session(bundle, target, vulkan=vulkan)
    if args.threads is not None:
        if not hasattr(session, "set_threads"):
            raise OptionError("--threads: this artifact's runtime chooses them itself; try native")
        session.set_threads(args.threads)
    if args.schedule is not None:
        artifact = runnable(bundle, target, vulkan=vulkan)
        session = paced(bundle, session, args.schedule, artifact, verbose=args.verbose)
    if len(prompt) > session.context:
        raise InputError(f"the prompt has {len(prompt)} tokens, the cache {session.context}")
    stop = special_token_id(files, "eos_token", tokenizer)
    stream, pieces, begin, count = Streamer(tokenizer, prompt), [], time.monotonic(), 0
    if not args.json:
        print(args.prompt, end="", flush=True)
    for token in generate(session, prompt, args.max_tokens, stop, sampling):
        piece = stream.push(token)
        pieces.append(piece)
        count += 1
        if not args.json:
            print(piece, end="", flush=True)
    seconds = time.monotonic() - begin
    rate = count / seconds if seconds > 0 else 0.0
    done: dict[str, Any] = {"text": "".join(pieces), "tokens": count}
    done["tokens_per_second"] = round(rate, 2)
    followed = session.figures() if isinstance(session, Paced) else {}
    if args.json:
        print_json(done | followed)
        return 0
    print()
    print(f"{count} tokens, {rate:.1f} tokens per second", file=sys.stderr)
    for name, value in followed.items():
        shown = f"{value:,}" if isinstance(value, int) else value
        print(f"{name.replace('_', ' ')}: {shown}", file=sys.stderr)
    return 0


def open_session(bundle: Bundle, target: str | None = None, *, vulkan: bool = False) -> Any:
    """The artifact that `runnable` finds in its own runtime, ready for `prefill`.

    Raises what `runnable` raises, and ResourceError without a Vulkan device.
    """
    found = runnable(bundle, target, vulkan=vulkan)
    session = import_module(f"optimum_compile.backends.{SESSIONS[found.kind]}.session").Session
    path = bundle.resolve(found.path)
    return session(path, _vulkan_device()) if vulkan else session(path)


def runnable(bundle: Bundle, target: str | None = None, *, vulkan: bool = False) -> Artifact:
    """The artifact of `target`, or the first that can run.

    vulkan: the GPU program on the first Vulkan device, else everything on the CPU.

    Raises OptionError for a target that is unknown or has no dispatches, InputError for one that the
    bundle has not, or that is no decoder or has no runtime here.
    """
    if target is not None and target not in TARGETS:
        raise OptionError(f"artifact {target!r}: expected one of {', '.join(TARGETS)}")
    if vulkan and target not in (None, ON_VULKAN):
        raise OptionError(f"artifact {target!r}: --device vulkan runs {ON_VULKAN!r} only")
    wanted = (ON_VULKAN,) if vulkan else RUNNABLE if target is None else (target,)
    found = [a for a in map(bundle.artifact, wanted) if a is not None and "decode" in a.functions]
    if not found or found[0].kind not in SESSIONS:
        held = [target_name(a.platform, a.kind) for a in bundle.manifest.artifacts]
        raise InputError(
            f"{bundle.path}: no {' or '.join(wanted)} decoder that runs here; the bundle has "
            f"{', '.join(held) or 'nothing'}; compile with --target "
            f"{ON_VULKAN if vulkan else 'android or native'}"
        )
    return found[0]


def _vulkan_device() -> Any:
    from optimum_compile.backends.native.device import Device, DeviceKind

    return Device(DeviceKind.VULKAN)
