import pytest
from support.hf import save_folder, tiny_model

from optimum_compile.backends.catalog import load_backend
from optimum_compile.compiler import devices
from optimum_compile.compiler.device_budget import (
    RUNTIME_BYTES,
    activation_bytes,
    budget_of,
    file_limit,
    speed_limit,
)
from optimum_compile.compiler.devices import Device, device_named, tokens_per_second
from optimum_compile.compiler.errors import BudgetError, OptionError
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.options import CompileOptions
from optimum_compile.passes.precision.bytes_read import cache_bytes
from optimum_compile.passes.precision.nested_pins import nested_pins
from optimum_compile.passes.precision.units import units_of

IOS, ANDROID = load_backend("coreml"), load_backend("executorch")
BOTH = (IOS, ANDROID)
PHONE = device_named("Pixel 8")


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    folder = save_folder(tiny_model("llama"), tmp_path_factory.mktemp("m") / "llama")
    return open_model(folder, context=None, max_prefill=None).graph


def small(**changes) -> Device:
    values = {
        "name": "small",
        "platform": "android",
        "memory_bytes": 1 << 30,
        "usable_bytes": 80 << 20,
        "bandwidth_gb_s": 1e-3,
        "source": "a test",
        "confidence": "derived",
    }
    return Device(**(values | changes))


def test_a_device_leaves_what_caches_and_activations_do_not_need(graph):
    left = file_limit(graph, PHONE, ANDROID)
    assert left == PHONE.usable_bytes - cache_bytes(graph, ANDROID) - activation_bytes(graph)
    assert file_limit(graph, PHONE, ANDROID, with_cache=False) - left == cache_bytes(graph, ANDROID)


def test_activations_are_those_of_the_widest_node_of_a_full_prompt(graph):
    """SwiGLU's product: two inputs and an output of 80, or logits: 64 in and 96 out; 64 tokens."""
    assert activation_bytes(graph) == 2 * 4 * 64 * (80 * 3) + RUNTIME_BYTES


def test_the_strictest_of_size_and_device_holds(graph):
    device = budget_of(graph, CompileOptions(device="Pixel 8"), BOTH)
    assert device.bytes == file_limit(graph, PHONE, ANDROID)
    tight = budget_of(graph, CompileOptions(device="Pixel 8", budget="1MB"), BOTH)
    assert tight.bytes == 1_000_000
    both = budget_of(graph, CompileOptions(device="Pixel 8", budget="3bpw"), BOTH)
    assert (both.bytes, both.bits_per_weight) == (device.bytes, 3)
    assert budget_of(graph, CompileOptions(), BOTH) is None


def test_a_speed_limits_weights(graph):
    options = CompileOptions(device="pixel 8", tokens_per_second=50_000)
    budget = budget_of(graph, options, BOTH)
    allowed = PHONE.bandwidth_bytes_s * devices.EFFICIENCY / 50_000
    assert tokens_per_second(PHONE, allowed) == pytest.approx(50_000)
    read = budget.weight_bytes + cache_bytes(graph, ANDROID)
    assert allowed <= read < allowed + 96 * 64  # the rows of the table that no token reads
    assert budget.of_weights(10**9) == budget.weight_bytes


def test_a_speed_is_kept_with_all_bits_of_nested_weights(graph):
    """Pins that are known beforehand: tables of narrower widths are stored, and no such call reads them."""
    options = CompileOptions(device="pixel 8", tokens_per_second=50_000)
    pins = nested_pins(graph, "2,3,4", (), (ANDROID,))
    plain, nested = (budget_of(graph, options, BOTH, each).weight_bytes for each in ((), pins))
    unread = 0
    for unit in units_of(graph):
        for pin in (pin for pin in pins if pin.matches(unit.name)):
            read = pin.scheme.read_bytes(unit.use.rows, unit.use.columns, 4)
            unread += ANDROID.stored_bytes(pin.scheme, unit.use) - read
    assert nested == plain + unread > plain


def test_what_cannot_be_is_refused(graph):
    with pytest.raises(OptionError, match=r"'iPhone 16 Pro' is an ios device.*--target ios"):
        budget_of(graph, CompileOptions(device="iPhone 16 Pro"), (ANDROID,))
    with pytest.raises(BudgetError, match=r"device 'small': .*lower --context"):
        file_limit(graph, small(usable_bytes=RUNTIME_BYTES), ANDROID)
    with pytest.raises(BudgetError, match=r"tokens_per_second=1e\+06: 'small' can read 0 bytes"):
        speed_limit(graph, small(), ANDROID, 1e6)
