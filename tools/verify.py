"""`optimum-compile verify`: run every artifact of a bundle again, and compare with the recorded oracle."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from optimum_compile.backends.base import Tolerance
from optimum_compile.backends.catalog import load_backend
from optimum_compile.compiler.errors import InputError, VerificationError
from optimum_compile.compiler.options import target_name
from optimum_compile.compiler.package.cases import CASES, cases_for, load_answers
from optimum_compile.compiler.package.describe import check_entry
from optimum_compile.compiler.package.manifest import Check
from optimum_compile.compiler.package.reader import Bundle, damaged_files, open_bundle
from optimum_compile.tools.cli import print_json
from optimum_compile.tools.tables import console, show_checks, verify_document


def main(command: str, argv: Sequence[str]) -> int:
    """Verify a bundle; returns the exit code (6 when an artifact disagrees)."""
    parser = argparse.ArgumentParser(prog="optimum-compile verify", description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(list(argv))
    bundle = open_bundle(args.bundle)
    damaged = damaged_files(bundle)
    if damaged:
        raise VerificationError(f"{bundle.path}: {'; '.join(damaged)}; compile again")
    checks = verify_bundle(bundle)
    if args.json:
        print_json(verify_document(checks))
    else:
        show_checks(console(), checks)
    return 0 if all(c.ok for c in checks) else VerificationError.exit_code


def verify_bundle(bundle: Bundle) -> tuple[Check, ...]:
    """Execute every artifact that can be executed on the recorded cases."""
    if not bundle.manifest.artifacts:
        raise InputError(f"{bundle.path}: the bundle has no artifact")
    file = bundle.path / CASES
    backends = [load_backend(artifact.kind) for artifact in bundle.manifest.artifacts]
    answers = load_answers(file) if any(b.traits.stores_weights for b in backends) else {}
    recorded = {c.path: c for c in bundle.manifest.checks}
    out = []
    for artifact, backend in zip(bundle.manifest.artifacts, backends, strict=True):
        target = target_name(backend.platform, backend.name)
        cases = cases_for(target, answers, file) if backend.traits.stores_weights else ()
        check = recorded.get(artifact.path)
        tolerance = check.tolerance if check is not None else Tolerance()
        result = backend.verify(bundle.resolve(artifact.path), cases, tolerance)
        out.append(check_entry(artifact.path, result))
    return tuple(out)
