import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from support.graphs import Builder, decoder, mlp

from optimum_compile.compiler.errors import InputError, OptionError
from optimum_compile.compiler.ir.verify import check
from optimum_compile.compiler.observers import SilentObserver
from optimum_compile.compiler.pass_manager import PassContext, PassManager
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.precision.assign import AssignPrecision
from optimum_compile.passes.precision.notes import Precision, Quantized
from optimum_compile.passes.precision.quantize import QuantizeWeights
from optimum_compile.passes.precision.quantizers.affine.rtn import (
    MAX_SCALE,
    MIN_SCALE,
    quantize_rtn,
)
from optimum_compile.passes.precision.quantizers.select import quantize_weight
from optimum_compile.passes.specs import QUANTIZED

# What fp16 scales can carry: |w| / 127 .. |w| / 1 within fp16.
LARGEST = 30_000.0
matrices = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 5), st.integers(1, 40)),
    elements=st.floats(-LARGEST, LARGEST, width=32),
)
affine = st.builds(
    "{}int{}:{}".format,
    st.sampled_from(["", "u"]),
    st.sampled_from([2, 3, 4, 8]),
    st.sampled_from(["channel", "g8", "g32"]),
).map(parse_scheme)


def assigned(graph, bits=8):
    PassManager([AssignPrecision(policy="uniform", bits=bits)]).run(graph)
    return graph


def with_weight(name, change):
    """An MLP in which `change` edited one weight in place."""
    source = mlp()
    b = Builder("mlp", n=(1, 64))
    data = {n: v.weight.load().copy() for n, v in source.weights.items()}
    change(data[name])
    x = b.input("x", "f32", "n", 8)
    up = b.op("linear", x, *(b.weight(n, data[n]) for n in ("up.weight", "up.bias")), origin="up")
    normed = b.op("rms_norm", up, b.weight("norm.weight", data["up.bias"]), eps=1e-5)
    return assigned(
        b.returns(b.op("linear", normed, b.weight("down.weight", data["down.weight"]), None))
    )


@pytest.mark.parametrize("bits", [16, 8, 4, 2])
def test_every_assigned_weight_is_packed_in_its_scheme(tmp_path, bits):
    graph = assigned(decoder(), bits)
    PassManager([QuantizeWeights(tmp_path)]).run(graph)
    check(graph, QUANTIZED)
    for value in graph.weights.values():
        note, decided = value.notes.get(Quantized), value.notes.get(Precision)
        assert (note is None) == (decided is None)
        if note is None:
            continue
        packed = note.load()
        assert packed.scheme == note.scheme == decided.scheme
        original = value.weight.load_f32()
        error = np.linalg.norm(packed.dequantize() - original) / np.linalg.norm(original)
        assert error < {16: 5e-4, 8: 0.01, 4: 0.13, 2: 0.45}[bits]


def test_the_pass_is_idempotent_and_tells_when_the_store_moves(tmp_path):
    graph = assigned(mlp())
    assert QuantizeWeights(tmp_path / "a").run(graph, PassContext()).changed
    assert not QuantizeWeights(tmp_path / "a").run(graph, PassContext()).changed
    assert QuantizeWeights(tmp_path / "b").run(graph, PassContext()).changed
    assert {p.name for p in (tmp_path / "a").iterdir()} == {
        p.name for p in (tmp_path / "b").iterdir()
    }


def test_equal_weights_are_stored_once(tmp_path):
    b = Builder(n=(1, 4))
    data = np.random.default_rng(0).standard_normal((8, 8)).astype(np.float32)
    x = b.input("x", "f32", "n", 8)
    x = b.op("linear", x, b.weight("a", data), None)
    graph = assigned(b.returns(b.op("linear", x, b.weight("b", data.copy()), None)))
    PassManager([QuantizeWeights(tmp_path)]).run(graph)
    one, two = (graph.weights[n].notes.get(Quantized).sha256 for n in "ab")
    assert one == two
    assert [p.name for p in tmp_path.iterdir()] == [f"{one}.npz"]


def test_the_quantiser_is_chosen_by_name(tmp_path):
    errors = {}
    for name in ("rtn", "mse"):
        graph = assigned(mlp(64, 64), 4)
        PassManager([QuantizeWeights(tmp_path / name, name)]).run(graph)
        value = graph.weights["up.weight"]
        found = value.notes.get(Quantized).load().dequantize()
        errors[name] = float(((found - value.weight.load()) ** 2).sum())
    assert errors["mse"] < 0.95 * errors["rtn"]
    with pytest.raises(OptionError, match="quantizer 'magic': expected one of rtn, mse, weighted"):
        QuantizeWeights(tmp_path, "magic")
    with pytest.raises(OptionError, match="quantizer 'gptq': needs activations"):
        QuantizeWeights(tmp_path, "gptq")


def test_progress_counts_weights(tmp_path):
    seen = []

    class Watch(SilentObserver):
        def progress(self, label, done, total):
            seen.append((label, done, total))

    context = PassContext(observer=Watch())
    QuantizeWeights(tmp_path).run(assigned(mlp()), context)
    assert seen == [("quantize-weights", at, 3) for at in range(4)]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["up.weight", "up.bias", "down.weight"])
def test_a_broken_weight_of_a_layer_is_refused_by_name(tmp_path, name, value):
    def spoil(data):
        data.flat[:2] = value

    graph = with_weight(name, spoil)
    with pytest.raises(InputError, match=rf"{name}: 2 weights are NaN or infinite; repair"):
        PassManager([QuantizeWeights(tmp_path)]).run(graph)


def masked(mask):
    b = Builder()
    x = b.input("x", "f32", 4, 4)
    x = b.op("linear", x, b.weight("w", np.eye(4, dtype=np.float32)), None)
    return assigned(b.returns(b.op("add", x, b.weight("mask", mask))))


def test_a_mask_may_be_infinite_but_not_nan(tmp_path):
    mask = np.triu(np.full((4, 4), -np.inf, np.float32), 1)
    PassManager([QuantizeWeights(tmp_path)]).run(masked(mask))
    mask[0, 0] = np.nan
    with pytest.raises(InputError, match="mask: 1 weight is NaN; repair the checkpoint"):
        PassManager([QuantizeWeights(tmp_path)]).run(masked(mask))


def steps(packed: PackedWeight, columns):
    size = packed.scheme.group_size(columns)
    return packed.scales.astype(np.float32)[:, np.arange(columns) // size]


@given(weight=matrices, scheme=affine)
@settings(max_examples=150, deadline=None)
def test_rounding_is_off_by_half_a_step_at_most(weight, scheme):
    packed = quantize_rtn(weight, scheme, "minmax")
    step = steps(packed, weight.shape[1])
    # fp16 rounds the scale by 2^-11 of itself, which up to 2^bits steps add up; and an asymmetric
    # grid rounds its zero point too.
    slack = 0.5 + 2**scheme.bits * 2**-11 + (0 if scheme.symmetric else 0.5)
    assert (np.abs(packed.dequantize() - weight) <= step * slack * 1.001).all()


@given(weight=matrices, scheme=affine)
@settings(max_examples=100, deadline=None)
def test_the_mse_search_never_loses_to_min_max(weight, scheme):
    def error(clip):
        found = quantize_rtn(weight, scheme, clip).dequantize()
        return float(((found - weight).astype(np.float64) ** 2).sum())

    assert error("mse") <= error("minmax") * (1 + 1e-5)


@given(weight=matrices, scheme=affine, power=st.sampled_from([2.0**-3, 0.5, 2.0]))
@settings(max_examples=50, deadline=None)
def test_scaling_by_a_power_of_two_scales_the_result(weight, scheme, power):
    one, two = quantize_rtn(weight, scheme), quantize_rtn(weight * np.float32(power), scheme)
    bounds = [s.astype(np.float32) for s in (one.scales, two.scales)]
    # Where both scales are normal numbers of fp16, nothing but the exponent changes.
    if min(b.min() for b in bounds) > MIN_SCALE and max(b.max() for b in bounds) < MAX_SCALE:
        assert np.array_equal(two.dequantize(), one.dequantize() * np.float32(power))


@given(weight=matrices)
@settings(max_examples=50, deadline=None)
def test_quantising_to_floats_twice_changes_nothing(weight):
    once = quantize_weight(weight, Float(16)).dequantize()
    assert np.array_equal(quantize_weight(once, Float(16)).dequantize(), once)


@given(
    values=st.lists(st.integers(-2000, 2000), min_size=1, max_size=16, unique=True),
    seed=st.integers(0, 99),
    rare=st.sampled_from([0.5, 0.9, 0.99]),
)
@settings(max_examples=60, deadline=None)
def test_a_palette_represents_few_values_exactly_however_rare_most_are(values, seed, rare):
    rng = np.random.default_rng(seed)
    odds = np.full(len(values), 1 - rare)
    odds[0] = rare * len(values)
    weight = rng.choice(values, (4, 300), p=odds / odds.sum()).astype(np.float32)
    packed = quantize_weight(weight, parse_scheme("lut4:r2"))
    assert np.array_equal(packed.dequantize(), weight)


def test_a_palette_spends_one_entry_on_the_zeros_of_a_pruned_layer():
    rng = np.random.default_rng(0)
    dense = rng.standard_normal((16, 512)).astype(np.float32)
    pruned = dense * (rng.random(dense.shape) >= 0.8)
    packed = quantize_weight(pruned, parse_scheme("lut4:r1"))
    error = float(((packed.dequantize() - pruned) ** 2).sum() / (pruned**2).sum())
    assert error < 0.0116  # that of sixteen levels on a dense layer


@given(weight=matrices)
@settings(max_examples=50, deadline=None)
def test_a_palette_holds_values_inside_the_range_of_its_rows(weight):
    found = quantize_weight(weight, parse_scheme("lut2:r1")).dequantize()
    slack = np.abs(weight).max(axis=1) * 2**-10 + 1e-7
    assert (found.max(axis=1) <= weight.max(axis=1) + slack).all()
    assert (found.min(axis=1) >= weight.min(axis=1) - slack).all()


def test_half_precision_saturates_instead_of_overflowing():
    weight = np.array([[1e6, -1e6, 1.0]], np.float32)
    assert quantize_weight(weight, Float(16)).dequantize().tolist() == [[65504.0, -65504.0, 1.0]]


def test_a_weight_beyond_half_precision_is_refused_by_name(tmp_path):
    def spoil(data):
        data.flat[0] = 1e5

    graph = with_weight("up.weight", spoil)
    graph.weights["up.weight"].notes.put(Precision(Float(16)))
    with pytest.raises(InputError, match=r"up.weight: 100000 is beyond 65504, the range of fp16"):
        PassManager([QuantizeWeights(tmp_path)]).run(graph)
