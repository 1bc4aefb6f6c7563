"""llama.cpp: a GGUF for each type with an importance matrix, scored in its own runtime."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from optimum_compile.compiler.errors import OptimumCompileError, ResourceError
from optimum_compile.tools.bakeoff.bench import Bench
from optimum_compile.tools.bakeoff.child import Interpreter
from optimum_compile.tools.bakeoff.gguf_export import gguf_names, read_gguf, write_gguf
from optimum_compile.tools.bakeoff.imatrix import column_squares
from optimum_compile.tools.bakeoff.ledger import Known
from optimum_compile.tools.bakeoff.table import Row, Skip

TOOL = "llama.cpp"


@dataclass(frozen=True)
class FileType:
    """One of llama.cpp's recipes of types.

    ftype: its number in llama.h. block: columns that one block of the main type covers. main: ggml's
    name of the type of most matrices. head: a ggml type for the embedding and output, by name and
    number, instead of llama.cpp's own choice.
    """

    name: str
    ftype: int
    block: int
    main: str
    head: tuple[str, int] | None = None

    @property
    def label(self) -> str:
        """What the table calls it."""
        return self.name if self.head is None else f"{self.name}, head {self.head[0]}"


Q4_K, IQ4_XS, Q3_K, Q2_K = ("Q4_K", 12), ("IQ4_XS", 23), ("Q3_K", 11), ("Q2_K", 10)
# llama.cpp keeps the output of small types at Q5_K or Q6_K, which weighs much in a small model: with
# smaller heads it is compared at its best.
TYPES: tuple[FileType, ...] = (
    FileType("F32", 0, 1, "F32"),  # the unquantised model: shows that the export is right
    FileType("F16", 1, 1, "F16"),
    FileType("Q8_0", 7, 32, "Q8_0"),
    FileType("Q6_K", 18, 256, "Q6_K"),
    FileType("Q5_K_M", 17, 256, "Q5_K"),
    FileType("Q4_K_M", 15, 256, "Q4_K"),
    FileType("Q4_K_S", 14, 256, "Q4_K"),
    FileType("Q4_0", 2, 32, "Q4_0"),
    FileType("IQ4_XS", 30, 256, "IQ4_XS"),
    FileType("IQ4_XS", 30, 256, "IQ4_XS", IQ4_XS),
    FileType("Q3_K_M", 12, 256, "Q3_K"),
    FileType("Q3_K_S", 11, 256, "Q3_K"),
    FileType("IQ3_M", 27, 256, "IQ3_S"),
    FileType("IQ3_S", 26, 256, "IQ3_S"),
    FileType("IQ3_S", 26, 256, "IQ3_S", IQ4_XS),
    FileType("IQ3_XS", 22, 256, "IQ3_XXS", IQ4_XS),
    FileType("IQ3_XXS", 23, 256, "IQ3_XXS"),
    FileType("IQ3_XXS", 23, 256, "IQ3_XXS", IQ4_XS),
    FileType("Q2_K", 10, 256, "Q2_K"),
    FileType("Q2_K", 10, 256, "Q2_K", Q4_K),
    FileType("IQ2_M", 29, 256, "IQ2_S"),
    FileType("IQ2_M", 29, 256, "IQ2_S", IQ4_XS),
    FileType("IQ2_S", 28, 256, "IQ2_XS"),
    FileType("IQ2_S", 28, 256, "IQ2_XS", IQ4_XS),
    FileType("IQ2_XS", 20, 256, "IQ2_XS"),
    FileType("IQ2_XS", 20, 256, "IQ2_XS", IQ4_XS),
    FileType("IQ2_XXS", 19, 256, "IQ2_XXS"),
    FileType("IQ2_XXS", 19, 256, "IQ2_XXS", IQ4_XS),
    FileType("IQ2_XXS", 19, 256, "IQ2_XXS", Q3_K),
    FileType("IQ2_XXS", 19, 256, "IQ2_XXS", Q2_K),
    FileType("IQ1_M", 31, 256, "IQ1_M", Q3_K),
)


def forbidden(columns: Counter[int], block: int) -> str | None:
    """Why a type with blocks of `block` columns fits none of the matrices; None where it fits some."""
    if any(n % block == 0 for n in columns):
        return None
    widths = ", ".join(str(n) for n in sorted(columns))
    return f"needs rows of a multiple of {block} weights; those of this model have {widths}"


def note_of(types: dict[str, str], columns: dict[str, int], kind: FileType) -> str:
    """Which types a file holds, and for how many matrices the shape forbade the main type."""
    matrices = {n: t for n, t in types.items() if n in columns}
    counts = Counter(matrices.values()).most_common()
    text = ", ".join(f"{n} {t}" for t, n in counts)
    fell = sum(columns[n] % kind.block != 0 for n in matrices)
    return f"{text}; fell back for {fell} of {len(matrices)} matrices" if fell else text


class LlamaCpp:
    """Runs llama.cpp's quantiser and runtime in another interpreter on GGUFs that we write."""

    def __init__(self, bench: Bench, python: Interpreter, known: Known, threads: int) -> None:
        self._bench, self._python, self._threads = bench, python, threads
        self._known = known
        self._folder = bench.folder / "llama"
        self._source = self._folder / "f32.gguf"
        graph = bench.model.graph
        self._columns = {n: graph.weights[n].type.static_shape()[1] for n in bench.matrices}

    def rows(self, say: Callable[[str], None]) -> Iterator[Row | Skip]:
        """Every type, best first; needs `gguf` here and llama-cpp-python there."""
        self._folder.mkdir()
        write_gguf(self._bench.model, self._source)
        self._write_tokens()
        self._write_imatrix()
        for kind in TYPES:
            found = self._known.get(kind.label)
            if found is not None:
                yield found
                continue
            say(f"{TOOL} {kind.label}")
            reason = forbidden(Counter(self._columns.values()), kind.block)
            if reason is not None:
                yield Skip(TOOL, kind.label, reason)
                continue
            try:
                yield self._known.add(self._row(kind))
            except OptimumCompileError as error:
                yield Skip(TOOL, kind.label, str(error))

    def _row(self, kind: FileType) -> Row:
        target, logits = self._folder / "quantized.gguf", self._folder / "logits.npy"
        try:
            self._run(
                {
                    "ftype": kind.ftype,
                    "head": None if kind.head is None else kind.head[1],
                    "target": str(target),
                    "logits": str(logits),
                }
            )
            stored = read_gguf(target, self._bench.model)
            score = self._bench.score_file(logits)
            same = self._bench.score_weights(stored.weights)
        finally:
            target.unlink(missing_ok=True)
            logits.unlink(missing_ok=True)
        return Row(
            TOOL,
            kind.label,
            self._bench.parameters,
            stored.weight_bytes,
            stored.file_bytes,
            score,
            same.kl_mean or 0.0,
            note_of(stored.types, self._columns, kind),
        )

    def _run(self, job: dict[str, object]) -> None:
        whole = {
            "source": str(self._source),
            "head": None,
            "imatrix": str(self._folder / "imatrix"),
            "tokens": str(self._folder / "tokens.npy"),
            "lengths": str(self._folder / "lengths.npy"),
            "threads": self._threads,
        } | job
        code = self._python.run("llama_child.py", whole, self._folder)["quantize"]
        if code != 0:
            raise ResourceError(f"llama_model_quantize failed with code {code}")

    def _write_tokens(self) -> None:
        windows = [w.tokens for w in self._bench.windows]
        np.save(self._folder / "tokens.npy", np.concatenate([np.array(w) for w in windows]))
        np.save(self._folder / "lengths.npy", np.array([len(w) for w in windows]))

    def _write_imatrix(self) -> None:
        write_imatrix(
            column_squares(self._bench.model.graph, self._bench.calibration),
            gguf_names(self._bench.model),
            self._folder / "imatrix",
        )


def write_imatrix(squares: dict[str, np.ndarray], names: dict[str, str], folder: Path) -> None:
    """One .npy for each matrix and an index from GGUF's names to them."""
    folder.mkdir()
    index = {}
    for at, (name, data) in enumerate(sorted(squares.items())):
        file = f"{at}.npy"
        np.save(folder / file, data)
        index[names[name]] = file
    (folder / "index.json").write_text(json.dumps(index), "utf-8")
