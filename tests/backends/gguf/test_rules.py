"""The rules that are written: the names, one type for the experts of a layer, bytes, metadata."""

import re

import pytest
from support.hf import experts_folder
from support.models import tiny_llama
from support.widths import assigned, emit_rules

from optimum_compile.backends.base import Tolerance
from optimum_compile.backends.gguf.backend import BACKEND
from optimum_compile.backends.gguf.emit import parse_rules, rules_text
from optimum_compile.backends.gguf.names import gguf_name
from optimum_compile.backends.gguf.types import BY_NAME
from optimum_compile.compiler.errors import InputError, UnsupportedError
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.units import units_of


def by_turns(name, at):
    return ("int4:g32", "int8:g32", "f16")[at % 3]


def test_every_matrix_has_one_rule_that_matches_its_name_and_no_other(tmp_path):
    graph = assigned(tiny_llama(tmp_path / "model"), by_turns)
    made = emit_rules(graph, BACKEND, tmp_path)
    lines = made.artifact.read_text("ascii").splitlines()
    names = [gguf_name(unit.name) for unit in units_of(graph)]
    assert len(lines) == len(names) > 10
    for at, (line, name) in enumerate(zip(lines, names, strict=True)):
        pattern, _, kind = line.partition("=")
        assert [
            n for n in (*names, f"x{name}", name.replace(".", "_")) if re.search(pattern, n)
        ] == [name]
        assert kind == ("Q4_0", "Q8_0", "F16")[at % 3]
        assert pattern == pattern.lower()  # llama-quantize reads it so
        assert not re.search(r"[\s=#]", pattern)  # it reads words, and the first = divides


def test_rules_are_read_back():
    rules = {"blk.0.attn_q.weight": BY_NAME["Q4_K"], "output.weight": BY_NAME["F16"]}
    assert parse_rules(rules_text(rules)) == rules


@pytest.mark.parametrize("text", ["a=Q4_0", "^a$Q4_0", "^a$=Q9_9", "# ^a$=Q4_0", "^a=Q4_0"])
def test_other_rules_are_refused(text):
    with pytest.raises(InputError, match=r"expected \^NAME\$=TYPE"):
        parse_rules(text)


def test_experts_of_a_layer_get_the_widest_type_and_a_remark_says_so(tmp_path):
    folder = experts_folder(tmp_path / "model", "qwen3_moe")

    def scheme(name, at):
        if name.endswith("mlp.gate.weight"):
            return "f16"
        return "int8:g32" if "layers.0.mlp.experts.3.up_proj" in name else "int4:g32"

    graph = assigned(folder, scheme)
    made = emit_rules(graph, BACKEND, tmp_path)
    rules = parse_rules(made.artifact.read_text())
    assert {n: k.name for n, k in rules.items() if k.name != "Q4_0"} == {
        "blk.0.ffn_up_exps.weight": "Q8_0"
    }
    assert not any("ffn_gate_inp" in name for name in rules)
    told = [r for r in made.remarks if "experts" in r]
    assert told == [
        "blk.0.ffn_up_exps.weight holds 8 experts in one type: int8:g32, though some were given int4:g32"
    ]
    given = sum(
        BACKEND.stored_bytes(graph.weights[u.name].notes.get(Precision).scheme, u.use)
        for u in units_of(graph)
    )
    wider = 7 * 64 * 64 * (34 - 18) // 32  # what the other experts gain
    assert made.weight_bytes == BACKEND.fixed_bytes(graph) + given + wider


def test_metadata_are_read_from_beside_the_rules(tmp_path):
    graph = assigned(tiny_llama(tmp_path / "model"), by_turns)
    made = emit_rules(graph, BACKEND, tmp_path)
    assert BACKEND.inspect(made.artifact) == '{"target":"test"}'
    metadata, notes = made.beside
    text = notes.read_text()
    assert f"--tensor-type-file {made.artifact.name} " in text
    assert f"{made.weight_bytes:,} bytes" in text
    metadata.unlink()
    with pytest.raises(InputError, match=r"no tiny\.metadata\.json beside it"):
        BACKEND.inspect(made.artifact)


def test_nothing_is_executed_and_that_is_no_failure(tmp_path):
    verdict = BACKEND.verify(tmp_path / "a.tensor-types.txt", (), Tolerance(min_top1=1.0))
    assert (verdict.executed, verdict.ok, verdict.executed_by) == (False, True, "")
    assert verdict.reason.startswith("not executed: ")
    with pytest.raises(UnsupportedError, match=r"run the GGUF with llama\.cpp"):
        BACKEND.logits(tmp_path / "a.tensor-types.txt")
