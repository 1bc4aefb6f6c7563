"""Linears on int8 activations in the reference executor, against integer sums."""

from pathlib import Path

import numpy as np
import pytest
import torch
from support.graphs import mlp
from torch import Tensor

from optimum_compile.compiler.errors import UserError
from optimum_compile.compiler.interpret import WeightCache, run
from optimum_compile.compiler.quant.activations import ActivationKind, rounded, token_codes
from optimum_compile.compiler.quant.scheme import Affine, PerChannel
from optimum_compile.compiler.quant.store import write_packed
from optimum_compile.passes.precision.notes import Quantized
from optimum_compile.passes.precision.quantizers.affine.rtn import quantize_rtn

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("kind", ActivationKind)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_activations_are_rounded_in_front_of_the_named_weights(
    kind: ActivationKind, dtype: torch.dtype
) -> None:
    graph = mlp()
    x = RNG.standard_normal((5, 8)).astype(np.float32)
    seen: list[tuple[str, Tensor]] = []
    got = run(
        graph,
        {"x": x},
        activations={"down.weight": kind},
        observe=lambda node, outputs: seen.append((node.origin, outputs[0])),
        dtype=dtype,
    ).outputs[0]
    plain = run(graph, {"x": x}, dtype=dtype).outputs[0]
    hidden = dict(seen)["act"]
    weight = torch.from_numpy(graph.weights["down.weight"].weight.load()).to(dtype)
    expected = torch.from_numpy(rounded(hidden.numpy(), kind)).to(dtype) @ weight.T
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5)
    assert 1e-3 < float((got - plain).norm() / plain.norm()) < 3e-2


@pytest.mark.parametrize("kind", ActivationKind)
@pytest.mark.parametrize("bits", [4, 8])
def test_one_scale_a_row_gives_the_bits_of_integer_sums(
    kind: ActivationKind, bits: int, tmp_path: Path
) -> None:
    graph = mlp(width=8, hidden=600)
    value = graph.weights["down.weight"]
    scheme = Affine(bits, PerChannel())
    packed = quantize_rtn(value.weight.load(), scheme)
    value.notes.put(Quantized(scheme, write_packed(tmp_path, packed), tmp_path))
    seen: dict[str, Tensor] = {}
    x = {"x": RNG.standard_normal((5, 8)).astype(np.float32)}
    for cache in (None, WeightCache()):
        (got,) = run(
            graph,
            x,
            weights="quantized",
            activations={"down.weight": kind},
            observe=lambda node, outputs: seen.update({node.origin: outputs[0]}),
            cache=cache,
        ).outputs
        codes = token_codes(seen["act"].numpy(), kind)
        integers = codes.codes.astype(np.int32) - codes.zeros
        sums = (integers @ packed.codes.astype(np.int32).T).astype(np.float32)
        expected = sums * codes.scales * packed.scales[:, 0].astype(np.float32)
        assert got.numpy().tobytes() == expected.tobytes()
    floats = run(graph, x, activations={"down.weight": kind}).outputs[0]
    near = run(
        graph, x, replace_weights={"down.weight": torch.from_numpy(packed.dequantize())},
        activations={"down.weight": kind}, weights="quantized",
    ).outputs[0]  # fmt: skip
    torch.testing.assert_close(near, got, rtol=1e-4, atol=1e-4)
    assert not torch.equal(floats, got)


def test_rounded_activations_need_known_weights_and_have_no_gradient() -> None:
    inputs = {"x": np.ones((1, 8), np.float32)}
    kinds = {"down.weight": ActivationKind.SYMMETRIC_INT8}
    with pytest.raises(UserError, match="weight 'other': the graph has none of that name"):
        run(mlp(), inputs, activations={"other": ActivationKind.SYMMETRIC_INT8})
    with pytest.raises(UserError, match="no gradient"):
        run(mlp(), inputs, activations=kinds, grad_weights=["up.weight"])
