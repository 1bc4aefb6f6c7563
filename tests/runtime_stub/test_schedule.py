"""Schedulers in the runtime: the same choice as numpy makes, and nothing odd in the file is believed."""

import json
import subprocess
from ctypes import byref, c_int64, c_void_p
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.emission import emitted
from support.gpu_programs import emitted as gpu_program
from support.gpu_programs import vulkan, with_caches
from support.graphs import decoder
from support.packed import random_packed, with_packed

from optimum_compile.backends.native.backend import BACKEND
from optimum_compile.backends.native.library import Status, library
from optimum_compile.backends.native.schedule import Scheduler
from optimum_compile.backends.native.session import Model
from optimum_compile.compiler.decoder import caches_of
from optimum_compile.compiler.errors import (
    InputError,
    InternalError,
    OptimumCompileError,
    ToolchainError,
)
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.quant.kv import (
    KvRole,
    parse_kv_scheme,
    round_keys,
    round_values,
)
from optimum_compile.compiler.quant.scheme import Nested
from optimum_compile.passes.phase.choosers import Seen
from optimum_compile.passes.phase.learned import Learned, Plan, shapes_of
from optimum_compile.passes.phase.learned_file import from_bytes, save, to_bytes
from optimum_compile.passes.precision.notes import KvPrecision
from optimum_compile.passes.precision.units import units_of
from optimum_compile.runtime_stub.build import runtime_program

HEADS, WIDTH = 2, 8
SANITIZE = ("-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
TOKENS = np.random.default_rng(1).integers(0, 50, 13)


def network(seed: int = 0, **other: Any) -> Learned:
    rng = np.random.default_rng(seed)
    said = {"keys": "k_cache.1", "values": "v_cache.1", "model": "abc"} | other
    plan = Plan(4, 4, 2, (0, 5, 9, 12), **said)
    shapes = shapes_of(HEADS, WIDTH, WIDTH, 6, 4)
    return Learned.rounded(plan, {k: rng.standard_normal(s) for k, s in shapes.items()})


def made(folder: Path) -> Any:
    graph = decoder(layers=2, tied=False)
    scheme = Nested(2, 4, 4)
    weights = {
        u.name: random_packed(scheme, u.use.rows, u.use.columns, at)
        for at, u in enumerate(units_of(graph))
    }
    return with_packed(graph, weights, folder)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Model:
    folder = tmp_path_factory.mktemp("scheduled")
    return Model(emitted(made(folder), folder, BACKEND).result.artifact)


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Seen:
    """The last layer's cache as the oracle has it."""
    graph = made(tmp_path_factory.mktemp("oracle"))
    states = run(graph, {"tokens": TOKENS[None], "past": np.array([0])}, weights="quantized").states
    keys, values = (states[n].numpy()[0, :, : len(TOKENS)] for n in ("k_cache.1", "v_cache.1"))
    return Seen(keys.astype(np.float16), values.astype(np.float16))


@pytest.mark.parametrize("seed", range(3))
def test_the_runtime_chooses_what_numpy_does(model, cache, seed, tmp_path):
    learned = network(seed)
    save(learned, tmp_path / "schedule.safetensors")
    scheduler = Scheduler(tmp_path / "schedule.safetensors")
    assert (scheduler.steps, scheduler.model) == (learned.plan.steps, "abc")
    assert (scheduler.prefill, scheduler.high, scheduler.low) == (4, 4, 2)
    session = model.session()
    session.prefill(TOKENS)
    step, logits = scheduler.choose(session)
    wanted = learned.logits(cache)
    assert logits == pytest.approx(wanted, abs=5e-3 * float(np.abs(wanted).max()))
    assert step == learned.choose(cache)
    assert scheduler.schedule(session) == learned.plan.schedule(step)


def test_the_session_goes_on_unchanged(model):
    one, other = model.session(), model.session()
    for session in (one, other):
        session.prefill(TOKENS)
    Scheduler(to_bytes(network())).choose(one)
    assert one.decode(7).tolist() == other.decode(7).tolist()


def test_it_is_refused_before_a_prompt_and_for_other_models(model):
    session = model.session()
    with pytest.raises(InputError, match="take in the prompt first"):
        Scheduler(to_bytes(network())).choose(session)
    session.prefill(TOKENS)
    with pytest.raises(InputError, match=r"no cache 'k_cache\.7'"):
        Scheduler(to_bytes(network(keys="k_cache.7"))).choose(session)
    with pytest.raises(InputError, match="cannot be read"):
        Scheduler(to_bytes(network(keys="v_cache.1"))).choose(session)
    wide = network().tensors | {"query": np.zeros((HEADS, WIDTH + 1), np.float32)}
    with pytest.raises(InputError, match="2 heads of 9 channels"):
        Scheduler(to_bytes(Learned(network().plan, wide))).choose(session)
    deep = Plan(5, 5, 2, (0, 5, 9, 12), "k_cache.1", "v_cache.1")
    with pytest.raises(InputError, match="2 to 5 bits; the model has 2 to 4"):
        Scheduler(to_bytes(Learned(deep, network().tensors))).choose(session)


def test_a_cache_in_few_bits_is_read_as_attention_reads_it(tmp_path):
    graph, schemes = made(tmp_path), {}
    for cache in caches_of(graph):
        text = "kv2:g8@w2,s2" if cache.role is KvRole.KEYS else "kv2:g8@w0,s0"
        schemes[cache.name] = scheme = parse_kv_scheme(text)
        cache.value.notes.put(KvPrecision(scheme))
    given = {"tokens": TOKENS[None], "past": np.array([0])}
    states = run(graph, given, weights="quantized", kv=schemes).states
    exact, rounded = [], []
    for name, rounding in (("k_cache.1", round_keys), ("v_cache.1", round_values)):
        data = states[name].numpy()[0, :, : len(TOKENS)].astype(np.float16).astype(np.float32)
        scheme, made_of_codes = schemes[name], data.copy()
        end = scheme.sinks + scheme.rounded_tokens(len(TOKENS))
        made_of_codes[:, scheme.sinks : end] = rounding(data[:, scheme.sinks : end], scheme)
        exact.append(data)
        rounded.append(made_of_codes)
    session = Model(emitted(graph, tmp_path, BACKEND).result.artifact).session()
    session.prefill(TOKENS)
    _, found = Scheduler(to_bytes(network())).choose(session)
    wanted, other = (network().logits(Seen(*each)) for each in (rounded, exact))
    rounding_does = float(np.abs(wanted - other).max())
    assert rounding_does > 5e-3
    assert found == pytest.approx(wanted, abs=rounding_does / 10)


@pytest.mark.parametrize("coded", [False, True], ids=["f16", "coded"])
def test_on_a_gpu_it_reads_the_cache_of_the_device(tmp_path, coded):
    device, graph = vulkan(), made(tmp_path)
    if coded:
        with_caches(graph, "kv2:g8@w2,s2", "kv4:g8@w0,s0")
    model = Model(gpu_program(graph, tmp_path))
    cpu, gpu = model.session(), model.session(device)
    scheduler = Scheduler(to_bytes(network()))
    with pytest.raises(InputError, match="take in the prompt first"):
        scheduler.choose(gpu)
    for session in (cpu, gpu):
        session.set_width(4)
        session.prefill(TOKENS)
    (wanted, logits), (found, seen) = scheduler.choose(cpu), scheduler.choose(gpu)
    assert found == wanted
    assert seen == pytest.approx(logits, abs=2e-3 * float(np.abs(logits).max()))
    # It goes on as if nobody had looked.
    other = model.session(device)
    other.prefill(TOKENS)
    assert gpu.decode(7).tolist() == other.decode(7).tolist()
    with pytest.raises(InputError, match=r"no cache 'k_cache\.7'"):
        Scheduler(to_bytes(network(keys="k_cache.7"))).choose(gpu)


def header_of(data: bytes) -> tuple[dict[str, Any], bytes]:
    size = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + size]), data[8 + size :]


def with_header(header: Any, rest: bytes) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + rest


def change(header: dict[str, Any], place: str, value: Any) -> None:
    *path, last = place.split("/")
    for part in path:
        header = header[part]
    header[last] = value


CHANGES = {
    "__metadata__/format": "optimum-compile schedule 2",
    "__metadata__/prefill": "9",
    "__metadata__/low": "4",
    "__metadata__/high": "4.0",
    "__metadata__/steps": "0 5 5 12",
    "__metadata__/more": "x",
    "__metadata__/keys": "x" * 300,
    "query/shape": [2, 2000],
    "query/dtype": "F32",
    "query/data_offsets": [0, 30],
    "out.bias/data_offsets": [0, 8],
    "hidden.weight/shape": [6],
    "hidden.bias/shape": [7],
    "more": {"dtype": "F16", "shape": [1], "data_offsets": [0, 2]},
}


@pytest.mark.parametrize("place", CHANGES)
def test_both_readers_refuse_what_contradicts_itself(place):
    header, rest = header_of(to_bytes(network()))
    change(header, place, CHANGES[place])
    for read in (from_bytes, Scheduler):
        with pytest.raises(OptimumCompileError):
            read(with_header(header, rest))


def test_both_readers_refuse_what_is_nearly_json():
    whole = to_bytes(network())
    size = int.from_bytes(whole[:8], "little")
    changes = (
        (b'"0 5 9 12"', b'"0 05 9 2"'),
        (b'"prefill":"4"', b'"prefill":"+"'),
        (b"[0,32]", b"[00,2]"),
        (b"}}", b"}\0"),
        (b'"F16"', b"'F16'"),
        (b'"query"', b'"quer\\"'),
    )
    texts = [whole[8 : 8 + size].replace(*change, 1) for change in changes]
    padded = whole[8 : 8 + size].rstrip(b" ")
    texts += [padded + b"\0", padded + b",", padded + b"{}", padded[:-1]]
    assert all(text != whole[8 : 8 + size] for text in texts)
    for text in texts:
        for read in (from_bytes, Scheduler):
            with pytest.raises(InputError):
                read(len(text).to_bytes(8, "little") + text + whole[8 + size :])


def test_both_readers_refuse_damaged_bytes():
    whole = to_bytes(network())
    infinite = whole[:-2] + np.array(np.inf, "<f2").tobytes()
    for data in (b"", whole[:7], whole[:100], whole[:-1], whole + b"\0", infinite, b"\xff" * 64):
        for read in (from_bytes, Scheduler):
            with pytest.raises(InputError):
                read(data)


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_any_bytes_are_read_by_both_or_refused(data):
    whole = bytearray(to_bytes(network()))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, 700))
        whole[at] = data.draw(st.integers(0, 255))
    try:
        steps = Scheduler(bytes(whole)).steps
    except OptimumCompileError:
        return
    # What the runtime takes, Python takes too, and reads alike.
    assert from_bytes(bytes(whole)).plan.steps == steps


def test_a_closed_scheduler_and_missing_arguments_are_refused(model):
    scheduler, session, lib = Scheduler(to_bytes(network())), model.session(), library()
    session.prefill(TOKENS)
    step, none, room = c_int64(), c_void_p(), np.zeros(4, np.float32)
    live, handle = session._live, scheduler._handle
    calls = (
        (lib.oc_session_schedule, (none, handle, byref(step), None, 0)),
        (lib.oc_session_schedule, (live, none, byref(step), None, 0)),
        (lib.oc_session_schedule, (live, handle, None, None, 0)),
        (lib.oc_session_schedule, (live, handle, byref(step), room.ctypes.data, 3)),
        (lib.oc_schedule_step, (handle, 4, byref(step))),
        (lib.oc_schedule_step, (handle, -1, byref(step))),
        (lib.oc_schedule_describe, (handle, None)),
        (lib.oc_schedule_open_memory, (None, 8, byref(none))),
        (lib.oc_schedule_open, (b"x", None)),
    )
    for function, values in calls:
        assert function(*values) == Status.BAD_ARGUMENT
    assert lib.oc_session_schedule(live, handle, byref(step), None, 0) == Status.OK
    assert step.value == scheduler.choose(session)[0]
    scheduler.close()
    with pytest.raises(InternalError, match="after it was closed"):
        scheduler.choose(session)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.safetensors"):
        Scheduler(tmp_path / "none.safetensors")


@pytest.mark.slow
def test_mutated_files_are_clean_under_the_sanitizers(tmp_path):
    try:
        program = runtime_program("test/schedule_fuzz.cpp", SANITIZE)
    except ToolchainError as error:
        pytest.skip(f"the compiler has no sanitizers: {error}")
    save(network(), tmp_path / "schedule.safetensors")
    command = [str(program), str(tmp_path / "schedule.safetensors"), "20000"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    taken = int(done.stdout.split()[0])
    assert 0 < taken < 10000  # changed numbers are still numbers
