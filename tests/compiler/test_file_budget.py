"""Budgets in bytes are kept by files, as far as they are predicted, and used up."""

from pathlib import Path

import pytest

from optimum_compile.compiler.package.describe import predicted_bytes, predicted_file_bytes
from optimum_compile.compiler.planning import plan

REFERENCE = Path(__file__).resolve().parents[2] / "models" / "reference"


def planned(out, **options):
    made = plan(REFERENCE, output=str(out), quantizer="rtn", calibration="none", **options)
    return made.model.graph, made.backends


@pytest.mark.parametrize(
    ("policy", "limit"), [("tiers", 2_000_000), ("random", 2_400_000), ("cascade", 3_300_000)]
)
def test_the_larger_file_uses_the_budget_up(tmp_path, policy, limit):
    graph, backends = planned(
        tmp_path, targets=["ios:coreml", "android:executorch"], policy=policy, budget=str(limit)
    )
    files = [predicted_file_bytes(graph, backend) for backend in backends]
    assert 0.99 * limit < max(files) <= limit


def test_bits_per_weight_leave_the_program_out(tmp_path):
    graph, (backend,) = planned(tmp_path, targets=["ios:coreml"], policy="tiers", budget="3bpw")
    weights = predicted_bytes(graph, backend)
    assert 8 * weights / 5_245_216 <= 3.001
    assert predicted_file_bytes(graph, backend) - weights > 300_000


def test_a_device_is_a_budget(tmp_path):
    """The model is small: any device holds it in 16 bits, and only a great speed limits it."""
    graph, (backend,) = planned(
        tmp_path, targets=["ios:coreml"], policy="tiers", device="iPhone 15 Pro"
    )
    assert predicted_bytes(graph, backend) > 10_000_000
    slow = planned(
        tmp_path,
        targets=["ios:coreml"],
        policy="tiers",
        device="iPhone 15 Pro",
        tokens_per_second=7_000,
    )
    # 51.2 GB/s * 0.6 / 7000 = 4.389 MB a token, less 1.573 MB of cache. Of cosines and sines, 512 rows of 32
    # fp16 numbers, a token reads one row.
    angles = slow[1][0].unread_bytes(slow[0])
    assert angles == 2 * (64 + 511 * 32 * 2)
    assert 2_700_000 < predicted_bytes(slow[0], slow[1][0]) <= 4_388_571 - 1_572_864 + angles
