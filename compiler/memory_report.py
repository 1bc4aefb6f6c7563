"""The memory that the artifacts of a bundle take, for any length of a prompt and of the context."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from optimum_compile.backends.base import module_size
from optimum_compile.backends.catalog import load_backend
from optimum_compile.backends.forms import Form, steps
from optimum_compile.compiler.errors import InputError, OptionError
from optimum_compile.compiler.ir.shape import Dim, SymbolRange, evaluate, parse_dim
from optimum_compile.compiler.package.footprint import cache_bytes, kv_bytes_of
from optimum_compile.compiler.package.manifest import (
    AT_LEAST,
    IN_FILE,
    Artifact,
    Footprint,
    FunctionMemory,
    Manifest,
)
from optimum_compile.compiler.quant.kv import MAX_TOKENS

PLANNED = "planned"  # what another compilation would make of it, or of this graph


@dataclass(frozen=True)
class FunctionUse:
    """The activations of one function for calls of `tokens`, in bytes.

    arena: from `source`; outputs: what the caller holds. planned: by this compiler, bound: what no plan
    can be below; None where they are not known.
    """

    name: str
    tokens: int
    arena: int
    outputs: int
    source: str
    expression: str
    planned: int | None
    bound: int | None


@dataclass(frozen=True)
class StageUse:
    """The part of one stage: its matrices, its layers' caches, and what lies in the arena while it runs."""

    index: int
    name: str
    precision_class: str
    blocks: tuple[int, int]
    weights: int
    kv: int
    activations: Mapping[str, int]  # by function


@dataclass(frozen=True)
class Use:
    """What one artifact takes, in bytes.

    program: what of the file is no weights. copies: of matrices that the runtime packs anew for every
    function that is called. context: 0 for a model without a KV cache. sources: where weights, kv,
    activations and peak come from.
    """

    target: str
    path: str
    context: int
    prompt: int
    weights: int
    program: int
    copies: int
    kv: int
    activations: int
    functions: tuple[FunctionUse, ...]
    stages: tuple[StageUse, ...]
    sources: Mapping[str, str]
    notes: tuple[str, ...]

    @property
    def peak(self) -> int:
        """All of it."""
        return self.weights + self.program + self.copies + self.kv + self.activations


@dataclass(frozen=True)
class Question:
    """Lengths in tokens. None: as the bundle was compiled, and the longest prompt of one call."""

    context: int | None = None
    prompt: int | None = None

    def __post_init__(self) -> None:
        for key, value in (("context", self.context), ("prompt", self.prompt)):
            if value is not None and not 1 <= value <= MAX_TOKENS:
                raise OptionError(f"{key}={value}: expected 1 to {MAX_TOKENS} tokens")


def memory_of(manifest: Manifest, question: Question, target: str | None = None) -> tuple[Use, ...]:
    """The memory of every artifact that runs a model, or of those of one target.

    Raises:
        OptionError: a prompt longer than the context, lengths where the model has none, an unknown target.
        InputError: a bundle without such artifacts, or figures that no compilation writes.
    """
    return tuple(use_of(manifest, found, question) for found in chosen(manifest, target))


def chosen(manifest: Manifest, target: str | None) -> tuple[Footprint, ...]:
    """The footprints of one target, or all of them. Raises as `memory_of`."""
    if not manifest.memory:
        kinds = ", ".join(a.kind for a in manifest.artifacts) or "none"
        raise InputError(
            f"{manifest.name}: nothing is known of the memory of its artifacts ({kinds}): their runtimes "
            "decide; compile with --target native, android or ios"
        )
    found = tuple(m for m in manifest.memory if target in (None, m.target))
    if not found:
        known = ", ".join(m.target for m in manifest.memory)
        raise OptionError(f"target {target!r}: the bundle has {known}")
    return found


def platform(found: Footprint) -> str:
    """ios, android, native or gpu."""
    return found.target.partition(":")[0]


def use_of(manifest: Manifest, found: Footprint, question: Question) -> Use:
    """What one artifact takes. Raises as `memory_of`."""
    context, prompt = _lengths(manifest, found, question)
    artifact = artifact_of(manifest, found)
    pads = load_backend(artifact.kind).memory.chunk is not None
    calls = _calls(found, context, prompt, pads)
    functions = tuple(
        _function(manifest, f, calls[f.name], context) for f in found.functions if f.name in calls
    )
    each = [f.arena + f.outputs for f in functions]
    kv = _kv_bytes(manifest, found, context)
    more = found.token_weight_bytes * (context - found.context)
    least = any(f.source == AT_LEAST for f in functions) or found.function_weight_bytes > 0
    other = context != found.context
    sources = {
        "copies": AT_LEAST,
        "weights": PLANNED if other and found.token_weight_bytes else IN_FILE,
        "kv": PLANNED if other else found.kv_source,
        "activations": functions[0].source if functions else IN_FILE,
        "peak": AT_LEAST if least else PLANNED if other else IN_FILE,
    }
    return Use(
        target=found.target,
        path=found.path,
        context=context,
        prompt=prompt,
        weights=max(0, found.weight_bytes + more),
        program=max(0, artifact.file_bytes - found.weight_bytes),
        copies=found.function_weight_bytes * len(functions),
        kv=kv,
        activations=sum(each) if found.together else max(each, default=0),
        functions=functions,
        stages=_stages(manifest, found, calls, context),
        sources=sources,
        notes=(*_notes(found, question, context, prompt), *found.remarks),
    )


def _lengths(manifest: Manifest, found: Footprint, question: Question) -> tuple[int, int]:
    """Context and prompt. Raises OptionError."""
    if not found.context:
        if question.context is not None:
            raise OptionError(
                f"context={question.context}: {manifest.name} has no KV cache; leave --context out"
            )
        seq = manifest.symbols.get("seq")
        if question.prompt is not None and seq is None:
            raise OptionError(
                f"prompt={question.prompt}: {manifest.name} has no symbol seq; leave --prompt out"
            )
        if seq is None:
            return 0, 1
        prompt = question.prompt or module_size(SymbolRange(*seq))
        if not seq[0] <= prompt <= seq[1]:
            raise OptionError(f"prompt={prompt}: {manifest.name} takes {seq[0]} to {seq[1]} tokens")
        return 0, prompt
    context = question.context or found.context
    longest = max((f.tokens[1] for f in found.functions), default=1)
    prompt = question.prompt or min(longest, context)
    if prompt > context:
        raise OptionError(
            f"prompt={prompt}: longer than the context of {context} tokens; give a shorter --prompt, or "
            f"--context {prompt} or more"
        )
    return context, prompt


def artifact_of(manifest: Manifest, found: Footprint) -> Artifact:
    """Whose footprint it is. Raises InputError where the bundle has no such artifact."""
    for artifact in manifest.artifacts:
        if artifact.path == found.path:
            return artifact
    raise InputError(f"{manifest.name}: no artifact {found.path!r}; the manifest is damaged")


def _calls(found: Footprint, context: int, prompt: int, pads: bool) -> dict[str, int]:
    """By function that a prompt and decoding call, the greatest number of tokens of a call."""
    names = {f.name for f in found.functions}
    if not found.context:
        return dict.fromkeys(names, prompt)
    out = {"decode": 1} if "decode" in names else {}
    own = [f for f in found.functions if f.name != "decode" and f.tokens[1] >= 1]
    forms = sorted(
        (Form(f.name, f.tokens[1], f.tokens[0] == f.tokens[1]) for f in own),
        key=lambda f: (f.tokens, f.fixed),
    )
    if not forms:
        return out
    longest = forms[-1].tokens
    # What follows the first chunks of the greatest length is the same however many there are.
    count = prompt if prompt <= 2 * longest else longest + prompt % longest
    for step in steps(tuple(forms), count, 0, context, pads=pads):
        if step.function in names:
            out[step.function] = max(out.get(step.function, 0), step.length)
    return out


def _function(manifest: Manifest, memory: FunctionMemory, tokens: int, context: int) -> FunctionUse:
    known = _bindings(manifest, tokens, context)
    return FunctionUse(
        name=memory.name,
        tokens=tokens,
        arena=_greatest(manifest, memory.arena, known),
        outputs=_greatest(manifest, (memory.outputs,), known),
        source=memory.source,
        expression=" or ".join(memory.arena),
        planned=_greatest(manifest, memory.planned, known) if memory.planned else None,
        bound=_greatest(manifest, memory.bounds, known) if memory.bounds else None,
    )


def _bindings(manifest: Manifest, tokens: int, context: int) -> dict[str, int]:
    """Symbols of a module that nobody gave are as large as its artifacts are made for."""
    others = {name: module_size(SymbolRange(*span)) for name, span in manifest.symbols.items()}
    return others | {"seq": tokens, "past": max(0, context - tokens)}


def _greatest(manifest: Manifest, texts: Sequence[str], known: Mapping[str, int]) -> int:
    try:
        found = max((evaluate(_parsed(text), known) for text in texts), default=0)
    except (ValueError, KeyError, ArithmeticError, TypeError) as error:
        raise InputError(
            f"{manifest.name}: the memory in its manifest is damaged: {error}"
        ) from error
    if found < 0:
        raise InputError(f"{manifest.name}: the memory in its manifest is damaged: {found} bytes")
    return found


@lru_cache(maxsize=1024)
def _parsed(text: str) -> Dim:
    return parse_dim(text)


def _kv_bytes(manifest: Manifest, found: Footprint, context: int) -> int:
    if context == found.context:
        return found.kv_bytes
    try:
        return kv_bytes_of(found.caches, context, max(1, found.kv_alignment))
    except (OptionError, ValueError) as error:
        raise InputError(
            f"{manifest.name}: the memory in its manifest is damaged: {error}"
        ) from error


def _stages(
    manifest: Manifest, found: Footprint, calls: Mapping[str, int], context: int
) -> tuple[StageUse, ...]:
    weights = dict(found.stage_weight_bytes)
    out = []
    for stage in manifest.stages:
        if stage.targets and found.target not in stage.targets:
            continue
        used = {}
        for memory in found.functions:
            texts = [s.arena for s in memory.stages if s.stage == stage.index]
            if memory.name in calls and texts:
                known = _bindings(manifest, calls[memory.name], context)
                used[memory.name] = _greatest(manifest, texts[0], known)
        own = tuple(c for c in found.caches if c.stage == stage.index)
        kv = sum(cache_bytes(cache, context) for cache in own)
        out.append(
            StageUse(
                stage.index,
                stage.name,
                stage.precision_class,
                stage.blocks,
                weights.get(stage.index, 0),
                kv,
                used,
            )
        )
    return tuple(out)


def _notes(found: Footprint, question: Question, context: int, prompt: int) -> list[str]:
    out = []
    if context > found.context:
        out.append(
            f"compiled for a context of {found.context} tokens; for {context}, compile with --context "
            f"{context}: the figures are what that would take"
        )
    elif context < found.context:
        out.append(
            f"this file reserves {found.kv_bytes:,} bytes for its context of {found.context} tokens; compile "
            f"with --context {context} for the figures shown"
        )
    longest = max((f.tokens[1] for f in found.functions), default=0)
    if found.context and prompt > longest:
        out.append(f"a prompt of {prompt} tokens is taken in by calls of at most {longest}")
    return out
