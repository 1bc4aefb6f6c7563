import pytest

from optimum_compile.compiler.frontend.config import ARCHITECTURES
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.tools.lists import SCHEMES, targets_document


def test_targets_say_for_every_scheme_whether_and_why_not(cli):
    document = cli("targets", "--json").json()
    targets = {"ios", "android", "android:onnxruntime", "android:vulkan", "android:nnapi"}
    targets |= {"gpu", "native", "gguf", "mlx", "reference"}
    targets.add("android:tvm")
    assert set(document) == targets
    assert document["ios"]["artifact"] == "coreml .mlpackage"
    assert document["android"]["artifact"] == "executorch .pte"
    assert document["android:onnxruntime"]["artifact"] == "onnxruntime .onnx"
    assert document["native"]["artifact"] == "native .ocm"
    assert document["gpu"]["artifact"] == "gpu .gpu.ocm"
    assert document["gpu"]["schemes"]["int4:g128+s0.005"] == ""
    assert not any(document["native"]["kv_cache"].values())
    assert document["gguf"]["artifact"] == "gguf .tensor-types.txt"
    assert document["gguf"]["schemes"]["int3:g16@u6"] == ""
    assert document["mlx"]["schemes"]["uint4:g64@zf16"] == ""
    assert not any(document["reference"]["kv_cache"].values())
    for found in document.values():
        assert list(found["schemes"]) == list(SCHEMES)
        assert found["schemes"]["int8"] == ""
        assert list(found["kv_cache"]) == ["kv8:g32", "kv4:g32", "kv2:g32"]
    assert "no integer states" in document["ios"]["kv_cache"]["kv4:g32"]
    assert "integer grids have 4 or 8 bits, not 2" in document["ios"]["schemes"]["int2:g32"]


def test_the_table_of_targets_shows_the_same(cli):
    rows = [line.strip().split(maxsplit=2) for line in cli("targets").out.splitlines()]
    for found in targets_document().values():
        for scheme, reason in (found["schemes"] | found["kv_cache"]).items():
            assert [scheme, "no", reason] in rows if reason else [scheme, "yes"] in rows


@pytest.mark.parametrize("text", SCHEMES)
def test_the_schemes_of_the_list_are_spelled_as_they_are_read(text):
    assert str(parse_scheme(text)).removesuffix(":channel") == text


def test_models_name_every_architecture_that_is_read(cli):
    document = cli("models", "--json").json()
    assert set(ARCHITECTURES) <= set(document)
    assert "torch.export archive" in document["any module"]
    lines = cli("models").out.splitlines()
    assert [line.split(":")[0] for line in lines] == list(document)


@pytest.mark.parametrize("command", ["targets", "models"])
def test_lists_take_no_argument(cli, command):
    done = cli(command, "all")
    assert (done.code, "unrecognized arguments: all" in done.err) == (2, True)
