"""Bytes that are predicted before anything is quantised, against files."""

from pathlib import Path

import pytest
from support.emission import with_schemes
from support.hf import save_folder, tiny_model

import optimum_compile as oc
from optimum_compile.backends.native.backend import BACKEND
from optimum_compile.backends.native.container import container_bytes, program_bytes
from optimum_compile.backends.native.encode import encode_program
from optimum_compile.backends.native.lower import lower
from optimum_compile.backends.native.plan import plan_functions
from optimum_compile.backends.native.program import WEIGHTS_ALIGNMENT
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.package.describe import predicted_bytes
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.precision.units import units_of

MIXED = ("int4:g32", "int8:channel", "lut4:r8", "vec8x4:channel@shared", "uint4:g32")


@pytest.mark.parametrize("schemes", [("int4:g32",), MIXED], ids=["int4", "mixed"])
@pytest.mark.parametrize("kind", ["llama", "qwen3", "qwen2_moe"])
def test_programs_are_predicted(tmp_path, kind, schemes):
    graph = open_model(
        save_folder(tiny_model(kind), tmp_path / "m"), context=24, max_prefill=8
    ).graph
    names = {
        u.name: parse_scheme(schemes[at % len(schemes)]) for at, u in enumerate(units_of(graph))
    }
    with_schemes(graph, names, tmp_path)
    predicted = program_bytes(graph)
    made = lower(plan_functions(graph).functions, tmp_path)
    assert 0 <= predicted / len(encode_program(made.program)) - 1 < 0.12
    # Exact, but for padding that joined weights share and parts that are equal.
    assert 0 <= predicted_bytes(graph, BACKEND) - made.weight_bytes < 64 * len(graph.weights)


def test_a_file_is_predicted(tmp_path):
    folder = save_folder(tiny_model("qwen2"), tmp_path / "m")
    values = {"policy": "uniform", "bits": 4, "quantizer": "rtn", "calibration": "none"}
    bundle = oc.compile(folder, ["native"], output=str(tmp_path / "out"), verify=False, **values)
    (artifact,) = bundle.manifest.artifacts
    assert artifact.path == "native/m.ocm"
    more = artifact.predicted_file_bytes - artifact.file_bytes
    assert 0 <= more <= 2 * WEIGHTS_ALIGNMENT
    assert artifact.file_bytes == bundle.resolve(artifact.path).stat().st_size


def test_more_layers_and_functions_cost_more(tmp_path):
    def graph(name: str, chunk: int, **changes: object):
        folder = save_folder(
            tiny_model(name, **changes), Path(tmp_path / f"{name}{chunk}{changes}")
        )
        return open_model(folder, context=24, max_prefill=chunk).graph

    one, two = graph("llama", 1), graph("llama", 8)
    assert 1.4 < program_bytes(two) / program_bytes(one) < 2
    deep = graph("llama", 8, num_hidden_layers=4)
    assert program_bytes(deep) > 1.5 * program_bytes(two)
    assert container_bytes(deep) % WEIGHTS_ALIGNMENT == 0
