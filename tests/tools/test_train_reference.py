from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.tools.train_reference import (
    Corpus,
    Recipe,
    cased_words,
    learning_rate_at,
    pack_tokens,
    plain_quotes,
    save,
    shingles,
    split_lower,
    train,
    train_tokenizer,
    truecase,
    without_overlap,
)

STORY = "one two three four five six seven eight nine ten"


def test_shingles_are_runs_of_words():
    assert shingles("One two, three!", 2) == {("one", "two"), ("two", "three")}
    assert shingles("too short") == set()


def test_a_story_that_repeats_a_held_out_one_is_dropped():
    fresh = "a b c d e f g h i j k l m n"
    assert without_overlap([STORY, STORY.upper(), fresh], [STORY]) == [fresh]


def test_a_little_overlap_is_allowed():
    long = STORY + " " + " ".join(a + b for a in "abcdefg" for b in "tuvwxyz")
    assert without_overlap([long], [STORY]) == [long]


def test_paragraphs_stay_with_their_story():
    text = "first story.\n\nits second paragraph.\nsecond story."
    assert split_lower(text) == ["first story.\nits second paragraph.", "second story."]


def test_capitals_come_back():
    names = cased_words(["One day, Lily saw a dog. The dog ran to Lily. Then Lily laughed."])
    assert names["lily"] == "Lily"
    assert "dog" not in names
    assert truecase("one day lily ran. she fell.", names) == "One day Lily ran. She fell."


def test_mis_decoded_quotes_become_straight():
    assert plain_quotes("\u201chi\u201d") == '"hi"'


@given(st.integers(0, 2199))
def test_the_learning_rate_never_leaves_its_range(step):
    recipe = Recipe()
    assert 0 < learning_rate_at(step, recipe) <= recipe.learning_rate


def test_the_learning_rate_rises_and_then_falls():
    recipe = Recipe(warmup=10, steps=100)
    rates = [learning_rate_at(s, recipe) for s in range(100)]
    assert np.argmax(rates) in (9, 10)
    assert rates[-1] == pytest.approx(0.05 * recipe.learning_rate, rel=0.05)


def test_the_tokenizer_puts_its_marks_and_reads_back():
    tokenizer = train_tokenizer([STORY, "another little story"], Recipe(vocab_size=300))
    ids = tokenizer.encode("two little stories!").ids
    assert tokenizer.id_to_token(ids[0]) == "<s>"
    assert tokenizer.decode(ids) == "two little stories!"
    packed = pack_tokens(["one", "two"], tokenizer).tolist()
    assert [tokenizer.id_to_token(t) for t in (packed[0], packed[-1])] == ["<s>", "</s>"]


TINY = Recipe(
    vocab_size=300,
    hidden_size=16,
    intermediate_size=32,
    layers=1,
    heads=2,
    kv_heads=1,
    context=16,
    batch=2,
    seqlen=8,
    steps=3,
    warmup=1,
    expert_size=24,
)


@pytest.mark.parametrize("experts", [0, 4])
def test_what_is_trained_can_be_compiled(experts, tmp_path):
    corpus = Corpus((STORY, "another little story"), (STORY,))
    recipe = replace(TINY, experts=experts)
    model, tokenizer = train(corpus, recipe, tmp_path, log_every=1)
    save(model, tokenizer, tmp_path / "model")
    opened = open_model(tmp_path / "model")
    ops = Counter(node.op for node in opened.graph.nodes)
    assert (ops["route"], ops["linear"]) == ((1, 4 + 1 + 3 * 4 + 1) if experts else (0, 8))
    again, _ = train(corpus, recipe, tmp_path, log_every=1)  # resumed at its end
    for a, b in zip(model.float().parameters(), again.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-3)
