"""Archives against eager torch: whole models, and operators whose meaning is easily lost."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from support.archives import CachedDecoder, Calls, Mlp, save_archive
from support.hf import relative_error
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertConfig, BertModel

from optimum_compile.compiler.errors import UnsupportedError
from optimum_compile.compiler.frontend.open_model import Model, open_model
from optimum_compile.compiler.interpret import run

LIMIT = 1e-5
decomposed = pytest.mark.parametrize("decompose", [False, True], ids=["whole", "decomposed"])


def eager(module: nn.Module, inputs: tuple[Tensor, ...]) -> list[Tensor]:
    with torch.no_grad():
        out = module(*(x.clone() for x in inputs))
    return [out] if isinstance(out, Tensor) else list(getattr(out, "values", lambda: out)())


def assert_same(model: Model, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    names = [value.name for value in model.graph.inputs]
    found = run(model.graph, dict(zip(names, inputs, strict=True))).outputs
    for ours, theirs in zip(found, eager(module, inputs), strict=True):
        assert ours.shape == theirs.shape
        if theirs.is_floating_point():
            finite = theirs.isfinite()
            assert torch.equal(ours[~finite].to(theirs), theirs[~finite])
            assert relative_error(ours[finite], theirs[finite]) <= LIMIT
        else:
            assert ours.dtype == theirs.dtype
            assert torch.equal(ours, theirs)


@decomposed
@pytest.mark.parametrize("suffix", [".pt2", ".pt"])
def test_mlp(suffix: str, decompose: bool, tmp_path: Path) -> None:
    module, x = Mlp(), torch.randn(3, 8)
    rows = torch.export.Dim("rows", min=1, max=64)
    path = tmp_path / f"mlp{suffix}"
    model = open_model(save_archive(path, module, (x,), dynamic=({0: rows},), decompose=decompose))
    assert (model.name, model.kind, model.config, model.blocks) == ("mlp", "module", None, 1)
    assert model.parameters == sum(p.numel() for p in module.parameters())
    assert [node.op for node in model.graph.nodes] == ["linear", "relu", "linear"]
    for count in (1, 3, 64):
        assert_same(model, module, (torch.randn(count, 8),))


@decomposed
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_bert_with_a_mask_for_any_batch_and_length(
    attention: str, decompose: bool, tmp_path: Path
) -> None:
    config = BertConfig(
        vocab_size=96,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=32,
        attn_implementation=attention,
    )
    torch.manual_seed(0)
    module = BertModel(config).eval()
    ids, mask = torch.randint(0, 96, (2, 7)), torch.ones(2, 7, dtype=torch.int64)
    sizes = {
        0: torch.export.Dim("batch", min=1, max=4),
        1: torch.export.Dim("seq", min=1, max=32),
    }
    path = save_archive(
        tmp_path / "bert.pt2",
        module,
        (ids, mask),
        dynamic={"input_ids": sizes, "attention_mask": sizes},
        decompose=decompose,
    )
    model = open_model(path)
    assert sorted(model.graph.symbols) == ["batch", "seq"]
    assert {"attention", "matmul"} & {node.op for node in model.graph.nodes}
    for batch, seq in ((2, 7), (1, 32), (4, 2)):
        ids, mask = torch.randint(0, 96, (batch, seq)), torch.ones(batch, seq, dtype=torch.int64)
        mask[0, seq // 2 + 1 :] = 0
        assert_same(model, module, (ids, mask))


@decomposed
def test_a_decoder_that_keeps_its_cache_in_buffers(decompose: bool, tmp_path: Path) -> None:
    torch.manual_seed(0)
    module, past = CachedDecoder(), torch.zeros(1, dtype=torch.int64)
    tokens = {1: torch.export.Dim("tokens", min=1, max=8)}
    example = (torch.zeros(1, 5, dtype=torch.int64), past)
    path = tmp_path / "decoder.pt2"
    model = open_model(
        save_archive(path, module, example, dynamic=(tokens, None), decompose=decompose)
    )
    assert model.kind == "decoder"
    assert [state.name for state in model.graph.states] == ["keys", "values"]
    assert [n.op for n in model.graph.nodes].count("kv_write") == 2
    states = None
    for count in (5, 1, 1, 8, 1):
        new = torch.randint(0, 20, (1, count))
        result = run(model.graph, {"tokens": new, "past": past}, states)
        (wanted,) = eager(module, (new, past))
        assert relative_error(result.outputs[0], wanted) <= LIMIT
        states, past = result.states, past + count
    assert torch.equal(result.states["keys"], module.keys)


X = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
I = torch.arange(12).reshape(3, 4) - 4  # noqa: E741
Q = torch.randn(2, 4, 6, 8, generator=torch.Generator().manual_seed(1))

FUNCTIONS: dict[str, tuple[Callable[..., Any], tuple[Tensor, ...]]] = {
    "division that rounds": (
        lambda x: (
            torch.div(x, 0.3, rounding_mode="floor"),
            torch.div(x, 0.3, rounding_mode="trunc"),
            x // 0.3,
        ),
        (X,),
    ),
    "whole numbers with fractions": (lambda i: (i * 2.5, i + 0.5, i / 2, i**2, i**0.5), (I + 4,)),
    "whole numbers compared with fractions": (lambda i: (i < 2.5, i == 0.5, i >= -0.5), (I,)),
    "whole numbers": (lambda i: (i * 2, i - 3, 1 - i, i // 2, -i, i.abs()), (I,)),
    "flipped bits": (lambda i: (~i, ~(i > 0), (i > 0) & (i < 5), (i > 5) | (i < 0)), (I,)),
    "flags as numbers": (lambda x: ((x > 0) + 1, (x > 0) * x, (x > 0) == 1, (x > 0) == 2), (X,)),
    "reversed subtraction": (lambda x, i: (1 - x, 0.5 - i, torch.rsub(x, i)), (X, I)),
    "mixed types": (lambda x, i: (x * i, i * x, i + x.double(), x < i), (X, I)),
    "slices beyond the end": (
        lambda x: (x[-10:], x[:9], x[3:2], x[7:], x[:, ::2], x[:, 1:-1], x[..., -2:], x[-9:-8]),
        (X,),
    ),
    "rows by number": (lambda x, i: (x[i], x.index_select(1, i), x[:, i]), (X, I[1, :3])),
    "rows from the end": (lambda x, i: (x[i - 3], x[-1], x[:, -2]), (X, torch.arange(3))),
    "pieces": (
        lambda x: (*x.split(3, 1), *x.split([1, 3], -1), *x.chunk(2, 1), *x.unbind(1)),
        (X,),
    ),
    "joined": (lambda x: (torch.cat([x, x], -1), torch.stack([x, x], 1), torch.stack([x], -1)), (X,)),
    "reductions": (
        lambda x: (x.sum(), x.mean(1), x.mean((0, -1), keepdim=True), x.amax(-1), x.sum().sum(0)),
        (X,),
    ),
    "infinite numbers": (
        lambda x: (
            x.masked_fill(x > 0, float("-inf")),
            torch.where(x > 0, x, float("inf")),
            torch.full((2, 2), float("-inf")) + x[0, 0],
        ),
        (X,),
    ),
    "choices": (lambda x: (torch.where(x > 0, x, 0), torch.where(x > 0, 1.0, 2.0)), (X,)),
    "statistics of a norm": (lambda x: torch.native_layer_norm(x, [4], None, None, 1e-5), (X,)),
    "norms": (
        lambda x: (
            functional.layer_norm(x, (4,)),
            functional.layer_norm(x, (3, 4)),
            functional.rms_norm(x, (4,)),
            functional.rms_norm(x, (4,), eps=0.1),
        ),
        (X,),
    ),
    "activations": (
        lambda x: (
            functional.gelu(x),
            functional.gelu(x, approximate="tanh"),
            functional.silu(x),
            functional.softmax(x, 0),
            functional.dropout(x, 0.5, training=False),
            functional.hardswish(x),
        ),
        (X,),
    ),
    "causal attention": (lambda q: functional.scaled_dot_product_attention(q, q, q, is_causal=True), (Q,)),
    "masked attention": (
        lambda q: functional.scaled_dot_product_attention(
            q, q, q, attn_mask=torch.arange(6)[None, :] <= torch.arange(6)[:, None], scale=0.1
        ),
        (Q,),
    ),
    "grouped attention": (
        lambda q: functional.scaled_dot_product_attention(q, q[:, :2], q[:, 2:], enable_gqa=True),
        (Q,),
    ),
    "attention without heads": (
        lambda q: functional.scaled_dot_product_attention(q[0], q[0, :, :3], q[0, :, 3:]),
        (Q,),
    ),
    "products": (lambda q: (q @ q.transpose(-1, -2), q[0] @ q[0].transpose(1, 2), q[0, 0] @ q[0, 0].t()), (Q,)),
    "constants": (
        lambda x: (
            x + torch.arange(4),
            torch.arange(1, 5) * x,
            torch.zeros_like(x) + torch.ones(4),
            x.new_zeros(2, 2),
            torch.arange(0, 8, 2) + x,
            torch.full_like(x, 2),
        ),
        (X,),
    ),
    "types": (lambda x, i: (x.to(torch.int32), i.float(), i.type_as(x), x.double(), x.to(i)), (X, I)),
    "shapes": (
        lambda x: (
            x.view(2, 6).t(),
            x.flatten(),
            x[:, None].expand(3, 2, 4),
            x.unsqueeze(-1).squeeze(),
            x.unflatten(1, (2, 2)).permute(2, 0, 1),
            x.transpose(0, -1),
            torch.arange(4).expand_as(x),
        ),
        (X,),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_operators_keep_their_meaning(name: str, tmp_path: Path) -> None:
    function, inputs = FUNCTIONS[name]
    module = Calls(function)
    assert_same(open_model(save_archive(tmp_path / "m.pt2", module, inputs)), module, inputs)


def test_a_bias_of_one_element_is_broadcast(tmp_path: Path) -> None:
    module = Calls(lambda x: torch.addmm(module.bias, x, module.weight.t()))
    module.weight, module.bias = nn.Parameter(torch.randn(6, 4)), nn.Parameter(torch.randn(1))
    model = open_model(save_archive(tmp_path / "m.pt2", module, (X,)))
    assert_same(model, module, (X,))
    (linear,) = (n for n in model.graph.nodes if n.op == "linear")
    assert linear.inputs[2] is None


def _chain(x: Tensor) -> Tensor:
    y = x * 2
    z = y
    y.add_(1)
    y.mul_(3)
    return z + y


def _early_view(x: Tensor) -> Tensor:
    y = x * 2
    v = y.view(-1)
    y.add_(1)
    return v


def _through_view(x: Tensor) -> Tensor:
    y = torch.zeros(3, 4)
    y[1] = x[0]
    return y + x


def test_writing_in_place_changes_every_name_of_the_value(tmp_path: Path) -> None:
    module = Calls(_chain)
    assert_same(open_model(save_archive(tmp_path / "m.pt2", module, (X,))), module, (X,))


@pytest.mark.parametrize("function", [_early_view, _through_view])
def test_writing_to_memory_that_a_view_shares_is_refused_until_decomposed(
    function: Callable[[Tensor], Tensor], tmp_path: Path
) -> None:
    module = Calls(function)
    path = save_archive(tmp_path / "m.pt2", module, (X,))
    with pytest.raises(
        UnsupportedError, match=r"writes through a view; run `ep = ep.run_decompositions\({}\)`"
    ):
        open_model(path)
    save_archive(path, module, (X,), decompose=True)
    assert_same(open_model(path), module, (X,))


@decomposed
@pytest.mark.parametrize("start", [0.0, 1.0])
def test_a_written_buffer_is_a_state_if_it_starts_as_zeros(
    start: float, decompose: bool, tmp_path: Path
) -> None:
    module = Calls(lambda x: module.total.add_(x) * 2)
    module.register_buffer("total", torch.full((3, 4), start))
    path = save_archive(tmp_path / "m.pt2", module, (X,), decompose=decompose)
    if start:
        with pytest.raises(
            UnsupportedError, match="buffer 'total' is written by the model and does not start as"
        ):
            open_model(path)
        return
    model, states = open_model(path), None
    for _ in range(3):
        result = run(model.graph, {model.graph.inputs[0].name: X}, states)
        (wanted,) = eager(module, (X,))
        assert relative_error(result.outputs[0], wanted) <= LIMIT
        states = result.states


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (lambda x: x + torch.rand_like(x), "aten.rand_like.default: it draws random numbers"),
        (lambda x: functional.dropout(x, 0.5, training=True), "aten.dropout.default: it "),
        (lambda x: torch.fft.fft(x).real, "element type 10"),
        (lambda x: x[:, 0].nonzero(), "the size u0 of aten.nonzero.default depends on the data"),
        (lambda x: x.mT, "or try `ep = ep.run_decompositions({})` before torch.export.save"),
    ],
    ids=["random", "dropout", "complex", "data dependent", "shorthand"],
)
def test_operators_that_no_target_can_repeat_are_refused_at_once(
    function: Callable[[Tensor], Tensor], text: str, tmp_path: Path
) -> None:
    path = save_archive(tmp_path / "m.pt2", Calls(function), (X,))
    with pytest.raises(UnsupportedError) as caught:
        open_model(path)
    assert caught.value.exit_code == 5
    assert text in str(caught.value)
