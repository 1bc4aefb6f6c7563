"""Opening a model: what goes along with the graph, and which options are refused."""

import shutil
from pathlib import Path

import pytest
from support.archives import rewrite

from optimum_compile.compiler.errors import InputError, OptionError
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.ir.verify import SHAPED, verify


def test_a_folder_gives_a_decoder_in_canonical_form(llama_folder: Path) -> None:
    model = open_model(llama_folder)
    graph = model.graph
    assert (model.name, model.kind, model.blocks, model.source) == (
        "llama",
        "decoder",
        2,
        llama_folder,
    )
    assert model.config is not None
    assert model.config.architecture == "llama"
    assert [(v.name, str(v.type)) for v in graph.inputs] == [
        ("tokens", "i64[1, seq]"),
        ("past", "i64[1]"),
    ]
    assert [(s.name, str(s.read.type)) for s in graph.states] == [
        (f"{kind}_cache.{layer}", "f32[1, 2, 64, 16]") for kind in "kv" for layer in range(2)
    ]
    assert str(graph.outputs[0].type) == "f32[1, seq, 96]"
    assert (graph.symbols["seq"].low, graph.symbols["seq"].high) == (1, 64)
    assert not any(node.op == "aten" for node in graph.nodes)
    assert verify(graph, SHAPED) == []


def test_weights_stay_in_their_file(llama_folder: Path) -> None:
    graph = open_model(llama_folder).graph
    for name, value in graph.weights.items():
        assert value.weight is not None
        assert (value.weight.inline is not None) == (name == "inv_freq")
    assert sum(v.weight.nbytes for v in graph.weights.values() if v.weight) > 100_000


def test_opening_twice_gives_the_same_graph(llama_folder: Path) -> None:
    first, second = open_model(llama_folder), open_model(llama_folder)
    assert first.graph.fingerprint() == second.graph.fingerprint()


@pytest.mark.parametrize(
    ("context", "prefill", "cache", "longest"),
    [(None, None, 64, 64), (8, None, 8, 8), (64, 5, 64, 5), (8, 20, 8, 8), (64, 2, 64, 2)],
)
def test_context_and_prefill_shape_the_graph(
    context: int | None, prefill: int | None, cache: int, longest: int, llama_folder: Path
) -> None:
    graph = open_model(llama_folder, context=context, max_prefill=prefill).graph
    assert graph.states[0].read.type.shape[2] == cache
    assert graph.symbols["seq"].high == longest


@pytest.mark.parametrize("options", [{"max_prefill": 1}, {"context": 1}])
def test_one_token_at_a_time_needs_no_symbol(options: dict[str, int], llama_folder: Path) -> None:
    graph = open_model(llama_folder, **options).graph
    assert graph.symbols == {}
    assert graph.inputs[0].type.shape == (1, 1)


def test_a_context_beyond_the_model_is_refused(llama_folder: Path) -> None:
    with pytest.raises(OptionError, match="context=65: the model was made for 64 tokens; give at"):
        open_model(llama_folder, context=65)


@pytest.mark.parametrize("options", [{"context": 8}, {"max_prefill": 4}])
def test_an_archive_has_its_sizes_already(options: dict[str, int], mlp_archive: Path) -> None:
    with pytest.raises(OptionError, match="context and max-prefill are fixed in an exported") as e:
        open_model(mlp_archive, **options)
    assert e.value.exit_code == 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("my model!.pt2", "my_model_"),
        ("..hidden.pt2", "hidden"),
        ("--.pt2", "model"),
        ("\N{GREEK SMALL LETTER MU}.pt2", "model"),
        ("n" * 120 + ".pt2", "n" * 100),
    ],
)
def test_the_name_is_safe_as_a_file_name(
    name: str, expected: str, mlp_archive: Path, tmp_path: Path
) -> None:
    assert open_model(rewrite(mlp_archive, tmp_path / name)).name == expected


def test_the_name_of_a_folder_is_its_own(
    llama_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(llama_folder)
    assert open_model(Path()).name == "llama"


def test_a_refused_folder_leaves_no_trace(llama_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(llama_folder, tmp_path / "m"))
    (folder / "model.safetensors").write_bytes(b"")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError):
        open_model(folder)
    assert sorted(tmp_path.rglob("*")) == before
