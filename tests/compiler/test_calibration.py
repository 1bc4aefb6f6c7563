import builtins
import json
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.models import BOS, EOS, VOCAB, shared_model, tiny_tokenizer

from optimum_compile.compiler import calibration
from optimum_compile.compiler.calibration import (
    TextSource,
    built_in,
    encode,
    load_tokenizer,
    need_torch,
    read_text,
    seeded_tokens,
    special_token_id,
    split_windows,
    windows,
)
from optimum_compile.compiler.errors import InputError, ResourceError
from optimum_compile.compiler.frontend.hf_folder import tokenizer_files

EVALUATION = Path(__file__).parents[2] / "models/reference/evaluation.json"


def write(folder, name, data):
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return str(path)


def test_without_a_file_there_is_built_in_text_of_several_documents():
    source = read_text(None)
    assert source == TextSource(built_in(), is_stream=False, label="built-in")
    assert len(source.documents) == len(set(source.documents)) == 64
    assert all(100 <= len(d.split()) <= 200 for d in source.documents)


def test_a_few_documents_of_the_built_in_text_are_as_diverse_as_all():
    stories, others = built_in()[:16:2], built_in()[1:16:2]
    assert sum(d.count('"') for d in stories) >= 40  # speech
    for mark in ("def ", "#include", " und ", " les ", " + 7", "Dear "):
        assert any(mark in d for d in others), mark


def sequences(text, length=8):
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[i : i + length]) for i in range(len(words) - length + 1)}


def test_calibration_and_evaluation_text_never_mix():
    calibration = set().union(*map(sequences, built_in()))
    evaluation = set().union(*map(sequences, json.loads(EVALUATION.read_text("utf-8"))))
    assert len(calibration) > 8000
    assert len(evaluation) > 1000
    assert not calibration & evaluation


def test_none_means_no_text():
    assert read_text("none") is None


def test_a_text_file_is_one_stream(tmp_path):
    source = read_text(write(tmp_path, "a.txt", "one\n\ntwo"))
    assert source == TextSource(("one\n\ntwo",), is_stream=True, label="a.txt")


def test_a_json_list_is_documents(tmp_path):
    source = read_text(write(tmp_path, "a.json", json.dumps(["one", "two €"])))
    assert source == TextSource(("one", "two €"), is_stream=False, label="a.json")


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.txt", b"", "the file is empty"),
        ("a.txt", b" \n\t", "the file is empty"),
        ("a.txt", b"\xff\xfe", "not UTF-8 text"),
        ("a.json", b"{", "not JSON"),
        ("a.json", b"[" * 100_000, "not JSON"),
        ("a.json", b'{"text": "a"}', "expected a JSON list of strings"),
        ("a.json", b'["a", 1]', "expected a JSON list of strings"),
        ("a.json", b"[]", "no text in it"),
        ("a.json", b'["", " "]', "no text in it"),
    ],
)
def test_a_file_without_text_is_refused_by_name(tmp_path, name, data, message):
    with pytest.raises(InputError, match=f"{name}: {message}"):
        read_text(write(tmp_path, name, data))


def test_a_missing_file_and_a_folder_are_refused_by_name(tmp_path):
    with pytest.raises(InputError, match=r"no\.txt: cannot read the text: No such file"):
        read_text(str(tmp_path / "no.txt"))
    with pytest.raises(InputError, match="cannot read the text: Is a directory"):
        read_text(str(tmp_path))


def test_a_file_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(calibration, "MAX_TEXT_BYTES", 3)
    with pytest.raises(InputError, match="more than 3 bytes of text; cut the file"):
        read_text(write(tmp_path, "a.txt", "long"))


@given(text=st.text(" abc", max_size=30))
def test_bos_comes_first_exactly_once(text):
    adding = tiny_tokenizer()
    plain = tiny_tokenizer()
    plain.post_processor = None
    expected = [BOS, *plain.encode(text).ids]
    assert encode(adding, text, BOS) == expected
    assert encode(plain, text, BOS) == expected
    assert encode(plain, text, None) == expected[1:]


@given(length=st.integers(0, 60), seqlen=st.integers(2, 20))
def test_a_stream_is_cut_into_windows_that_cover_it(length, seqlen):
    source = TextSource(("abc" * length,), is_stream=True, label="x")
    cut = windows(source, tiny_tokenizer(), BOS, seqlen)
    ids = [BOS, *tiny_tokenizer().encode("abc" * length).ids[1:]]
    joined = [t for w in cut for t in w]
    assert joined == ids[: len(joined)]
    assert len(ids) - len(joined) <= 1  # one token alone predicts nothing
    assert all(2 <= len(w) <= seqlen for w in cut)
    assert all(len(w) == seqlen for w in cut[:-1])


def test_windows_of_a_stream_may_overlap():
    source = TextSource(("abcdefgh",), is_stream=True, label="x")
    cut = windows(source, tiny_tokenizer(), None, 4, stride=2)
    assert [len(w) for w in cut] == [4, 4, 4, 3]
    assert cut[0][2:] == cut[1][:2]


def test_documents_are_cut_but_never_joined():
    source = TextSource(("abcdef", "", "x", "yz"), is_stream=False, label="x")
    cut = windows(source, tiny_tokenizer(), BOS, 4)
    assert [len(w) for w in cut] == [4, 2, 3]
    assert {w[0] for w in cut} == {BOS}


def test_seeded_tokens_are_the_same_every_time_and_within_the_vocabulary():
    one = seeded_tokens(VOCAB, 5, 40, seed=3)
    assert one == seeded_tokens(VOCAB, 5, 40, seed=3)
    assert one != seeded_tokens(VOCAB, 5, 40, seed=4)
    assert [len(w) for w in one] == [40] * 5
    assert {type(t) for w in one for t in w} == {int}
    assert min(min(w) for w in one) >= 0
    assert max(max(w) for w in one) < VOCAB


def test_the_tokenizer_of_a_folder_comes_with_its_special_tokens():
    files = tokenizer_files(shared_model())
    tokenizer = load_tokenizer(files)
    assert tokenizer.get_vocab_size() == VOCAB
    assert special_token_id(files, "bos_token", tokenizer) == BOS
    assert special_token_id(files, "eos_token", tokenizer) == EOS
    assert special_token_id(files, "pad_token", tokenizer) is None


def test_a_folder_without_a_tokenizer_has_none(tmp_path):
    assert load_tokenizer([tmp_path / "tokenizer_config.json"]) is None
    assert special_token_id([tmp_path / "tokenizer_config.json"], "bos_token", None) is None


def test_a_special_token_may_be_written_as_an_object(tmp_path):
    path = tmp_path / "tokenizer_config.json"
    path.write_text(json.dumps({"bos_token": {"content": "<s>", "lstrip": False}}))
    assert special_token_id([path], "bos_token", tiny_tokenizer()) == BOS
    path.write_text(json.dumps({"bos_token": {"content": "<nowhere>"}}))
    assert special_token_id([path], "bos_token", tiny_tokenizer()) is None


@pytest.mark.parametrize("text", ["{}", "not json", "[1]", '{"model": {"type": "Nope"}}'])
def test_a_file_that_is_no_tokenizer_is_refused_by_name(tmp_path, text):
    (tmp_path / "tokenizer.json").write_text(text)
    with pytest.raises(InputError, match=r"tokenizer\.json: not a tokenizer file"):
        load_tokenizer([tmp_path / "tokenizer.json"])


@pytest.mark.parametrize("data", [b"{", b"\xff", b"[" * 100_000])
def test_a_tokenizer_config_that_is_no_json_is_refused_by_name(tmp_path, data):
    path = tmp_path / "tokenizer_config.json"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"tokenizer_config\.json: not JSON"):
        special_token_id([path], "bos_token", tiny_tokenizer())


def test_a_missing_torch_names_what_to_install(monkeypatch):
    real = builtins.__import__

    def no_torch(name, *rest, **more):
        if name == "torch":
            raise ImportError(name)
        return real(name, *rest, **more)

    need_torch()
    monkeypatch.delitem(sys.modules, "torch")
    monkeypatch.setattr(builtins, "__import__", no_torch)
    with pytest.raises(ResourceError, match=r'pip install "optimum-compile\[torch\]"'):
        need_torch()


def numbered(count):
    return [[n, n] for n in range(count)]


@given(count=st.integers(0, 200), samples=st.integers(1, 200))
def test_the_parts_of_a_split_hold_every_window_at_most_once(count, samples):
    made = split_windows(numbered(count), samples)
    parts = (made.calibration, made.profiling, made.selection)
    assert sorted(w for part in parts for w in part) == [(n, n) for n in range(count)]
    assert all(list(part) == sorted(part) for part in parts)
    assert len(made.calibration) <= samples or count <= 3
    if count >= 3:
        assert all(parts)
        assert abs(len(made.profiling) - len(made.selection)) <= 1


def test_what_comes_after_the_samples_is_for_profiling_and_selection():
    made = split_windows(numbered(20), 12)
    assert [w[0] for w in made.calibration] == list(range(12))
    assert [w[0] for w in made.profiling] == [12, 13, 14, 15]
    assert [w[0] for w in made.selection] == [16, 17, 18, 19]


def test_a_quarter_is_set_apart_where_the_samples_would_take_all():
    made = split_windows(numbered(64), 64)
    assert [len(p) for p in (made.calibration, made.profiling, made.selection)] == [48, 8, 8]
    assert made == split_windows(numbered(64), 64)
    # Not one of every so many: texts come in turn.
    for step in (2, 3, 4, 5, 8):
        assert len({w[0] % step for w in made.profiling}) > 1


@pytest.mark.parametrize(("count", "sizes"), [(0, [0, 0, 0]), (1, [1, 0, 0]), (2, [1, 1, 0])])
def test_few_windows_go_to_calibration_first(count, sizes):
    made = split_windows(numbered(count), 64)
    assert [len(p) for p in (made.calibration, made.profiling, made.selection)] == sizes
