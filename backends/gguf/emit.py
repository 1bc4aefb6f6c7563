"""Write the rules for `llama-quantize --tensor-type-file`, and what a reader of them needs to know.

The file is read word by word, so it has no room for comments; they are in a text beside it, and the
metadata of the bundle in a JSON file.
"""

from pathlib import Path

from optimum_compile.backends.base import EmitOptions, EmitResult
from optimum_compile.backends.gguf.names import gguf_name, is_kept
from optimum_compile.backends.gguf.types import (
    BY_NAME,
    GgmlType,
    fixed_bytes,
    stored_bytes,
    type_of,
)
from optimum_compile.backends.stacks import Stack, stacks_of, widened
from optimum_compile.compiler.errors import InputError, InternalError, UnsupportedError
from optimum_compile.compiler.ir.graph import Graph

RULES, METADATA, NOTES = ".tensor-types.txt", ".metadata.json", ".README.txt"
MAX_BYTES = 1 << 26
# The file type that is given on the command line. It must be a quantised one, else rules are not read;
# with this one, versions that skip a rule of the file type's own type still choose that type.
FILE_TYPE = "Q8_0"

_TEXT = """\
{rules} gives every matrix of the model its ggml type. To make the GGUF:

  python convert_hf_to_gguf.py MODEL --outtype f32 --outfile model-f32.gguf
  llama-quantize --imatrix imatrix.gguf --tensor-type-file {rules} model-f32.gguf {name}.gguf {kind}
  python -m optimum_compile.backends.gguf.check {name}.gguf {rules}

convert_hf_to_gguf.py, llama-quantize and llama-imatrix, which makes imatrix.gguf from a text, are parts
of llama.cpp; --imatrix may be left out. {kind} is the type of what no line names, which is nothing. A type
of floats in its place makes llama-quantize leave out every line without a word, and so does --pure in
versions before July 2026. The last command says which lines were not applied.

llama.cpp rounds the weights itself, so that they are not those of the other artifacts of this bundle.
The tensors will take {bytes:,} bytes.
"""


def rules_of(stacks: dict[str, Stack]) -> dict[str, GgmlType]:
    """The type of every tensor that `llama-quantize` may round, by its GGUF name."""
    out: dict[str, GgmlType] = {}
    for name, stack in stacks.items():
        if is_kept(stack.first.name):
            continue
        found = type_of(stack.scheme, stack.first.use)
        if isinstance(found, str):
            raise InternalError(f"{stack.first.name}: {stack.scheme} was assigned, but {found}")
        out[name] = found
    return out


def rules_text(rules: dict[str, GgmlType]) -> str:
    """One line a tensor: an expression that matches its name and no other, and the type."""
    lines = (f"^{name.replace('.', chr(92) + '.')}$={kind.name}\n" for name, kind in rules.items())
    return "".join(lines)


def parse_rules(text: str) -> dict[str, GgmlType]:
    """The way back from `rules_text`. Raises InputError for any other text."""
    out: dict[str, GgmlType] = {}
    for line in text.splitlines():
        pattern, equals, kind = line.partition("=")
        whole = pattern.startswith("^") and pattern.endswith("$")
        if not equals or not whole or kind not in BY_NAME:
            raise InputError(f"{line!r:.80}: expected ^NAME$=TYPE with a type of {list(BY_NAME)}")
        out[pattern[1:-1].replace("\\.", ".")] = BY_NAME[kind]
    return out


def emit(graph: Graph, options: EmitOptions, out: Path) -> EmitResult:
    """Write the rules to `out`, notes and metadata beside them.

    Raises UnsupportedError for a model whose weights GGUF has no names for.
    """
    stacks = stacks_of(graph, gguf_name, lambda s, u: stored_bytes(s, u.use), "gguf")
    rules = rules_of(stacks)
    if not rules:
        raise UnsupportedError("gguf: the model has no matrix that llama-quantize could round")
    units = [(s.scheme, unit) for s in stacks.values() for unit in s.units]
    total = fixed_bytes(graph) + sum(stored_bytes(scheme, u.use) for scheme, u in units)
    out.write_text(rules_text(rules), "ascii")
    metadata = out.with_name(f"{options.name}{METADATA}")
    metadata.write_text(options.metadata_json + "\n", "utf-8")
    notes = out.with_name(f"{options.name}{NOTES}")
    text = _TEXT.format(rules=out.name, name=options.name, kind=FILE_TYPE, bytes=total)
    notes.write_text(text, "utf-8")
    told = [widened(name, stack) for name, stack in stacks.items()]
    remark = f"gguf: {out.name} is for llama-quantize; the bytes are those of the GGUF it makes"
    return EmitResult(out, total, (), (remark, *(t for t in told if t)), (metadata, notes))


def read_metadata(artifact: Path) -> str:
    """The metadata beside the rules. Raises InputError where there is none."""
    name = artifact.name
    file = artifact.with_name(name.removesuffix(RULES) + METADATA)
    if not name.endswith(RULES) or not file.is_file():
        raise InputError(f"{artifact}: no {file.name} beside it")
    if file.stat().st_size > MAX_BYTES:
        raise InputError(f"{file}: more than {MAX_BYTES} bytes; not metadata of this program")
    return file.read_text("utf-8").strip()
