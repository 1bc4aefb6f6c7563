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
        return package.call(package.functions[0], {k: _plain(v) for k, v in call.inputs.items()})
    tokens, past = call.inputs["tokens"].astype(np.int32), int(call.inputs["past"][0])
    if call.function == "decode":
        return package.call("decode", {"tokens": tokens, "past": np.array([past], np.int32)})
    chunk = package.input_shape("prefill", "tokens")[1]
    context = package.context()
    parts, at = [], 0
    while at < tokens.shape[1]:
        where = np.array([past + at], np.int32)
        if past + at + chunk <= context:
            piece = tokens[:, at : at + chunk]
            logits = package.call("prefill", {"tokens": pad_tokens(piece, chunk), "past": where})[0]
            parts.append(logits[:, : piece.shape[1]])
        else:
            piece = tokens[:, at : at + 1]
            parts.append(package.call("decode", {"tokens": piece, "past": where})[0])
        at += piece.shape[1]
    return [np.concatenate(parts, axis=1)]


def _plain(data: np.ndarray) -> np.ndarray:
    return data.astype(np.float32) if data.dtype.kind == "f" else data.astype(np.int32)


if __name__ == "__main__":
    main(*sys.argv[1:4])
