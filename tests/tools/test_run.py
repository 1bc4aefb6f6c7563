import json
import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.models import CONTEXT, EOS, VOCAB, copy_bundle, shared_bundle, tiny_tokenizer

from optimum_compile.compiler.errors import OptionError
from optimum_compile.tools import run
from optimum_compile.tools.run import Sampling, Streamer, choose, generate

logit_rows = st.lists(st.floats(-30, 30), min_size=1, max_size=12).map(np.array)


class Fake:
    """A model whose next token is always the last one plus one."""

    def __init__(self, context=CONTEXT):
        self.context = context
        self.seen = []

    def prefill(self, tokens):
        self.seen += tokens
        return self.logits(tokens[-1])

    def decode(self, token):
        self.seen.append(token)
        return self.logits(token)

    def logits(self, token):
        return -np.abs(np.arange(VOCAB) - (token + 1.0)).astype(np.float32)


def draws(logits, sampling, count=2000):
    rng = np.random.default_rng(sampling.seed)
    return np.array([choose(np.array(logits), sampling, rng) for _ in range(count)])


@given(logits=logit_rows, seed=st.integers(0, 9))
def test_greedy_takes_the_most_likely_token_whatever_the_seed(logits, seed):
    rng = np.random.default_rng(seed)
    assert choose(logits, Sampling(seed=seed), rng) == logits.argmax()


@given(
    logits=logit_rows,
    temperature=st.floats(0.05, 20),
    top_p=st.floats(0.01, 1),
    seed=st.integers(0, 99),
)
def test_nucleus_sampling_stays_in_the_smallest_set_that_reaches_top_p(
    logits, temperature, top_p, seed
):
    p = np.exp((logits - logits.max()) / temperature)
    p /= p.sum()
    token = choose(logits, Sampling(temperature, top_p), np.random.default_rng(seed))
    likelier = p[p > p[token]].sum()
    assert likelier < top_p + 1e-9


def test_sampling_follows_the_softmax_of_the_scaled_logits():
    logits = np.log([0.5, 0.3, 0.2])
    shares = np.bincount(draws(logits, Sampling(1.0)), minlength=3) / 2000
    assert shares == pytest.approx([0.5, 0.3, 0.2], abs=0.04)
    squared = np.array([0.25, 0.09, 0.04]) / 0.38
    shares = np.bincount(draws(logits, Sampling(0.5)), minlength=3) / 2000
    assert shares == pytest.approx(squared, abs=0.04)


def test_top_p_cuts_the_tail_and_keeps_the_proportions():
    logits = np.log([0.2, 0.5, 0.3])
    shares = np.bincount(draws(logits, Sampling(1.0, top_p=0.6)), minlength=3) / 2000
    assert shares == pytest.approx([0, 0.625, 0.375], abs=0.04)
    assert set(draws(logits, Sampling(1.0, top_p=0.1))) == {1}


def test_huge_logits_do_not_overflow():
    assert set(draws([1e30, -1e30, 0], Sampling(0.01), 20)) == {0}
    assert set(draws([1.0, 3.0, 2.0], Sampling(1e-310), 20)) == {1}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"temperature": -0.1}, "temperature=-0.1: expected a number from 0 to 100"),
        ({"temperature": float("nan")}, "temperature=nan"),
        ({"top_p": 0.0}, "top_p=0.0: expected more than 0 and at most 1"),
        ({"top_p": 1.5}, "top_p=1.5"),
        ({"seed": -1}, "seed=-1: expected a whole number from 0"),
    ],
)
def test_sampling_options_are_bounded(values, message):
    with pytest.raises(OptionError, match=message):
        Sampling(**values)


def test_generation_feeds_each_token_back_but_the_last():
    session = Fake()
    assert list(generate(session, [5, 6], 4, None, Sampling())) == [7, 8, 9, 10]
    assert session.seen == [5, 6, 7, 8, 9]


def test_generation_ends_before_the_stop_token():
    assert list(generate(Fake(), [5], 50, 9, Sampling())) == [6, 7, 8]


def test_generation_ends_when_the_cache_is_full():
    session = Fake(context=6)
    assert list(generate(session, [1, 2, 3], 50, None, Sampling())) == [4, 5, 6, 7]
    assert len(session.seen) == 6


def test_equal_seeds_give_equal_tokens_and_others_do_not():
    def tokens(seed):
        sampling = Sampling(5.0, 0.95, seed)
        return list(generate(Fake(), [40], 30, None, sampling))

    assert tokens(1) == tokens(1)
    assert len({tuple(tokens(seed)) for seed in range(5)}) > 1


class Bytes:
    """A tokenizer of UTF-8 bytes."""

    def decode(self, ids, skip_special_tokens):
        assert skip_special_tokens
        return bytes(ids).decode("utf-8", "replace")


def test_half_a_character_is_held_back_until_it_is_whole():
    stream = Streamer(Bytes(), list(b"a "))
    assert [stream.push(b) for b in "né€!".encode()] == ["n", "", "é", "", "", "€", "!"]


def test_pieces_join_to_the_decoded_text():
    tokenizer = tiny_tokenizer()
    ids = tokenizer.encode("Ana had a boat. ").ids
    stream = Streamer(tokenizer, ids[:5])
    assert "".join(stream.push(i) for i in ids[5:]) == "had a boat. "


@pytest.fixture
def fake_session(monkeypatch):
    session = Fake()
    monkeypatch.setattr(run, "open_session", lambda bundle, target, **_: session)
    return session


def test_text_goes_to_stdout_and_figures_to_stderr(cli, fake_session):
    done = cli("run", shared_bundle().path, "--prompt", "abc", "--max-tokens", "4")
    assert done.code == 0
    assert done.out == "abcdefg\n"
    assert done.err.startswith("4 tokens, ")
    assert fake_session.seen[0] == 1  # <s>, once


def test_threads_go_to_the_session(cli, fake_session, monkeypatch):
    asked = []
    monkeypatch.setattr(fake_session, "set_threads", asked.append, raising=False)
    assert cli("run", shared_bundle().path, "--prompt", "abc", "--threads", "3").code == 0
    assert asked == [3]


def test_json_of_a_generation(cli, fake_session):
    done = cli("run", shared_bundle().path, "--prompt", "abc", "--max-tokens", "4", "--json")
    assert set(done.json()) == {"text", "tokens", "tokens_per_second"}
    assert (done.json()["text"], done.json()["tokens"]) == ("defg", 4)


def test_the_end_token_of_the_tokenizer_stops_the_text(cli, fake_session, monkeypatch):
    monkeypatch.setattr(fake_session, "logits", lambda token: np.eye(VOCAB)[EOS])
    done = cli("run", shared_bundle().path, "--prompt", "abc", "--json")
    assert (done.json()["text"], done.json()["tokens"]) == ("", 0)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--prompt", "a", "--max-tokens", "0"], 2, "max-tokens=0: expected a positive number"),
        (["--prompt", "a", "--temperature", "-1"], 2, "temperature=-1.0: expected a number"),
        (["--prompt", "a", "--top-p", "2"], 2, "top_p=2.0: expected more than 0"),
        (["--prompt", "a", "--seed", "-1"], 2, "seed=-1: expected a whole number"),
        (["--prompt", "a", "--device", "gpu"], 2, "invalid choice: 'gpu'"),
        (["--prompt", "a", "--threads", "2"], 2, "--threads: this artifact's runtime chooses them"),
        ([], 2, "required: --prompt"),
        (
            ["--prompt", "a" * CONTEXT],
            3,
            f"the prompt has {CONTEXT + 1} tokens, the cache {CONTEXT}",
        ),
    ],
)
def test_a_bad_request_is_refused_with_what_is_allowed(cli, fake_session, arguments, code, message):
    done = cli("run", shared_bundle().path, *arguments)
    assert done.code == code
    assert message in done.err


def test_a_bundle_without_a_decoder_that_runs_here_says_how_to_get_one(cli):
    done = cli("run", shared_bundle().path, "--prompt", "a")
    assert done.code == 3
    assert "no android or native or gpu decoder that runs here; the bundle has ios" in done.err
    assert "compile with --target android or native" in done.err
    named = cli("run", shared_bundle().path, "--prompt", "a", "--artifact", "ios")
    assert (named.code, "no ios decoder that runs here" in named.err) == (3, True)
    unknown = cli("run", shared_bundle().path, "--prompt", "a", "--artifact", "windows")
    assert (unknown.code, "expected one of ios" in unknown.err) == (2, True)


def test_a_bundle_without_a_tokenizer_makes_no_text(cli, tmp_path):
    bundle = copy_bundle(tmp_path)
    (bundle / "tokenizer.json").unlink()
    done = cli("run", bundle, "--prompt", "a")
    assert done.code == 3
    assert "no tokenizer.json in the bundle, so no text can be made" in done.err


def test_an_empty_prompt_needs_a_tokenizer_that_begins_with_something(cli, tmp_path, fake_session):
    assert cli("run", shared_bundle().path, "--prompt", "", "--max-tokens", "1").code == 0
    bundle = copy_bundle(tmp_path)
    (bundle / "tokenizer_config.json").unlink()
    plain = json.loads((bundle / "tokenizer.json").read_text())
    (bundle / "tokenizer.json").write_text(json.dumps(plain | {"post_processor": None}))
    done = cli("run", bundle, "--prompt", "")
    assert done.code == 2
    assert "prompt '': expected at least one token" in done.err


@pytest.mark.executorch
def test_the_android_artifact_generates_text(cli, tmp_path):
    pytest.importorskip("executorch")
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed; it builds the packed operators")
    bundle = shared_bundle("android").path

    def text(*arguments):
        done = cli("run", bundle, "--prompt", "Ana", "--max-tokens", "16", *arguments, "--json")
        assert done.code == 0
        return done.json()["text"]

    greedy = text()
    assert greedy == text("--seed", "5")
    assert greedy == text("--temperature", "1", "--top-p", "0.000001")
    warm = [text("--temperature", "2", "--top-p", "0.95", "--seed", str(s)) for s in (0, 0, 1, 2)]
    assert warm[0] == warm[1]
    assert len(set(warm)) == 3
    assert greedy not in warm
    assert cli("run", bundle, "--prompt", "Ana", "--max-tokens", "16").out == f"Ana{greedy}\n"
