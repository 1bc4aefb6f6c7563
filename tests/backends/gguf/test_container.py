"""Bytes of the file that is not written here, against a file that the `gguf` package writes."""

from pathlib import Path

import gguf
from support.widths import assigned

from optimum_compile.backends.gguf.backend import BACKEND
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.tools.bakeoff.gguf_export import write_gguf

REFERENCE = Path(__file__).resolve().parents[3] / "models" / "reference"


def test_the_container_is_a_little_larger_than_that_of_a_real_file(tmp_path):
    file = tmp_path / "f32.gguf"
    write_gguf(open_model(REFERENCE), file)
    tensors = gguf.GGUFReader(file).tensors
    real = file.stat().st_size - sum(int(t.n_bytes) for t in tensors)
    graph = assigned(REFERENCE, lambda name, at: "int4:g32")
    told = BACKEND.container_bytes(graph)
    weights = BACKEND.fixed_bytes(graph) + 5_246_208 * 4.5 / 8
    assert real <= told <= real + 0.01 * weights


def test_padding_and_entries_of_tensors_count(tmp_path):
    narrow = assigned(REFERENCE, lambda name, at: "int4:g32")
    sizes = {BACKEND.container_bytes(narrow)}
    sizes.add(BACKEND.container_bytes(assigned(REFERENCE, lambda name, at: "int6:g16@u8")))
    assert max(sizes) - min(sizes) < 43 * 32
