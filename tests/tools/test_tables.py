import dataclasses
import io

import pytest
from rich.console import Console
from support.models import shared_bundle

from optimum_compile.compiler.package.manifest import Check
from optimum_compile.tools.tables import bundle_document, show_checks, size, verify_document


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (9_999, "9999 B"),
        (10_000, "10.0 kB"),
        (3_662_400, "3,662.4 kB"),
        (10_000_000, "10.0 MB"),
        (1_234_500_000, "1,234.5 MB"),
    ],
)
def test_sizes_for_people(count, text):
    assert size(count) == text


def printed(*checks):
    out = Console(file=io.StringIO(), width=200)
    show_checks(out, checks)
    return out.file.getvalue().splitlines()[1:]


def check(**changes) -> Check:
    return dataclasses.replace(shared_bundle().manifest.checks[0], **changes)


def test_a_check_shows_what_executed_it_and_the_verdict():
    good, bad, never, why = printed(
        check(max_rel_err=0.00123, cosine=0.5, top1_agreement=0.25),
        check(ok=False, reason="relative error 2, allowed 0.01"),
        check(executed=False, reason="not executed: --no-verify"),
    )
    assert good.split() == (
        "ios/tiny.mlpackage MIL interpreter 27 1.23e-03 0.500000 25.0% ok".split()
    )
    assert bad.rstrip().endswith("FAILED: relative error 2, allowed 0.01")
    assert never.split() == ["ios/tiny.mlpackage", "not", "executed"]
    assert why == "ios/tiny.mlpackage: not executed: --no-verify"


def test_a_bundle_is_ok_only_when_every_artifact_was_compared_and_is_ok():
    assert verify_document((check(),))["ok"] is True
    assert verify_document((check(), check(ok=False)))["ok"] is False
    assert verify_document(())["ok"] is False


def test_the_sums_of_a_bundle_add_up():
    document = bundle_document(shared_bundle())
    tensors = document["tensors"]
    for stage in document["stages"]:
        own = sum(t["bytes"] for t in tensors if t["stage"] == stage["index"])
        assert stage["bytes"] == own
    assert document["weight_bytes"] == sum(t["bytes"] for t in tensors)
    parameters = shared_bundle().manifest.parameters
    assert document["bits_per_weight"] == 8 * document["weight_bytes"] / parameters
