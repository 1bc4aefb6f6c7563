"""Nested weights in the runtime: any width at any call, as many bytes as it takes, one cache for all."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from support.emission import emitted
from support.gpu_programs import emitted as gpu_program
from support.gpu_programs import vulkan
from support.graphs import decoder
from support.packed import random_packed, with_packed

from optimum_compile.backends.native.backend import BACKEND
from optimum_compile.backends.native.library import Status, library
from optimum_compile.backends.native.session import Logits, Model
from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.nested import at_width
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Nested
from optimum_compile.passes.precision.narrow import narrowed
from optimum_compile.passes.precision.units import units_of
from optimum_compile.runtime_stub.build import runtime_program

BETWEEN = 1e-3  # of logits on two devices: sums in another order, rounded to fp16
TOKENS = np.random.default_rng(3).integers(0, 50, 12)
# A linear of fewer widths is read with the nearest that it has.
SCHEMES = (Nested(2, 4, 4), Nested(3, 4, 5), Nested(2, 3))
WIDTHS = (2, 3, 4)


def clamped(weight: PackedWeight, width: int) -> PackedWeight:
    scheme = weight.scheme
    assert isinstance(scheme, Nested)
    return at_width(weight, min(max(width, scheme.seed_bits), scheme.bits))


def program(folder: Path, weights: dict[str, PackedWeight]) -> Path:
    folder.mkdir()
    made = emitted(with_packed(fresh(), weights, folder), folder, BACKEND)
    return made.result.artifact


def fresh() -> Graph:
    return decoder(layers=2, tied=False)


@pytest.fixture(scope="module")
def weights() -> dict[str, PackedWeight]:
    shapes = {u.name: (u.use.rows, u.use.columns) for u in units_of(fresh())}
    return {
        name: random_packed(SCHEMES[at % 3], *shape, at)
        for at, (name, shape) in enumerate(sorted(shapes.items()))
    }


@pytest.fixture(scope="module")
def nested(weights, tmp_path_factory) -> Model:
    return Model(program(tmp_path_factory.mktemp("nested") / "all", weights))


@pytest.fixture(scope="module")
def alone(weights, tmp_path_factory) -> dict[int, Model]:
    """The palettes of each width as models of their own."""
    folder = tmp_path_factory.mktemp("alone")
    made = {}
    for width in WIDTHS:
        slices = {name: clamped(weight, width) for name, weight in weights.items()}
        made[width] = Model(program(folder / str(width), slices))
    return made


@pytest.mark.parametrize("width", WIDTHS)
def test_a_width_is_bit_for_bit_a_model_of_its_own(nested, alone, width):
    session, other = nested.session(), alone[width].session()
    session.set_width(width)
    assert np.array_equal(session.run(TOKENS[:7]), other.run(TOKENS[:7]))
    for token in TOKENS[7:]:
        assert np.array_equal(session.decode(token), other.decode(token))


def test_without_a_width_all_bits_are_read(nested, alone):
    assert np.array_equal(nested.session().run(TOKENS), alone[4].session().run(TOKENS))
    session = nested.session()
    session.set_width(2)
    session.set_width(0)
    assert np.array_equal(session.run(TOKENS), alone[4].session().run(TOKENS))


def test_bytes_of_weights_are_those_of_the_width(nested, alone):
    """A slice stored alone has the same planes and tables, so it reads as many bytes but for padding."""
    session = nested.session()
    session.run(TOKENS[:3], Logits.NONE)
    for width in WIDTHS:
        session.set_width(width)
        session.run(TOKENS[3:4], Logits.LAST)
        read = session.stats().last_weight_bytes
        other = alone[width].session()
        other.run(TOKENS[3:4], Logits.LAST)
        assert read == pytest.approx(other.stats().last_weight_bytes, rel=0.02)


def test_bytes_of_planes_and_tables_to_the_byte(tmp_path):
    shapes = {u.name: (u.use.rows, u.use.columns) for u in units_of(fresh())}
    weights = {n: random_packed(Nested(2, 4, 2), *shape) for n, shape in shapes.items()}
    model = Model(program(tmp_path / "all", weights))
    linears = {u.name: u.use for u in units_of(fresh()) if u.use.as_linear}
    tables = [u.use for u in units_of(fresh()) if not u.use.as_linear]

    def bytes_of(width: int) -> int:
        total = 0
        for use in linears.values():
            total += -(-use.rows * use.columns // 8) * width + 2 * (-(-use.rows // 2) << width)
        for use in tables:  # one row of them
            whole = -(-use.rows * use.columns // 8) * width + 2 * (-(-use.rows // 2) << width)
            total += whole // use.rows
        return total

    session = model.session()
    read = {}
    for width in WIDTHS:
        session.set_width(width)
        session.decode(1)
        read[width] = session.stats().last_weight_bytes
    assert read[4] - read[2] == bytes_of(4) - bytes_of(2)
    assert read[3] - read[2] == bytes_of(3) - bytes_of(2)


def test_widths_that_are_not_stored_are_refused(nested):
    assert nested.widths == WIDTHS
    session = nested.session()
    for bits in (1, 5, -1, 1 << 40):
        with pytest.raises(InputError, match="has 2, 3, 4"):
            session.set_width(bits)
        assert library().oc_session_set_width(session._live, bits) == Status.BAD_ARGUMENT
        assert b"the nested weights have 2 to 4" in library().oc_last_error()
    session.set_width(3)  # a refusal leaves no trace


@pytest.fixture(scope="module")
def on_gpu(weights, tmp_path_factory) -> Model:
    folder = tmp_path_factory.mktemp("gpu")
    model = Model(gpu_program(with_packed(fresh(), weights, folder), folder))
    kept = model.session(vulkan())  # with it, weights and pipelines stay for the next one
    yield model
    kept.close()


def close(found: np.ndarray, wanted: np.ndarray) -> bool:
    return bool(np.linalg.norm(found - wanted) < BETWEEN * np.linalg.norm(wanted))


@pytest.mark.parametrize("width", [*WIDTHS, 0])
def test_a_gpu_reads_the_width_that_the_cpu_reads(on_gpu, width):
    cpu, gpu = on_gpu.session(), on_gpu.session(vulkan())
    for session in (cpu, gpu):
        session.set_width(width)
    assert close(gpu.run(TOKENS[:7]), cpu.run(TOKENS[:7]))
    for token in TOKENS[7:]:
        assert close(gpu.decode(token), cpu.decode(token))
        assert gpu.stats().last_weight_bytes == cpu.stats().last_weight_bytes
    assert gpu.stats().weight_bytes == cpu.stats().weight_bytes


def test_a_gpu_follows_widths_that_change_in_the_middle(on_gpu):
    """Down and up again behind one prompt; a wrong width would show."""
    cpu, gpu = on_gpu.session(), on_gpu.session(vulkan())
    all_bits = on_gpu.session()
    for session in (cpu, gpu):
        session.set_width(4)
    for session in (cpu, gpu, all_bits):
        session.prefill(TOKENS[:5])
    for at, width in enumerate((4, 4, 3, 2, 2, 3, 4, 2, 0, 2)):
        token = TOKENS[at % len(TOKENS)]
        for session in (cpu, gpu):
            session.set_width(width)
        wanted, found, other = cpu.decode(token), gpu.decode(token), all_bits.decode(token)
        assert close(found, wanted)
        assert width in (0, 4) or not close(found, other)
        assert gpu.stats().last_weight_bytes == cpu.stats().last_weight_bytes


def test_a_gpu_refuses_widths_as_the_cpu_does(on_gpu):
    session = on_gpu.session(vulkan())
    assert session.widths == WIDTHS
    for bits in (1, 5, -1, 1 << 40):
        with pytest.raises(InputError, match="has 2, 3, 4"):
            session.set_width(bits)
        assert library().oc_session_set_width(session._live, bits) == Status.BAD_ARGUMENT
        assert b"the nested weights have 2 to 4" in library().oc_last_error()


@pytest.mark.parametrize("width", WIDTHS)
def test_greedy_tokens_of_a_gpu_are_those_of_the_oracle_at_each_width(
    on_gpu, weights, width, tmp_path
):
    graph = narrowed(with_packed(fresh(), weights, tmp_path), width)
    wanted, given, states = [], list(TOKENS[:5]), None
    for _ in range(8):
        inputs = {"tokens": np.array([given]), "past": np.array([len(wanted) and 4 + len(wanted)])}
        made = run(graph, inputs, states, weights="quantized")
        states, given = made.states, [int(made.outputs[0].numpy()[0, -1].argmax())]
        wanted += given
    session = on_gpu.session(vulkan())
    session.set_width(width)
    assert session.generate(TOKENS[:5], 8) == wanted


def test_a_model_without_nested_weights_has_no_widths(alone):
    session = alone[3].session()
    assert alone[3].widths == ()
    session.set_width(0)
    with pytest.raises(InputError, match="no nested weights"):
        session.set_width(3)
    assert library().oc_session_set_width(session._live, 3) == Status.BAD_ARGUMENT
    assert b"the model has no nested weights" in library().oc_last_error()
    assert library().oc_session_set_width(None, 3) == Status.BAD_ARGUMENT
    assert library().oc_model_widths(None, None, None) == Status.BAD_ARGUMENT


def test_the_program_takes_a_width(nested):
    program = str(runtime_program("tools/oc_run.cpp"))
    session = nested.session()
    for width in WIDTHS:
        session.reset()
        session.set_width(width)
        words = [program, str(nested.path), "-p", "1,2,3", "-n", "8", "--width", str(width), "-v"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        assert [int(word) for word in done.stdout.split()] == session.generate([1, 2, 3], 8)
        assert "nested weights of 2 to 4 bits" in done.stderr
    words = [program, str(nested.path), "-p", "1", "--width", "7"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "a width of 7 bits; the nested weights have 2 to 4" in done.stderr


def test_the_program_takes_a_width_on_vulkan(on_gpu):
    program = str(runtime_program("tools/oc_run.cpp"))
    session = on_gpu.session(vulkan())
    session.set_width(3)
    words = [program, str(on_gpu.path), "-p", "1,2,3", "-n", "8", "--device", "vulkan"]
    done = subprocess.run(
        [*words, "--width", "3"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert [int(word) for word in done.stdout.split()] == session.generate([1, 2, 3], 8)
