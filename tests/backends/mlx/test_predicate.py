"""The predicate and the dict that are written: paths, defaults, experts, metadata; no MLX is needed."""

import ast
import json
import runpy

import pytest
from support.hf import experts_folder
from support.models import tiny_llama
from support.widths import assigned, emit_rules

from optimum_compile.backends.base import Tolerance
from optimum_compile.backends.mlx.backend import BACKEND
from optimum_compile.backends.mlx.names import mlx_path
from optimum_compile.compiler.errors import InputError, UnsupportedError
from optimum_compile.passes.precision.units import units_of

TURNS = ("uint4:g32@zf16", "uint6:g64@zf16", "f16", "uint4:g64@zf16")


def by_turns(name, at):
    return TURNS[at % len(TURNS)]


def rule_of(scheme):
    return {
        "uint4:g32@zf16": {"bits": 4, "group_size": 32},
        "uint6:g64@zf16": {"bits": 6, "group_size": 64},
        "uint4:g64@zf16": {"bits": 4, "group_size": 64},
    }.get(scheme, False)


@pytest.fixture
def made(tmp_path):
    graph = assigned(tiny_llama(tmp_path / "model"), by_turns)
    wanted = {
        unit.name.removesuffix(".weight"): rule_of(by_turns(unit.name, at))
        for at, unit in enumerate(units_of(graph))
    }
    return emit_rules(graph, BACKEND, tmp_path), wanted


def test_the_predicate_answers_for_every_matrix(made):
    result, wanted = made
    module = runpy.run_path(str(result.artifact))  # no import of mlx_lm until it converts
    predicate = module["quant_predicate"]
    assert {path: predicate(path, None) for path in wanted} == wanted
    assert predicate("model.layers.0.mlp.unknown", None) is False
    answer = predicate("model.embed_tokens", None)
    answer["bits"] = 1  # mlx-lm may change what it is given
    assert predicate("model.embed_tokens", None) == wanted["model.embed_tokens"]


def test_the_default_group_divides_all_others(made):
    """mlx-lm asks about no matrix whose columns the default does not divide."""
    result, _ = made
    module = runpy.run_path(str(result.artifact))
    groups = [rule["group_size"] for rule in module["RULES"].values() if rule]
    assert module["GROUP_SIZE"] == min(groups) == 32
    assert all(group % 32 == 0 for group in groups)
    assert module["BITS"] == 4


def test_the_dict_is_what_the_predicate_says(made):
    result, wanted = made
    (file,) = result.beside
    data = json.loads(file.read_text())
    head = {key: data.pop(key) for key in ("group_size", "bits", "mode")}
    assert head == {"group_size": 32, "bits": 4, "mode": "affine"}
    assert data == wanted


def test_experts_of_a_layer_get_the_widest_form_under_the_path_of_mlx(tmp_path):
    folder = experts_folder(tmp_path / "model", "mixtral")

    def scheme(name, at):
        if name.endswith("block_sparse_moe.gate.weight"):
            return "f16"
        return (
            "uint8:g64@zf16"
            if name.endswith("layers.1.block_sparse_moe.experts.2.w2.weight")
            else TURNS[0]
        )

    result = emit_rules(assigned(folder, scheme), BACKEND, tmp_path)
    rules = runpy.run_path(str(result.artifact))["RULES"]
    home = "model.layers.1.block_sparse_moe.switch_mlp"
    assert rules[f"{home}.down_proj"] == {"bits": 8, "group_size": 64}
    assert rules[f"{home}.up_proj"] == rules[f"{home}.gate_proj"] == {"bits": 4, "group_size": 32}
    assert rules["model.layers.1.block_sparse_moe.gate"] is False
    assert [r for r in result.remarks if "experts" in r] == [
        f"{home}.down_proj holds 8 experts in one type: uint8:g64@zf16, though some were given "
        "uint4:g32@zf16"
    ]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("lm_head.weight", "lm_head"),
        ("model.layers.10.self_attn.q_proj.bias", "model.layers.10.self_attn.q_proj"),
        ("model.layers.1.mlp.experts.7.gate_proj.weight", "model.layers.1.mlp.switch_mlp.gate_proj"),
        ("model.layers.1.mlp.shared_expert_gate.weight", "model.layers.1.mlp.shared_expert_gate"),
        ("blocks.1.up_proj.weight", None),
    ],
)  # fmt: skip
def test_paths(name, path):
    assert mlx_path(name) == path


def test_metadata_are_read_without_running_the_file(made, tmp_path):
    result, _ = made
    assert BACKEND.inspect(result.artifact) == '{"target":"test"}'
    text = result.artifact.read_text()
    tree = ast.parse(text)
    assert not any(isinstance(n, ast.Import) and n.names[0].name != "sys" for n in tree.body)
    evil = tmp_path / "x_quant_predicate.py"
    evil.write_text("raise SystemExit('executed')\n" + text)
    assert BACKEND.inspect(evil) == '{"target":"test"}'
    for broken in ("(", "METADATA = 1\n", "\0", "x = 'METADATA'"):
        evil.write_text(broken)
        with pytest.raises(InputError, match=r"x_quant_predicate\.py"):
            BACKEND.inspect(evil)


def test_a_name_cannot_leave_the_text_it_stands_in(tmp_path):
    graph = assigned(tiny_llama(tmp_path / "model"), by_turns)
    name = 'a"""\nraise SystemExit("out")\n"""'
    result = emit_rules(graph, BACKEND, tmp_path, name)
    assert runpy.run_path(str(result.artifact))["GROUP_SIZE"] == 32


def test_nothing_is_executed_and_that_is_no_failure(tmp_path):
    verdict = BACKEND.verify(tmp_path / "a_quant_predicate.py", (), Tolerance(min_top1=1.0))
    assert (verdict.executed, verdict.ok, verdict.executed_by) == (False, True, "")
    assert verdict.reason.startswith("not executed: ")
    with pytest.raises(UnsupportedError, match="run the result with mlx-lm"):
        BACKEND.logits(tmp_path / "a_quant_predicate.py")
