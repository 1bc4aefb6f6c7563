"""Quantise a GGUF with llama.cpp and write its logits; runs where llama-cpp-python is installed.

    python llama_child.py JOB.json

The job names `source`, `target`, `ftype`, `head` (a ggml type or None),
`imatrix` (a folder with index.json and .npy files, or None), `tokens` and `lengths` (.npy),
`logits` (.npy, to be written). Only numpy and llama_cpp are imported.
"""

import ctypes
import json
import sys
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np


def quantize(job: dict[str, Any]) -> int:
    """Write `target` from `source`; returns llama.cpp's exit code."""
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = job["ftype"]
    params.nthread = job["threads"]
    params.allow_requantize = True
    if job["head"] is not None:
        # For tied embeddings llama.cpp takes the type of the output.
        params.output_tensor_type = job["head"]
        params.token_embedding_type = job["head"]
    keep: list[Any] = []  # what the structures point to
    if job["imatrix"] is not None:
        params.imatrix = ctypes.cast(
            importance(Path(job["imatrix"]), keep),
            ctypes.POINTER(llama_cpp.llama_model_imatrix_data),
        )
    source, target = job["source"].encode(), job["target"].encode()
    return int(llama_cpp.llama_model_quantize(source, target, ctypes.byref(params)))


def importance(folder: Path, keep: list[Any]) -> Any:
    """llama.cpp's array of importance data, ended by an entry without a name."""
    index = json.loads((folder / "index.json").read_text("utf-8"))
    entries = (llama_cpp.llama_model_imatrix_data * (len(index) + 1))()
    for entry, (name, file) in zip(entries, sorted(index.items()), strict=False):
        data = np.ascontiguousarray(np.load(folder / file, allow_pickle=False), np.float32)
        keep.append((data, name.encode()))
        entry.name = keep[-1][1]
        entry.data = data.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        entry.size = data.size
    keep.append(entries)
    return entries


def write_logits(job: dict[str, Any]) -> None:
    """Run every window from an empty cache and write the logits of all positions."""
    tokens = np.load(job["tokens"], allow_pickle=False).astype(np.int32)
    lengths = np.load(job["lengths"], allow_pickle=False).tolist()
    model, context = opened(job["target"], max(lengths), job["threads"])
    vocab = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))
    batch = llama_cpp.llama_batch_init(max(lengths), 0, 1)
    out = np.lib.format.open_memmap(
        job["logits"], mode="w+", dtype=np.float32, shape=(len(tokens), vocab)
    )
    at = 0
    for length in lengths:
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(context), True)
        batch.n_tokens = length
        for i in range(length):
            batch.token[i], batch.pos[i] = int(tokens[at + i]), i
            batch.n_seq_id[i], batch.seq_id[i][0], batch.logits[i] = 1, 0, True
        code = llama_cpp.llama_decode(context, batch)
        if code != 0:
            raise RuntimeError(f"llama_decode failed with code {code}")
        found = llama_cpp.llama_get_logits(context)
        out[at : at + length] = np.ctypeslib.as_array(found, (length, vocab))
        at += length
    out.flush()


def opened(path: str, longest: int, threads: int) -> tuple[Any, Any]:
    """A model and a context for windows of at most `longest` tokens."""
    params = llama_cpp.llama_model_default_params()
    params.n_gpu_layers = 0
    # Plain kernels: those for AMX end the process where the processor reports AMX but a virtual
    # machine does not let it be used.
    params.use_extra_bufts = False
    model = llama_cpp.llama_model_load_from_file(path.encode(), params)
    if not model:
        raise RuntimeError("llama.cpp cannot load the file")
    settings = llama_cpp.llama_context_default_params()
    settings.n_ctx = settings.n_batch = settings.n_ubatch = longest
    settings.n_threads = settings.n_threads_batch = threads
    context = llama_cpp.llama_init_from_model(model, settings)
    if not context:
        raise RuntimeError("llama.cpp cannot make a context")
    return model, context


def main() -> None:
    """Quantise, run, and print a JSON document."""
    job = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    llama_cpp.llama_backend_init()
    code = quantize(job)
    if code == 0:
        write_logits(job)
    print()
    print(json.dumps({"quantize": code}))


if __name__ == "__main__":
    main()
