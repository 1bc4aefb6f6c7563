import json

import pytest

from optimum_compile.compiler.devices import (
    device_named,
    devices,
    tokens_per_second,
    usable_rules,
)
from optimum_compile.compiler.errors import OptionError
from optimum_compile.tools.lists import main


def test_every_device_says_where_its_figures_come_from():
    found = devices()
    assert len(found) >= 12
    assert len({d.name.casefold() for d in found}) == len(found)
    for device in found:
        assert device.platform in usable_rules()
        assert device.confidence in ("specification", "derived")
        assert len(device.source) > 40
        assert 0.3 < device.usable_bytes / device.memory_bytes <= 0.5
        assert 10 < device.bandwidth_gb_s < 200


def test_bandwidths_are_rate_times_width():
    """LPDDR5X-9600 over 64 bits, LPDDR4X-4266 over 32."""
    assert device_named("iPhone 17 Pro").bandwidth_gb_s == pytest.approx(9600e6 * 8 / 1e9)
    assert device_named("Android 4 GB class").bandwidth_gb_s == pytest.approx(17.1, abs=0.05)


def test_devices_are_named_in_any_case():
    assert device_named(" pixel 8 ").name == "Pixel 8"
    with pytest.raises(
        OptionError, match=r"device 'Pixel 99' is unknown; .*iPhone 16 Pro.*Pixel 6"
    ):
        device_named("Pixel 99")


def test_speed_is_bandwidth_by_bytes():
    device = device_named("iPhone 16 Pro")
    assert tokens_per_second(device, 1e9, efficiency=0.5) == pytest.approx(30)
    assert tokens_per_second(device, 2e9, efficiency=1) == pytest.approx(30)


def test_the_list_is_printed(capsys):
    assert main("devices", ["--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {"name", "source", "confidence", "usable_bytes"} <= set(document["devices"][0])
    assert main("devices", []) == 0
    assert "Galaxy S25" in capsys.readouterr().out
