"""Archives as files: what deceives about members, sizes or weights is refused."""

import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from support.archives import (
    PROGRAM,
    WEIGHTS,
    Calls,
    claim_size,
    full_name,
    read_json,
    rewrite,
    rewrite_json,
    save_archive,
)

from optimum_compile.compiler.errors import InputError, UnsupportedError, UserError
from optimum_compile.compiler.frontend.archive import MAX_PROGRAM_BYTES, read_archive
from optimum_compile.compiler.frontend.open_model import open_model

SAMPLES = "data/sample_inputs/model.pt"


def refused(path: Path, kind: type[UserError] = InputError) -> str:
    with pytest.raises(UserError) as caught:
        open_model(path)
    assert type(caught.value) is kind
    return str(caught.value).removeprefix(f"{path}: ")


def test_weights_are_references_into_the_archive(mlp_archive: Path) -> None:
    _, weights = read_archive(mlp_archive)
    assert sorted(weights) == ["down.weight", "up.bias", "up.weight"]
    stored = zipfile.ZipFile(mlp_archive)
    for at, name in enumerate(["up.weight", "up.bias", "down.weight"]):
        assert weights[name].inline is None
        member = stored.read(full_name(mlp_archive, f"/weight_{at}"))
        assert weights[name].load().tobytes() == member


def test_the_pickled_sample_inputs_are_never_opened(mlp_archive: Path, tmp_path: Path) -> None:
    path = rewrite(mlp_archive, tmp_path / "m.pt2", {SAMPLES: b"\x80\x04 no pickle"})
    assert open_model(path).parameters == open_model(mlp_archive).parameters


@pytest.mark.parametrize("name", ["../evil", "m/../../evil", "/etc/evil", "m\\..\\evil", ".."])
def test_a_member_that_leads_out_of_the_archive_is_refused(
    name: str, mlp_archive: Path, tmp_path: Path
) -> None:
    path = rewrite(mlp_archive, tmp_path / "m.pt2", add={name: b"x"})
    assert refused(path) == f"member {name!r} leads out of the archive; refused"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_occurs_twice_is_refused(mlp_archive: Path, tmp_path: Path) -> None:
    name = full_name(mlp_archive, PROGRAM)
    path = rewrite(mlp_archive, tmp_path / "m.pt2", add={name: b"{}"})
    assert refused(path) == f"member {name!r} occurs twice; refused"


def test_two_programs_in_one_archive_are_refused(mlp_archive: Path, tmp_path: Path) -> None:
    path = rewrite(mlp_archive, tmp_path / "m.pt2", add={"b/models/model.json": b"{}"})
    assert refused(path) == (
        "2 exported programs in the archive, expected one; save it with torch.export.save(ep, path)"
    )


def test_more_members_than_any_model_has_are_refused(
    mlp_archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("optimum_compile.compiler.frontend.archive.MAX_MEMBERS", 3)
    assert refused(mlp_archive).endswith(" members: at most 3 are read")


@pytest.mark.parametrize("member", [PROGRAM, WEIGHTS, "byteorder"])
def test_a_compressed_program_is_refused_since_it_could_be_a_bomb(
    member: str, mlp_archive: Path, tmp_path: Path
) -> None:
    path = tmp_path / "m.pt2"
    large = {member: b"[" + b"0," * 5_000_000 + b"0]"}
    rewrite(mlp_archive, path, large, compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1 << 20
    text = "is compressed or encrypted; save it with torch.export.save"
    assert refused(path).endswith(text)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (MAX_PROGRAM_BYTES + 1, f"{MAX_PROGRAM_BYTES + 1} bytes; at most {MAX_PROGRAM_BYTES} are"),
        (0xFFFFFFFE, f"{0xFFFFFFFE} bytes; at most {MAX_PROGRAM_BYTES} are read"),
        (MAX_PROGRAM_BYTES, "is not as long as it claims"),
        (10, "Bad CRC-32"),
    ],
)
def test_a_program_that_lies_about_its_size_is_refused(
    size: int, text: str, mlp_archive: Path, tmp_path: Path
) -> None:
    path = claim_size(rewrite(mlp_archive, tmp_path / "m.pt2"), PROGRAM, size)
    assert text in refused(path)


def test_an_encrypted_program_is_refused(mlp_archive: Path, tmp_path: Path) -> None:
    path = rewrite(mlp_archive, tmp_path / "m.pt2")
    data, name = bytearray(path.read_bytes()), full_name(path, PROGRAM).encode()
    data[data.rindex(name) - 38] |= 1  # the flags, in the archive's directory
    path.write_bytes(data)
    assert "is compressed or encrypted" in refused(path)


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.999])
def test_a_truncated_archive_is_refused(kept: float, mlp_archive: Path, tmp_path: Path) -> None:
    data = mlp_archive.read_bytes()
    path = tmp_path / "m.pt2"
    path.write_bytes(data[: int(len(data) * kept)])
    assert refused(path) == "damaged archive: File is not a zip file; export the model again"


def test_a_program_with_a_flipped_bit_is_noticed(mlp_archive: Path, tmp_path: Path) -> None:
    data = bytearray(mlp_archive.read_bytes())
    data[data.index(b'"graph_module"') + 3] ^= 1
    path = tmp_path / "m.pt2"
    path.write_bytes(data)
    assert refused(path).startswith("damaged archive: Bad CRC-32 for file")


@pytest.mark.parametrize(
    ("program", "text"),
    [
        (b"", "is not valid JSON: Expecting value"),
        (b"\x80\x04.", "is not valid JSON: 'utf-8' codec can't decode"),
        (b"[" * 100_000, "is not valid JSON: maximum recursion depth exceeded"),
        (b"[]", "is not a JSON object"),
    ],
    ids=["empty", "pickle", "deep", "list"],
)
@pytest.mark.parametrize("member", [PROGRAM, WEIGHTS])
def test_a_member_that_is_no_json_object_is_refused(
    member: str, program: bytes, text: str, mlp_archive: Path, tmp_path: Path
) -> None:
    path = rewrite(mlp_archive, tmp_path / "m.pt2", {member: program})
    assert refused(path).startswith(f"{full_name(path, member)} {text}")


@pytest.mark.parametrize(
    ("order", "text"),
    [(b"big", "written on a big-endian machine; export it on another"),
     (b"little, or so it says", "has 21 bytes; at most 16 are read")],
)  # fmt: skip
def test_another_byte_order_is_refused(
    order: bytes, text: str, mlp_archive: Path, tmp_path: Path
) -> None:
    path = rewrite(mlp_archive, tmp_path / "m.pt2", {"byteorder": order})
    assert text in refused(path, UnsupportedError if order == b"big" else InputError)


def set_meta(key: str, value: Any) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        data["config"]["up.weight"]["tensor_meta"][key] = value

    return change


def set_entry(key: str, value: Any) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        data["config"]["up.weight"][key] = value

    return change


def sizes(*values: Any) -> list[Any]:
    return [{"as_int": value} for value in values]


WEIGHT = "weight 'up.weight'"
OUTSIDE = f"{WEIGHT} (16, 8) needs 516 bytes, its member has 512"


@pytest.mark.parametrize(
    ("change", "kind", "text"),
    [
        (set_entry("use_pickle", True), InputError, f"{WEIGHT} is pickled; pickles are never opened"),
        (set_entry("path_name", "weight_9"), InputError, f"member 'weight_9' of {WEIGHT} is missing"),
        (set_entry("path_name", "../../models/model.json"), InputError, "model.json' of weight"),
        (set_entry("path_name", ["weight_0"]), InputError, "of weight 'up.weight' is missing"),
        (set_entry("tensor_meta", None), UnsupportedError, "constant 'up.weight' is no tensor"),
        (set_entry("tensor_meta", []), InputError, "malformed archive: TypeError"),
        (set_meta("dtype", 99), UnsupportedError, f"{WEIGHT} has element type 99"),
        (set_meta("dtype", 5), InputError, f"{WEIGHT} (16, 8) needs 1024 bytes, its member has 512"),
        (set_meta("dtype", 4), InputError, "up.weight is i32[16, 8], the program says f32[16, 8]"),
        (set_meta("sizes", sizes(1 << 39, 8)), InputError, f"{WEIGHT} ({1 << 39}, 8) needs {1 << 44} bytes"),
        (set_meta("sizes", sizes(1 << 40, 8)), InputError, f"{WEIGHT} has a size of {1 << 40}"),
        (set_meta("sizes", sizes(-16, 8)), InputError, f"{WEIGHT} has a size of -16"),
        (set_meta("sizes", sizes(16.0, 8)), InputError, f"{WEIGHT} has a size of 16.0"),
        (set_meta("sizes", sizes(True, 8)), InputError, f"{WEIGHT} has a size of True"),
        (set_meta("sizes", sizes(8, 8)), InputError, "up.weight is f32[8, 8], the program says f32[16, 8]"),
        (set_meta("sizes", [16, 8]), InputError, "malformed archive: AttributeError"),
        (set_meta("sizes", sizes(16)), InputError, "malformed archive: ValueError"),
        (set_meta("strides", sizes(1, 16)), UnsupportedError,
         f"{WEIGHT} is not contiguous; call .contiguous() on it"),
        (set_meta("strides", sizes(0, 0)), UnsupportedError, f"{WEIGHT} is not contiguous"),
        (set_meta("storage_offset", {"as_int": 1}), InputError, OUTSIDE),
        (set_meta("storage_offset", {"as_int": -1}), InputError, f"{WEIGHT} has a size of -1"),
        (set_meta("storage_offset", None), InputError, "malformed archive: AttributeError"),
        (lambda data: data["config"].pop("up.weight"), InputError, "the archive has no bytes for 'up.weight'"),
        (lambda data: data.update(config=[]), InputError, "malformed archive: AttributeError"),
        (lambda data: data.update(config={"up.weight": 5}), InputError, "malformed archive: AttributeError"),
    ],
)  # fmt: skip
def test_a_description_of_weights_that_lies_is_refused(
    change: Callable[[Any], object],
    kind: type[UserError],
    text: str,
    mlp_archive: Path,
    tmp_path: Path,
) -> None:
    path = rewrite_json(mlp_archive, tmp_path / "m.pt2", WEIGHTS, change)
    assert text in refused(path, kind)


def test_a_weight_that_starts_later_in_its_storage_is_read_from_there(
    mlp_archive: Path, tmp_path: Path
) -> None:
    def share(data: Any) -> None:
        entry = data["config"]["up.bias"]
        entry["path_name"] = data["config"]["up.weight"]["path_name"]
        entry["tensor_meta"]["storage_offset"] = {"as_int": 3}

    path = rewrite_json(mlp_archive, tmp_path / "m.pt2", WEIGHTS, share)
    _, weights = read_archive(path)
    flat = weights["up.weight"].load().reshape(-1)
    assert (weights["up.bias"].load() == flat[3:19]).all()


def test_a_weight_that_is_shorter_than_described_is_refused(
    mlp_archive: Path, tmp_path: Path
) -> None:
    path = rewrite(mlp_archive, tmp_path / "m.pt2", {"weights/weight_0": bytes(511)})
    assert refused(path) == f"{WEIGHT} (16, 8) needs 512 bytes, its member has 511"


def test_compressed_weights_are_refused(mlp_archive: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.pt2"
    rewrite(mlp_archive, path)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "n.pt2", "w") as new:
        for info in old.infolist():
            squeezed = info.filename.endswith("/weight_0")
            kind = zipfile.ZIP_DEFLATED if squeezed else zipfile.ZIP_STORED
            new.writestr(info.filename, old.read(info), kind)
    assert refused(tmp_path / "n.pt2") == f"{WEIGHT} is compressed; save it with torch.export.save"


def test_a_directory_that_points_past_the_file_is_refused(
    mlp_archive: Path, tmp_path: Path
) -> None:
    path = rewrite(mlp_archive, tmp_path / "m.pt2")
    data, name = bytearray(path.read_bytes()), full_name(path, "weights/weight_0").encode()
    entry = data.rindex(name) - 46
    for offset, text in ((len(data) + 5, "has no local header"), (3, "has no local header")):
        data[entry + 42 : entry + 46] = struct.pack("<I", offset)
        path.write_bytes(data)
        assert refused(path) == f"member {name.decode()!r} {text}"


def test_a_local_header_that_pushes_the_bytes_past_the_end_is_refused(
    mlp_archive: Path, tmp_path: Path
) -> None:
    path = rewrite(mlp_archive, tmp_path / "m.pt2")
    data, name = bytearray(path.read_bytes()), full_name(path, "weights/weight_0").encode()
    start = data.index(name) - 30
    data[start + 26 : start + 30] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    assert refused(path) == f"member {name.decode()!r} ends after the file; it is truncated"


def test_a_transposed_parameter_says_what_to_do(tmp_path: Path) -> None:
    weight = torch.nn.Parameter(torch.randn(4, 8).t())
    module = Calls(lambda x: x @ weight)
    module.weight = weight
    path = save_archive(tmp_path / "m.pt2", module, (torch.zeros(2, 8),))
    assert "is not contiguous; call .contiguous() on it" in refused(path, UnsupportedError)


def test_an_archive_that_was_rewritten_without_change_is_still_good(
    mlp_archive: Path, tmp_path: Path
) -> None:
    path = rewrite(mlp_archive, tmp_path / "m.pt2")
    assert json.dumps(read_json(path, PROGRAM)) == json.dumps(read_json(mlp_archive, PROGRAM))
    assert open_model(path).parameters == 16 * 8 + 16 + 8 * 16
