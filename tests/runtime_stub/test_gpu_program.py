"""GPU programs on Vulkan, with the validation layer where it is installed, against the same file on the CPU."""

import struct
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.gpu import BUILT
from support.native_seeds import decoder

from optimum_compile.backends.gpu.decode import read_program
from optimum_compile.backends.gpu.encode import encode_section
from optimum_compile.backends.gpu.section import KIND, Dispatch, GpuSection
from optimum_compile.backends.native.decode import decode
from optimum_compile.backends.native.device import Device, DeviceFlags
from optimum_compile.backends.native.encode import encode
from optimum_compile.backends.native.library import Status, library
from optimum_compile.backends.native.program import Expr, ExprOp
from optimum_compile.backends.native.session import Logits, Model, Session
from optimum_compile.compiler.errors import InputError, OptimumCompileError, ResourceError

CONTEXT, CHUNK, VOCABULARY = 48, 8, 96
# fp16 is rounded to nearest on both; sums in another order decide a few of the roundings otherwise.
CLOSE = 6e-3


@pytest.fixture(scope="module")
def device() -> Device:
    try:
        return Device(flags=DeviceFlags.VALIDATION)
    except ResourceError as without:
        if "validation" not in str(without):
            pytest.skip(str(without))
        return Device()


@pytest.fixture(autouse=True)
def nothing_to_complain(device):
    before, _ = device.messages()
    yield
    after, text = device.messages()
    assert after == before, text


@pytest.fixture(scope="module")
def paths(tmp_path_factory) -> dict[bool, Path]:
    """A decoder with caches of 8, 4 and 2 bits beside one of 16, and one with 16 in all."""
    return {
        coded: decoder(tmp_path_factory.mktemp("gpu"), CONTEXT, CHUNK, gpu=True, coded=coded)
        for coded in (True, False)
    }


@pytest.fixture(scope="module")
def model(paths, device):
    opened = Model(paths[False])
    kept = opened.session(device)  # with it, weights and pipelines stay for the next one
    yield opened
    kept.close()


def ids(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, VOCABULARY, count)


def assert_close(found: np.ndarray, wanted: np.ndarray) -> None:
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() < CLOSE * np.abs(wanted).max()


@pytest.mark.parametrize("coded", [False, True])
@pytest.mark.parametrize("cuts", [(1, 1, 1), (3, 8, 1, 17, 1), (40, 8)])
def test_logits_are_those_of_the_cpu_however_a_text_is_cut(paths, device, coded, cuts):
    opened = Model(paths[coded])
    cpu, gpu = opened.session(), opened.session(device)
    for at, count in enumerate(cuts):
        text = ids(count, at)
        assert_close(gpu.run(text), cpu.run(text))
        assert gpu.past == cpu.past


@pytest.mark.parametrize("coded", [False, True])
def test_greedy_text_is_that_of_the_cpu(paths, device, coded):
    opened = Model(paths[coded])
    cpu, gpu = opened.session(), opened.session(device)
    for seed in range(4):
        prompt = ids(5 + seed, seed)
        wanted, found = cpu.generate(prompt, 64), gpu.generate(prompt, 64)
        assert found == wanted
        assert len(wanted) == CONTEXT - len(prompt) + 1  # the last one fits no more
        cpu.reset()
        gpu.reset()


def test_generation_is_what_single_steps_make_and_ends_at_a_stop(model, device):
    gpu, single = model.session(device), model.session(device)
    made = gpu.generate(ids(6), 12)
    last, steps = single.prefill(ids(6)), []
    for _ in range(12):
        steps.append(int(last.argmax()))
        last = single.decode(steps[-1])
    assert made == steps
    assert gpu.past == 6 + 11
    gpu.reset()
    stop = made[5]
    assert gpu.generate(ids(6), 12, [stop]) == made[: made.index(stop) + 1]
    gpu.reset()
    assert gpu.generate(ids(6), 0) == []
    assert gpu.past == 6


@pytest.mark.parametrize("count", [1, 5, 64])
def test_the_likeliest_are_those_of_the_logits(model, device, count):
    gpu, cpu = model.session(device), model.session()
    for session in (gpu, cpu):
        logits = session.prefill(ids(11))
        session.reset()
        assert session.run(ids(11), Logits.KEEP).shape == (0, VOCABULARY)
        found, values = session.top(count)
        wanted = np.argsort(-logits, kind="stable")[:count]
        np.testing.assert_array_equal(found, wanted)
        np.testing.assert_array_equal(values, logits[wanted])
        session.run(ids(1), Logits.LAST)
        with pytest.raises(InputError, match="kept no logits"):
            session.top(1)


def test_logits_that_nobody_wants_are_not_made(model, device):
    gpu = model.session(device)
    gpu.run(ids(8), Logits.NONE)
    without = gpu.stats().steps
    gpu.clear_stats()
    last = gpu.prefill(ids(8))
    assert gpu.stats().steps > without
    again = model.session(device)
    both = again.run(np.concatenate([ids(8), ids(8)]))
    np.testing.assert_array_equal(last, both[-1])


def test_a_session_forgets_and_outlives_its_model_and_device(paths):
    opened = Model(paths[False])
    try:
        other = Device()
    except ResourceError as none:
        pytest.skip(str(none))
    first, second = opened.session(other), opened.session(other)
    wanted = first.run(ids(9))
    opened.close()
    other.close()
    second.run(ids(20, 7))
    second.reset()
    np.testing.assert_array_equal(second.run(ids(9)), wanted)


def test_memory_apart_from_that_of_the_host(model, device):
    apart = Device(flags=DeviceFlags.APART | device.flags)
    assert not apart.info.unified
    wanted = model.session(device)
    gpu = model.session(apart)
    for count in (8, 1):
        np.testing.assert_array_equal(gpu.run(ids(count)), wanted.run(ids(count)))
    assert gpu.generate(ids(3), 5) == wanted.generate(ids(3), 5)
    assert apart.messages() == (0, "")


def test_more_lengths_than_are_kept_recorded(model, device):
    gpu, cpu = model.session(device), model.session()
    for turn in range(2):
        for count in range(1, CHUNK + 1):
            for which in (Logits.ALL, Logits.LAST):
                text = ids(count, turn)
                assert_close(gpu.run(text, which), cpu.run(text, which))
                gpu.reset()
                cpu.reset()


def test_every_width_at_every_length(model, device):
    """More recordings than are kept, and back to those that were: each is that of its width."""
    gpu, cpu = model.session(device), model.session()
    lengths = [*range(1, CHUNK + 1), 1, 3]
    for turn, width in enumerate((4, 2, 3, 2, 0)):
        for session in (gpu, cpu):
            session.set_width(width)
            session.reset()
        for count in lengths:
            which = Logits.LAST if turn % 2 else Logits.ALL
            assert_close(gpu.run(ids(count, turn), which), cpu.run(ids(count, turn), which))
        assert gpu.stats().weight_bytes == cpu.stats().weight_bytes


def test_widths_on_memory_apart(model, device):
    apart = Device(flags=DeviceFlags.APART | device.flags)
    gpu, wanted = model.session(apart), model.session(device)
    for width in (3, 4, 2):
        for session in (gpu, wanted):
            session.set_width(width)
        np.testing.assert_array_equal(gpu.run(ids(3, width)), wanted.run(ids(3, width)))
    assert apart.messages() == (0, "")


def test_statistics(model, device):
    gpu, cpu = model.session(device), model.session()
    for session in (gpu, cpu):
        session.run(ids(CHUNK), Logits.LAST)
        session.run(ids(1), Logits.LAST)
    found, wanted = gpu.stats(), cpu.stats()
    assert (found.calls, found.tokens, found.weight_bytes, found.last_weight_bytes) == (
        *(wanted.calls, wanted.tokens),
        *(wanted.weight_bytes, wanted.last_weight_bytes),
    )
    _, section, _ = read_program(model.path)
    assert found.steps == sum(len(f.dispatches) for f in section.functions)
    assert found.arena_bytes == wanted.arena_bytes
    stages = [gpu.stage_stats(at) for at in range(len(model.stages))]
    assert sum(stage.steps for stage in stages) == found.steps
    assert found.total_ns > 0


def test_limits_of_memory_hold(paths, model, device):
    caches = model.info.key_bytes + model.info.value_bytes
    with pytest.raises(ResourceError, match="the limit of the session"):
        Model(paths[False], session_bytes_max=caches - 1).session(device)
    session = Model(paths[False], session_bytes_max=caches + 64).session(device)
    with pytest.raises(ResourceError, match="an arena of"):
        session.run(ids(8))
    assert session.past == 0


def test_bad_calls_are_refused_as_on_the_cpu(model, device):
    gpu = model.session(device)
    with pytest.raises(InputError, match="the vocabulary has 96"):
        gpu.run([3, VOCABULARY])
    gpu.run(ids(CONTEXT), Logits.NONE)
    with pytest.raises(InputError):
        gpu.run([1])
    gpu.reset()
    assert gpu.run([1]).shape == (1, VOCABULARY)


def test_sessions_of_one_device_run_on_threads_at_once(model, device):
    wanted = model.session(device).run(ids(20))
    found: dict[int, np.ndarray] = {}

    def work(at: int) -> None:
        session = model.session(device)
        parts = [session.run(piece) for piece in np.array_split(ids(20), 1 + at)]
        found[at] = np.concatenate(parts)

    threads = [threading.Thread(target=work, args=(at,)) for at in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for at in range(3):
        assert_close(found[at], wanted)


def rewritten(path: Path, out: Path, section: bytes | None) -> Path:
    """The same program with another section GPU, or none."""
    held = decode(path.read_bytes())
    weights = bytes(held.weights)
    more = {} if section is None else {KIND: section}
    out.write_bytes(encode(held.program, "{}", weights, more))
    return out


def changed(path: Path, **values: object) -> bytes:
    _, section, _ = read_program(path)
    given = {name: getattr(section, name) for name in section.__dataclass_fields__}
    return encode_section(GpuSection(**(given | values)))


def test_groups_that_depend_on_past_are_dispatched_indirectly(paths, model, device, tmp_path):
    """The same program, whose numbers of workgroups all say `+ past * 0`."""
    path = paths[False]
    program, section, _ = read_program(path)
    past = next(at for at, symbol in enumerate(program.symbols) if symbol.name == "past")
    count, op = len(section.expressions), ExprOp
    nothing = ((op.SYMBOL, past), (op.CONST, 0), (op.MUL, 0), (op.ADD, 0))
    late = tuple(Expr(((op.REF, at), *nothing)) for at in range(count))
    functions = tuple(
        replace(f, dispatches=tuple(with_groups(d, count) for d in f.dispatches))
        for f in section.functions
    )
    made = changed(path, expressions=(*section.expressions, *late), functions=functions)
    gpu = Model(rewritten(path, tmp_path / "late.ocm", made)).session(device)
    direct = model.session(device)
    for count in (5, 1, 1, 12):
        np.testing.assert_array_equal(gpu.run(ids(count)), direct.run(ids(count)))
    assert gpu.stats().steps == direct.stats().steps


def with_groups(dispatch: Dispatch, more: int) -> Dispatch:
    x, y, z = dispatch.groups
    return replace(dispatch, groups=(x + more, y + more, z + more))


def test_without_kernels_for_it_the_likeliest_are_found_by_the_host(model, device):
    other = Device(flags=device.flags)
    table = (BUILT / "kernels.bin").read_bytes().replace(b"top_k\0", b"pot_k\0")
    assert library().oc_probe_kernels(other.handle, table, len(table)) == Status.OK
    gpu, wanted = model.session(other), model.session(device)
    assert gpu.generate(ids(7), 9) == wanted.generate(ids(7), 9)
    for session in (gpu, wanted):
        session.run(ids(3), Logits.KEEP)
    for found, other_one in zip(gpu.top(10), wanted.top(10), strict=True):
        np.testing.assert_array_equal(found, other_one)


def test_files_that_do_not_fit_the_device_are_refused(paths, device, tmp_path):
    path = paths[False]
    _, section, _ = read_program(path)
    kernels = section.kernels
    other = type(kernels[0])(kernels[0].name, kernels[0].crc32 ^ 1)
    unknown = type(kernels[0])("no_such_kernel", 1)
    version = struct.pack("<I", 1) + encode_section(section)[4:]
    for made, said in (
        (None, "no section for a GPU"),
        (version, "version 1; this runtime reads version 2: compile the model again"),
        (changed(path, kernels=(other, *kernels[1:])), "another interface"),
        (changed(path, kernels=(unknown, *kernels[1:])), "no kernel no_such_kernel"),
    ):
        opened = Model(rewritten(path, tmp_path / "made.ocm", made))
        assert opened.session().run([1]).shape == (1, VOCABULARY)  # the CPU does not mind
        with pytest.raises(OptimumCompileError, match=said):
            opened.session(device)


def test_damaged_sections_are_refused_when_the_file_is_opened(paths, tmp_path):
    path = paths[False]
    whole = changed(path)
    _, section, _ = read_program(path)
    for made, said in (
        (whole[:-1], "cannot follow in|ends inside a table"),
        (whole + b"\0", "1 bytes are left over"),
        (changed(path, functions=section.functions[:1]), "1 functions"),
        (changed(path, pipelines=section.pipelines[:1]), "pipeline"),
    ):
        with pytest.raises(InputError, match=said):
            Model(rewritten(path, tmp_path / "made.ocm", made))


def test_the_session_class_takes_a_device(paths, device):
    assert Session(Model(paths[False]), device).run([1]).shape == (1, VOCABULARY)
