"""The header of a safetensors file is a stranger's claim: what holds is read, every lie is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save, save_file

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.frontend.safetensors_file import DTYPES, read_safetensors

TENSORS = {
    "F32": torch.tensor([[1.5, -2.0], [0.0, 3e38]]),
    "F16": torch.tensor([1.5, -65504.0], dtype=torch.float16),
    "F64": torch.tensor([1e300], dtype=torch.float64),
    "I64": torch.tensor([[-(2**63)], [2**63 - 1]]),
    "I32": torch.tensor([-5], dtype=torch.int32),
    "I16": torch.tensor([7, 8, 9], dtype=torch.int16),
    "I8": torch.tensor([-128], dtype=torch.int8),
    "U8": torch.tensor([[[255]]], dtype=torch.uint8),
    "BOOL": torch.tensor([True, False]),
    "BF16": torch.tensor([1.0, -3.0], dtype=torch.bfloat16),
}


def entry(dtype: str, shape: list[Any], low: Any, high: Any) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [low, high]}


def written(folder: Path, header: object, data: bytes = b"", length: int | None = None) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path = folder / "model.safetensors"
    claimed = len(text) if length is None else length
    path.write_bytes(claimed.to_bytes(8, "little") + text + data)
    return path


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_safetensors(path)
    assert caught.value.exit_code == 3
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value).removeprefix(f"{path}: ")


def test_tensors_of_every_type_come_back(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file(TENSORS, path, metadata={"format": "pt"})
    found = read_safetensors(path)
    assert sorted(found) == sorted(TENSORS) == sorted(DTYPES)
    for name, tensor in TENSORS.items():
        assert found[name].type.dtype is DTYPES[name]
        assert found[name].type.shape == tensor.shape
        wanted = tensor.float() if name == "BF16" else tensor
        np.testing.assert_array_equal(found[name].load(), wanted.numpy(), strict=True)


def test_an_empty_tensor_and_a_scalar_are_read(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file({"none": torch.zeros(0, 4), "one": torch.tensor(3.5)}, path)
    found = read_safetensors(path)
    assert found["none"].load().shape == (0, 4)
    assert found["one"].load() == 3.5


def test_opening_reads_no_weight(tmp_path: Path) -> None:
    path = written(tmp_path, {"w": entry("F32", [1 << 30], 0, 1 << 32)})
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size + (1 << 32))  # a hole: takes no space on disk
    assert read_safetensors(path)["w"].nbytes == 1 << 32


@pytest.mark.parametrize("kept", [0, 1, 7, 8, 9, 40])
def test_a_file_that_ends_in_its_header_is_refused(kept: int, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(save({"w": torch.zeros(64)})[:kept])
    text = refused(path)
    assert f"the file has {kept}; it is truncated or not a safetensors file: fetch it again" in text


def test_a_file_that_ends_in_its_data_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(save({"w": torch.zeros(64)})[:-1])
    assert refused(path) == (
        "tensor 'w': bytes 0 to 256 lie outside the 255 bytes of data; "
        "the file is truncated: fetch it again"
    )


@pytest.mark.parametrize("length", [0, 1, 3, 1000, 100_000_001, 1 << 40, (1 << 64) - 1])
def test_a_header_of_another_length_than_it_claims_is_refused(length: int, tmp_path: Path) -> None:
    path = written(tmp_path, {}, b"", length)
    assert f"the header claims {length} bytes, the file has 10; it is truncated" in refused(path)


@pytest.mark.parametrize(
    ("header", "text"),
    [
        (b"{]", "the header is not valid JSON: Expecting property name"),
        (b"\xff\xff", "the header is not valid JSON: 'utf-8' codec can't decode"),
        (b"[" * 100_000, "the header is not valid JSON: maximum recursion depth exceeded"),
        (b'{"w": 1, "w": 2}', "the header is not valid JSON: a name occurs twice"),
        ([], "the header is not a JSON object"),
        ({"w": 1}, "tensor 'w': expected dtype, shape and data_offsets"),
        ({"w": {"dtype": "F32", "shape": [1]}}, "tensor 'w': expected dtype, shape and data_offsets"),
        ({"w": entry("F32", [1], 0, 4) | {"more": 1}}, "tensor 'w': expected dtype, shape and"),
        ({"w": entry("F8_E4M3", [4], 0, 4)}, "tensor 'w': dtype 'F8_E4M3' is not supported; known: F32, "),
        ({"w": entry(["F32"], [1], 0, 4)}, "tensor 'w': dtype ['F32'] is not supported"),
        ({"w": entry("F32", [-1], 0, 4)}, "tensor 'w': shape [-1]: expected at most 8 whole numbers"),
        ({"w": entry("F32", [1.0], 0, 4)}, "tensor 'w': shape [1.0]: expected"),
        ({"w": entry("F32", [True], 0, 4)}, "tensor 'w': shape [True]: expected"),
        ({"w": entry("F32", [1 << 60], 0, 4)}, f"tensor 'w': shape [{1 << 60}]: expected"),
        ({"w": entry("F32", [1] * 9, 0, 4)}, "expected at most 8 whole numbers"),
        ({"w": entry("F32", {}, 0, 4)}, "tensor 'w': shape {}: expected"),
        ({"w": entry("F32", [1], -4, 0)}, "tensor 'w': data_offsets [-4, 0]: expected two whole numbers"),
        ({"w": entry("F32", [1], 0, "4")}, "tensor 'w': data_offsets [0, '4']: expected two"),
        ({"w": entry("F32", [1], 4, 0)}, "tensor 'w': bytes 4 to 0 lie outside the 8 bytes of data"),
        ({"w": entry("F32", [1], 8, 12)}, "tensor 'w': bytes 8 to 12 lie outside the 8 bytes of data"),
        ({"w": entry("F32", [1], 0, 1 << 47)}, f"bytes 0 to {1 << 47} lie outside the 8 bytes"),
        ({"w": entry("F32", [2], 0, 4)}, "tensor 'w': shape [2] of F32 needs 8 bytes, the header gives 4; "
         "the file is damaged: fetch it again"),
        ({"w": entry("F16", [1], 0, 4)}, "tensor 'w': shape [1] of F16 needs 2 bytes, the header gives 4"),
        ({"w": entry("F32", [1 << 47, 0, 1 << 47], 0, 4)}, "needs 0 bytes, the header gives 4"),
        ({"w": entry("F32", [1 << 47] * 8, 0, 4)}, "bytes, the header gives 4"),
    ],
    ids=lambda v: v[:40] if isinstance(v, str) else "",
)  # fmt: skip
def test_a_header_that_lies_is_refused(header: object, text: str, tmp_path: Path) -> None:
    assert text in refused(written(tmp_path, header, bytes(8)))


def test_tensors_that_overlap_are_refused_by_name(tmp_path: Path) -> None:
    header = {"a": entry("U8", [4], 4, 8), "b": entry("U8", [8], 0, 8), "c": entry("U8", [4], 0, 4)}
    path = written(tmp_path, header, bytes(8))
    assert refused(path) == (
        "tensors 'c' and 'b' overlap at byte 0; the file is damaged: fetch it again"
    )
    long = {"a": entry("U8", [8], 0, 8), "b": entry("U8", [1], 1, 2), "c": entry("U8", [1], 6, 7)}
    assert "tensors 'a' and 'b' overlap at byte 1" in refused(written(tmp_path, long, bytes(8)))
    one = {"a": entry("U8", [4], 0, 4), "b": entry("U8", [4], 3, 7)}
    assert "tensors 'a' and 'b' overlap at byte 3" in refused(written(tmp_path, one, bytes(8)))


def test_neighbours_and_holes_are_no_overlap(tmp_path: Path) -> None:
    header = {"a": entry("U8", [2], 0, 2), "b": entry("U8", [2], 2, 4), "c": entry("U8", [1], 7, 8)}
    found = read_safetensors(written(tmp_path, header, bytes(range(8))))
    assert [found[n].load().tolist() for n in "abc"] == [[0, 1], [2, 3], [7]]


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "absent") == "cannot be read: No such file or directory"
    assert refused(tmp_path) == "not a regular file"
    (tmp_path / "dangling").symlink_to(tmp_path / "absent")
    assert refused(tmp_path / "dangling") == "not a regular file"


def test_a_link_to_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(save({"w": torch.ones(2)}))
    (tmp_path / "model.safetensors").symlink_to("blob")  # as the hub's cache has it
    assert read_safetensors(tmp_path / "model.safetensors")["w"].load().tolist() == [1, 1]


def test_a_file_that_shrinks_after_it_was_opened_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file({"w": torch.ones(4)}, path)
    found = read_safetensors(path)["w"]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(
        InputError, match=r"w needs 16 bytes at \d+, found 15; fetch the file again"
    ):
        found.load()


names = st.text(max_size=4)
whole = st.integers(0, 24) | st.sampled_from([-1, 1 << 47, 1 << 63, None, 0.5, "1"])
entries = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from([*DTYPES, "F8", None]),
        "shape": st.lists(st.integers(0, 4), max_size=3) | st.lists(whole, max_size=3),
        "data_offsets": st.lists(st.integers(0, 24), min_size=2, max_size=2)
        | st.lists(whole, max_size=3),
    }
)


honest = st.builds(
    lambda low, size: entry("U8", [size], low, low + size), *[st.integers(0, 12)] * 2
)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.dictionaries(names, entries, max_size=3) | st.dictionaries(names, honest, max_size=3))
def test_what_is_accepted_lies_in_the_file_and_does_not_overlap(
    tmp_path: Path, header: dict[str, Any]
) -> None:
    path = written(tmp_path, header, bytes(24))
    try:
        found = read_safetensors(path)
    except InputError:
        found = {}
    used = np.zeros(path.stat().st_size, int)
    for ref in found.values():
        assert ref.source is not None
        assert ref.load().shape == ref.type.shape
        assert ref.source.nbytes == ref.nbytes
        used[ref.source.offset : ref.source.offset + ref.nbytes] += 1
    assert used.max() <= 1
    assert not used[: path.stat().st_size - 24].any()
