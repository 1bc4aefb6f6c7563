import pytest

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.options import (
    CompileOptions,
    load_config,
    options_from,
    parse_budget,
    parse_group,
    resolve_targets,
)
from optimum_compile.compiler.quant.scheme import PerChannel, PerGroup


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("3.5bpw", "bits_per_weight", 3.5),
        ("1.2GB", "bytes", 1_200_000_000),
        ("900MiB", "bytes", 900 * 2**20),
        ("1250000", "bytes", 1_250_000),
        ("40%", "fraction", 0.4),
    ],
)
def test_budgets(text, field, value):
    assert getattr(parse_budget(text), field) == value


@pytest.mark.parametrize("text", ["", "bpw", "-1GB", "0bpw", "3.5 bits", "1e9", "nan%"])
def test_bad_budgets_are_named(text):
    with pytest.raises(OptionError, match="budget"):
        parse_budget(text)


def test_groups():
    assert parse_group("channel") == PerChannel()
    assert parse_group("64") == PerGroup(64)
    with pytest.raises(OptionError, match=r"group_size='7': expected channel, or a whole number"):
        parse_group("7")


def test_an_unknown_option_names_the_allowed_ones():
    with pytest.raises(OptionError, match=r"option 'bitz' is unknown; allowed: .*bits.*policy"):
        options_from({"bitz": 4})


def test_an_unknown_target_names_the_known_ones():
    with pytest.raises(OptionError, match=r"target 'windows' is unknown; expected one of ios"):
        resolve_targets(("windows",))


def test_targets_are_given_as_text_or_as_a_list():
    assert options_from({"target": "ios, android"}).target == ("ios", "android")
    assert options_from({"target": ["android"]}).target == ("android",)
    assert len(resolve_targets(("ios", "ios:coreml"))) == 1


def test_config_is_strict_yaml(tmp_path):
    file = tmp_path / "c.yaml"
    file.write_text("policy: uniform\nbits: 4\ngroup-size: 64\n")
    options = options_from(load_config(file))
    assert (options.policy, options.bits, options.group_size) == ("uniform", 4, "64")
    file.write_text("!!python/object/apply:os.system ['true']")
    with pytest.raises(OptionError, match="not a YAML file"):
        load_config(file)


@pytest.mark.parametrize("name", ["../x", "", "a/b", ".hidden", "x" * 101])
def test_names_cannot_leave_the_folder(name):
    with pytest.raises(OptionError, match="name="):
        CompileOptions(name=name)


def test_the_echo_holds_no_paths():
    echo = CompileOptions(output="/a/b", work_dir="/c", calibration="/d/e.json").echo()
    assert echo["calibration"] == "e.json"
    assert "output" not in echo
    assert "work_dir" not in echo


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_kl": 0}, r"max_kl=0: expected a number above zero"),
        ({"max_kl": float("nan")}, r"max_kl=nan: expected a number"),
        ({"max_kl": "0.1"}, r"max_kl='0.1': expected a number"),
        ({"max_kl": True}, r"max_kl=True: expected a number"),
        ({"max_kl": 0.1, "budget": "3bpw"}, r"max_kl .* without --budget"),
        ({"max_kl": 0.1, "device": "Pixel 8"}, r"max_kl .* without --device"),
        ({"device": "Pixel 8", "tokens_per_second": -1.0}, r"tokens_per_second=-1.0: expected"),
        ({"device": "Pixel 8", "tokens_per_second": float("inf")}, r"tokens_per_second=inf"),
        ({"tokens_per_second": 20}, r"tokens_per_second: needs --device"),
    ],
)
def test_goals_that_make_no_sense_are_refused(options, message):
    with pytest.raises(OptionError, match=message):
        options_from(options)


def test_goals_are_echoed():
    assert options_from({"max-kl": 0.05}).echo()["max_kl"] == 0.05
    echo = options_from({"device": "Pixel 8", "tokens-per-second": 20}).echo()
    assert (echo["device"], echo["tokens_per_second"]) == ("Pixel 8", 20)


def test_bits_of_the_cache_are_text_a_number_or_a_list():
    assert options_from({}).kv_bits == "16"
    assert options_from({"kv-bits": 4}).kv_bits == "4"
    assert options_from({"kv_bits": [4, 2]}).kv_bits == "4,2"
    assert options_from({"kv_bits": "auto"}).echo()["kv_bits"] == "auto"
    with pytest.raises(OptionError, match="kv_bits='3': expected 16, 8, 4 or 2"):
        options_from({"kv_bits": 3})


@pytest.mark.parametrize(
    ("given", "share"), [("2%", 0.02), ("0.5 %", 0.005), ("0", 0.0), (0, 0), (0.02, 0.02), (1, 1)]
)
def test_the_loss_for_uniform_stages_is_a_percentage(given, share):
    assert options_from({"stage-loss": given}).echo()["stage_loss"] == pytest.approx(share)


@pytest.mark.parametrize("given", ["2", "0.02", "-1%", "101%", "x", "", -0.1, 1.5, True, None, [2]])
def test_a_loss_that_is_no_percentage_is_refused(given):
    with pytest.raises(OptionError, match=r"stage_loss=.*: expected 0% to 100%, like 2%"):
        options_from({"stage_loss": given})


@pytest.mark.parametrize("text", ["2,3,4", "1, 2", "3,4,5,6,7,8"])
def test_widths_of_nested_weights_stand_in_a_row(text):
    assert CompileOptions(nested=text).nested == text


@pytest.mark.parametrize(
    "text", ["", "4", "2,4", "4,3,2", "2,2", "0,1", "8,9", "2-4", "2,,3", "two"]
)
def test_other_widths_are_refused(text):
    with pytest.raises(OptionError, match="expected two or more widths in a row, of 1 to 8 bits"):
        CompileOptions(nested=text)


def test_widths_may_be_a_list_in_a_file():
    assert options_from({"nested": [2, 3, 4]}).nested == "2,3,4"
