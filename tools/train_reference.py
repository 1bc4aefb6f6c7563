"""Train the small reference Llama that the demo and the default tests run on.

    python -m optimum_compile.tools.train_reference --text DIR --out models/reference
    python -m optimum_compile.tools.train_reference --text DIR --out models/mixture --mixture

`DIR` holds the TinyStories files named in `Corpus`. The calibration and evaluation files are read
only to *remove* their stories from the training text. Training is seeded, checkpoints into
`--work-dir` and resumes from there to the same weights.
"""

import argparse
import json
import math
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

BOS, EOS = "<s>", "</s>"
SPECIAL = ("<unk>", BOS, EOS)
SPEECH = frozenset("said asked replied cried shouted he she they his her the".split())
MOJIBAKE = {
    "â€œ": '"',
    "â€\x9d": '"',
    "â€": '"',
    "â€™": "'",
    "â€˜": "'",
    "“": '"',
    "”": '"',
    "’": "'",
}
WORD = re.compile(r"[A-Za-z']+")


@dataclass(frozen=True)
class Recipe:
    """Shape of the model and of its training run."""

    vocab_size: int = 2048
    hidden_size: int = 256
    intermediate_size: int = 768
    layers: int = 6
    heads: int = 4
    kv_heads: int = 2
    context: int = 512
    batch: int = 16
    seqlen: int = 256
    steps: int = 2200
    warmup: int = 100
    learning_rate: float = 2e-3
    dropout: float = 0.15
    weight_decay: float = 0.1
    seed: int = 0
    experts: int = 0  # a mixture of so many in each layer; 0 for a dense model
    experts_per_token: int = 2
    expert_size: int = 384  # inner width of one expert
    router_loss: float = 0.02  # weight of the loss that spreads tokens over the experts


# A Mixtral whose 8 experts a layer hold four fifths of the weights.
MIXTURE = Recipe(hidden_size=192, layers=4, steps=2400, experts=8, expert_size=192)


@dataclass(frozen=True)
class Corpus:
    """Training stories, and a few held out of training to watch the loss."""

    train: tuple[str, ...]
    watch: tuple[str, ...]


def plain_quotes(text: str) -> str:
    """Undo mis-decoded quotation marks and use straight ones."""
    for bad in sorted(MOJIBAKE, key=len, reverse=True):
        text = text.replace(bad, MOJIBAKE[bad])
    return text


def shingles(text: str, width: int = 8) -> set[tuple[str, ...]]:
    """All runs of `width` lower-cased words."""
    words = [w.lower() for w in WORD.findall(text)]
    return {tuple(words[i : i + width]) for i in range(len(words) - width + 1)}


def without_overlap(stories: Iterable[str], held: Sequence[str], limit: float = 0.2) -> list[str]:
    """Drop every story that shares more than `limit` of its word 8-grams with a held-out one."""
    known: set[tuple[str, ...]] = set()
    for text in held:
        known |= shingles(text)
    kept = []
    for story in stories:
        grams = shingles(story)
        if grams and len(grams & known) <= limit * len(grams):
            kept.append(story)
    return kept


def split_lower(text: str) -> list[str]:
    """Stories of the lower-cased file: paragraphs are split by a blank line, stories by none."""
    stories: list[list[str]] = []
    after_blank = False
    for line in text.splitlines():
        if not line.strip():
            after_blank = True
            continue
        if after_blank and stories:
            stories[-1].append(line)
        else:
            stories.append([line])
        after_blank = False
    return ["\n".join(s) for s in stories]


def cased_words(stories: Iterable[str]) -> dict[str, str]:
    """Words that are written with a capital inside a sentence at least half of the time."""
    seen: Counter[str] = Counter()
    for story in stories:
        seen.update(re.findall(r"(?<=[a-z,] )([A-Za-z']+)", story))
    best: dict[str, str] = {}
    for word in seen:
        capital = word.capitalize()
        if word == capital and seen[capital] > seen[word.lower()]:
            best[word.lower()] = capital
    return best | {"i": "I", "i'm": "I'm", "i'll": "I'll", "i've": "I've", "i'd": "I'd"}


def truecase(story: str, names: dict[str, str]) -> str:
    """Give a lower-cased story its capitals back: names, and the first word of a sentence."""
    story = WORD.sub(lambda m: names.get(m.group(), m.group()), story)
    first = r'(^|[.!?]"?\s+"?|\n"?|[,:]? "(?=[a-z]))([a-z]+)'

    def capital(match: re.Match[str]) -> str:
        gap, word = match.groups()
        if '"' in gap and not gap.endswith('"') and word in SPEECH:
            return match.group()
        return gap + word[0].upper() + word[1:]

    return re.sub(first, capital, story)


def load_corpus(folder: Path) -> Corpus:
    """Read the text folder; no story of the calibration or evaluation files survives."""

    def read(name: str) -> list[str]:
        return [plain_quotes(s) for s in json.loads((folder / name).read_text("utf-8"))]

    held = read("tinystories_calib.json") + read("tinystories_eval.json")
    extra = without_overlap(read("tinystories_extra.json"), held)
    names = cased_words(extra)
    lower = split_lower(plain_quotes((folder / "tinystories_train_lower.txt").read_text("utf-8")))
    lower = [truecase(s, names) for s in without_overlap(lower, held + extra[-60:])]
    return Corpus(tuple(lower + extra[:-60]), tuple(extra[-60:]))


def train_tokenizer(stories: Sequence[str], recipe: Recipe) -> Any:
    """Byte-level BPE with `<s>` and `</s>`; BOS is put before every text."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tok = Tokenizer(models.BPE(unk_token=None))
    tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tok.decoder = decoders.ByteLevel()
    tok.train_from_iterator(
        stories,
        trainers.BpeTrainer(
            vocab_size=recipe.vocab_size,
            special_tokens=list(SPECIAL),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    tok.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", special_tokens=[(BOS, SPECIAL.index(BOS))]
    )
    return tok


def pack_tokens(stories: Sequence[str], tok: Any) -> Any:  # -> (tokens,) int64
    """One stream: BOS story EOS BOS story EOS ..."""
    import torch

    eos = SPECIAL.index(EOS)
    return torch.tensor([t for e in tok.encode_batch(list(stories)) for t in (*e.ids, eos)])


def learning_rate_at(step: int, recipe: Recipe) -> float:
    """Linear warm-up, then cosine to a twentieth."""
    if step < recipe.warmup:
        return recipe.learning_rate * (step + 1) / recipe.warmup
    done = (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup)
    return recipe.learning_rate * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done)))


def build_model(recipe: Recipe) -> Any:
    """A Hugging Face Llama or Mixtral with tied embeddings, float32."""
    from transformers import LlamaConfig, LlamaForCausalLM, MixtralConfig, MixtralForCausalLM

    shape: dict[str, Any] = {
        "vocab_size": recipe.vocab_size,
        "hidden_size": recipe.hidden_size,
        "num_hidden_layers": recipe.layers,
        "num_attention_heads": recipe.heads,
        "num_key_value_heads": recipe.kv_heads,
        "max_position_embeddings": recipe.context,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "tie_word_embeddings": True,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": None,
    }
    if recipe.experts:
        model = MixtralForCausalLM(
            MixtralConfig(
                **shape,
                intermediate_size=recipe.expert_size,
                num_local_experts=recipe.experts,
                num_experts_per_tok=recipe.experts_per_token,
            )
        )
    else:
        model = LlamaForCausalLM(LlamaConfig(**shape, intermediate_size=recipe.intermediate_size))
    for layer in model.model.layers:
        last = layer.mlp if recipe.experts else layer.mlp.down_proj
        layer.self_attn.o_proj.register_forward_hook(_dropout(recipe.dropout))
        last.register_forward_hook(_dropout(recipe.dropout))
    model.model.embed_tokens.register_forward_hook(_dropout(recipe.dropout / 2))
    return model


def loss_of(model: Any, ids: Any, recipe: Recipe) -> Any:
    """Cross entropy of ids (batch, tokens + 1), and what spreads tokens over experts."""
    import torch

    if not recipe.experts:
        logits = model(ids[:, :-1]).logits
        return torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
    out = model(ids[:, :-1], output_router_logits=True)
    loss = torch.nn.functional.cross_entropy(out.logits.flatten(0, 1), ids[:, 1:].flatten())
    return loss + recipe.router_loss * out.aux_loss


def _dropout(rate: float) -> Any:
    """Hook that drops parts of a branch in training: the text is small and is read many times."""
    import torch

    def hook(module: Any, inputs: Any, output: Any) -> Any:
        return torch.nn.functional.dropout(output, rate, training=module.training)

    return hook


def document_nll(model: Any, tok: Any, stories: Sequence[str], limit: int) -> tuple[float, int]:
    """Summed negative log-likelihood in nats, each story alone, BOS first, cut at `limit`."""
    import torch

    total, count = 0.0, 0
    model.eval()
    with torch.no_grad():
        for story in stories:
            ids = torch.tensor([tok.encode(story).ids[:limit]])
            if ids.shape[1] < 2:
                continue
            logp = model(ids).logits[0, :-1].log_softmax(-1)
            total -= float(logp.gather(1, ids[0, 1:, None]).sum())
            count += ids.shape[1] - 1
    model.train()
    return total, count


def train(corpus: Corpus, recipe: Recipe, work: Path, log_every: int = 20) -> tuple[Any, Any]:
    """Train or resume; returns (model, tokenizer)."""
    import torch

    torch.manual_seed(recipe.seed)
    tok = train_tokenizer(corpus.train, recipe)
    stream = pack_tokens(corpus.train, tok)
    model = build_model(recipe)
    decay = [p for p in model.parameters() if p.ndim >= 2]
    rest = [p for p in model.parameters() if p.ndim < 2]
    groups = [
        {"params": decay, "weight_decay": recipe.weight_decay},
        {"params": rest, "weight_decay": 0.0},
    ]
    opt = torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=(0.9, 0.98))
    step, checkpoint = 0, work / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        opt.load_state_dict(state["optimizer"])
        step = int(state["step"])
    model.train()
    print(f"{len(corpus.train)} stories, {len(stream)} tokens, start at step {step}", flush=True)
    began, first = time.monotonic(), step
    while step < recipe.steps:
        # The batch depends on the step alone, so that a resumed run sees the same data.
        pick = torch.Generator().manual_seed(recipe.seed * 1_000_003 + step)
        torch.manual_seed(recipe.seed * 1_000_003 + step)
        at = torch.randint(len(stream) - recipe.seqlen - 1, (recipe.batch,), generator=pick)
        ids = torch.stack([stream[i : i + recipe.seqlen + 1] for i in at.tolist()])
        for group in opt.param_groups:
            group["lr"] = learning_rate_at(step, recipe)
        loss = loss_of(model, ids, recipe)
        opt.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        step += 1
        if step % log_every == 0:
            pace = (time.monotonic() - began) / (step - first)
            left = (recipe.steps - step) * pace / 60
            print(
                f"step {step} loss {loss.item():.3f} {pace:.2f} s/step, {left:.0f} min left",
                flush=True,
            )
        if step % 200 == 0 or step == recipe.steps:
            state = {"model": model.state_dict(), "optimizer": opt.state_dict(), "step": step}
            torch.save(state, checkpoint.with_suffix(".tmp"))
            checkpoint.with_suffix(".tmp").replace(checkpoint)
            nll, count = document_nll(model, tok, corpus.watch, recipe.context)
            print(f"step {step} held-out ppl {math.exp(nll / count):.3f}", flush=True)
    return model, tok


def save(model: Any, tok: Any, out: Path) -> None:
    """Write config, fp16 weights and tokenizer as a Hugging Face folder."""
    import torch

    out.mkdir(parents=True, exist_ok=True)
    model.to(torch.float16).save_pretrained(out)
    (out / "generation_config.json").unlink(missing_ok=True)
    tok.save(str(out / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": BOS,
        "eos_token": EOS,
        "unk_token": SPECIAL[0],
        "clean_up_tokenization_spaces": False,
        "model_max_length": model.config.max_position_embeddings,
    }
    (out / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n", "utf-8")


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="train_reference", description=__doc__)
    parser.add_argument("--text", type=Path, required=True, help="folder with the story files")
    parser.add_argument("--out", type=Path, default=Path("models/reference"))
    parser.add_argument("--work-dir", type=Path, default=Path("build/train"))
    parser.add_argument("--steps", type=int, help="default: those of the recipe")
    parser.add_argument("--mixture", action="store_true", help="train the mixture of experts")
    args = parser.parse_args(argv)
    args.work_dir.mkdir(parents=True, exist_ok=True)
    recipe = MIXTURE if args.mixture else Recipe()
    recipe = replace(recipe, steps=args.steps or recipe.steps)
    model, tok = train(load_corpus(args.text), recipe, args.work_dir)
    evaluation = json.loads((args.text / "tinystories_eval.json").read_text("utf-8"))
    save(model, tok, args.out)
    nll, count = document_nll(model.float(), tok, evaluation, recipe.context)
    model.eval()
    print(f"evaluation: {count} tokens, nll {nll / count:.4f}, ppl {math.exp(nll / count):.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
