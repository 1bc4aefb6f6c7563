"""How far what an artifact computed is from what the oracle expects."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optimum_compile.backends.base import DECISIVE_MARGIN, Case, Conformance, Tolerance

Outputs = Sequence[Sequence[Sequence[np.ndarray]]]  # case, call, output


@dataclass(frozen=True)
class Distance:
    """See `Conformance` for what the figures are."""

    max_rel_err: float
    cosine: float
    top1_agreement: float


def distance(got: Outputs, cases: Sequence[Case]) -> Distance:
    """Compare call by call; anything that is not finite counts as infinitely far."""
    worst, cosine, same, rows = 0.0, 1.0, 0, 0
    for case, calls in zip(cases, got, strict=True):
        for call, outputs in zip(case.calls, calls, strict=True):
            for expected, found in zip(call.expected, outputs, strict=True):
                a, b = found.astype(np.float64), expected.astype(np.float64)
                if a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
                    return Distance(float("inf"), -1.0, 0.0)
                scale = float(np.linalg.norm(b)) or 1.0
                worst = max(worst, float(np.linalg.norm(a - b)) / scale)
                norm = float(np.linalg.norm(a)) * float(np.linalg.norm(b))
                cosine = min(cosine, float((a * b).sum()) / norm if norm else float(scale == 1.0))
                if a.ndim:
                    same += int((a.argmax(-1) == b.argmax(-1)).sum())
                    rows += int(np.prod(a.shape[:-1]))
    return Distance(worst, cosine, same / max(1, rows))


def judge(
    artifact: str, by: str, got: Outputs, cases: Sequence[Case], tolerance: Tolerance
) -> Conformance:
    """The verdict on outputs that were computed."""
    found = distance(got, cases)
    reasons = []
    if tolerance.max_rel_err is not None and not found.max_rel_err <= tolerance.max_rel_err:
        reasons.append(f"relative error {found.max_rel_err:.3g}, allowed {tolerance.max_rel_err:g}")
    if tolerance.min_cosine is not None and not found.cosine >= tolerance.min_cosine:
        reasons.append(f"cosine {found.cosine:.6f}, needed {tolerance.min_cosine:g}")
    if tolerance.min_top1 is not None and not found.top1_agreement >= tolerance.min_top1:
        reasons.append(f"top-1 {found.top1_agreement:.1%}, needed {tolerance.min_top1:.0%}")
    finite = np.isfinite(found.max_rel_err)
    margin = min((case.margin for case in cases), default=math.inf)
    if reasons and margin < DECISIVE_MARGIN:
        reasons.append(
            f"two experts are nearly tied (margin {margin:.2g} of the router logits' deviation, "
            f"decided from {DECISIVE_MARGIN:g}), so the artifact may have chosen the other one"
        )
    return Conformance(
        artifact=artifact,
        executed=True,
        executed_by=by,
        ok=not reasons and bool(finite),
        steps=sum(len(c.calls) for c in cases),
        max_rel_err=found.max_rel_err if finite else 1e30,
        cosine=found.cosine,
        top1_agreement=found.top1_agreement,
        tolerance=tolerance,
        reason="; ".join(reasons)
        or ("" if finite else "an output has another shape or is not finite"),
    )


def failed(artifact: str, tolerance: Tolerance, reason: str) -> Conformance:
    """The verdict on an artifact that could not be run."""
    return Conformance(artifact, False, "", False, 0, 1e30, -1.0, 0.0, tolerance, reason)


def not_executed(artifact: str, tolerance: Tolerance, reason: str) -> Conformance:
    """The verdict on what nothing here can execute: neither a failure nor a success."""
    return Conformance(artifact, False, "", True, 0, 0.0, 0.0, 0.0, tolerance, reason)
