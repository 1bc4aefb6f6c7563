"""Which ATen operators a graph may carry, and the one place that turns their name into a callable.

Why a rule: the name comes from a file. ATen holds operators that read files, reuse memory or draw
random numbers; only pure, repeatable ones pass. The frontend asks here before it writes an `aten`
node, the reference executor before it runs one.

How an `aten` node holds its arguments: `attrs["args"]` is a tuple of (schema argument name, value).
A value is a plain attribute, a tuple of values, or one of these tuples:

    ("$", i)             input i of the node           ("$list", i, None, j)  a list of inputs
    ("$dtype", "f32")    an element type               ("$dim", "seq+1")      a symbolic integer
    ("$device",)         dropped, as are ("$layout", ...) and ("$memory_format", ...)
"""

import re
from typing import Any

import torch

from optimum_compile.compiler.errors import InputError, UnsupportedError

_TARGET = re.compile(r"aten\.([A-Za-z_][A-Za-z0-9_]{0,79})\.([A-Za-z_][A-Za-z0-9_]{0,79})")

DROPPED_TAGS = ("$device", "$layout", "$memory_format")

# Pure operators outside the core set that exported programs hold before decomposition.
ALLOWED = frozenset(
    """
    addcdiv.default addcmul.default alias_copy.default arange.default arange.start
    baddbmm.default broadcast_to.default chunk.default conv1d.default conv2d.default
    contiguous.default erfc.default expand_as.default flatten.using_ints
    floor_divide.default gather.default group_norm.default hardsigmoid.default
    hardswish.default index_copy.default layer_norm.default lift_fresh_copy.default linear.default
    log_sigmoid.default log_softmax.int logsumexp.default masked_fill.Scalar
    masked_fill.Tensor matmul.default mish.default movedim.int narrow.default
    new_full.default new_ones.default new_zeros.default ones.default ones_like.default
    outer.default permute_copy.default repeat_interleave.self_int reshape.default
    rms_norm.default roll.default rsub.Scalar rsub.Tensor scaled_dot_product_attention.default
    select_copy.int silu.default slice_copy.Tensor softmax.int softplus.default split.Tensor
    square.default squeeze.default stack.default t.default tile.default to.dtype
    transpose.int tril.default triu.default type_as.default unbind.int unflatten.int
    unsqueeze_copy.default view_as.default view_copy.default where.Scalar
    where.ScalarOther where.ScalarSelf zeros.default zeros_like.default
    """.split()
)

# Core operators that a repeatable, contained program has no use for: uninitialised or aliased
# memory, sizes and numbers that leave the tensor world.
REFUSED = frozenset(
    """
    as_strided.default empty.memory_format empty_strided.default _local_scalar_dense.default
    sym_is_contiguous.default sym_numel.default sym_size.int sym_storage_offset.default
    sym_stride.int
    """.split()
)


def aten_overload(target: str) -> Any:
    """The operator named "aten.add.Tensor" as a `torch._ops.OpOverload`.

    Raises InputError for a name that is not of that form or does not exist in this torch, and
    UnsupportedError for an operator that exists but is not pure, repeatable and known.
    """
    match = _TARGET.fullmatch(target)
    if match is None:
        raise InputError(f"operator {target[:80]!r}: expected a name like aten.add.Tensor")
    packet, overload = match.groups()
    try:
        found = getattr(getattr(torch.ops.aten, packet), overload)
    except (AttributeError, RuntimeError) as error:
        raise InputError(
            f"operator {target}: torch {torch.__version__} has none of that name; "
            "export the model again with this version"
        ) from error
    if not isinstance(found, torch._ops.OpOverload):
        raise InputError(f"operator {target}: not an operator overload")
    reason = refusal(found)
    if reason:
        raise UnsupportedError(f"operator {target}: {reason}; rewrite the module without it")
    return found


def refusal(overload: Any) -> str:
    """Why an ATen overload may not be carried; empty where it may."""
    name = f"{overload._schema.name.removeprefix('aten::')}.{overload._overloadname}"
    if not overload._schema.name.startswith("aten::"):
        return "only operators of the aten namespace are carried"
    if overload._schema.is_mutable:
        return "it changes its inputs in place"
    if name in ALLOWED:
        return ""
    if torch.Tag.nondeterministic_seeded in overload.tags:
        return "it draws random numbers"
    if name in REFUSED or torch.Tag.core not in overload.tags:
        return "it is not in the set of pure operators that can be carried"
    return ""
