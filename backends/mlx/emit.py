"""Write the predicate that `mlx_lm.convert` asks about every module, and the dict of its config.json."""

import ast
import json
import re
from collections import Counter
from pathlib import Path
from string import Template

from optimum_compile.backends.base import EmitOptions, EmitResult
from optimum_compile.backends.mlx.forms import Form, fixed_bytes, form_of, stored_bytes
from optimum_compile.backends.mlx.names import mlx_path
from optimum_compile.backends.stacks import Stack, stacks_of, widened
from optimum_compile.compiler.errors import InputError, InternalError, UnsupportedError
from optimum_compile.compiler.ir.graph import Graph

PREDICATE, CONFIG = "_quant_predicate.py", ".quantization.json"
MAX_BYTES = 1 << 26

_TEXT = Template('''\
"""Bits of every module of $name for mlx-lm. To convert the model:

    python $file MODEL_FOLDER OUTPUT_FOLDER

or pass `quant_predicate` to `mlx_lm.convert` with `GROUP_SIZE` as q_group_size: mlx-lm leaves out, without
a word, a matrix whose columns are no multiple of that. MLX rounds the weights itself.
"""

import sys

GROUP_SIZE = $group
BITS = $bits
# By module; False: not quantised. The tensors take $bytes bytes.
RULES = $rules
METADATA = $metadata


def quant_predicate(path, module):
    """False, or the bits and group size of the module at `path`."""
    rule = RULES.get(path)
    return dict(rule) if rule else False


def convert(hf_path, mlx_path):
    """Convert with mlx-lm. Raises RuntimeError where a rule was not applied."""
    import mlx_lm

    asked = set()

    def predicate(path, module):
        asked.add(path)
        return quant_predicate(path, module)

    mlx_lm.convert(
        hf_path,
        mlx_path,
        quantize=True,
        q_group_size=GROUP_SIZE,
        q_bits=BITS,
        dtype="float16",
        quant_predicate=predicate,
    )
    missed = sorted(path for path, rule in RULES.items() if rule and path not in asked)
    if missed:
        raise RuntimeError(f"mlx-lm did not quantise {', '.join(missed)}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: python {sys.argv[0]} MODEL_FOLDER OUTPUT_FOLDER")
    convert(sys.argv[1], sys.argv[2])
''')


def forms_of(stacks: dict[str, Stack]) -> dict[str, Form]:
    """The form of every matrix, by the path of its module."""
    out: dict[str, Form] = {}
    for path, stack in stacks.items():
        found = form_of(stack.scheme, stack.first.use)
        if isinstance(found, str):
            raise InternalError(f"{stack.first.name}: {stack.scheme} was assigned, but {found}")
        out[path] = found
    return out


def rules_of(forms: dict[str, Form]) -> dict[str, dict[str, int] | bool]:
    """What the predicate answers for each path."""
    return {
        path: False if form.bits == 16 else {"bits": form.bits, "group_size": form.group}
        for path, form in forms.items()
    }


def defaults_of(forms: dict[str, Form]) -> tuple[int, int]:
    """Group size and bits of the config: the smallest group, which divides the rows of all; most used bits."""
    rounded = [form for form in forms.values() if form.bits != 16]
    if not rounded:
        return 64, 4  # mlx-lm's own
    bits = Counter(form.bits for form in rounded)
    return min(form.group for form in rounded), max(bits, key=lambda b: (bits[b], b))


def emit(graph: Graph, options: EmitOptions, out: Path) -> EmitResult:
    """Write the predicate to `out`, the quantization dict beside it.

    Raises UnsupportedError for a model whose weights mlx-lm has no names for.
    """
    stacks = stacks_of(graph, mlx_path, lambda s, u: stored_bytes(s, u.use), "mlx")
    if not stacks:
        raise UnsupportedError("mlx: the model has no matrix to quantise")
    forms = forms_of(stacks)
    group, bits = defaults_of(forms)
    rules = rules_of(forms)
    units = [(s.scheme, unit) for s in stacks.values() for unit in s.units]
    total = fixed_bytes(graph) + sum(stored_bytes(scheme, u.use) for scheme, u in units)
    text = _TEXT.substitute(
        name=re.sub(r"[^A-Za-z0-9._-]", "_", options.name),
        file=re.sub(r"[^A-Za-z0-9._-]", "_", out.name),
        group=group,
        bits=bits,
        bytes=f"{total:,}",
        rules=_python_dict(rules),
        metadata=repr(options.metadata_json),
    )
    out.write_text(text, "utf-8")
    config = out.with_name(f"{options.name}{CONFIG}")
    whole = {"group_size": group, "bits": bits, "mode": "affine"} | rules
    config.write_text(json.dumps(whole, indent=1) + "\n", "utf-8")
    told = [widened(path, stack) for path, stack in stacks.items()]
    remark = f"mlx: {out.name} is for mlx_lm.convert; the bytes are those of the weights it makes"
    return EmitResult(out, total, (), (remark, *(t for t in told if t)), (config,))


def _python_dict(rules: dict[str, dict[str, int] | bool]) -> str:
    lines = (
        f"    {json.dumps(path)}: {json.dumps(rule) if rule else False},\n"
        for path, rule in rules.items()
    )
    return "{\n" + "".join(lines) + "}"


def read_metadata(artifact: Path) -> str:
    """The metadata inside the predicate, which is parsed, not executed. Raises InputError."""
    if artifact.stat().st_size > MAX_BYTES:
        raise InputError(f"{artifact}: more than {MAX_BYTES} bytes; not a predicate")
    try:
        tree = ast.parse(artifact.read_text("utf-8"))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InputError(f"{artifact}: damaged: {error}") from error
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            if names == ["METADATA"] and isinstance(node.value.value, str):
                return node.value.value
    raise InputError(f"{artifact}: no metadata of this program")
