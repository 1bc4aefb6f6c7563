import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.graphs import decoder
from support.models import BOS, tiny_tokenizer

from optimum_compile.compiler.calibration import TextSource
from optimum_compile.compiler.errors import InputError, OptionError
from optimum_compile.tools import score as module
from optimum_compile.tools.score import GraphLogits, Score, Window, score, text_windows

VOCAB = 11


def stream(text):
    return TextSource((text,), is_stream=True, label="s.txt")


def documents(*texts):
    return TextSource(texts, is_stream=False, label="d.json")


def random_model(seed, vocab=VOCAB):
    """Logits that depend on the token and on its position."""
    table = np.random.default_rng(seed).standard_normal((64, vocab, vocab)).astype(np.float32) * 3
    return lambda tokens: table[np.arange(len(tokens)), tokens]


def random_windows(seed, count=5):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(2, 60, count)
    return [Window(tuple(rng.integers(0, VOCAB, n).tolist())) for n in lengths]


@given(length=st.integers(1, 60), seqlen=st.integers(2, 20), data=st.data())
def test_windows_of_a_stream_are_those_of_the_usual_perplexity_loop(length, seqlen, data):
    stride = data.draw(st.integers(1, seqlen))
    text = ("abcdefghijklm" * 5)[:length]
    found = text_windows(stream(text), tiny_tokenizer(), BOS, seqlen, stride)
    ids, wanted, previous = tiny_tokenizer().encode(text).ids, [], 0
    for begin in range(0, len(ids), stride):
        end = min(begin + seqlen, len(ids))
        fresh = min(end - previous, end - begin - 1)  # the first of a window has no prediction
        if fresh > 0:
            wanted.append((tuple(ids[begin:end]), fresh))
        previous = end
        if end == len(ids):
            break
    assert [(w.tokens, w.scored) for w in found] == wanted
    if stride < seqlen:  # all but the very first token, each once
        assert sum(w.scored for w in found) == len(ids) - 1


@given(
    count=st.integers(1, 80),
    seqlen=st.integers(2, 12),
    is_stream=st.booleans(),
)
def test_the_number_of_predicted_tokens_is_exactly_what_was_asked_for(count, seqlen, is_stream):
    text = stream("abcdefgh" * 6) if is_stream else documents("abc", "defghijk", "", "lm" * 9)
    every = text_windows(text, tiny_tokenizer(), BOS, seqlen)
    some = text_windows(text, tiny_tokenizer(), BOS, seqlen, max_tokens=count)
    assert sum(w.scored for w in some) == min(count, sum(w.scored for w in every))
    assert [w.tokens for w in some[:-1]] == [w.tokens for w in every[: len(some) - 1]]
    assert every[len(some) - 1].tokens[: len(some[-1].tokens)] == some[-1].tokens


def test_documents_are_taken_alone_with_the_first_token_before_each():
    found = text_windows(documents("abc", "", "defgh"), tiny_tokenizer(), BOS, 4)
    assert [len(w.tokens) for w in found] == [4, 4]
    assert [(w.tokens[0], w.first) for w in found] == [(BOS, 1)] * 2


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ({"seqlen": 1}, OptionError, "seqlen=1: expected 2 tokens or more"),
        ({"stride": 9}, OptionError, r"stride=9: expected a whole number from 1 to seqlen \(8\)"),
        ({"stride": 0}, OptionError, "stride=0"),
        ({"max_tokens": 0}, OptionError, "max-tokens=0: expected a positive number"),
        ({"bos": None, "text": "x"}, InputError, "s.txt: fewer than two tokens of text"),
    ],
)
def test_windows_that_cannot_be_made_are_refused(values, error, message):
    given = {"text": "some text", "bos": BOS, "seqlen": 8} | values
    tokenizer = tiny_tokenizer()
    tokenizer.post_processor = None
    with pytest.raises(error, match=message):
        text_windows(
            stream(given["text"]),
            tokenizer,
            given["bos"],
            given["seqlen"],
            given.get("stride"),
            given.get("max_tokens"),
        )


@pytest.mark.parametrize("rows", [1, 7, 64])
def test_figures_are_those_of_the_formulas_whatever_the_chunk(rows, monkeypatch):
    monkeypatch.setattr(module, "ROWS", rows)
    p, q, windows = random_model(1), random_model(2), random_windows(3)
    found = score(windows, q, p)
    nll, kl, same = [], [], []
    for window in windows:
        ids = np.array(window.tokens)
        a = torch.from_numpy(p(ids)[:-1]).double().softmax(-1)
        b = torch.from_numpy(q(ids)[:-1]).double().softmax(-1)
        nll += [-float(b[i, t].log()) for i, t in enumerate(ids[1:])]
        kl += (a * (a / b).log()).sum(-1).tolist()
        same += (a.argmax(-1) == b.argmax(-1)).tolist()
    assert found.tokens == len(nll)
    assert found.nll == pytest.approx(np.mean(nll), rel=1e-9)
    assert found.kl_mean == pytest.approx(np.mean(kl), rel=1e-9)
    assert found.kl_p99 == pytest.approx(np.percentile(kl, 99), rel=1e-9)
    assert found.top1_agreement == np.mean(same)
    assert found.perplexity == pytest.approx(np.exp(np.mean(nll)))


def test_a_model_agrees_with_itself():
    p = random_model(1)
    found = score(random_windows(0), p, p)
    assert (found.kl_mean, found.kl_p99, found.top1_agreement) == (0, 0, 1)
    alone = score(random_windows(0), p)
    assert (alone.kl_mean, alone.kl_p99, alone.top1_agreement) == (None, None, None)
    assert alone.nll == found.nll


def test_context_is_seen_but_not_scored():
    p = random_model(1)
    tokens = tuple(range(10))
    whole = score([Window(tokens)], p)
    head, tail = score([Window(tokens[:6])], p), score([Window(tokens, 6)], p)
    assert head.tokens + tail.tokens == whole.tokens
    total = head.nll * head.tokens + tail.nll * tail.tokens
    assert total == pytest.approx(whole.nll * whole.tokens)


def test_progress_is_told_window_by_window():
    told = []
    score(random_windows(0, 3), random_model(1), progress=lambda *at: told.append(at))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_perplexity_beyond_all_numbers_is_infinite():
    assert Score(1, 5000.0, None, None, None).perplexity == float("inf")


def broken(tokens):
    logits = random_model(1)(tokens)
    logits[0, 0] = np.nan
    return logits


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ((broken, None), "the logits of the model are NaN or infinite"),
        ((random_model(1), broken), "the logits of the reference are NaN or infinite"),
        ((random_model(1), random_model(1, 12)), "the reference predicts 12 tokens, the model 11"),
        ((lambda t: random_model(1)(t)[:, :5], None), "token 10 is outside the 5 that the model"),
    ],
)
def test_logits_that_mean_nothing_are_refused(models, message):
    with pytest.raises(InputError, match=message):
        score([Window((3, 10, 5))], *models)


def test_a_graph_gives_the_same_logits_in_one_piece_and_in_chunks():
    graph = decoder(vocab=VOCAB, context=40)
    tokens = np.arange(30) % VOCAB
    whole = GraphLogits(graph)
    chunks = GraphLogits(graph)
    chunks._longest = 7
    assert whole(tokens).shape == (30, VOCAB)
    assert np.allclose(whole(tokens), chunks(tokens), atol=1e-5)
