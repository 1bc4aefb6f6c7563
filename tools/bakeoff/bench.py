"""What every tool is measured with: one graph, its windows of text, and its own logits."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from optimum_compile.compiler.calibration import load_tokenizer, read_text, special_token_id
from optimum_compile.compiler.calibration import windows as token_windows
from optimum_compile.compiler.errors import InputError, OptionError, UnsupportedError
from optimum_compile.compiler.frontend.open_model import Model, open_model
from optimum_compile.compiler.interpret import WeightCache, run
from optimum_compile.passes.precision.units import parameter_count
from optimum_compile.tools.score import CACHE_BYTES, Score, Window, score, text_windows


class WeightsLogits:
    """Logits of a decoder graph in float32, some of its weights replaced."""

    def __init__(self, model: Model, weights: Mapping[str, np.ndarray]) -> None:
        unknown = sorted(set(weights) - set(model.graph.weights))
        if unknown:
            raise InputError(f"weight {unknown[0]}: the model has none of this name")
        self._graph = model.graph
        self._weights: dict[str, Tensor] = {
            name: torch.from_numpy(np.ascontiguousarray(data, dtype=np.float32))
            for name, data in weights.items()
        }
        self._cache = WeightCache(CACHE_BYTES)

    def __call__(self, tokens: np.ndarray) -> np.ndarray:
        """Logits (n, vocab) after each of the tokens (n,)."""
        call = {"tokens": tokens[None].astype(np.int64), "past": np.array([0], np.int64)}
        with torch.no_grad():
            done = run(self._graph, call, replace_weights=self._weights, cache=self._cache)
        logits: np.ndarray = done.outputs[0][0].numpy()
        return logits


class Recorded:
    """Logits that lie in a .npy file (all tokens, vocab), found again by their window."""

    def __init__(self, file: Path, windows: Sequence[Window]) -> None:
        self._data = np.load(file, mmap_mode="r", allow_pickle=False)
        self._at: dict[tuple[int, ...], int] = {}
        total = 0
        for window in windows:
            self._at[window.tokens] = total
            total += len(window.tokens)
        if self._data.ndim != 2 or len(self._data) != total:
            raise InputError(f"{file}: shape {self._data.shape}, expected {total} rows of logits")

    def __call__(self, tokens: np.ndarray) -> np.ndarray:
        """Logits (n, vocab) after each of the tokens (n,)."""
        at = self._at[tuple(tokens.tolist())]
        return np.array(self._data[at : at + len(tokens)], np.float32)


@dataclass
class Bench:
    """A model, its text and the scores of anything that predicts the same tokens.

    matrices: names of the weights that tools quantise; tables: those that are looked up too.
    """

    model: Model
    windows: list[Window]
    calibration: list[list[int]]
    calibration_file: str
    seqlen: int
    folder: Path
    parameters: int = 0
    matrices: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    reference: Recorded = field(init=False)
    reference_score: Score = field(init=False)

    def __post_init__(self) -> None:
        graph = self.model.graph
        self.parameters = parameter_count(graph)
        uses = {n: {node.op for node, _ in v.uses} for n, v in graph.weights.items()}
        self.matrices = tuple(n for n, ops in uses.items() if ops & {"linear", "embedding"})
        self.tables = tuple(n for n in self.matrices if "embedding" in uses[n])
        logits = WeightsLogits(self.model, {})
        file = self.folder / "reference.npy"
        record(file, self.windows, logits)
        self.reference = Recorded(file, self.windows)
        self.reference_score = score(self.windows, self.reference, self.reference)

    def weights(self) -> dict[str, np.ndarray]:
        """Every matrix as float32."""
        found = {}
        for name in self.matrices:
            ref = self.model.graph.weights[name].weight
            if ref is None:
                raise InputError(f"weight {name} has no bytes")
            found[name] = ref.load_f32()
        return found

    @property
    def other_bytes(self) -> int:
        """Bytes of what no tool quantises (norms), 16 bits each."""
        elements = sum(self.model.graph.weights[n].type.elements() for n in self.matrices)
        return 2 * (self.parameters - elements)

    def score_weights(self, weights: Mapping[str, np.ndarray]) -> Score:
        """Score the model with these weights in place of its own."""
        return score(self.windows, WeightsLogits(self.model, weights), self.reference)

    def score_file(self, file: Path) -> Score:
        """Score logits (all tokens, vocab) of another program."""
        return score(self.windows, Recorded(file, self.windows), self.reference)


def record(file: Path, windows: Sequence[Window], predict: WeightsLogits) -> None:
    """Write the logits of every window below each other to a .npy file."""
    total, at, out = sum(len(w.tokens) for w in windows), 0, None
    for window in windows:
        logits = predict(np.asarray(window.tokens))
        if out is None:
            shape = (total, logits.shape[1])
            out = np.lib.format.open_memmap(file, mode="w+", dtype=np.float32, shape=shape)
        out[at : at + len(logits)] = logits
        at += len(logits)
    if out is not None:
        out.flush()


def open_bench(
    model: Path,
    text: str,
    calibration: str,
    documents: int,
    samples: int,
    seqlen: int,
    folder: Path,
) -> Bench:
    """Open a model and its texts. Raises UserError of the kind that fits."""
    if documents < 1 or samples < 1:
        raise OptionError(f"documents={documents}, samples={samples}: expected 1 or more")
    source, calib = read_text(text), read_text(calibration)
    if source is None or calib is None:
        raise InputError('text "none": a bake-off needs a text and another to calibrate with')
    shared = set(source.documents) & set(calib.documents)
    if shared:
        raise InputError(
            f"{calib.label} and {source.label} share {len(shared)} documents; "
            "evaluate on text that no tool was calibrated with"
        )
    opened = open_model(model)
    if opened.config is None or not model.is_dir():
        raise UnsupportedError(f"{model}: a bake-off needs a Hugging Face folder of a decoder")
    longest = opened.graph.symbols["seq"].high
    if seqlen > longest:
        raise OptionError(
            f"seqlen={seqlen}: expected at most {longest}, the model's longest prefill"
        )
    tokenizer = load_tokenizer(opened.tokenizer_files)
    if tokenizer is None:
        raise InputError(f"{model}: no tokenizer.json; a bake-off needs one to read texts")
    bos = special_token_id(opened.tokenizer_files, "bos_token", tokenizer)
    found = text_windows(source, tokenizer, bos, seqlen)[:documents]
    seen = token_windows(calib, tokenizer, bos, seqlen)[:samples]
    return Bench(opened, found, seen, calibration, seqlen, folder)


def scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder for files that are exchanged with other interpreters."""
    return tempfile.TemporaryDirectory(prefix="optimum-bakeoff-")
