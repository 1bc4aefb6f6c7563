"""Nested weights in the stock runtime: the widest by itself, any width where the call chooses."""

from pathlib import Path

import numpy as np
import pytest
from support.emission import compared, emitted
from support.graphs import decoder
from support.packed import random_packed, with_packed

from optimum_compile.backends.base import Tolerance, WeightUse
from optimum_compile.backends.executorch import custom_ops
from optimum_compile.backends.executorch.backend import BACKEND
from optimum_compile.backends.executorch.schemes import on_xnnpack, stored_bytes, supports_scheme
from optimum_compile.backends.executorch.session import Program, Session
from optimum_compile.backends.executorch.toolchain import quiet
from optimum_compile.compiler.errors import InputError, ToolchainError
from optimum_compile.compiler.package.describe import predicted_bytes
from optimum_compile.compiler.quant.nested import at_width
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Nested
from optimum_compile.compiler.quant.stored import stored_parts
from optimum_compile.passes.precision.units import units_of

pytestmark = pytest.mark.executorch
CACHED = Tolerance(
    max_rel_err=2e-4, min_top1=1.0
)  # a float next to a tie may get the other fp16 key


def exported(weight: PackedWeight, path: Path) -> Program:
    """A program of one lookup and one linear on one weight, with the width as an input."""
    import torch
    from executorch.exir import EdgeCompileConfig, to_edge

    custom_ops.load()
    ops = torch.ops.optimum_compile_rt
    scheme, parts = weight.scheme, stored_parts(weight)
    assert isinstance(scheme, Nested)
    numbers = (scheme.seed_bits, scheme.bits, *weight.shape, scheme.rows_per_table)

    class Both(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("planes", torch.from_numpy(parts["codes"]))
            self.register_buffer("tables", torch.from_numpy(parts["table"]))

        def forward(self, ids, width):
            x = ops.embedding_nested(ids, self.planes, self.tables, width, *numbers)
            return x, ops.linear_nested(x, self.planes, self.tables, width, *numbers)

    inputs = (torch.zeros(1, 5, dtype=torch.int64), torch.tensor([scheme.bits]))
    config = EdgeCompileConfig(_check_ir_validity=False, _skip_dim_order=True)
    with quiet(), torch.no_grad():
        program = to_edge(torch.export.export(Both(), inputs), compile_config=config)
        path.write_bytes(program.to_executorch().buffer)
    return Program(path)


@pytest.mark.parametrize(("scheme", "columns"), [(Nested(2, 4, 2), 64), (Nested(3, 8), 37)])
def test_the_width_is_chosen_at_every_call(scheme: Nested, columns: int, tmp_path: Path) -> None:
    weight = random_packed(scheme, 9, columns)
    program = exported(weight, tmp_path / "one.pte")
    ids = np.array([[0, 8, 3, 3, 1]])
    for width in (*scheme.widths, *reversed(scheme.widths)):
        dense = at_width(weight, width).dequantize()
        rows, product = program.call("forward", ids, np.array([width]))
        np.testing.assert_array_equal(rows[0], dense[ids[0]])
        np.testing.assert_allclose(product[0], dense[ids[0]] @ dense.T, rtol=1e-4, atol=1e-5)


def test_a_width_that_is_not_stored_is_the_nearest_one(tmp_path: Path) -> None:
    weight = random_packed(Nested(2, 3), 9, 16)
    program = exported(weight, tmp_path / "one.pte")
    ids = np.zeros((1, 5), np.int64)
    for asked, read in ((1, 2), (4, 3), (8, 3), (0, 3)):
        rows, _ = program.call("forward", ids, np.array([asked]))
        np.testing.assert_array_equal(rows[0], at_width(weight, read).dequantize()[ids[0]])
    for asked in (-1, 9):
        with pytest.raises(ToolchainError, match="method forward failed"):
            program.call("forward", ids, np.array([asked]))


@pytest.mark.parametrize("tied", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_decoder_of_nested_weights_agrees_with_the_oracle(tied: bool, tmp_path: Path) -> None:
    graph = decoder(layers=2, tied=tied)
    shapes = {u.name: (u.use.rows, u.use.columns) for u in units_of(graph)}
    schemes = (Nested(2, 4, 4), Nested(2, 3, 5), Nested(3, 8))
    weights = {
        name: random_packed(schemes[at % 3], *shape, at)
        for at, (name, shape) in enumerate(sorted(shapes.items()))
    }
    made = emitted(with_packed(graph, weights, tmp_path), tmp_path, BACKEND)
    used = [[int(c.inputs.get("width", [0])[0]) for c in case.calls] for case in made.cases]
    assert [each[0] for each in used] == [8, 2, 0]
    assert used[0][1:] == used[1][1:] == [8, 8, 7, 6, 5, 4, 3, 2]
    verdict = compared(made, CACHED)
    assert verdict.ok, verdict.reason
    assert all("0 XNNPACK delegates" in r for r in made.result.remarks)
    assert abs(made.result.weight_bytes - predicted_bytes(made.graph, BACKEND)) <= 256


def test_a_width_of_a_decoder_is_bit_for_bit_a_program_of_its_own(tmp_path: Path) -> None:
    graph = decoder(layers=1, tied=False)
    shapes = {u.name: (u.use.rows, u.use.columns) for u in units_of(graph)}
    weights = {n: random_packed(Nested(2, 4, 4), *shape) for n, shape in shapes.items()}
    nested = emitted(with_packed(graph, weights, tmp_path), tmp_path, BACKEND, "nested")
    tokens = list(np.random.default_rng(0).integers(0, 50, 9))
    chosen = Session(nested.result.artifact)
    assert chosen.widths == (2, 3, 4)
    with pytest.raises(InputError, match="a width of 5 bits; the program has 2, 3, 4"):
        chosen.set_width(5)
    for width in (0, 3):
        slices = {name: at_width(w, width or 4) for name, w in weights.items()}
        fresh = with_packed(decoder(layers=1, tied=False), slices, tmp_path)
        alone = emitted(fresh, tmp_path, BACKEND, f"lut{width}").result.artifact
        session, other = Session(nested.result.artifact), Session(alone)
        assert other.widths == ()
        other.set_width(0)
        session.set_width(width)
        np.testing.assert_array_equal(session.prefill(tokens[:7]), other.prefill(tokens[:7]))
        for token in tokens[7:]:
            np.testing.assert_array_equal(session.decode(token), other.decode(token))


def test_bytes_are_those_of_planes_and_of_the_tables_of_all_widths() -> None:
    use, scheme = WeightUse("w", 64, 96, True, False), Nested(2, 4, 4)
    assert supports_scheme(scheme, use).ok
    assert not on_xnnpack(scheme, use)
    assert stored_bytes(scheme, use) == 4 * 64 * 96 // 8 + 16 * 28 * 2
