"""Child process that runs cases on an `.mlpackage`.

python -m optimum_compile.backends.coreml.runner ARTIFACT CASES OUT
"""

import sys
from pathlib import Path

import numpy as np

from optimum_compile.backends.base import Call
from optimum_compile.backends.child import answer
from optimum_compile.backends.coreml.emit import pad_tokens
from optimum_compile.backends.coreml.interpreter import Package
from optimum_compile.backends.forms import Form, check_room, forms_of, steps
from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.package.cases import load_cases


def main(artifact: str, given: str, out: str) -> None:
    """Every case begins with empty states."""
    cases = load_cases(Path(given))
    package = Package(Path(artifact))
    outputs = []
    for case in cases:
        package.reset()
        outputs.append([run_call(package, call) for call in case.calls])
    answer(cases, outputs, Path(out))


def run_call(package: Package, call: Call) -> list[np.ndarray]:
    """One call; a prompt is cut into padded chunks, and its tail decoded where no chunk fits."""
    if call.function == "forward":
        for name, data in call.inputs.items():
            _check_shape(package, name, data.shape)
        return package.call(package.functions[0], {k: _plain(v) for k, v in call.inputs.items()})
    tokens, past = call.inputs["tokens"].astype(np.int32), int(call.inputs["past"][0])
    if call.function == "decode":
        return package.call("decode", {"tokens": tokens, "past": np.array([past], np.int32)})
    context, count = package.context(), tokens.shape[1]
    check_room(past, count, context)
    parts = []
    for step in steps(_forms(package), count, past, context, pads=True):
        where = np.array([past + step.at], np.int32)
        piece = pad_tokens(tokens[:, step.at : step.at + step.taken], step.length)
        logits = package.call(step.function, {"tokens": piece, "past": where})[0]
        parts.append(logits[:, : step.taken])
    return [np.concatenate(parts, axis=1)]


def _check_shape(package: Package, name: str, got: tuple[int, ...]) -> None:
    wanted = package.input_shape(package.functions[0], name)
    if tuple(got) != tuple(wanted):
        raise InputError(
            f"{name}: got the shape {got}, expected {wanted}: a package has fixed shapes; pad the input, "
            "or compile with --seq and --batch for others"
        )


def _forms(package: Package) -> tuple[Form, ...]:
    """Every chunk is fixed here, that of `prefill` too."""
    names = [f.function for f in forms_of(package.functions, 1)]
    sizes = ((name, package.input_shape(name, "tokens")[1]) for name in names)
    forms = (Form(name, size, fixed=True) for name, size in sizes)
    return tuple(sorted(forms, key=lambda f: f.tokens))


def _plain(data: np.ndarray) -> np.ndarray:
    return data.astype(np.float32) if data.dtype.kind == "f" else data.astype(np.int32)


if __name__ == "__main__":
    main(*sys.argv[1:4])
