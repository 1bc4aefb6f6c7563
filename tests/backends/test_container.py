"""Predicted bytes of artifacts against the files that are emitted."""

from pathlib import Path

import pytest
from support.hf import save_folder, tiny_model

import optimum_compile as oc
from optimum_compile.backends.base import BackendOptions
from optimum_compile.backends.catalog import load_backend
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.units import units_of

ALL = ["ios:coreml", "android:executorch", "android:onnxruntime"]
PHONES = ["ios:coreml", "android:executorch"]
REFERENCE = Path(__file__).resolve().parents[2] / "models" / "reference"
VECTORS = (
    "q_proj=vec8x4:channel@shared",
    "k_proj=vec6x2:channel@shared",
    "v_proj=vec8x2:channel@shared",
    "o_proj=lut6:r1",
    "gate_proj=lut2:r1",
    "up_proj=int4:g32@bf16",
    "down_proj=int8:channel",
    "embed=f16",
)
CODED = ("q_proj|gate_proj=uint3:g32@u4,zu4", "o_proj=vec8x4:channel", ".=lut3:r4")
PACKED = {"executor": "packed", "activations": "float"}


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    return {k: save_folder(tiny_model(k), root / k) for k in ("llama", "qwen2", "mixtral")}


def predictions(model, out, targets, **options) -> dict[str, tuple[int, int, int]]:
    """By kind of artifact: bytes of weights predicted, bytes of the file predicted, and its bytes."""
    bundle = oc.compile(
        model,
        targets,
        output=str(out),
        quantizer="rtn",
        verify=False,
        calibration="none",
        **options,
    )
    return {
        a.kind: (a.predicted_bytes, a.predicted_file_bytes, a.file_bytes)
        for a in bundle.manifest.artifacts
    }


@pytest.mark.parametrize(
    ("kind", "targets", "options"),
    [
        ("llama", ["ios:coreml", "android:onnxruntime"], {"policy": "uniform", "bits": 4}),
        ("qwen2", ["android:executorch"], {"policy": "uniform", "bits": 8}),
        pytest.param(
            *("llama", PHONES, {"policy": "uniform", "pin": VECTORS}), marks=pytest.mark.slow
        ),
        pytest.param(
            *("mixtral", ["ios:coreml", "android:onnxruntime"], {"policy": "uniform", "bits": 8}),
            marks=pytest.mark.slow,
        ),
    ],
    ids=["4 bits", "biases", "every scheme", "experts"],
)
def test_the_program_around_tiny_weights_is_predicted(folders, tmp_path, kind, targets, options):
    """It is most of the file here; half of a percent of it is the end of what counting can do."""
    for weights, predicted, actual in predictions(
        folders[kind], tmp_path, targets, **options
    ).values():
        program = actual - weights
        assert -0.01 < (predicted - actual) / program < 0.05


@pytest.mark.slow
@pytest.mark.parametrize(
    ("targets", "options"),
    [
        (ALL, {"policy": "uniform", "bits": 4}),
        (PHONES, {"pin": (*VECTORS[:-1], "embed=vec8x2:channel@shared")}),
        (PHONES, {"pin": (".=vec8x4:channel@shared",)}),
        (["android:executorch"], {"pin": CODED, **PACKED}),
    ],
    ids=["4 bits", "every scheme", "2 bits", "coded scales"],
)
def test_files_of_the_reference_model_are_predicted(tmp_path, targets, options):
    for _, predicted, actual in predictions(REFERENCE, tmp_path, targets, **options).values():
        assert -0.001 < (predicted - actual) / actual < 0.004


@pytest.mark.parametrize("name", ["coreml", "executorch", "onnxruntime"])
def test_counting_needs_no_weights_and_follows_the_schemes(folders, name):
    """Before anything is quantised; two functions, one more matrix and longer text cost more."""
    backend = load_backend(name).configured(BackendOptions())
    graph = open_model(folders["llama"], context=None, max_prefill=None).graph

    def bytes_with(scheme: str) -> int:
        for unit in units_of(graph):
            graph.weights[unit.name].notes.put(Precision(parse_scheme(scheme)))
        return backend.container_bytes(graph)

    small, large = bytes_with("f16"), bytes_with("uint4:g32")
    assert 10_000 < small < large
    longer = open_model(folders["qwen2"], context=None, max_prefill=None).graph
    assert backend.container_bytes(longer) > backend.container_bytes(
        open_model(folders["llama"], context=None, max_prefill=None).graph
    )


def test_experts_cost_a_program_of_their_own(folders):
    for name in ("coreml", "executorch", "onnxruntime"):
        backend = load_backend(name)
        one = open_model(folders["llama"], context=None, max_prefill=None).graph
        eight = open_model(folders["mixtral"], context=None, max_prefill=None).graph
        assert backend.container_bytes(eight) > 1.5 * backend.container_bytes(one)
