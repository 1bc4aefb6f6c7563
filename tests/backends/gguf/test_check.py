"""The reader of GGUF heads, on files that the `gguf` package writes and on broken ones."""

import contextlib
import struct

import gguf
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optimum_compile.backends.gguf.check import main, tensor_types, unapplied
from optimum_compile.backends.gguf.emit import rules_text
from optimum_compile.backends.gguf.types import BY_NAME
from optimum_compile.compiler.errors import InputError

WANTED = {"blk.0.attn_q.weight": BY_NAME["Q8_0"], "output.weight": BY_NAME["F16"]}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("two words")
    writer.add_token_list(["a", "bc", ""])
    writer.add_token_types([1, 2, 3])
    writer.add_rope_freq_base(1e4)
    writer.add_bool("yes", True)
    weight = np.ones((2, 64), np.float32)
    kind = gguf.GGMLQuantizationType.Q8_0
    writer.add_tensor("blk.0.attn_q.weight", gguf.quantize(weight, kind), raw_dtype=kind)
    writer.add_tensor("output.weight", weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_types_are_those_that_the_package_reads(file):
    theirs = {t.name: t.tensor_type.value for t in gguf.GGUFReader(file).tensors}
    assert tensor_types(file) == theirs == {"blk.0.attn_q.weight": 8, "output.weight": 0}


def test_rules_that_were_not_applied_are_named(file):
    missing = {"blk.9.attn_q.weight": BY_NAME["Q8_0"]}
    assert unapplied(tensor_types(file), WANTED | missing) == [
        "output.weight: F32, the rule says F16",
        "blk.9.attn_q.weight: the file has no such tensor",
    ]


def test_the_command_says_what_is_wrong_and_ends_so(file, tmp_path, capsys):
    rules = tmp_path / "rules.txt"
    rules.write_text(rules_text(WANTED))
    assert main([str(file), str(rules)]) == 6
    assert capsys.readouterr().out.splitlines()[-1] == "1 of 2 rules applied"
    rules.write_text("^output\\.weight$=F32\n")
    assert main([str(file), str(rules)]) == 0
    assert capsys.readouterr().out == "1 of 1 rules applied\n"
    rules.write_text("output=F32")
    assert main([str(file), str(rules)]) == 3
    assert main([str(file)]) == 2
    assert main([str(tmp_path / "none"), str(rules)]) == 3
    assert main([str(file), str(tmp_path / "none")]) == 3


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "ends 4 bytes early"),
        (b"PK\3\4" + bytes(40), "does not begin with GGUF"),
        (b"GGUF" + struct.pack("<IQQ", 1, 0, 0), "version 1"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 0), "entries"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1), "early"),
        (b"GGUF" + struct.pack("<IQQQ1sI", 3, 0, 1, 1, b"k", 13), "value of kind 13"),
        (b"GGUF" + struct.pack("<IQQQ1sIIQ", 3, 0, 1, 1, b"k", 9, 9, 1), "array of values of kind 9"),
        (b"GGUF" + struct.pack("<IQQQ1sI", 3, 1, 0, 1, b"k", 9), "of 9 dimensions"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_broken_files_are_refused(data, message, tmp_path):
    path = tmp_path / "a.gguf"
    path.write_bytes(data)
    with pytest.raises(InputError, match=message):
        tensor_types(path)


@given(at=st.integers(0, 400), byte=st.integers(0, 255), cut=st.booleans())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_damage_is_refused_or_read(file, at, byte, cut):
    data = bytearray(file.read_bytes())
    data = data[:at] if cut else data[:at] + bytes([byte]) + data[at + 1 :]
    other = file.with_name("damaged.gguf")
    other.write_bytes(data)
    with contextlib.suppress(InputError):  # and nothing else
        assert len(tensor_types(other)) <= 2
